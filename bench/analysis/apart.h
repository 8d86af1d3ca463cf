/* SPDX-License-Identifier: MIT */
/*
 * Samples that were taken while the CPUs of sender and receiver were at another distance than the run's
 * (measure/core_latency.h). A host that moves a guest's CPUs from one chip to another changes what a transfer costs by
 * up to a factor of two and tells nobody; a median over both kinds is of neither. Which samples those are follows from
 * the latency alone, never from what they cost, and they stay in the document.
 */
#ifndef COPYTAX_ANALYSIS_APART_H
#define COPYTAX_ANALYSIS_APART_H

#include "result/result.h"

/*
 * Latencies within this factor of each other are one distance. Between cores of one cache they scatter by more than half, and transfers cost
 * the same there (docs/decisions/0010); chips are further from each other than that.
 */
#define APART_FACTOR 1.8
/*
 * Within one sample the shorter latency may be less than the distance by so much as long as the longer one is at it: a cache line between
 * cores of one cache takes 70 to 250 ns, and transfers from one end of that to the other cost the same.
 */
#define APART_WANDER 2.25
/* At least so many times as far is another chip. Cores of one cache are less than that from each other, and threads of a core from them. */
#define APART_FAR 2.5
/* A share of the samples that is enough to go by: what is lacking is taken again at their distance, unless that is declined. */
#define APART_NEARER_SHARE 0.25
/* The same on a host that can't be had to bring the CPUs together: the shorter distance is there by chance, and what is lacking can't be taken at it. */
#define APART_NEARER_SHARE_BY_CHANCE 0.5
/* That it can't be had is known after so many samples before which it was tried, when it worked before fewer than this share of them. */
#define APART_TRIED_MIN 30
#define APART_REACHED_SHARE 0.1

struct apart {
	double median_s; /* core-to-core latency of the samples that count (of the first placement with any); NaN when none was measured */
	double apart_low_s,
		apart_high_s; /* of those apart, the odd ones of before and after; NaN when there are none */
	size_t n, apart,
		unknown; /* timed samples: at the distance or settled for, apart, without a latency */
};

/* Where sender and receiver were put; cases of one placement run on the same two CPUs. "" where it is not recorded. The case's. */
const char *apart_placement(const struct case_result *kase);
bool apart_is_of(const struct case_result *kase, const char *placement);

/* Is case `i` the first of its placement? */
bool apart_first_of_placement(const struct result *result, size_t i);

/*
 * Finds the run's distance and marks all samples that were not at it from beginning to end, MARK_APART, the others MARK_NONE. It is the
 * distance that most of them have (the shorter one of two that are equally common), unless a quarter of them, or more,
 * share one that is shorter by APART_FAR: then it is that, so that the next run, which the host may treat otherwise, has the
 * same one. Where it was tried in vain to have the CPUs brought together (SAMPLE_GATHER_S) it takes half of them. Each placement of sender and receiver has a distance of its own. 0 or -ENOMEM.
 */
int apart_mark(struct result *result);

/*
 * The core-to-core latency of a case's placement: the median of its samples at the run's distance; where there are none, of those that
 * count. NaN when it has no such either.
 */
double apart_distance(const struct result *result, const struct case_result *kase);

/*
 * The distance to go by among latencies that were seen: that of most of them, or a nearer one that a `share` of them have, as apart_mark().
 * `sorted`: ascending; NaN for none.
 */
double apart_usual(const double *sorted, size_t n, double share);

/* Is this latency that distance? NaN, not measured, is. */
bool apart_near(double latency_s, double distance_s);

/*
 * Was a transfer at that distance from its beginning to its end? Both latencies are, or the longer one is and the shorter one not less than
 * it by more than APART_WANDER.
 */
bool apart_stayed(double before_s, double after_s, double distance_s);

/* What the marks say. */
void apart_count(const struct result *result, struct apart *out);

/* {median_s, n, apart, apart_low_s, apart_high_s, unknown}, or {median_s: null, reason}; a new reference. */
json_t *apart_json(const struct apart *apart);

/*
 * Marks two results so that they can be compared: at the distance that most samples of both have. False, and both as
 * they were, when they have none in common; true where either has no latencies. Other than that the marks of one
 * result alone are apart_mark()'s.
 */
bool apart_align(struct result *a, struct result *b);

/* A case's part: {n, sender_cpu_ratio (or null with a reason)}: how many are apart, and what that cost. A new reference. */
json_t *apart_case_json(const struct case_result *kase);

/* Warns: cpus_apart, when there are any, with what that cost some of the cases. */
void apart_warn(struct result *result);

#endif
