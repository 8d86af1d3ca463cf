// SPDX-License-Identifier: MIT
/* Comparison of made-up results: a planted change is found, and none is found where there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>

#include "analysis/compare.h"
#include "synthetic.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#define PAIRS 400

static const uint64_t chunks[] = { 32768, 1048576 };

static const struct synthetic machine = {
	.price = { [TERM_CARRIED] = 0.030, [TERM_CALLS] = 0.4e-6, [TERM_SENDS] = 1.5e-6,
		   [TERM_LENDS] = 1e-6,
		   [TERM_FILE_TO_USER] = 0.090, [TERM_USER_TO_SOCKET] = 0.120, [TERM_WAITS] = 12e-6 },
	.noise = 0.03, .rounds = 15,
};

static json_t *compared(const struct synthetic *a, const struct synthetic *b, gsl_rng *rng,
			double margin, const struct gate *gates, size_t gate_count)
{
	struct result *base = synthetic_result(a, chunks, 2, 5, rng),
		      *new = synthetic_result(b, chunks, 2, 5, rng);
	json_t *doc = compare_results(base, new, margin, gates, gate_count);

	assert_non_null(doc);
	result_free(base);
	result_free(new);
	return doc;
}

static const char *verdict_of(const json_t *doc, size_t i, const char *metric)
{
	const json_t *metrics = json_object_get(json_array_get(json_object_get(doc, "cases"), i),
						"metrics");

	return json_string_value(json_object_get(json_object_get(metrics, metric), "verdict"));
}

/* Cases called different, and (in *any) whether there was one. */
static int called_different(const json_t *doc, const char *metric)
{
	int n = 0;

	for (size_t i = 0; i < json_array_size(json_object_get(doc, "cases")); i++) {
		const char *verdict = verdict_of(doc, i, metric);

		n += !strcmp(verdict, "worse") || !strcmp(verdict, "better");
	}
	return n;
}

static void false_alarms(const struct synthetic *s, double margin, unsigned long seed,
			 double *runs, double *cases)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	int alarmed_runs = 0, alarmed_cases = 0;

	gsl_rng_set(rng, seed);
	for (int pair = 0; pair < PAIRS; pair++) {
		json_t *doc = compared(s, s, rng, margin, NULL, 0);
		int n = called_different(doc, "sender_cpu");

		alarmed_runs += n > 0;
		alarmed_cases += n;
		json_decref(doc);
	}
	*runs = (double)alarmed_runs / PAIRS;
	*cases = (double)alarmed_cases / (PAIRS * 10);
	gsl_rng_free(rng);
}

/* With no margin to hide behind: Holm promises one run in twenty with any case called different, at most. */
static void the_same_build_twice_is_not_called_different(void **state)
{
	double runs, cases;

	(void)state;
	false_alarms(&machine, 0, 11, &runs, &cases);
	print_message("    no margin: %.3f of runs, %.4f of cases\n", runs, cases);
	assert_true(runs < 0.05 + 3 * sqrt(0.05 * 0.95 / PAIRS));
	false_alarms(&machine, COMPARE_MARGIN, 12, &runs, &cases);
	print_message("    margin 2 %%: %.3f of runs, %.4f of cases\n", runs, cases);
	assert_true(runs <= 0.05);
}

/* Other load that comes and goes over several rounds, and hits all cases of a round together. */
static void what_drags_along_raises_few_alarms(void **state)
{
	struct synthetic loaded = machine;
	double runs, cases;

	(void)state;
	loaded.carry = 0.7;
	loaded.noise = 0.05;
	false_alarms(&loaded, COMPARE_MARGIN, 13, &runs, &cases);
	print_message("    %.3f of runs, %.4f of cases\n", runs, cases);
	assert_true(cases <= 0.05);
}

static void ten_per_cent_are_found(void **state)
{
	struct synthetic slow = machine;
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct gate gates[COMPARE_GATES_MAX];
	struct failure why = { 0 };
	int found = 0, others = 0, failed = 0;
	int count = gates_parse("sender_cpu>5%,wall>50%", gates, &why);

	(void)state;
	assert_int_equal(count, 2);
	slow.slower = 1.1;
	for (int pair = 0; pair < PAIRS; pair++) {
		json_t *doc = compared(&machine, &slow, rng, COMPARE_MARGIN, gates, (size_t)count);

		/* read_write's two chunks come first */
		found += !strcmp(verdict_of(doc, 0, "sender_cpu"), "worse");
		found += !strcmp(verdict_of(doc, 1, "sender_cpu"), "worse");
		others += called_different(doc, "sender_cpu");
		failed += json_is_true(json_object_get(doc, "failed"));
		assert_false(json_is_true(json_object_get(
			json_array_get(json_object_get(doc, "gates"), 1), "failed")));
		json_decref(doc);
	}
	others -= found;
	print_message("    found %d of %d, gate failed %d of %d, others called different %d\n", found,
		      2 * PAIRS, failed, PAIRS, others);
	assert_int_equal(found, 2 * PAIRS);
	assert_int_equal(failed, PAIRS);
	assert_true(others <= PAIRS * 8 * 0.05);
	gsl_rng_free(rng);
}

/* As noisy as a machine that others share: found in nearly all runs, and the gate still never cries wolf. */
static void ten_per_cent_in_more_noise(void **state)
{
	struct synthetic base = machine, slow;
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	const struct gate gate = { METRIC_SENDER_CPU, 0.05 };
	int failed = 0, wolf = 0;

	(void)state;
	base.noise = 0.05;
	slow = base;
	slow.slower = 1.1;
	for (int pair = 0; pair < PAIRS; pair++) {
		json_t *doc = compared(&base, &slow, rng, COMPARE_MARGIN, &gate, 1);

		failed += json_is_true(json_object_get(doc, "failed"));
		json_decref(doc);
		doc = compared(&base, &base, rng, COMPARE_MARGIN, &gate, 1);
		wolf += json_is_true(json_object_get(doc, "failed"));
		json_decref(doc);
	}
	print_message("    5 %% noise: gate failed %d of %d slow runs, %d of %d same ones\n", failed, PAIRS,
		      wolf, PAIRS);
	assert_true(failed > 0.95 * PAIRS);
	assert_true(wolf <= 0.05 * PAIRS);
	gsl_rng_free(rng);
}

static void faster_is_better_and_fails_no_gate(void **state)
{
	struct synthetic fast = machine;
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	const struct gate gate = { METRIC_SENDER_CPU, 0.01 };
	json_t *doc;

	(void)state;
	fast.slower = 0.8;
	doc = compared(&machine, &fast, rng, COMPARE_MARGIN, &gate, 1);
	assert_string_equal(verdict_of(doc, 0, "sender_cpu"), "better");
	assert_false(json_is_true(json_object_get(doc, "failed")));
	json_decref(doc);
	gsl_rng_free(rng);
}

/* Three samples a side: nothing can be told, however far apart, and that is what is said. */
static void few_samples_tell_nothing(void **state)
{
	struct synthetic few = machine, slow;
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	const json_t *metrics;
	json_t *doc;

	(void)state;
	few.rounds = 3;
	slow = few;
	slow.slower = 3;
	doc = compared(&few, &slow, rng, COMPARE_MARGIN, NULL, 0);
	assert_string_equal(verdict_of(doc, 0, "sender_cpu"), "cant_tell");
	metrics = json_object_get(json_array_get(json_object_get(doc, "cases"), 0), "metrics");
	assert_non_null(strstr(json_string_value(json_object_get(
				       json_object_get(metrics, "sender_cpu"), "why")),
			       "too few"));
	json_decref(doc);
	gsl_rng_free(rng);
}

static void other_conditions_are_named_first(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct result *a = synthetic_result(&machine, chunks, 2, 5, rng),
		      *b = synthetic_result(&machine, chunks, 1, 5, rng);
	json_t *doc, *because;

	(void)state;
	json_object_set_new(a->settings, "congestion_control", json_string("reno"));
	json_object_set_new(b->settings, "congestion_control", json_string("bbr"));
	json_object_set_new(a->settings, "rounds", json_integer(15));
	json_object_set_new(b->settings, "rounds", json_integer(5));
	json_object_set_new(a->host, "kernel",
			    json_pack("{s:{s:s, s:s}}", "release", "value", "6.1", "source", "uname"));
	json_object_set_new(b->host, "kernel",
			    json_pack("{s:{s:n, s:s}}", "release", "value", "reason", "hidden"));
	doc = compare_results(a, b, COMPARE_MARGIN, NULL, 0);
	assert_false(json_is_true(json_object_get(doc, "comparable")));
	because = json_object_get(doc, "because");
	/* rounds are no reason, and a kernel that nobody knows is no difference that anybody saw */
	assert_int_equal(json_array_size(because), 1);
	assert_string_equal(json_string_value(json_array_get(because, 0)), "congestion control");
	assert_int_equal(json_array_size(json_object_get(doc, "differences")), 3);
	assert_int_equal(json_array_size(json_object_get(doc, "cases")), 5);
	assert_int_equal(json_array_size(json_object_get(doc, "missing")), 5);
	json_decref(doc);
	doc = compare_results(a, a, COMPARE_MARGIN, NULL, 0);
	assert_true(json_is_true(json_object_get(doc, "comparable")));
	assert_int_equal(called_different(doc, "wall"), 0);
	json_decref(doc);
	/* an older result is of transfers without a lead */
	json_object_set_new(b->settings, "congestion_control", json_string("reno"));
	json_object_set_new(b->settings, "lead", json_integer(256));
	doc = compare_results(a, b, COMPARE_MARGIN, NULL, 0);
	because = json_object_get(doc, "because");
	assert_int_equal(json_array_size(because), 1);
	assert_string_equal(json_string_value(json_array_get(because, 0)),
			    "bytes sent before the payload");
	json_decref(doc);
	/* so are those that were told so, and a link without one is no difference */
	json_object_set_new(b->settings, "lead", json_integer(0));
	doc = compare_results(a, b, COMPARE_MARGIN, NULL, 0);
	assert_true(json_is_true(json_object_get(doc, "comparable")));
	json_decref(doc);
	json_object_set_new(b->settings, "lead", json_null());
	doc = compare_results(a, b, COMPARE_MARGIN, NULL, 0);
	assert_true(json_is_true(json_object_get(doc, "comparable")));
	json_decref(doc);
	result_free(a);
	result_free(b);
	gsl_rng_free(rng);
}

static void conditions_are_read_or_refused(void **state)
{
	static const char *const wrong[] = { "",	    "sender_cpu",    "sender_cpu>",
					     "sender_cpu>5", "sender_cpu>-5%", "cpu>5%",
					     "wall>5%,",	    ">5%",	     "wall>5%x",
					     "wall>nan%",   "wall>5%;wall>6%" };
	struct gate gates[COMPARE_GATES_MAX];
	struct failure why = { 0 };

	(void)state;
	assert_int_equal(gates_parse("wall>2.5%,receiver_cpu>10%", gates, &why), 2);
	assert_int_equal(gates[0].metric, METRIC_WALL);
	assert_true(fabs(gates[0].above - 0.025) < 1e-12);
	assert_int_equal(gates[1].metric, METRIC_RECEIVER_CPU);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memset(&why, 0, sizeof(why));
		assert_true(gates_parse(wrong[i], gates, &why) < 0);
		assert_int_equal(why.exit_code, EXIT_WRONG_USE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_build_twice_is_not_called_different),
		cmocka_unit_test(what_drags_along_raises_few_alarms),
		cmocka_unit_test(ten_per_cent_are_found),
		cmocka_unit_test(ten_per_cent_in_more_noise),
		cmocka_unit_test(faster_is_better_and_fails_no_gate),
		cmocka_unit_test(few_samples_tell_nothing),
		cmocka_unit_test(other_conditions_are_named_first),
		cmocka_unit_test(conditions_are_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
