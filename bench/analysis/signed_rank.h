/* SPDX-License-Identifier: MIT */
/*
 * Differences of pairs that were measured side by side: Wilcoxon's signed-rank test and the estimate that goes with
 * it, Hodges and Lehmann's median of all averages of two (W. J. Conover, Practical Nonparametric Statistics, 5.7). All
 * that it asks of the differences is that without an effect they are as likely above zero as below.
 */
#ifndef COPYTAX_ANALYSIS_SIGNED_RANK_H
#define COPYTAX_ANALYSIS_SIGNED_RANK_H

#include <stddef.h>

struct signed_rank {
	size_t n; /* differences that are numbers */
	double shift, low,
		high; /* the estimate and its interval; infinite ends where n is too small for the confidence */
	double p; /* two-sided, by the exact distribution; equal differences share their ranks, and zeros halve theirs */
	double p_least; /* the smallest that so few could give */
};

/* More than these are no more use, and the exact distribution takes n³. */
#define SIGNED_RANK_MAX 400

/* NaN is left out, as is what is beyond SIGNED_RANK_MAX. Without any, all but n is NaN. Returns 0 or -ENOMEM. */
int signed_rank(const double *differences, size_t count, double confidence,
		struct signed_rank *out);

#endif
