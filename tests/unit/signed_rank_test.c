// SPDX-License-Identifier: MIT
#include "analysis/signed_rank.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "near.h"

/*
 * Hamilton's depression scores before and after (M. Hollander and D. A. Wolfe, Nonparametric Statistical Methods, 1973,
 * table 3.1): the smaller sum of ranks is 5, which 10 of 512 sets of signs reach, so p = 20 ÷ 512.
 */
static void a_published_example(void **state)
{
	const double before[] = { 1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30 };
	const double after[] = { 0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29 };
	double difference[9];
	struct signed_rank r;

	(void)state;
	for (size_t i = 0; i < 9; i++)
		difference[i] = before[i] - after[i];
	assert_int_equal(signed_rank(difference, 9, 0.95, &r), 0);
	assert_int_equal(r.n, 9);
	assert_near(r.p, 20 / 512.0, 1e-12);
	assert_near(r.p_least, 2 / 512.0, 1e-12);
	/* the 23rd of 45 averages, and the 6th from either end: 1 - 2 P(W <= 5) = 0.961 */
	assert_near(r.shift, 0.46, 1e-9);
	assert_near(r.low, 0.010, 1e-9);
	assert_near(r.high, 0.786, 1e-9);
}

static void too_few_have_no_interval(void **state)
{
	const double difference[] = { 0.1, NAN, 0.2, 0.3, 0.4, 0.5, INFINITY };
	struct signed_rank r;

	(void)state;
	assert_int_equal(signed_rank(difference, 7, 0.95, &r), 0);
	assert_int_equal(r.n, 5);
	assert_near(r.p, 2 / 32.0, 1e-12);
	assert_true(isinf(r.low) && isinf(r.high));
	assert_int_equal(signed_rank(difference, 0, 0.95, &r), 0);
	assert_int_equal(r.n, 0);
	assert_true(isnan(r.p));
}

static void the_sign_is_the_direction(void **state)
{
	double difference[12];
	struct signed_rank up, down;

	(void)state;
	for (int i = 0; i < 12; i++)
		difference[i] = 0.1 + 0.01 * i;
	assert_int_equal(signed_rank(difference, 12, 0.95, &up), 0);
	for (int i = 0; i < 12; i++)
		difference[i] = -difference[i];
	assert_int_equal(signed_rank(difference, 12, 0.95, &down), 0);
	assert_near(up.shift, -down.shift, 1e-12);
	assert_near(up.low, -down.high, 1e-12);
	assert_near(up.p, down.p, 1e-12);
	assert_true(up.low > 0);
}

/* Equal and zero differences are never called more than they are. */
static void ties_and_zeros(void **state)
{
	const double same[] = { 0, 0, 0, 0, 0, 0, 0, 0 }, tied[] = { 1, 1, 1, 1, 1, 1, 1, -1 };
	struct signed_rank r;

	(void)state;
	assert_int_equal(signed_rank(same, 8, 0.95, &r), 0);
	assert_near(r.p, 1, 1e-12);
	assert_near(r.shift, 0, 1e-12);
	assert_int_equal(signed_rank(tied, 8, 0.95, &r), 0);
	/* the middle rank, 4.5, rounded up to 5 */
	assert_true(r.p > 2 * 6 / 256.0);
	assert_near(r.shift, 1, 1e-12);
}

/* 10,000 studies of 24 pairs with a long tail, without an effect: intervals cover it, and p < 0.05 is rare enough. */
static void intervals_cover(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	int covered = 0, called = 0;
	double difference[24];
	struct signed_rank r;

	(void)state;
	assert_non_null(rng);
	for (int study = 0; study < 10000; study++) {
		for (int i = 0; i < 24; i++)
			difference[i] = 0.1 + gsl_ran_tdist(rng, 3);
		assert_int_equal(signed_rank(difference, 24, 0.95, &r), 0);
		covered += r.low <= 0.1 && r.high >= 0.1;
		for (int i = 0; i < 24; i++)
			difference[i] -= 0.1;
		assert_int_equal(signed_rank(difference, 24, 0.95, &r), 0);
		called += r.p < 0.05;
	}
	gsl_rng_free(rng);
	assert_in_range((uintmax_t)covered, 9400, 9700);
	assert_in_range((uintmax_t)called, 350, 560);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_published_example),
		cmocka_unit_test(too_few_have_no_interval),
		cmocka_unit_test(the_sign_is_the_direction),
		cmocka_unit_test(ties_and_zeros),
		cmocka_unit_test(intervals_cover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
