/* SPDX-License-Identifier: MIT */
/*
 * Samples during which the hypervisor ran somebody else on this machine's CPUs. What was taken is not in a thread's CPU time, but what it
 * leaves behind is: caches that the others used, a receiver that is not there when it is woken. The yardstick (analysis/slowed.h) is before and after
 * the transfer and sees nothing of it. Such samples stay in the document and are summarised apart (docs/decisions/0022).
 */
#ifndef COPYTAX_ANALYSIS_STOLEN_H
#define COPYTAX_ANALYSIS_STOLEN_H

#include "result/result.h"

/* The kernel shows stolen time in steps of so many seconds, USER_HZ. One step can be the end of much less than a step. */
#define STOLEN_STEP_S 0.01
/* A sample is marked that lost more than a step, and more than this share of the time of two CPUs, the sender's and the receiver's. */
#define STOLEN_SHARE 0.05

struct stolen {
	double most_s; /* of one sample; 0 where nothing was taken, NaN where it is not known of any */
	double total_s; /* of all */
	size_t n, stolen; /* timed samples of which it is known; those of them that are marked */
};

/* Was more than a step, and more than the share, taken from a sample? Not, where it is not known. */
bool stolen_much(const struct samples *samples, size_t i);

/*
 * Marks samples that count, MARK_STOLEN. Follows from stolen and elapsed time alone, never from what a sample cost. To be called after apart_mark(),
 * which clears all marks, and slowed_mark().
 */
void stolen_mark(struct result *result);

/* What the marks and samples say. */
void stolen_count(const struct result *result, struct stolen *out);

/* {n, stolen, total_s, most_s}, or {n: 0, reason}; a new reference. */
json_t *stolen_json(const struct stolen *stolen);

/* {n, sender_cpu_ratio (or null with a reason)} of a case, as apart_case_json(). A new reference. */
json_t *stolen_case_json(const struct case_result *kase);

/* Warns: cpu_stolen, when there are any, with what that cost some of the cases. */
void stolen_warn(struct result *result);

#endif
