// SPDX-License-Identifier: MIT
#include "analysis/marks.h"
#include "analysis/slowed.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/apart.h"
#include "analysis/host_speed.h"
#include "analysis/mark_cost.h"
#include "analysis/summary.h"
/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "made.h"
#include "near.h"

#define USUAL 2.70e-3
#define CLOSE 120e-9
#define FAR 455e-9

static void add(struct case_result *c, double yardstick_s, double latency_s, double cpu_s)
{
	long row = samples_add(&c->samples);

	assert_true(row >= 0);
	c->samples.value[SAMPLE_YARDSTICK_S][row] = yardstick_s;
	c->samples.value[SAMPLE_CORE_LATENCY_S][row] = latency_s;
	c->samples.value[SAMPLE_CORE_LATENCY_AFTER_S][row] = latency_s;
	c->samples.value[SAMPLE_SENDER_CPU_S][row] = cpu_s;
	c->samples.value[SAMPLE_RECEIVER_CPU_S][row] = cpu_s;
	c->samples.value[SAMPLE_WALL_S][row] = cpu_s;
	c->samples.value[SAMPLE_ROUND][row] = (double)row;
	c->samples.value[SAMPLE_WARMUP][row] = 0;
	c->samples.value[SAMPLE_APART][row] = MARK_NONE;
}

static void add_many(struct case_result *c, int n, double yardstick_s, double cpu_s)
{
	for (int i = 0; i < n; i++)
		add(c, yardstick_s * (1 + 0.0005 * i), CLOSE, cpu_s);
}

/* Fifty at the usual speed, and as many as asked for at another. */
static struct result *with(int n, double yardstick_s, double cpu_s)
{
	struct result *r = result_new();
	struct case_result *c = made_case(r, "read_write");

	add_many(c, 50, USUAL, 0.10);
	add_many(c, n, yardstick_s, cpu_s);
	assert_int_equal(apart_mark(r), 0);
	assert_int_equal(slowed_mark(r), 0);
	return r;
}

static size_t marked(const struct result *r)
{
	struct slowed slowed;

	slowed_count(r, &slowed);
	return slowed.slowed;
}

static void slow_samples_are_set_apart_and_kept(void **state)
{
	struct result *r = with(5, USUAL * 1.12, 0.13);
	struct case_summary s;
	struct slowed slowed;

	(void)state;
	slowed_count(r, &slowed);
	assert_int_equal(slowed.n, 55);
	assert_int_equal(slowed.slowed, 5);
	assert_near(slowed.usual_s, USUAL, 0.03 * USUAL);
	assert_int_equal(summarize(r, &r->cases[0], &s), 0);
	assert_int_equal(s.field[SAMPLE_SENDER_CPU_S].n, 50);
	assert_int_equal(r->cases[0].samples.count, 55);
	assert_near(mark_cost(&r->cases[0], MARK_SLOWED), 1.3, 1e-9);
	result_free(r);
}

static void what_a_sample_cost_does_not_decide(void **state)
{
	struct result *dear = with(5, USUAL, 0.50), *cheap = with(5, USUAL * 1.12, 0.05);

	(void)state;
	assert_int_equal(marked(dear), 0);
	assert_int_equal(marked(cheap), 5);
	result_free(dear);
	result_free(cheap);
}

static void a_faster_cpu_is_not_set_apart(void **state)
{
	struct result *r = with(5, USUAL * 0.8, 0.08);

	(void)state;
	assert_int_equal(marked(r), 0);
	result_free(r);
}

/* Where most of a run was slow, that is its usual speed: no sample is against itself. */
static void the_usual_speed_is_where_most_are(void **state)
{
	struct result *r = with(80, USUAL * 1.3, 0.13);

	(void)state;
	assert_int_equal(marked(r), 0);
	result_free(r);
}

static void few_yardsticks_tell_nothing(void **state)
{
	struct result *r = result_new();
	struct case_result *c = made_case(r, "read_write");
	struct slowed slowed;

	(void)state;
	add_many(c, SLOWED_LEAST - 6, USUAL, 0.1);
	add_many(c, 5, USUAL * 1.5, 0.2);
	assert_int_equal(slowed_mark(r), 0);
	slowed_count(r, &slowed);
	assert_true(isnan(slowed.usual_s));
	assert_int_equal(slowed.slowed, 0);
	/* one more, and it is known */
	add(c, USUAL, CLOSE, 0.1);
	assert_int_equal(slowed_mark(r), 0);
	assert_int_equal(marked(r), 5);
	result_free(r);
}

/* A sample that is both is at another distance first of all: marks are one each. */
static void distance_comes_first(void **state)
{
	struct result *r = with(5, USUAL * 1.12, 0.13);
	struct apart apart;

	(void)state;
	add(&r->cases[0], USUAL * 1.5, FAR, 0.2);
	assert_int_equal(apart_mark(r), 0);
	assert_int_equal(slowed_mark(r), 0);
	apart_count(r, &apart);
	assert_int_equal(apart.apart, 1);
	assert_int_equal(marked(r), 5);
	result_free(r);
}

/* Two placements are on other CPUs, which may be of another speed. */
static void each_placement_has_its_own_speed(void **state)
{
	struct result *r = with(2, USUAL * 1.12, 0.13);
	struct case_result *c = made_case(r, "sendfile");
	struct slowed slowed;

	(void)state;
	json_object_set_new(c->conditions, "placement", json_string("nodes"));
	add_many(c, 60, USUAL * 1.4, 0.1);
	add(c, USUAL * 1.6, CLOSE, 0.2);
	assert_int_equal(apart_mark(r), 0);
	assert_int_equal(slowed_mark(r), 0);
	slowed_count(r, &slowed);
	assert_int_equal(slowed.n, 113);
	assert_int_equal(mark_count(&r->cases[0], MARK_SLOWED), 2);
	assert_int_equal(mark_count(&r->cases[1], MARK_SLOWED), 1);
	assert_near(slowed.usual_s, USUAL, 0.03 * USUAL);
	result_free(r);
}

static void a_case_with_no_others_goes_by_them_and_it_is_said(void **state)
{
	struct result *r = with(0, USUAL, 0.1);
	struct case_result *c = made_case(r, "sendfile");
	const json_t *warning;

	(void)state;
	add(c, USUAL * 1.2, CLOSE, 0.03);
	add(c, USUAL, FAR, 0.04);
	assert_int_equal(marks_conclude(r), 0);
	/* the slowed one, not the far one */
	assert_true(sample_counts(&c->samples, 0));
	assert_false(sample_counts(&c->samples, 1));
	warning = json_array_get(r->warnings, 0);
	assert_string_equal(json_string_value(json_object_get(warning, "code")), "cpu_slowed_only");
	assert_non_null(strstr(json_string_value(json_object_get(warning, "text")), "sendfile (32K, warm)"));
	result_free(r);
}

static void it_warns_with_what_it_cost(void **state)
{
	struct result *r = with(5, USUAL * 1.12, 0.13);
	const json_t *warning;
	json_t *of_case;

	(void)state;
	assert_int_equal(marks_conclude(r), 0);
	assert_int_equal(json_array_size(r->warnings), 1);
	warning = json_array_get(r->warnings, 0);
	assert_string_equal(json_string_value(json_object_get(warning, "code")), "cpu_slowed");
	assert_non_null(strstr(json_string_value(json_object_get(warning, "text")),
			       "5 of 55 samples"));
	assert_non_null(strstr(json_string_value(json_object_get(warning, "text")),
			       "read_write (32K, warm) 1.30"));
	of_case = slowed_case_json(&r->cases[0]);
	assert_int_equal(json_integer_value(json_object_get(of_case, "n")), 5);
	assert_near(json_number_value(json_object_get(of_case, "sender_cpu_ratio")), 1.3, 1e-9);
	json_decref(of_case);
	result_free(r);
}

/* Prices are of the samples that count, and so is the speed that they are brought to. */
static void the_speed_of_those_that_count(void **state)
{
	struct result *r = with(49, USUAL * 1.2, 0.13);
	struct host_speed speed;

	(void)state;
	assert_int_equal(host_speed(r, &speed), 0);
	assert_int_equal(speed.n, 99);
	assert_true(speed.counting_s < USUAL * 1.03);
	assert_true(speed.high_s > USUAL * 1.2);
	result_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_samples_are_set_apart_and_kept),
		cmocka_unit_test(what_a_sample_cost_does_not_decide),
		cmocka_unit_test(a_faster_cpu_is_not_set_apart),
		cmocka_unit_test(the_usual_speed_is_where_most_are),
		cmocka_unit_test(few_yardsticks_tell_nothing),
		cmocka_unit_test(distance_comes_first),
		cmocka_unit_test(each_placement_has_its_own_speed),
		cmocka_unit_test(a_case_with_no_others_goes_by_them_and_it_is_said),
		cmocka_unit_test(it_warns_with_what_it_cost),
		cmocka_unit_test(the_speed_of_those_that_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
