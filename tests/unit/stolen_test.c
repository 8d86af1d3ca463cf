// SPDX-License-Identifier: MIT
#include "analysis/stolen.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "analysis/mark_cost.h"
#include "analysis/marks.h"
#include "analysis/summary.h"
/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "made.h"
#include "near.h"

#define CLOSE 120e-9
#define FAR 455e-9
#define WALL 0.1 /* two CPUs have twice that: 5 % are a step */

static void add(struct case_result *c, double stolen_s, double wall_s, double cpu_s)
{
	long row = samples_add(&c->samples);

	assert_true(row >= 0);
	c->samples.value[SAMPLE_STEAL_S][row] = stolen_s;
	c->samples.value[SAMPLE_WALL_S][row] = wall_s;
	c->samples.value[SAMPLE_CORE_LATENCY_S][row] = CLOSE;
	c->samples.value[SAMPLE_CORE_LATENCY_AFTER_S][row] = CLOSE;
	c->samples.value[SAMPLE_SENDER_CPU_S][row] = cpu_s;
	c->samples.value[SAMPLE_RECEIVER_CPU_S][row] = cpu_s;
	c->samples.value[SAMPLE_ROUND][row] = (double)row;
	c->samples.value[SAMPLE_WARMUP][row] = 0;
	c->samples.value[SAMPLE_APART][row] = MARK_NONE;
}

static void far(struct case_result *c)
{
	c->samples.value[SAMPLE_CORE_LATENCY_S][c->samples.count - 1] = FAR;
	c->samples.value[SAMPLE_CORE_LATENCY_AFTER_S][c->samples.count - 1] = FAR;
}

/* Five undisturbed ones. */
static struct result *with(void)
{
	struct result *r = result_new();
	struct case_result *c = made_case(r, "read_write");

	for (int i = 0; i < 5; i++)
		add(c, 0, WALL, 0.10);
	return r;
}

static void stolen_samples_are_set_apart_and_kept(void **state)
{
	struct result *r = with();
	struct stolen stolen;
	struct case_summary s;

	(void)state;
	for (int i = 0; i < 3; i++)
		add(&r->cases[0], 0.05, WALL, 0.15);
	assert_int_equal(marks_set(r), 0);
	stolen_count(r, &stolen);
	assert_int_equal(stolen.n, 8);
	assert_int_equal(stolen.stolen, 3);
	assert_near(stolen.total_s, 0.15, 1e-12);
	assert_near(stolen.most_s, 0.05, 1e-12);
	assert_int_equal(summarize(r, &r->cases[0], &s), 0);
	assert_int_equal(s.field[SAMPLE_SENDER_CPU_S].n, 5);
	assert_near(mark_cost(&r->cases[0], MARK_STOLEN), 1.5, 1e-9);
	result_free(r);
}

static void what_a_sample_cost_does_not_decide(void **state)
{
	struct result *r = with();

	(void)state;
	add(&r->cases[0], 0, WALL, 5);
	add(&r->cases[0], 0.05, WALL, 0.01);
	assert_int_equal(marks_set(r), 0);
	assert_true(sample_counts(&r->cases[0].samples, 5));
	assert_false(sample_counts(&r->cases[0].samples, 6));
	result_free(r);
}

/* A step may have been nearly full when the transfer began. */
static void one_step_tells_nothing(void **state)
{
	struct result *r = with();

	(void)state;
	add(&r->cases[0], 0.01, WALL / 10, 0.01);
	add(&r->cases[0], 0.02, WALL / 10, 0.01);
	assert_int_equal(marks_set(r), 0);
	assert_true(sample_counts(&r->cases[0].samples, 5));
	assert_false(sample_counts(&r->cases[0].samples, 6));
	result_free(r);
}

static void a_long_transfer_can_lose_more(void **state)
{
	struct result *r = with();

	(void)state;
	add(&r->cases[0], 0.19, 2, 1);
	add(&r->cases[0], 0.21, 2, 1);
	assert_int_equal(marks_set(r), 0);
	assert_true(sample_counts(&r->cases[0].samples, 5));
	assert_false(sample_counts(&r->cases[0].samples, 6));
	result_free(r);
}

static void what_is_not_known_counts(void **state)
{
	struct result *r = result_new();
	struct case_result *c = made_case(r, "read_write");
	struct stolen stolen;
	json_t *json;

	(void)state;
	add(c, NAN, WALL, 0.1);
	assert_int_equal(marks_set(r), 0);
	assert_true(sample_counts(&c->samples, 0));
	stolen_count(r, &stolen);
	assert_int_equal(stolen.n, 0);
	assert_true(isnan(stolen.most_s));
	json = stolen_json(&stolen);
	assert_non_null(json_string_value(json_object_get(json, "reason")));
	json_decref(json);
	result_free(r);
}

static const char *code(const struct result *r, size_t i)
{
	return json_string_value(json_object_get(json_array_get(r->warnings, i), "code"));
}

static void it_warns_with_what_it_cost(void **state)
{
	struct result *r = with();
	json_t *of_case;

	(void)state;
	for (int i = 0; i < 3; i++)
		add(&r->cases[0], 0.05, WALL, 0.15);
	assert_int_equal(marks_conclude(r), 0);
	assert_int_equal(json_array_size(r->warnings), 1);
	assert_string_equal(code(r, 0), "cpu_stolen");
	assert_non_null(strstr(json_string_value(json_object_get(json_array_get(r->warnings, 0), "text")),
			       "read_write (32K, warm) 1.50 times"));
	of_case = stolen_case_json(&r->cases[0]);
	assert_int_equal(json_integer_value(json_object_get(of_case, "n")), 3);
	json_decref(of_case);
	result_free(r);
}

/* Distance matters more: stolen ones at the run's before whole ones at another. */
static void a_case_with_no_others_goes_by_them_and_it_is_said(void **state)
{
	struct result *r = with();
	struct case_result *c = made_case(r, "sendfile");

	(void)state;
	add(c, 0, WALL, 0.03);
	far(c);
	assert_int_equal(marks_set(r), 0);
	assert_non_null(strstr(marks_why_none(c), "another distance"));
	add(c, 0.05, WALL, 0.04);
	assert_int_equal(marks_set(r), 0);
	assert_non_null(strstr(marks_why_none(c), "somebody else"));
	assert_int_equal(marks_conclude(r), 0);
	assert_false(sample_counts(&c->samples, 0));
	assert_true(sample_counts(&c->samples, 1));
	assert_string_equal(code(r, 0), "cpu_stolen_only");
	result_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stolen_samples_are_set_apart_and_kept),
		cmocka_unit_test(what_a_sample_cost_does_not_decide),
		cmocka_unit_test(one_step_tells_nothing),
		cmocka_unit_test(a_long_transfer_can_lose_more),
		cmocka_unit_test(what_is_not_known_counts),
		cmocka_unit_test(it_warns_with_what_it_cost),
		cmocka_unit_test(a_case_with_no_others_goes_by_them_and_it_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
