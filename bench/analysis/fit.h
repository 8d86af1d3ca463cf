/* SPDX-License-Identifier: MIT */
/* The fit behind the prices: which terms the cases can tell apart, their prices, and how sure those are. */
#ifndef COPYTAX_ANALYSIS_FIT_H
#define COPYTAX_ANALYSIS_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/terms.h"

/* Above it columns can't be told apart (Belsley, Kuh and Welsch, Regression Diagnostics, 1980). */
#define FIT_CONDITION_MAX 30

/* One case as the fit sees it. */
struct fit_case {
	const struct case_result *kase;
	double count[TERMS]; /* medians, where each sample has its own */
	double cpu_s; /* median of its samples */
	double error_s; /* standard error of that median, by its interval; NaN when one sample is all there is */
	double yardstick_share; /* of what the yardstick changed by, so much is taken off the samples (analysis/yardstick_share.h) */
	double *samples; /* timed ones, in the order of rounds; at least one */
	double *counts; /* of each sample, TERMS in a row: what that transfer counted itself, else the case's */
	size_t sample_count;
};

/* A price, and the terms that it had to take in. */
struct fit_term {
	enum term term;
	struct {
		enum term term;
		/* of it for each of the first, where both occur; 1 and summed when both are of one kind */
		double per_unit;
		bool summed;
	} with[TERMS];
	size_t with_count;
	double price, low, high; /* seconds per unit of count */
	double inflation; /* of its variance, by the other terms */
};

/* What is summed from the start: nothing, the ways into the socket, all copies. */
enum fit_sums { SUM_NONE, SUM_BY_BUFFER, SUM_COPIES };

struct fit {
	struct fit_term terms[TERMS];
	size_t term_count; /* 0: the cases can't carry a fit */
	bool dropped[TERMS]; /* can't be told from others and is small beside them: its cost is in theirs */
	double condition;
	/*
	 * What the model is wrong by beyond the samples' own scatter, as a share of each case's CPU time: as
	 * much as makes residuals as large as their sigmas say.
	 */
	double model_error;
	double r_squared; /* of seconds, every case alike */
	double *sigma, *weight, *predicted; /* one per case, the fit's */
	double *sample_weight; /* one per sample of all cases, one case after the other: its own and its case's */
};

/*
 * Finds the terms (all but those of `left_out`, which may be NULL), merging what can't be told apart, and
 * fits their prices. Returns 0 or -ENOMEM; fit->term_count is 0 when there are too few cases.
 * fit_free() in any case.
 */
int fit_prices(const struct fit_case *cases, size_t count, const bool left_out[TERMS],
	       enum fit_sums sums, struct fit *fit);

/*
 * Are there two terms of one kind of which an interval is as wide as its price? Then the cases tell them
 * apart on paper only, and this is what had better be summed. SUM_NONE: no. After fit_intervals().
 */
enum fit_sums fit_is_vague(const struct fit *fit);

/*
 * Intervals by resampling: the samples of each case with their counts (with replacement, the same rounds for cases of the same
 * number of them) and, because the model isn't exact either, the signs of its residuals. 0 or -ENOMEM.
 */
int fit_intervals(const struct fit_case *cases, size_t count, struct fit *fit, uint64_t seed,
		  unsigned int resamples, double confidence);

/* What a term counts in a case: its own, and those that are summed with it. */
double fit_quantity(const struct fit_term *term, const struct fit_case *kase);

double fit_predict(const struct fit *fit, const struct fit_case *kase);

void fit_free(struct fit *fit);

#endif
