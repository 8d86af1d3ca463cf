// SPDX-License-Identifier: MIT
/* Medians and their intervals against the published tables of the binomial distribution. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "analysis/stats.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "near.h"

#define MOST 128

/* 1 … n in an order that is neither ascending nor descending: x(k) is k. */
static void shuffled_ranks(double *values, size_t n)
{
	size_t step = n % 7 ? 7 : 11;

	for (size_t i = 0; i < n; i++)
		values[i * step % n] = (double)(i + 1);
}

static void intervals_are_the_table(void **state)
{
	/* ranks and coverage in per cent of the 95 % interval of a median, to two decimals */
	static const struct {
		size_t n;
		double low, high, coverage;
	} table[] = {
		{ 2, 1, 2, 50.00 },   { 3, 1, 3, 75.00 },   { 4, 1, 4, 87.50 },	  { 5, 1, 5, 93.75 },
		{ 6, 1, 6, 96.88 },   { 7, 1, 7, 98.44 },   { 8, 1, 8, 99.22 },	  { 9, 2, 8, 96.09 },
		{ 10, 2, 9, 97.85 },  { 11, 2, 10, 98.83 }, { 12, 3, 10, 96.14 }, { 15, 4, 12, 96.48 },
		{ 16, 4, 13, 97.87 }, { 20, 6, 15, 95.86 }, { 25, 8, 18, 95.67 }, { 30, 10, 21, 95.72 },
		{ 50, 18, 33, 96.72 }, { 100, 40, 61, 96.48 },
	};
	double values[MOST];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct interval got;

		shuffled_ranks(values, table[i].n);
		got = stats_median(values, table[i].n, 0.95);
		assert_int_equal(got.n, table[i].n);
		assert_near(got.median, ((double)table[i].n + 1) / 2, 1e-12);
		assert_near(got.low, table[i].low, 1e-12);
		assert_near(got.high, table[i].high, 1e-12);
		assert_near(100 * got.confidence, table[i].coverage, 0.006);
	}
}

static void one_sample_covers_nothing(void **state)
{
	double one = 3.5;
	struct interval got = stats_median(&one, 1, 0.95);

	(void)state;
	assert_int_equal(got.n, 1);
	assert_near(got.median, 3.5, 0);
	assert_near(got.low, 3.5, 0);
	assert_near(got.high, 3.5, 0);
	assert_near(got.confidence, 0, 0);
}

static void no_sample_is_unknown(void **state)
{
	static const double unknown[] = { NAN, INFINITY, -INFINITY };
	struct interval got = stats_median(NULL, 0, 0.95);

	(void)state;
	assert_int_equal(got.n, 0);
	assert_true(isnan(got.median) && isnan(got.low) && isnan(got.high) && isnan(got.confidence));
	got = stats_median(unknown, 3, 0.95);
	assert_int_equal(got.n, 0);
	assert_true(isnan(got.median));
}

static void unknown_samples_do_not_count(void **state)
{
	static const double values[] = { NAN, 5, 1, NAN, 4, 2, 3, INFINITY, 6 };
	double before[sizeof(values) / sizeof(values[0])];
	struct interval got;

	(void)state;
	memcpy(before, values, sizeof(values));
	got = stats_median(before, sizeof(values) / sizeof(values[0]), 0.95);
	assert_int_equal(got.n, 6);
	assert_near(got.median, 3.5, 1e-12);
	assert_near(got.low, 1, 0);
	assert_near(got.high, 6, 0);
	assert_memory_equal(before, values, sizeof(values));
}

static void an_outlier_moves_no_median(void **state)
{
	double values[15];
	struct interval calm, wild;

	(void)state;
	shuffled_ranks(values, 15);
	calm = stats_median(values, 15, 0.95);
	for (size_t i = 0; i < 15; i++)
		if (values[i] > 14)
			values[i] = 1e9;
	wild = stats_median(values, 15, 0.95);
	assert_near(calm.median, wild.median, 0);
	assert_near(calm.high, wild.high, 0);
}

static void ratios_skip_what_has_none(void **state)
{
	static const double a[] = { 1, 2, NAN, 4, 5, INFINITY };
	static const double b[] = { 2, 0, 1, NAN, 10, 1 };
	double out[6];

	(void)state;
	assert_int_equal(stats_ratios(a, b, 6, out), 2);
	assert_near(out[0], 0.5, 1e-12);
	assert_near(out[1], 0.5, 1e-12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals_are_the_table),
		cmocka_unit_test(one_sample_covers_nothing),
		cmocka_unit_test(no_sample_is_unknown),
		cmocka_unit_test(unknown_samples_do_not_count),
		cmocka_unit_test(an_outlier_moves_no_median),
		cmocka_unit_test(ratios_skip_what_has_none),
	};

	return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
