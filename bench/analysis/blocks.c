// SPDX-License-Identifier: MIT
#include "analysis/blocks.h"

#include <errno.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

double block_length(size_t n)
{
	return fmax(2, round(sqrt((double)n)));
}

/* n samples in blocks whose lengths are geometric; the series is a ring, so that its ends weigh no less. */
static double redrawn_median(const double *x, size_t n, gsl_rng *rng, double *work)
{
	double anew = 1 / block_length(n);
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		at = !i || gsl_rng_uniform(rng) < anew ? gsl_rng_uniform_int(rng, n) : (at + 1) % n;
		work[i] = x[at];
	}
	gsl_sort(work, 1, n);
	return gsl_stats_median_from_sorted_data(work, 1, n);
}

int block_ratio(const double *a, size_t n, const double *b, size_t m, const struct redraws *how,
		struct block_interval *out)
{
	unsigned int resamples = how->count;
	double *work, *ratios;
	gsl_rng *rng;

	*out = (struct block_interval) { 0, INFINITY };
	if (n < 2 || m < 2 || !resamples)
		return 0;
	work = malloc((n > m ? n : m) * sizeof(*work));
	ratios = malloc(resamples * sizeof(*ratios));
	rng = gsl_rng_alloc(gsl_rng_mt19937);
	if (work && ratios && rng) {
		gsl_rng_set(rng, (unsigned long)(how->seed & UINT32_MAX));
		for (unsigned int i = 0; i < resamples; i++) {
			double base = redrawn_median(a, n, rng, work);

			ratios[i] = redrawn_median(b, m, rng, work) / base;
		}
		gsl_sort(ratios, 1, resamples);
		out->low = gsl_stats_quantile_from_sorted_data(ratios, 1, resamples,
							       (1 - how->confidence) / 2);
		out->high = gsl_stats_quantile_from_sorted_data(ratios, 1, resamples,
								(1 + how->confidence) / 2);
	}
	free(work);
	free(ratios);
	if (rng)
		gsl_rng_free(rng);
	return work && ratios && rng ? 0 : -ENOMEM;
}
