// SPDX-License-Identifier: MIT
/* Rank tests: published critical values, agreement of interval and p, and how often they cry wolf. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>

#include "analysis/ranks.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#define STUDIES 10000

/* Two sets of n without ties in which exactly u pairs have b > a. */
static void with_u(size_t n, size_t u, double *a, double *b)
{
	for (size_t i = 0; i < n; i++)
		a[i] = 1000 + (double)i;
	for (size_t k = 0; k < n; k++) {
		size_t above = u < n ? u : n;

		b[k] = 999.5 + (double)above + (double)k * 1e-3;
		u -= above;
	}
}

/* The two-sided 5 % critical values of U that every table has. */
static void critical_values_are_the_published_ones(void **state)
{
	static const struct {
		size_t n, u;
	} known[] = { { 4, 0 }, { 5, 2 }, { 6, 5 }, { 8, 13 }, { 10, 23 }, { 15, 64 }, { 20, 127 } };
	double a[20], b[20];
	struct rank_test t;

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		with_u(known[i].n, known[i].u, a, b);
		assert_int_equal(rank_test(a, known[i].n, b, known[i].n, 1, 0.95, &t), 0);
		assert_true(t.p <= 0.05);
		with_u(known[i].n, known[i].u + 1, a, b);
		assert_int_equal(rank_test(a, known[i].n, b, known[i].n, 1, 0.95, &t), 0);
		assert_true(t.p > 0.05);
	}
	with_u(5, 0, a, b);
	assert_int_equal(rank_test(a, 5, b, 5, 1, 0.95, &t), 0);
	assert_true(fabs(t.p - 2.0 / 252) <= 1e-12);
	assert_true(fabs(t.p_least - 2.0 / 252) <= 1e-12);
}

static void large_exact_tests_keep_their_digits(void **state)
{
	double a[50], b[50];
	struct rank_test t;

	(void)state;
	with_u(50, 0, a, b);
	assert_int_equal(rank_test(a, 50, b, 50, 1, 0.95, &t), 0);
	assert_true(fabs(t.p * gsl_sf_choose(100, 50) / 2 - 1) <= 1e-9);
}

static void too_few_samples_have_no_end_to_their_interval(void **state)
{
	const double a[] = { 1, 2 }, b[] = { 5, 6 };
	struct rank_test t;

	(void)state;
	assert_int_equal(rank_test(a, 2, b, 2, 1, 0.95, &t), 0);
	assert_true(t.p > 0.05 && t.low <= 1 && isinf(t.high));
	assert_int_equal(rank_test(a, 0, b, 2, 1, 0.95, &t), 0);
	assert_int_equal(t.n, 0);
	assert_true(isnan(t.p));
}

static void interval_and_p_say_the_same(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	static const size_t sizes[] = { 4, 5, 15, 60 };
	double a[60], b[60];
	struct rank_test t;

	(void)state;
	for (int study = 0; study < 2000; study++) {
		size_t n = sizes[study % 4];

		for (size_t i = 0; i < n; i++) {
			a[i] = gsl_ran_lognormal(rng, 0, 0.1);
			b[i] = gsl_ran_lognormal(rng, 0.002 * (study % 50), 0.1);
		}
		assert_int_equal(rank_test(a, n, b, n, 1 + study % 3, 0.95, &t), 0);
		/* the normal approximation cuts at whole pairs: leave its very edge out */
		if (fabs(t.p - 0.05) < 0.004)
			continue;
		assert_true((t.p < 0.05) == (t.low > 1 || t.high < 1));
	}
	gsl_rng_free(rng);
}

static void the_ratio_is_covered_in_simulated_studies(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	double a[15], b[15], share;
	struct rank_test t;
	int covered = 0;

	(void)state;
	for (int study = 0; study < STUDIES; study++) {
		for (int i = 0; i < 15; i++) {
			a[i] = gsl_ran_lognormal(rng, 0, 0.05);
			b[i] = 1.1 * gsl_ran_lognormal(rng, 0, 0.05);
		}
		assert_int_equal(rank_test(a, 15, b, 15, 1, 0.95, &t), 0);
		covered += t.low <= 1.1 && 1.1 <= t.high;
	}
	share = (double)covered / STUDIES;
	print_message("    covers %.4f\n", share);
	assert_true(share > 0.945 && share < 0.965);
	gsl_rng_free(rng);
}

static void ties_do_not_break_it(void **state)
{
	const double a[] = { 1, 1, 1, 1, 1 }, b[] = { 1, 1, 1, 1, 2 };
	struct rank_test t;

	(void)state;
	assert_int_equal(rank_test(a, 5, a, 5, 1, 0.95, &t), 0);
	assert_true(t.p == 1);
	assert_true(t.ratio == 1);
	assert_int_equal(rank_test(a, 5, b, 5, 1, 0.95, &t), 0);
	assert_true(t.p > 0.05);
}

/* Holm, A simple sequentially rejective multiple test procedure, 1979; the example of many textbooks. */
static void holm_steps_down(void **state)
{
	const double p[] = { 0.01, 0.04, NAN, 0.03, 0.005 };
	const double known[] = { 0.03, 0.06, NAN, 0.06, 0.02 };
	double adjusted[5];

	(void)state;
	assert_int_equal(holm(p, 5, adjusted), 0);
	for (int i = 0; i < 5; i++)
		assert_true(isnan(known[i]) ? isnan(adjusted[i]) :
					      fabs(adjusted[i] - known[i]) < 1e-12);
}

static double inflation_of(gsl_rng *rng, double carry, size_t series_count)
{
	static double values[40][15];
	const double *series[40];
	size_t lengths[40];

	for (size_t s = 0; s < series_count; s++) {
		double last = gsl_ran_gaussian(rng, 1);

		for (int i = 0; i < 15; i++) {
			last = carry * last + sqrt(1 - carry * carry) * gsl_ran_gaussian(rng, 1);
			values[s][i] = exp(0.1 * last);
		}
		series[s] = values[s];
		lengths[s] = 15;
	}
	return serial_inflation(series, lengths, series_count);
}

static void what_drags_along_is_seen(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	double none = 0, half = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		none += inflation_of(rng, 0, 40) / 20;
		half += inflation_of(rng, 0.5, 40) / 20;
	}
	/* samples that carry half of themselves over are worth a third */
	print_message("    0: %.2f for 1; 0.5: %.2f for 3\n", none, half);
	assert_true(none >= 1 && none < 1.25);
	assert_true(half > 2.3 && half < 4);
	gsl_rng_free(rng);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(critical_values_are_the_published_ones),
		cmocka_unit_test(large_exact_tests_keep_their_digits),
		cmocka_unit_test(too_few_samples_have_no_end_to_their_interval),
		cmocka_unit_test(interval_and_p_say_the_same),
		cmocka_unit_test(the_ratio_is_covered_in_simulated_studies),
		cmocka_unit_test(ties_do_not_break_it),
		cmocka_unit_test(holm_steps_down),
		cmocka_unit_test(what_drags_along_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
