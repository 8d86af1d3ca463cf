/* SPDX-License-Identifier: MIT */
/*
 * The cases that two results have in common, and how sure it is that they differ: as measured, and as they would
 * be if the host had been equally fast both times.
 */
#ifndef COPYTAX_ANALYSIS_PAIRS_H
#define COPYTAX_ANALYSIS_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/compare.h"
#include "analysis/ranks.h"

/*
 * How much more than the yardstick a case may feel of the host's speed: the yardstick is arithmetic, copies and
 * calls in equal parts, and a neighbour that is after memory slows a copy more than those three together.
 */
#define PAIRS_FEEL 2

/*
 * Samples that don't overlap at all are different whatever drags along from round to round, when their gap is more than
 * the slowest of the host could make of the fastest, felt PAIRS_FEEL times, and more than this.
 */
#define PAIRS_GAP 1.5
#define PAIRS_GAP_SAMPLES 6 /* on either side at least */

enum basis { AS_MEASURED, AT_EQUAL_SPEED, BASES };

struct side {
	double *value[BASES][METRICS]; /* timed samples in the order of rounds */
	size_t n[METRICS];
};

struct pair {
	const struct case_result *base, *new;
	struct side side[2]; /* base, new */
	/* the yardstick's median in the new result ÷ in the base, over this case's samples; NaN: one lacks it */
	double slower;
	double span; /* the largest yardstick of both ÷ the smallest; NaN with `slower` */
	struct rank_test test[BASES][METRICS];
	double p[METRICS];		    /* the larger of the two tests' */
	double adjusted[METRICS];	    /* for the number of cases */
	double low[METRICS], high[METRICS]; /* all intervals together */
	bool in_family[METRICS];	    /* could reach significance at all */
	bool gap[METRICS]; /* samples don't overlap, by PAIRS_GAP and more */
};

struct pairs {
	struct pair *pair;
	size_t count;
	double inflation[BASES][METRICS][2]; /* analysis/ranks.h, by side */
};

/* A sample in that metric, in seconds. */
double metric_sample(const struct samples *samples, enum metric m, size_t i);

/* Measured under the same name: method, chunk, payload, cache, sink, link, connections. NULL: none. */
const struct case_result *pairs_counterpart(const struct result *r, const struct case_result *c);

/* Pairs up what both results measured. 0 or -ENOMEM; pairs_free() in any case. `out` points into both results. */
int pairs_make(const struct result *base, const struct result *new, struct pairs *out);
void pairs_free(struct pairs *pairs);

/*
 * Ranks, both ways, corrected for the number of cases; an interval that excludes 1 is then widened to what blocks of
 * neighbouring rounds give (analysis/blocks.h) and to a host felt PAIRS_FEEL times as much. 0 or -ENOMEM.
 */
int pairs_test(struct pairs *pairs, enum metric m, double alpha);

/* Is the whole interval on one side of 1, and significantly so, or is there a gap between all samples? */
bool pair_differs(const struct pair *pair, enum metric m, double alpha);

/* The ratio that is nearer to 1 of the one measured and the one at equal speed. */
double pair_ratio_at_least(const struct pair *pair, enum metric m);

#endif
