// SPDX-License-Identifier: MIT
/* Of several causes the first is the one that is told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/failure.h"

/* last: it makes a macro of the name fail(), which the parentheses below keep out of the way */
#include <cmocka.h>

static void keeps_the_first_cause(void **state)
{
	struct failure why = { 0 };

	(void)state;
	assert_int_equal((fail)(&why, EXIT_WRONG_USE, EINVAL, "no %s %d", "such", 7), -EINVAL);
	assert_int_equal((fail)(&why, EXIT_MACHINE_CANT, ENOMEM, "later"), -ENOMEM);
	assert_string_equal(why.text, "no such 7");
	assert_int_equal(why.exit_code, EXIT_WRONG_USE);
}

static void needs_no_listener(void **state)
{
	(void)state;
	assert_int_equal((fail)(NULL, EXIT_WRONG_USE, EIO, "nobody hears %d", 1), -EIO);
}

static void cuts_what_does_not_fit(void **state)
{
	struct failure why = { 0 };
	char text[4096];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(fail)(&why, EXIT_TRANSFER_FAILED, EIO, "%s", text);
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_first_cause),
		cmocka_unit_test(needs_no_listener),
		cmocka_unit_test(cuts_what_does_not_fit),
	};

	return cmocka_run_group_tests_name("failure", tests, NULL, NULL);
}
