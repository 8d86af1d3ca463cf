/* SPDX-License-Identifier: MIT */
/* Statistics of samples. All medians; all intervals distribution-free. */
#ifndef COPYTAX_ANALYSIS_STATS_H
#define COPYTAX_ANALYSIS_STATS_H

#include <stddef.h>

/*
 * A median and an interval for it, in the unit of the samples. The interval's ends are two order
 * statistics; by the binomial distribution of the number of samples below the median it covers the true
 * median with probability `confidence` (Conover, Practical Nonparametric Statistics, 3.2). With fewer than
 * six samples no such interval reaches 95 %: then it is the whole range and `confidence` says how much that is.
 */
struct interval {
	size_t n;
	double median, low, high; /* NaN when n is 0 */
	double confidence; /* 0 … 1 */
};

/* Ignores NaN. `values` is not changed. Out of memory gives n = 0. */
struct interval stats_median(const double *values, size_t count, double confidence);

/* Element by element a / b, where both are finite and b is not 0; written to `out`; returns how many. */
size_t stats_ratios(const double *a, const double *b, size_t count, double *out);

#endif
