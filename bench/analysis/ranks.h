/* SPDX-License-Identifier: MIT */
/*
 * Two sets of samples compared by ranks: Mann and Whitney's test, the ratio that goes with it (Hodges and
 * Lehmann's shift, on a logarithmic scale) and Holm's correction for asking more than once.
 */
#ifndef COPYTAX_ANALYSIS_RANKS_H
#define COPYTAX_ANALYSIS_RANKS_H

#include <stdbool.h>
#include <stddef.h>

struct rank_test {
	size_t n, m;		 /* samples of a and b; 0: not enough to compare */
	double ratio, low, high; /* b ÷ a: the median of all pairs, and its interval */
	double p;		 /* two-sided */
	double p_least; /* the smallest that so few samples could give: they don't overlap at all */
};

/*
 * Compares positive samples. The interval contains 1 if and only if p > 1 - confidence. `inflation` (>= 1)
 * is the factor by which the variance of the rank sum is larger than for independent samples: 1
 * gives exact tests up to 50 samples a side without ties, else the normal approximation is used. Ignores
 * NaN and what isn't positive. Returns 0 or -ENOMEM.
 */
int rank_test(const double *a, size_t n, const double *b, size_t m, double inflation,
	      double confidence, struct rank_test *out);

/* Holm's adjusted values of `count` p-values: compare them with alpha as they are. NaN stays NaN. 0 or -ENOMEM. */
int holm(const double *p, size_t count, double *adjusted);

/*
 * The same over those only that could reach `alpha` at all: a case with too few samples to be called different whatever they
 * show needs no share of it (R. E. Tarone, A Modified Bonferroni Method for Discrete Data, Biometrics 46, 1990). The
 * family is as large as the smallest k with no more than k cases whose p_least reaches alpha ÷ k. `able` says which are in
 * it; the others' adjusted value is NaN. 0 or -ENOMEM.
 */
int holm_of_able(const double *p, const double *p_least, size_t count, double alpha,
		 double *adjusted, bool *able);

/*
 * How much less samples are worth than they number, because what drags along from round to round (other load,
 * the clock frequency) hits neighbours alike: the factor by which the variance of their mean is larger than
 * for independent ones, 1 or more. From the correlation of ranks with those one and two rounds later,
 * within each series and over all of them; `series` are in the order of time and free of NaN. An
 * estimate from a dozen rounds, and no more than that.
 */
double serial_inflation(const double *const *series, const size_t *lengths, size_t count);

#endif
