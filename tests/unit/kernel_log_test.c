// SPDX-License-Identifier: MIT
/* A word of the kernel's log, from logs made up for the purpose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "measure/kernel_log.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

static const char log_text[] = "<6>[    0.000000] DMI not present or invalid.\n"
			       "<6>[    0.000000] Hypervisor detected: PVM \r\n"
			       "<6>[    0.000001] Hypervisor detected: KVM\n"
			       "<6>[    0.000002] nothing said:";

static void the_first_line_that_says_it_counts(void **state)
{
	char rest[64];

	(void)state;
	assert_true(kernel_log_phrase(log_text, "Hypervisor detected: ", rest, sizeof(rest)));
	assert_string_equal(rest, "PVM");
}

static void what_nobody_said_is_not_found(void **state)
{
	char rest[64] = "left over";

	(void)state;
	assert_false(kernel_log_phrase(log_text, "Microcode: ", rest, sizeof(rest)));
	assert_string_equal(rest, "");
	assert_false(kernel_log_phrase(log_text, "nothing said:", rest, sizeof(rest)));
	assert_string_equal(rest, "");
	assert_false(kernel_log_phrase("", "a", rest, sizeof(rest)));
}

static void a_long_line_is_cut(void **state)
{
	char rest[3];

	(void)state;
	assert_true(kernel_log_phrase(log_text, "DMI ", rest, sizeof(rest)));
	assert_string_equal(rest, "no");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_line_that_says_it_counts),
		cmocka_unit_test(what_nobody_said_is_not_found),
		cmocka_unit_test(a_long_line_is_cut),
	};

	return cmocka_run_group_tests_name("kernel_log", tests, NULL, NULL);
}
