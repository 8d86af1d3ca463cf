// SPDX-License-Identifier: MIT
#include "analysis/marks.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "analysis/apart.h"
#include "analysis/mark_cost.h"
/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "made.h"

#define CLOSE 120e-9
#define FAR 455e-9

static void add(struct case_result *c, int n, double before_s, double after_s, double stolen_s)
{
	for (int i = 0; i < n; i++) {
		long row = samples_add(&c->samples);

		assert_true(row >= 0);
		c->samples.value[SAMPLE_STEAL_S][row] = stolen_s;
		c->samples.value[SAMPLE_WALL_S][row] = 0.1;
		c->samples.value[SAMPLE_CORE_LATENCY_S][row] = before_s;
		c->samples.value[SAMPLE_CORE_LATENCY_AFTER_S][row] = after_s;
		c->samples.value[SAMPLE_SENDER_CPU_S][row] = 0.1;
		c->samples.value[SAMPLE_WARMUP][row] = 0;
		c->samples.value[SAMPLE_APART][row] = MARK_NONE;
	}
}

/* A method that stays, and two cases of one that does not: `at` samples of `of` are at the distance all the time. */
static struct result *with(int at, int of)
{
	struct result *r = result_new();

	add(made_case(r, "read_write"), 40, CLOSE, CLOSE, 0);
	add(made_case(r, "direct_write"), of / 2, CLOSE, FAR, 0);
	add(made_case(r, "direct_write"), of - of / 2 - at, CLOSE, FAR, 0);
	add(&r->cases[2], at, CLOSE, CLOSE, 0);
	r->cases[2].chunk = 65536;
	assert_int_equal(marks_set(r), 0);
	return r;
}

static size_t counting(const struct case_result *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->samples.count; i++)
		n += sample_counts(&c->samples, i);
	return n;
}

static void a_method_that_is_hardly_ever_there_counts_where_it_was(void **state)
{
	struct result *r = with(4, 20);
	const json_t *warning;

	(void)state;
	assert_int_equal(counting(&r->cases[1]), 10);
	assert_int_equal(counting(&r->cases[2]), 10);
	assert_int_equal(mark_count(&r->cases[1], MARK_SETTLED), 10);
	/* and says nothing of where the run was */
	assert_true(fabs(apart_distance(r, &r->cases[1]) - CLOSE) < 1e-12);
	assert_int_equal(marks_conclude(r), 0);
	assert_int_equal(json_array_size(r->warnings), 1);
	warning = json_array_get(r->warnings, 0);
	assert_string_equal(json_string_value(json_object_get(warning, "code")), "cpus_elsewhere");
	assert_non_null(strstr(json_string_value(json_object_get(warning, "text")), "direct_write (4 of 20)"));
	result_free(r);
}

static void a_quarter_there_is_enough_to_go_by(void **state)
{
	struct result *r = with(5, 20);

	(void)state;
	assert_int_equal(counting(&r->cases[1]), 0);
	assert_int_equal(counting(&r->cases[2]), 5);
	result_free(r);
}

static void few_samples_tell_nothing(void **state)
{
	struct result *r = with(1, MARKS_ELSEWHERE_LEAST - 1);

	(void)state;
	assert_int_equal(counting(&r->cases[1]), 0);
	result_free(r);
}

static void stolen_ones_do_not_count_there_either(void **state)
{
	struct result *r = with(0, 20);

	(void)state;
	add(&r->cases[1], 3, CLOSE, FAR, 0.05);
	assert_int_equal(marks_set(r), 0);
	assert_int_equal(counting(&r->cases[1]), 10);
	assert_int_equal(mark_count(&r->cases[1], MARK_APART), 3);
	result_free(r);
}

/* A host that slows or steals is not one that moves: what it did so to says nothing here. */
static void disturbed_ones_have_no_say(void **state)
{
	struct result *r = with(3, 20);

	(void)state;
	add(&r->cases[1], 30, CLOSE, CLOSE, 0.05);
	assert_int_equal(marks_set(r), 0);
	assert_int_equal(mark_count(&r->cases[1], MARK_STOLEN), 30);
	assert_int_equal(counting(&r->cases[2]), 10);
	result_free(r);
}

/* Two results are compared by what was at one distance only. */
static void not_in_a_comparison(void **state)
{
	struct result *r = with(4, 20);

	(void)state;
	assert_int_equal(apart_mark(r), 0);
	assert_int_equal(marks_set_aligned(r), 0);
	assert_int_equal(counting(&r->cases[2]), 4);
	result_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_method_that_is_hardly_ever_there_counts_where_it_was),
		cmocka_unit_test(a_quarter_there_is_enough_to_go_by),
		cmocka_unit_test(few_samples_tell_nothing),
		cmocka_unit_test(stolen_ones_do_not_count_there_either),
		cmocka_unit_test(disturbed_ones_have_no_say),
		cmocka_unit_test(not_in_a_comparison),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
