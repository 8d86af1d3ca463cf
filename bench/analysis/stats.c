// SPDX-License-Identifier: MIT
#include "analysis/stats.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

/*
 * How many order statistics may be cut off each end: the largest k with
 * P(k <= B <= n - k) >= confidence, B ~ binomial(n, 1/2) the number of samples below the median, where
 * the interval is [x(k), x(n + 1 - k)] counted from 1. k = 0 means that not even the range is enough.
 */
static size_t rank_for(size_t n, double confidence)
{
	unsigned int size = (unsigned int)n, k = 0;

	while (k + 1 <= size / 2 && 1 - 2 * gsl_cdf_binomial_P(k, 0.5, size) >= confidence)
		k++;
	return k;
}

struct interval stats_median(const double *values, size_t count, double confidence)
{
	struct interval out = { .median = NAN, .low = NAN, .high = NAN, .confidence = NAN };
	double *sorted = malloc((count ? count : 1) * sizeof(*sorted));
	size_t n = 0, k;

	if (!sorted)
		return out;
	for (size_t i = 0; i < count; i++)
		if (isfinite(values[i]))
			sorted[n++] = values[i];
	if (n) {
		gsl_sort(sorted, 1, n);
		k = rank_for(n, confidence);
		if (!k)
			k = 1;
		out.n = n;
		out.median = gsl_stats_median_from_sorted_data(sorted, 1, n);
		out.low = sorted[k - 1];
		out.high = sorted[n - k];
		out.confidence = 1 - 2 * gsl_cdf_binomial_P((unsigned int)k - 1, 0.5, (unsigned int)n);
		/* one sample: its "interval" covers nothing */
		if (n == 1)
			out.confidence = 0;
	}
	free(sorted);
	return out;
}

size_t stats_ratios(const double *a, const double *b, size_t count, double *out)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (isfinite(a[i]) && isfinite(b[i]) && b[i] != 0)
			out[n++] = a[i] / b[i];
	return n;
}
