/* SPDX-License-Identifier: MIT */
/*
 * Samples that were taken while something outside slowed the sender's CPU: a neighbour on the other thread of its core, a lower
 * clock. The yardstick beside a sample (measure/yardstick.h) tells; what a transfer loses is up to three times what the yardstick
 * loses, so scaling by it does not help. Such samples stay in the document and are summarised apart (docs/decisions/0016).
 */
#ifndef COPYTAX_ANALYSIS_SLOWED_H
#define COPYTAX_ANALYSIS_SLOWED_H

#include "result/result.h"

/* Yardsticks within this factor of each other are one speed. */
#define SLOWED_ONE_SPEED 1.05
/* A sample whose yardstick took more than this times the run's usual is marked. */
#define SLOWED_FACTOR 1.07
/* Fewer samples of a placement with a yardstick than these have no usual speed to be held against. */
#define SLOWED_LEAST 48

struct slowed {
	double usual_s; /* the usual yardstick, of the first placement that has one; NaN: too few samples to tell */
	size_t n, slowed; /* timed samples with a yardstick; those of them that are marked */
};

/*
 * Marks samples that count, MARK_SLOWED. The usual yardstick is the middle of where most of the placement's lie: other CPUs may have another. Follows from the
 * yardstick alone, never from what a sample cost. To be called after apart_mark(), which clears all marks. 0 or -ENOMEM.
 */
int slowed_mark(struct result *result);

/* What the marks say. */
void slowed_count(const struct result *result, struct slowed *out);

/* {n, sender_cpu_ratio (or null with a reason)} of a case, as apart_case_json(). A new reference. */
json_t *slowed_case_json(const struct case_result *kase);

/* Warns: cpu_slowed, when there are any, with what that cost some of the cases. */
void slowed_warn(struct result *result);

#endif
