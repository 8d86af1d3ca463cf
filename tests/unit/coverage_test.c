// SPDX-License-Identifier: MIT
/* The interval of a median, in simulated studies: does it cover as often as it says? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>

#include "analysis/stats.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#define STUDIES 10000

/*
 * Ten thousand studies of skewed samples, as CPU times are. Order statistics come in steps, so the interval
 * covers with what it says of itself (`confidence`), which is 95 % or, but for tiny studies, more.
 */
static void intervals_cover_as_often_as_they_say(void **state)
{
	static const size_t sizes[] = { 3, 5, 6, 7, 9, 12, 15, 20, 25, 31, 50, 100 };
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	double values[100];

	(void)state;
	gsl_rng_set(rng, 7);
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		struct interval in = { 0 };
		int covered = 0;
		double share;

		for (int study = 0; study < STUDIES; study++) {
			for (size_t i = 0; i < sizes[s]; i++)
				values[i] = gsl_ran_lognormal(rng, 0, 0.5);
			in = stats_median(values, sizes[s], 0.95);
			covered += in.low <= 1 && 1 <= in.high;
		}
		share = (double)covered / STUDIES;
		print_message("    %zu samples: says %.4f, covers %.4f\n", sizes[s], in.confidence, share);
		/* four standard errors of a share of ten thousand */
		assert_true(fabs(share - in.confidence) <
			    4 * sqrt(in.confidence * (1 - in.confidence) / STUDIES));
		assert_true(sizes[s] < 6 || (share > 0.945 && share < 0.995));
		/* ranks come in steps, which are coarse for 7, 8 and 11 samples; the plans' 15 are not among those */
		assert_true(sizes[s] < 9 || (share > 0.93 && share < 0.975));
		assert_true(sizes[s] != 15 || (share > 0.93 && share < 0.97));
	}
	gsl_rng_free(rng);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals_cover_as_often_as_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
