// SPDX-License-Identifier: MIT
#include "analysis/apart.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/differences.h"
#include "analysis/mark_cost.h"
#include "analysis/marks.h"
#include "analysis/summary.h"
/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "made.h"
#include "near.h"

#define CLOSE 120e-9
#define FAR 455e-9

static void add(struct case_result *c, double before, double after, double cpu_s, bool warmup)
{
	long row = samples_add(&c->samples);

	assert_true(row >= 0);
	c->samples.value[SAMPLE_CORE_LATENCY_S][row] = before;
	c->samples.value[SAMPLE_CORE_LATENCY_AFTER_S][row] = after;
	c->samples.value[SAMPLE_SENDER_CPU_S][row] = cpu_s;
	c->samples.value[SAMPLE_RECEIVER_CPU_S][row] = cpu_s;
	c->samples.value[SAMPLE_WALL_S][row] = cpu_s;
	c->samples.value[SAMPLE_ROUND][row] = (double)row;
	c->samples.value[SAMPLE_WARMUP][row] = warmup;
	c->samples.value[SAMPLE_APART][row] = 0;
}

/* Seven near, three far, one that moved, and warm-ups that nobody asks. */
static struct result *moved(void)
{
	struct result *r = result_new();
	struct case_result *c;

	assert_non_null(r);
	c = made_case(r, "read_write");
	for (int i = 0; i < 9; i++)
		add(c, FAR, FAR, 9, true);
	for (int i = 0; i < 7; i++)
		add(c, CLOSE * (1 + 0.04 * i), CLOSE, 0.10, false);
	for (int i = 0; i < 3; i++)
		add(c, FAR, FAR, 0.17, false);
	add(c, CLOSE, FAR, 0.15, false);
	return r;
}

static void the_usual_distance_is_found_and_the_others_marked(void **state)
{
	struct result *r = moved();
	struct case_summary s;
	struct apart a;

	(void)state;
	assert_int_equal(apart_mark(r), 0);
	apart_count(r, &a);
	assert_int_equal(a.n, 7);
	assert_int_equal(a.apart, 4);
	assert_int_equal(a.unknown, 0);
	assert_true(apart_near(a.median_s, CLOSE));
	assert_near(a.apart_low_s, FAR, 1e-12);
	assert_near(a.apart_high_s, FAR, 1e-12);
	/* figures are of the seven; the four are still there */
	assert_int_equal(summarize(r, &r->cases[0], &s), 0);
	assert_int_equal(s.field[SAMPLE_SENDER_CPU_S].n, 7);
	assert_near(s.field[SAMPLE_SENDER_CPU_S].median, 0.10, 1e-12);
	assert_int_equal(r->cases[0].samples.count, 20);
	assert_near(mark_cost(&r->cases[0], MARK_APART), 1.7, 1e-9);
	result_free(r);
}

static void add_many(struct case_result *c, size_t n, double latency_s)
{
	for (size_t i = 0; i < n; i++)
		add(c, latency_s, latency_s, 0.1, false);
}

/* The distance that a result of so many samples goes by; frees it. */
static double distance_found(struct result *r, size_t samples)
{
	struct apart a;

	assert_int_equal(apart_mark(r), 0);
	apart_count(r, &a);
	assert_int_equal(a.n + a.apart, samples);
	result_free(r);
	return a.median_s;
}

static double distance_of(size_t near, double near_s, size_t far, double far_s)
{
	struct result *r = result_new();
	struct case_result *c = made_case(r, "read_write");

	add_many(c, near, near_s);
	add_many(c, far, far_s);
	return distance_found(r, near + far);
}

/* So that two runs have the same one whichever way the host leant. */
static void a_quarter_at_a_much_shorter_distance_is_enough(void **state)
{
	(void)state;
	assert_near(distance_of(25, CLOSE, 75, FAR), CLOSE, 1e-12);
	assert_near(distance_of(24, CLOSE, 76, FAR), FAR, 1e-12);
	/* the other way round a share is no reason */
	assert_near(distance_of(60, CLOSE, 40, FAR), CLOSE, 1e-12);
	/* another core of one cache is nearer, but not by as much: there most samples decide */
	assert_near(distance_of(40, 80e-9, 60, 140e-9), 140e-9, 1e-12);
	/* nor two threads of one core */
	assert_near(distance_of(40, 60e-9, 60, 140e-9), 140e-9, 1e-12);
	assert_near(distance_of(1, CLOSE, 0, FAR), CLOSE, 1e-12);
}

/* Of far and near samples; before `vain` of the far ones and `good` of the near ones it was tried to bring the CPUs together. */
static double distance_tried(size_t near, size_t good, size_t far, size_t vain)
{
	struct result *r = result_new();
	struct case_result *c = made_case(r, "read_write");

	add_many(c, near, CLOSE);
	add_many(c, far, FAR);
	for (size_t i = 0; i < good; i++)
		c->samples.value[SAMPLE_GATHER_S][i] = 0.3;
	for (size_t i = 0; i < vain; i++)
		c->samples.value[SAMPLE_GATHER_S][near + i] = 0.15;
	for (size_t i = near + vain; i < near + far; i++)
		c->samples.value[SAMPLE_GATHER_S][i] = 0;
	return distance_found(r, near + far);
}

/* A host that never brings them together has them near by chance: then what most samples have is more to go by. */
static void a_distance_that_can_not_be_had_needs_half(void **state)
{
	(void)state;
	assert_near(distance_tried(40, 0, 60, 50), FAR, 1e-12);
	assert_near(distance_tried(50, 0, 50, 50), CLOSE, 1e-12);
	/* it worked now and then, or was hardly tried */
	assert_near(distance_tried(40, 6, 60, 50), CLOSE, 1e-12);
	assert_near(distance_tried(40, 0, 60, 29), CLOSE, 1e-12);
}

/* A quarter in all, but at two distances of which none has one. */
static void scattered_near_samples_are_no_quarter(void **state)
{
	struct result *r = result_new();
	struct case_result *c = made_case(r, "read_write");
	struct apart a;

	(void)state;
	add_many(c, 12, 50e-9);
	add_many(c, 13, 150e-9);
	add_many(c, 75, FAR);
	assert_int_equal(apart_mark(r), 0);
	apart_count(r, &a);
	assert_near(a.median_s, FAR, 1e-12);
	result_free(r);
}

/* What a sample cost has no say: the cheap ones are marked as readily as the dear ones. */
static void cost_does_not_decide(void **state)
{
	struct result *r = moved();
	struct samples *s = &r->cases[0].samples;

	(void)state;
	for (size_t i = 0; i < s->count; i++)
		s->value[SAMPLE_SENDER_CPU_S][i] = 1 / s->value[SAMPLE_SENDER_CPU_S][i];
	assert_int_equal(apart_mark(r), 0);
	assert_true(mark_cost(&r->cases[0], MARK_APART) < 1);
	for (size_t i = 9; i < 16; i++)
		assert_true(sample_counts(s, i));
	for (size_t i = 16; i < 20; i++)
		assert_false(sample_counts(s, i));
	result_free(r);
}

static void what_was_not_measured_counts(void **state)
{
	struct result *r = result_new();
	struct case_result *c = made_case(r, "sendfile");
	struct apart a;
	json_t *doc;

	(void)state;
	for (int i = 0; i < 5; i++)
		add(c, NAN, NAN, 0.1, false);
	assert_int_equal(apart_mark(r), 0);
	apart_count(r, &a);
	assert_int_equal(a.unknown, 5);
	assert_int_equal(a.apart, 0);
	doc = apart_json(&a);
	assert_true(json_is_null(json_object_get(doc, "median_s")));
	assert_non_null(json_string_value(json_object_get(doc, "reason")));
	json_decref(doc);
	/* nor does one that was not measured go by those that were */
	for (int i = 0; i < 5; i++)
		add(c, CLOSE, CLOSE, 0.1, false);
	assert_int_equal(apart_mark(r), 0);
	apart_count(r, &a);
	assert_int_equal(a.n, 5);
	assert_int_equal(a.unknown, 5);
	assert_int_equal(a.apart, 0);
	result_free(r);
}

static void an_old_result_has_no_marks(void **state)
{
	struct result *r = moved();
	struct samples *s = &r->cases[0].samples;

	(void)state;
	for (size_t i = 0; i < s->count; i++)
		s->value[SAMPLE_APART][i] = NAN;
	assert_true(sample_counts(s, 19));
	result_free(r);
}

static void it_warns_once_some_are_apart(void **state)
{
	struct result *r = moved();
	const char *text;

	(void)state;
	assert_int_equal(apart_mark(r), 0);
	assert_int_equal(marks_conclude(r), 0);
	assert_int_equal(json_array_size(r->warnings), 1);
	text = json_string_value(json_object_get(json_array_get(r->warnings, 0), "text"));
	assert_non_null(strstr(text, "4 of 11 samples"));
	assert_non_null(strstr(text, "455 to 455 ns"));
	assert_non_null(strstr(text, "read_write (32K, warm) 1.70"));
	result_free(r);
	r = result_new();
	add(made_case(r, "splice"), CLOSE, CLOSE, 0.1, false);
	assert_int_equal(apart_mark(r), 0);
	assert_int_equal(marks_conclude(r), 0);
	assert_int_equal(json_array_size(r->warnings), 0);
	result_free(r);
}

static void a_case_with_none_says_why(void **state)
{
	struct result *r = moved();
	struct case_result *c = made_case(r, "sendfile");

	(void)state;
	assert_string_equal(marks_why_none(c), "no timed sample");
	add(c, FAR, FAR, 0.1, false);
	assert_int_equal(apart_mark(r), 0);
	assert_non_null(strstr(marks_why_none(c), "another distance"));
	result_free(r);
}

/* One run mostly near, one mostly far: they are compared where both have most, and that is neither's own choice. */
static void two_results_are_put_at_one_distance(void **state)
{
	struct result *a = moved(), *b = result_new();
	struct case_result *c = made_case(b, "read_write");
	struct apart of_a, of_b;
	json_t *differences;

	(void)state;
	for (int i = 0; i < 20; i++)
		add(c, FAR, FAR, 0.17, false);
	for (int i = 0; i < 5; i++)
		add(c, CLOSE, CLOSE, 0.10, false);
	assert_true(apart_align(a, b));
	apart_count(a, &of_a);
	apart_count(b, &of_b);
	/* five and seven near, against three and twenty far */
	assert_int_equal(of_a.n, 7);
	assert_int_equal(of_b.n, 5);
	differences = differences_between(a, b);
	assert_int_equal(json_array_size(differences), 0);
	json_decref(differences);
	result_free(a);
	result_free(b);
}

static void no_distance_in_common_is_a_difference(void **state)
{
	struct result *a = result_new(), *b = result_new();
	json_t *differences;

	(void)state;
	add(made_case(a, "read_write"), CLOSE, CLOSE, 0.10, false);
	add(made_case(b, "read_write"), FAR, FAR, 0.17, false);
	assert_false(apart_align(a, b));
	differences = differences_between(a, b);
	assert_int_equal(json_array_size(differences), 1);
	assert_true(json_is_true(json_object_get(json_array_get(differences, 0), "breaks")));
	json_decref(differences);
	result_free(a);
	result_free(b);
}

/* Two threads of a core are meant to be nearer than two cores: each placement has a distance of its own. */
static void placements_have_their_own(void **state)
{
	struct result *r = moved();
	struct case_result *c;
	struct apart a;

	(void)state;
	json_object_set_new(r->cases[0].conditions, "placement", json_string("cores"));
	c = made_case(r, "read_write");
	json_object_set_new(c->conditions, "placement", json_string("sibling"));
	for (int i = 0; i < 5; i++)
		add(c, 50e-9, 50e-9, 0.12, false);
	add(c, CLOSE, CLOSE, 0.10, false);
	assert_int_equal(apart_mark(r), 0);
	apart_count(r, &a);
	assert_int_equal(a.n, 7 + 5);
	assert_int_equal(a.apart, 4 + 1);
	assert_true(apart_near(a.median_s, CLOSE));
	assert_near(apart_distance(r, &r->cases[1]), 50e-9, 1e-12);
	assert_near(a.apart_low_s, CLOSE, 1e-12);
	result_free(r);
}

/* Moving hosts: what is of no distance has no say in which one it is. */
static void samples_that_moved_do_not_vote(void **state)
{
	struct result *r = result_new();
	struct case_result *c = made_case(r, "read_write");
	struct apart a;

	(void)state;
	add_many(c, 3, CLOSE);
	add_many(c, 7, FAR);
	for (int i = 0; i < 10; i++)
		add(c, CLOSE, FAR, 0.1, false);
	assert_int_equal(apart_mark(r), 0);
	apart_count(r, &a);
	assert_near(a.median_s, CLOSE, 1e-12);
	assert_int_equal(a.n, 3);
	result_free(r);
	/* nothing but such: there is no distance, and nothing is set aside for it */
	r = result_new();
	c = made_case(r, "read_write");
	for (int i = 0; i < 3; i++)
		add(c, CLOSE, FAR, 0.1, false);
	assert_int_equal(apart_mark(r), 0);
	apart_count(r, &a);
	assert_int_equal(a.apart, 0);
	result_free(r);
}

/* Those that are shown for want of others may be more than all others, and still not say where the run was. */
static void settled_samples_leave_the_distance_alone(void **state)
{
	struct result *r = result_new();
	struct apart a;

	(void)state;
	add_many(made_case(r, "read_write"), 3, CLOSE);
	add_many(made_case(r, "sendfile"), 8, FAR);
	assert_int_equal(marks_conclude(r), 0);
	apart_count(r, &a);
	assert_near(a.median_s, CLOSE, 1e-12);
	assert_near(apart_distance(r, &r->cases[1]), CLOSE, 1e-12);
	assert_int_equal(a.n, 11);
	assert_true(sample_counts(&r->cases[1].samples, 0));
	result_free(r);
}

/* Cores of one cache are 70 to 250 ns from each other, and cost the same: a sample may go from one end of that to the other. */
static void the_shorter_latency_may_wander(void **state)
{
	(void)state;
	assert_true(apart_stayed(130e-9, 58e-9, CLOSE));
	assert_true(apart_stayed(58e-9, 130e-9, CLOSE));
	/* not by more than APART_WANDER, and not when the longer one is not at the distance */
	assert_false(apart_stayed(130e-9, 57e-9, CLOSE));
	assert_false(apart_stayed(58e-9, 60e-9, CLOSE));
	assert_false(apart_stayed(FAR, 250e-9, CLOSE));
	assert_true(apart_stayed(NAN, NAN, CLOSE));
}

/* A run of a round or two: no case goes without a figure, and what it is made of is said. */
static void a_case_is_not_left_without_a_sample(void **state)
{
	struct result *r = moved();
	struct case_result *c = made_case(r, "sendfile");
	struct apart a;

	(void)state;
	add(c, FAR, FAR, 0.1, false);
	assert_int_equal(marks_conclude(r), 0);
	apart_count(r, &a);
	/* the other case keeps its own apart */
	assert_int_equal(a.apart, 4);
	assert_int_equal(a.n, 8);
	assert_true(sample_counts(&c->samples, 0));
	assert_int_equal(json_array_size(r->warnings), 2);
	assert_non_null(strstr(json_string_value(json_object_get(json_array_get(r->warnings, 0),
								 "text")),
			       "sendfile (32K, warm)"));
	/* a case that failed has none, and that is no reason */
	c->status = CASE_FAILED;
	assert_int_equal(apart_mark(r), 0);
	assert_int_equal(marks_settle(r), 0);
	result_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_usual_distance_is_found_and_the_others_marked),
		cmocka_unit_test(a_quarter_at_a_much_shorter_distance_is_enough),
		cmocka_unit_test(a_distance_that_can_not_be_had_needs_half),
		cmocka_unit_test(scattered_near_samples_are_no_quarter),
		cmocka_unit_test(cost_does_not_decide),
		cmocka_unit_test(what_was_not_measured_counts),
		cmocka_unit_test(an_old_result_has_no_marks),
		cmocka_unit_test(it_warns_once_some_are_apart),
		cmocka_unit_test(a_case_with_none_says_why),
		cmocka_unit_test(two_results_are_put_at_one_distance),
		cmocka_unit_test(no_distance_in_common_is_a_difference),
		cmocka_unit_test(placements_have_their_own),
		cmocka_unit_test(a_case_is_not_left_without_a_sample),
		cmocka_unit_test(the_shorter_latency_may_wander),
		cmocka_unit_test(samples_that_moved_do_not_vote),
		cmocka_unit_test(settled_samples_leave_the_distance_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
