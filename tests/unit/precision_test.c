// SPDX-License-Identifier: MIT
/* How far an interval reaches, and what is said when it never came near enough. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <string.h>

#include "study/precision.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "near.h"

static struct case_result *a_case(struct result *r, const double *values, size_t n)
{
	struct case_result *c = result_add_case(r);

	assert_non_null(c);
	c->method = strdup("sendfile");
	c->cache = strdup("warm");
	c->chunk = 32768;
	for (size_t i = 0; i < n; i++) {
		long row = samples_add(&c->samples);

		c->samples.value[SAMPLE_SENDER_CPU_S][row] = values[i];
		c->samples.value[SAMPLE_WARMUP][row] = 0;
	}
	return c;
}

/* Six samples: the interval is their range, 9 … 12 about a median of 10. */
static void the_further_end_counts(void **state)
{
	static const double six[] = { 10, 9, 10, 10, 12, 10 };
	struct result *r = result_new();

	(void)state;
	assert_near(precision_of(a_case(r, six, 6)), 0.2, 1e-12);
	/* five reach no 95 % */
	assert_true(isinf(precision_of(a_case(r, six, 5))));
	assert_true(isinf(precision_of(a_case(r, six, 0))));
	result_free(r);
}

static void what_was_not_reached_is_said_once(void **state)
{
	static const double six[] = { 10, 9, 10, 10, 12, 10 }, tight[] = { 10, 10, 10, 10, 10, 10 };
	struct result *r = result_new();
	const char *text;

	(void)state;
	a_case(r, tight, 6);
	precision_conclude(r, 0.02, "500 rounds");
	assert_int_equal(json_array_size(r->warnings), 0);
	a_case(r, six, 6);
	precision_conclude(r, 0.02, "500 rounds");
	assert_int_equal(json_array_size(r->warnings), 1);
	text = json_string_value(json_object_get(json_array_get(r->warnings, 0), "text"));
	assert_non_null(strstr(text, "500 rounds"));
	assert_non_null(strstr(text, "1 cases"));
	assert_non_null(strstr(text, "20.0%"));
	result_free(r);
}

/* More cases than there is room for: counted all the same, and nothing overflows. */
static void many_cases_are_counted(void **state)
{
	static const double six[] = { 10, 9, 10, 10, 12, 10 };
	struct result *r = result_new();

	(void)state;
	for (int i = 0; i < 200; i++)
		a_case(r, six, i % 2 ? 6 : 3);
	precision_conclude(r, 0.02, "600 s");
	assert_non_null(
		strstr(json_string_value(json_object_get(json_array_get(r->warnings, 0), "text")),
		       "200 cases"));
	result_free(r);
}

static void precisions_are_read_or_refused(void **state)
{
	static const char *const wrong[] = { "",     "2",    "%",   "-2%", "0%",
					     "100%", "nan%", "2%%", "inf%" };
	struct failure why = { 0 };
	double share;

	(void)state;
	assert_int_equal(precision_parse("2.5%", &share, &why), 0);
	assert_near(share, 0.025, 1e-12);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_true(precision_parse(wrong[i], &share, &why) < 0);
		assert_int_equal(why.exit_code, EXIT_WRONG_USE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_further_end_counts),
		cmocka_unit_test(what_was_not_reached_is_said_once),
		cmocka_unit_test(many_cases_are_counted),
		cmocka_unit_test(precisions_are_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
