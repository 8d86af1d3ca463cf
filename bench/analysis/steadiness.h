/* SPDX-License-Identifier: MIT */
/*
 * Is a median with its interval the whole story of a case's samples? Not when they fall into two modes, drift over the
 * run, or hold outliers. All three are found and said; no sample is ever removed for it.
 */
#ifndef COPYTAX_ANALYSIS_STEADINESS_H
#define COPYTAX_ANALYSIS_STEADINESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* B. Iglewicz and D. C. Hoaglin, How to Detect and Handle Outliers, 1993: the robust z-score that is called one. */
#define OUTLIER_Z 3.5
/* Fewer samples than these can't show it. */
#define DRIFT_LEAST 8
#define MODES_LEAST 8
#define DRIFT_P 0.001

struct steadiness {
	size_t n;
	/* 0.6745 × (x - median) ÷ median absolute deviation */
	size_t outliers;
	double largest_z;  /* by size, with its sign; NaN when n < 3 or all samples are alike */
	size_t largest_at; /* its place in `values` */
	/* Spearman's rank correlation with time, and Theil and Sen's slope over the whole run ÷ the median */
	double rho, drift_p, drift_share;
	bool drifts;
	/* the best cut in two: distance of the means ÷ their parts' standard deviation, root mean square (Ashman's D) */
	double low_mode, high_mode, separation, high_share;
	bool two_modes;
};

/* Spearman's rank correlation with the places 0 … n - 1, and its two-sided p by Student's t (n - 2). NaN below n = 3. */
double steadiness_rank_trend(const double *values, size_t n, double *p);

/* `values` in the order they were taken, finite. Returns 0 or -ENOMEM. */
int steadiness_of(const double *values, size_t n, struct steadiness *out);

/*
 * {n, outliers: {count, largest_z, largest_at, limit}, drift: {found, rho, p, share}, modes: {found, low, high,
 * high_share, separation}}; numbers that so few samples can't give are null with a reason. A new reference.
 */
json_t *steadiness_json(const struct steadiness *s);

#endif
