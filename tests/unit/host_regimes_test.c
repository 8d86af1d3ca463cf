// SPDX-License-Identifier: MIT
/* A host that is slower for a while and then not: two runs of one build are the same, and a real change is seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>

#include "analysis/blocks.h"
#include "analysis/compare.h"
#include "synthetic.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#define PAIRS 150
#define CASES 10

static const uint64_t chunks[] = { 32768, 1048576 };

static const struct synthetic machine = {
	.price = { [TERM_CARRIED] = 0.030,
		   [TERM_CALLS] = 0.4e-6,
		   [TERM_SENDS] = 1.5e-6,
		   [TERM_LENDS] = 1e-6,
		   [TERM_FILE_TO_USER] = 0.090,
		   [TERM_USER_TO_SOCKET] = 0.120,
		   [TERM_WAITS] = 12e-6 },
	.noise = 0.03,
	.rounds = 15,
};

/* How slow it may get, how many rounds a slow or a fast time lasts on average, and how the yardstick scatters. */
struct host {
	double slow, rounds, scatter;
};

/* Lays a host's moods over a result: a case feels them more or less than the yardstick does, the same each time. */
static void run_on(const struct host *h, struct result *r, unsigned int rounds, gsl_rng *rng)
{
	double *speed = calloc(rounds, sizeof(*speed));
	double now = gsl_rng_uniform(rng) < 0.5 ? 1 : 1 + h->slow * gsl_rng_uniform(rng);

	assert_non_null(speed);
	for (unsigned int i = 0; i < rounds; i++) {
		if (h->rounds > 0 && gsl_rng_uniform(rng) < 1 / h->rounds)
			now = now > 1 ? 1 : 1 + h->slow * gsl_rng_uniform(rng);
		speed[i] = now;
	}
	for (size_t c = 0; c < r->case_count; c++) {
		struct samples *s = &r->cases[c].samples;
		double feels = 0.6 + 1.0 * (double)(c * 7 % CASES) / (CASES - 1);

		for (size_t i = 0; i < s->count; i++) {
			double factor = pow(speed[(size_t)s->value[SAMPLE_ROUND][i]], feels);

			s->value[SAMPLE_SENDER_CPU_S][i] *= factor;
			s->value[SAMPLE_RECEIVER_CPU_S][i] *= factor;
			s->value[SAMPLE_WALL_S][i] *= factor;
			s->value[SAMPLE_YARDSTICK_S][i] =
				1e-3 * speed[(size_t)s->value[SAMPLE_ROUND][i]] *
				exp(h->scatter * gsl_ran_gaussian(rng, 1));
		}
	}
	free(speed);
}

static json_t *compared(const struct host *h, const struct synthetic *a, const struct synthetic *b,
			gsl_rng *rng)
{
	struct result *base = synthetic_result(a, chunks, 2, 5, rng),
		      *new = synthetic_result(b, chunks, 2, 5, rng);
	json_t *doc;

	run_on(h, base, a->rounds, rng);
	run_on(h, new, b->rounds, rng);
	doc = compare_results(base, new, COMPARE_MARGIN, NULL, 0);
	assert_non_null(doc);
	result_free(base);
	result_free(new);
	return doc;
}

static const json_t *sender_cpu(const json_t *doc, size_t i)
{
	return json_object_get(json_object_get(json_array_get(json_object_get(doc, "cases"), i), "metrics"),
			       "sender_cpu");
}

static bool differs(const json_t *doc, size_t i)
{
	const char *verdict = json_string_value(json_object_get(sender_cpu(doc, i), "verdict"));

	return !strcmp(verdict, "worse") || !strcmp(verdict, "better");
}

static double slower(const json_t *doc)
{
	return json_number_value(json_object_get(json_object_get(doc, "host_speed"), "slower"));
}

/* Share of cases called different at two runs of one build. */
static double false_alarms(const struct host *h, unsigned int rounds, unsigned long seed)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct synthetic same = machine;
	int alarms = 0;

	gsl_rng_set(rng, seed);
	same.rounds = rounds;
	for (int pair = 0; pair < PAIRS; pair++) {
		json_t *doc = compared(h, &same, &same, rng);

		for (size_t i = 0; i < CASES; i++)
			alarms += differs(doc, i);
		json_decref(doc);
	}
	gsl_rng_free(rng);
	return (double)alarms / (PAIRS * CASES);
}

static void moods_of_the_host_raise_few_alarms(void **state)
{
	static const struct {
		struct host host;
		unsigned int rounds;
	} all[] = {
		{ { 0.3, 6, 0.01 }, 15 },  /* several moods a run */
		{ { 0.3, 0, 0.01 }, 15 },  /* one mood a run, another in the next */
		{ { 0.3, 20, 0.03 }, 15 }, /* a poor yardstick */
		{ { 0.3, 10, 0.01 }, 40 }, /* many rounds: small differences are significant */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		double share = false_alarms(&all[i].host, all[i].rounds, 41 + i);

		print_message("    up to %.0f %% slower for %.0f of %u rounds: %.4f of cases\n",
			      all[i].host.slow * 100, all[i].host.rounds, all[i].rounds, share);
		assert_true(share <= 0.05);
	}
}

/* Where the yardstick says that the host was the same, 10 % more are found, whatever its moods were. */
static void a_planted_slowdown_is_found(void **state)
{
	static const struct host steady = { 0, 0, 0.01 }, moody = { 0.3, 0, 0.01 };
	const struct host *const hosts[] = { &steady, &moody };
	struct synthetic slow = machine;
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	(void)state;
	slow.slower = 1.1;
	for (size_t h = 0; h < 2; h++) {
		int same_speed = 0, found = 0;

		for (int pair = 0; pair < PAIRS; pair++) {
			json_t *doc = compared(hosts[h], &machine, &slow, rng);

			/* read_write's two chunks come first */
			if (fabs(slower(doc) - 1) < 0.01) {
				same_speed += 2;
				found += differs(doc, 0) + differs(doc, 1);
			}
			json_decref(doc);
		}
		print_message("    found %d of %d at the same speed\n", found, same_speed);
		assert_true(same_speed >= 20);
		assert_int_equal(found, same_speed);
	}
	gsl_rng_free(rng);
}

/* A yardstick that steps once a run makes two dozen samples worth next to nothing; what is ten times as dear is told all the same. */
static void what_no_host_can_make_is_told(void **state)
{
	static const double factors[] = { 10, 1.3 };
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	(void)state;
	for (size_t f = 0; f < 2; f++) {
		struct result *a = synthetic_result(&machine, chunks, 2, 5, rng),
			      *b = synthetic_result(&machine, chunks, 2, 5, rng);
		json_t *doc;
		int told = 0;

		for (size_t c = 0; c < CASES; c++)
			for (size_t i = 0; i < a->cases[c].samples.count; i++) {
				a->cases[c].samples.value[SAMPLE_YARDSTICK_S][i] =
					b->cases[c].samples.value[SAMPLE_YARDSTICK_S][i] =
						i < 7 ? 1e-3 : 1.3e-3;
				b->cases[c].samples.value[SAMPLE_SENDER_CPU_S][i] *= factors[f];
			}
		doc = compare_results(a, b, COMPARE_MARGIN, NULL, 0);
		for (size_t c = 0; c < CASES; c++)
			told += differs(doc, c);
		/* a verdict beside an interval that is none needs a word */
		if (!f)
			assert_non_null(strstr(json_string_value(json_object_get(sender_cpu(doc, 0), "why")),
					       "no two samples"));
		print_message("    %g times as dear: told of %d of %d cases\n", factors[f], told, CASES);
		/* 1.3 is within what such a host can make */
		assert_int_equal(told, f ? 0 : CASES);
		json_decref(doc);
		result_free(a);
		result_free(b);
	}
	gsl_rng_free(rng);
}

/* The whole difference is the host's: said, and no verdict. */
static void a_slower_host_is_named(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct result *a = synthetic_result(&machine, chunks, 2, 5, rng),
		      *b = synthetic_result(&machine, chunks, 2, 5, rng);
	const json_t *metric;
	json_t *doc;

	(void)state;
	for (size_t c = 0; c < CASES; c++)
		for (size_t i = 0; i < machine.rounds; i++) {
			a->cases[c].samples.value[SAMPLE_YARDSTICK_S][i] = 1e-3;
			b->cases[c].samples.value[SAMPLE_YARDSTICK_S][i] = 1.2e-3;
			b->cases[c].samples.value[SAMPLE_SENDER_CPU_S][i] *= 1.2;
		}
	doc = compare_results(a, b, COMPARE_MARGIN, NULL, 0);
	assert_true(fabs(slower(doc) - 1.2) < 1e-9);
	for (size_t i = 0; i < CASES; i++)
		assert_false(differs(doc, i));
	metric = sender_cpu(doc, 0);
	assert_non_null(
		strstr(json_string_value(json_object_get(metric, "why")), "host's own speed"));
	assert_true(json_number_value(json_object_get(metric, "low")) < 1);
	assert_true(json_number_value(json_object_get(metric, "ratio")) > 1.15);
	assert_true(json_number_value(json_object_get(metric, "ratio_at_least")) < 1.05);
	json_decref(doc);
	/* one sample without: nothing can be said of the speed, and the difference is real again */
	a->cases[0].samples.value[SAMPLE_YARDSTICK_S][3] = NAN;
	doc = compare_results(a, b, COMPARE_MARGIN, NULL, 0);
	assert_true(differs(doc, 0));
	assert_false(differs(doc, 1));
	json_decref(doc);
	result_free(a);
	result_free(b);
	gsl_rng_free(rng);
}

/* Neighbours that are alike are worth less than they number: the interval knows, and is the same every time. */
static void blocks_see_what_drags_along(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	double steps[24], shuffled[24], flat[24];
	const struct redraws how = { 0.95, 2000, 7 };
	struct block_interval stepped, alone, again;

	(void)state;
	for (size_t i = 0; i < 24; i++) {
		steps[i] = (i < 12 ? 1 : 1.2) * (1 + 0.001 * (double)(i * 11 % 24));
		shuffled[i] = (i % 2 ? 1 : 1.2) * (1 + 0.001 * (double)(i * 11 % 24));
		flat[i] = 1;
	}
	assert_int_equal(block_ratio(flat, 24, steps, 24, &how, &stepped), 0);
	assert_int_equal(block_ratio(flat, 24, shuffled, 24, &how, &alone), 0);
	assert_true(stepped.high - stepped.low >= alone.high - alone.low);
	assert_int_equal(block_ratio(flat, 24, steps, 24, &how, &again), 0);
	assert_true(again.low == stepped.low && again.high == stepped.high);
	assert_int_equal(block_ratio(flat, 1, steps, 24, &how, &again), 0);
	assert_true(again.low == 0 && isinf(again.high));
	gsl_rng_free(rng);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moods_of_the_host_raise_few_alarms),
		cmocka_unit_test(a_planted_slowdown_is_found),
		cmocka_unit_test(what_no_host_can_make_is_told),
		cmocka_unit_test(a_slower_host_is_named),
		cmocka_unit_test(blocks_see_what_drags_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
