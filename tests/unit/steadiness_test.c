// SPDX-License-Identifier: MIT
/* Outliers, drift and modes: published answers, and how often each is found where it is and where it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>

#include "analysis/steadiness.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "near.h"

#define STUDIES 4000

/* The example that every introduction has: rho = -29/165, t = -0.50498 with 8 degrees of freedom, p = 0.627188. */
static void the_rank_correlation_is_the_published_one(void **state)
{
	/* hours of television a week, in the order of ten people's IQ */
	static const double hours[] = { 0, 20, 28, 27, 50, 29, 7, 17, 6, 12 };
	double p, rho = steadiness_rank_trend(hours, 10, &p);

	(void)state;
	assert_near(rho, -29.0 / 165, 1e-12);
	assert_near(p, 0.627188, 1e-6);
	assert_true(isnan(steadiness_rank_trend(hours, 2, &p)));
}

/* Median 10, absolute deviations 0 0 1 1 2 3 40 and their median 1: z of 50 is 0.6745 × 40 = 26.98. */
static void the_robust_z_score_is_that_of_the_book(void **state)
{
	static const double values[] = { 10, 9, 11, 10, 50, 12, 7 };
	struct steadiness s;

	(void)state;
	assert_int_equal(steadiness_of(values, 7, &s), 0);
	assert_int_equal(s.outliers, 1);
	assert_near(s.largest_z, 26.98, 1e-9);
	assert_int_equal(s.largest_at, 4);
}

static void too_few_samples_say_nothing(void **state)
{
	static const double alike[20] = { 0 }, two[] = { 1, 2 };
	struct steadiness s;
	json_t *json;

	(void)state;
	assert_int_equal(steadiness_of(two, 2, &s), 0);
	assert_false(s.drifts || s.two_modes || s.outliers);
	json = steadiness_json(&s);
	assert_true(json_is_null(json_object_get(json_object_get(json, "modes"), "found")));
	assert_true(json_is_string(json_object_get(json_object_get(json, "modes"), "reason")));
	json_decref(json);
	assert_int_equal(steadiness_of(alike, 20, &s), 0);
	assert_false(s.drifts || s.two_modes || s.outliers);
	assert_int_equal(steadiness_of(NULL, 0, &s), 0);
	assert_false(s.drifts || s.two_modes || s.outliers);
}

enum shape { ONE_MODE, SKEWED, TWO_MODES, DRIFT, SHAPES };

static double draw(enum shape shape, size_t i, size_t n, gsl_rng *rng)
{
	double z = gsl_ran_gaussian(rng, 1);

	switch (shape) {
	case SKEWED:
		return exp(0.2 * z);
	case TWO_MODES:
		return 1 + 0.02 * z + (gsl_rng_uniform(rng) < 0.5 ? 0.2 : 0);
	case DRIFT:
		return 1 + 0.02 * z + 0.1 * (double)i / (double)n;
	default:
		return 1 + 0.02 * z;
	}
}

static void found(enum shape shape, size_t n, gsl_rng *rng, double *drifts, double *modes)
{
	double values[100];
	struct steadiness s;

	*drifts = *modes = 0;
	for (int study = 0; study < STUDIES; study++) {
		for (size_t i = 0; i < n; i++)
			values[i] = draw(shape, i, n, rng);
		assert_int_equal(steadiness_of(values, n, &s), 0);
		*drifts += (double)s.drifts / STUDIES;
		*modes += (double)s.two_modes / STUDIES;
	}
}

static void what_is_there_is_found_and_little_else(void **state)
{
	static const size_t sizes[] = { 8, 15, 30, 100 };
	static const char *const names[] = { "one mode", "skewed", "two modes", "drift" };
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	(void)state;
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++)
		for (int shape = 0; shape < SHAPES; shape++) {
			double drifts, modes;

			found((enum shape)shape, sizes[k], rng, &drifts, &modes);
			print_message("    %3zu samples, %-9s: drift in %.4f, two modes in %.4f\n",
				      sizes[k], names[shape], drifts, modes);
			if (shape != DRIFT)
				assert_true(drifts < 0.005);
			if (shape == ONE_MODE || shape == SKEWED)
				assert_true(modes < 0.02);
			if (shape == TWO_MODES && sizes[k] >= 15)
				assert_true(modes > 0.8);
			if (shape == DRIFT && sizes[k] >= 30)
				assert_true(drifts > 0.9);
		}
	gsl_rng_free(rng);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rank_correlation_is_the_published_one),
		cmocka_unit_test(the_robust_z_score_is_that_of_the_book),
		cmocka_unit_test(too_few_samples_say_nothing),
		cmocka_unit_test(what_is_there_is_found_and_little_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
