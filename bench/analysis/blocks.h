/* SPDX-License-Identifier: MIT */
/*
 * Intervals for samples that drag along: what the host does to one round it does to the next, so rounds are
 * drawn anew in runs of neighbours and not one by one (the stationary bootstrap: D. N. Politis and J. P. Romano,
 * The Stationary Bootstrap, Journal of the American Statistical Association 89, 1994).
 */
#ifndef COPYTAX_ANALYSIS_BLOCKS_H
#define COPYTAX_ANALYSIS_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

struct block_interval {
	double low, high; /* of median(b) ÷ median(a) */
};

struct redraws {
	double confidence;
	unsigned int count;
	uint64_t seed;
};

/* Rounds that a block has on average, of n: their square root, and never fewer than two. */
double block_length(size_t n);

/*
 * Positive samples in the order of their rounds. The same seed gives the same interval. Returns 0 or -ENOMEM; with
 * fewer than two samples on a side the interval is 0 to infinity.
 */
int block_ratio(const double *a, size_t n, const double *b, size_t m, const struct redraws *how,
		struct block_interval *out);

#endif
