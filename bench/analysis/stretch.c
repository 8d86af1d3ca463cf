// SPDX-License-Identifier: MIT
#include "analysis/stretch.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>

struct stretch stretch_fullest(const double *sorted, size_t n, double factor)
{
	struct stretch best = { 0 };

	for (size_t from = 0, to = 0; from < n; from++) {
		while (to < n && sorted[to] <= sorted[from] * factor)
			to++;
		if (to - from > best.n)
			best = (struct stretch){ from, to - from };
	}
	return best;
}

double stretch_middle(const double *sorted, struct stretch s)
{
	return s.n ? gsl_stats_median_from_sorted_data(sorted + s.from, 1, s.n) : NAN;
}
