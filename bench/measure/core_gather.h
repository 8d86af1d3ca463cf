/* SPDX-License-Identifier: MIT */
/*
 * Having the host of a virtual machine bring two CPUs together. A host that put a guest's CPUs on different chips leaves them there as long as
 * both are busy, and when both sleep it does so, too; but when one of them wakes the other out of a sleep, it may place what it wakes next to
 * what woke it. How well that works depends on the host's minute (docs/decisions/0015).
 */
#ifndef COPYTAX_MEASURE_CORE_GATHER_H
#define COPYTAX_MEASURE_CORE_GATHER_H

#include <signal.h>
#include <stdbool.h>

/* A try after one in vain is short until it works again. */
#define CORE_GATHER_SHORT_S 0.15

/* What is wanted, and what it may cost. One for all tries of a study; core_approach() keeps the books. */
struct core_goal {
	double within_s; /* a cache line takes no longer there and back (measure/core_latency.h); NaN: whatever it takes */
	double patience_s; /* of one try */
	double left_s; /* of what may be spent in all */
	double spent_s; /* in all so far */
	unsigned int tried, reached; /* how often they were not there when it began; of those, how often they were in the end */
	bool missed; /* the last try was in vain */
};

/*
 * One round of sleeping and waking, some 30 ms: both CPUs sleep, `cpu` wakes up and wakes `other_cpu`, again and again. Returns 0,
 * -EINVAL when either is -1 or both are the same, or -errno.
 */
int core_gather(int cpu, int other_cpu);

/*
 * Gathers until the goal is reached or its patience is over. Does nothing, and returns NaN, when the goal is NULL or wants nothing, when
 * nothing is left to spend, or when the CPUs can't be measured; seconds that it took otherwise, 0 when the CPUs were there already.
 * `stop` is looked at in between, with all signals let through; NULL: never.
 */
double core_approach(int cpu, int other_cpu, struct core_goal *goal, const volatile sig_atomic_t *stop);

#endif
