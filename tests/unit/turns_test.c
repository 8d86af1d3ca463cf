// SPDX-License-Identifier: MIT
/* Builds that were run in turns: a planted tenth is found under a host whose speed is anybody's guess. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "analysis/turns.h"
#include "synthetic.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#define PAIRS 24
#define STUDIES 60

static const uint64_t chunks[] = { 32768 };

static const struct synthetic machine = {
	.price = { [TERM_CARRIED] = 0.030, [TERM_CALLS] = 0.4e-6, [TERM_SENDS] = 1.5e-6,
		   [TERM_LENDS] = 1e-6,
		   [TERM_FILE_TO_USER] = 0.090, [TERM_USER_TO_SOCKET] = 0.120, [TERM_WAITS] = 12e-6 },
	.noise = 0.08, .rounds = 3, .slower = 1,
};

/* Everything of a run at a speed of the host's own choice. */
static void in_a_mood(struct result *r, double factor)
{
	for (size_t i = 0; i < r->case_count; i++)
		for (size_t k = 0; k < r->cases[i].samples.count; k++) {
			r->cases[i].samples.value[SAMPLE_SENDER_CPU_S][k] *= factor;
			r->cases[i].samples.value[SAMPLE_RECEIVER_CPU_S][k] *= factor;
			r->cases[i].samples.value[SAMPLE_WALL_S][k] *= factor;
		}
}

/* Pairs of runs; the host's speed differs from pair to pair by up to a factor of two, within one by a few per cent. */
static json_t *studied(const struct synthetic *base, const struct synthetic *new, size_t pairs,
		       const struct gate *gate, gsl_rng *rng)
{
	struct result *results[2 * PAIRS] = { NULL };
	json_t *doc;

	for (size_t p = 0; p < pairs; p++) {
		double mood = 1 + gsl_rng_uniform(rng);

		results[2 * p] = synthetic_result(base, chunks, 1, 5, rng);
		results[2 * p + 1] = synthetic_result(new, chunks, 1, 5, rng);
		in_a_mood(results[2 * p], mood * (1 + gsl_ran_gaussian(rng, 0.03)));
		in_a_mood(results[2 * p + 1], mood * (1 + gsl_ran_gaussian(rng, 0.03)));
	}
	doc = turns_compare(results, 2 * pairs, COMPARE_MARGIN, gate, gate != NULL);
	assert_non_null(doc);
	for (size_t i = 0; i < 2 * pairs; i++)
		result_free(results[i]);
	return doc;
}

static const json_t *sender(const json_t *doc, size_t i)
{
	return json_object_get(json_object_get(json_array_get(json_object_get(doc, "cases"), i),
					       "metrics"),
			       "sender_cpu");
}

static const char *verdict(const json_t *doc, size_t i)
{
	return json_string_value(json_object_get(sender(doc, i), "verdict"));
}

static void a_planted_tenth_is_found_every_time(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	const struct gate gate = { METRIC_SENDER_CPU, 0.05 };
	struct synthetic slow = machine;
	int found = 0, others = 0;

	(void)state;
	slow.slower = 1.12;
	for (int i = 0; i < STUDIES; i++) {
		json_t *doc = studied(&machine, &slow, PAIRS, &gate, rng);

		found += !strcmp(verdict(doc, 0), "worse") &&
			 json_is_true(json_object_get(doc, "failed"));
		for (size_t c = 1; c < 5; c++)
			others += !strcmp(verdict(doc, c), "worse") ||
				  !strcmp(verdict(doc, c), "better");
		json_decref(doc);
	}
	gsl_rng_free(rng);
	assert_int_equal(found, STUDIES);
	/* Holm: one study in twenty with any such case, at most */
	assert_in_range((uintmax_t)others, 0, STUDIES / 20 + 4);
}

static void the_same_build_is_not_called_different(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	int called = 0;

	(void)state;
	for (int i = 0; i < STUDIES; i++) {
		json_t *doc = studied(&machine, &machine, PAIRS, NULL, rng);

		for (size_t c = 0; c < 5; c++)
			called += !strcmp(verdict(doc, c), "worse") ||
				  !strcmp(verdict(doc, c), "better");
		json_decref(doc);
	}
	gsl_rng_free(rng);
	assert_in_range((uintmax_t)called, 0, STUDIES / 20 + 4);
}

static void too_few_pairs_say_so(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct synthetic slow = machine;
	json_t *doc;

	(void)state;
	slow.slower = 2;
	doc = studied(&machine, &slow, 4, NULL, rng);
	assert_string_equal(verdict(doc, 0), "cant_tell");
	assert_non_null(strstr(json_string_value(json_object_get(sender(doc, 0), "why")),
			       "4 pairs are too few"));
	/* an interval without ends */
	assert_true(json_is_null(json_object_get(sender(doc, 0), "high")));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(doc, "turns"), "pairs")), 4);
	json_decref(doc);
	gsl_rng_free(rng);
}

/* Pairs whose CPUs were at one distance in the base and at another in the new say nothing; the others do. */
static void pairs_apart_are_counted_and_left_out(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct result *results[24] = { NULL };
	json_t *doc;

	(void)state;
	for (size_t i = 0; i < 24; i++) {
		bool far = i % 2 && i < 8;

		results[i] = synthetic_result(&machine, chunks, 1, 5, rng);
		in_a_mood(results[i], far ? 3 : 1);
		for (size_t c = 0; c < results[i]->case_count; c++)
			for (size_t k = 0; k < results[i]->cases[c].samples.count; k++) {
				struct samples *s = &results[i]->cases[c].samples;

				s->value[SAMPLE_CORE_LATENCY_S][k] = far ? 450e-9 : 120e-9;
				s->value[SAMPLE_CORE_LATENCY_AFTER_S][k] = far ? 450e-9 : 120e-9;
			}
	}
	doc = turns_compare(results, 24, COMPARE_MARGIN, NULL, 0);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(doc, "turns"), "apart")), 4);
	assert_int_equal(json_integer_value(json_object_get(sender(doc, 0), "n_new")), 8);
	assert_string_not_equal(verdict(doc, 0), "worse");
	assert_true(json_is_true(json_object_get(doc, "comparable")));
	json_decref(doc);
	for (size_t i = 0; i < 24; i++)
		result_free(results[i]);
	gsl_rng_free(rng);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_planted_tenth_is_found_every_time),
		cmocka_unit_test(the_same_build_is_not_called_different),
		cmocka_unit_test(too_few_pairs_say_so),
		cmocka_unit_test(pairs_apart_are_counted_and_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
