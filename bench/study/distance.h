/* SPDX-License-Identifier: MIT */
/*
 * Where the host of a virtual machine lets sender's and receiver's CPU be, and having it bring them together (measure/core_gather.h) before
 * samples are taken.
 */
#ifndef COPYTAX_STUDY_DISTANCE_H
#define COPYTAX_STUDY_DISTANCE_H

#include <stdbool.h>

#include "measure/core_gather.h"
#include "transfer/placement.h"

struct study;

#define DISTANCE_LOOKS_MAX 128 /* of the last eight minutes */

/* What was seen of one placement's CPUs. */
struct distance_looks {
	double seen_s[DISTANCE_LOOKS_MAX]; /* the latest latencies, each after a round of sleeping and waking; look i is at i % DISTANCE_LOOKS_MAX */
	size_t n; /* looks so far */
	double next; /* when to look again (measure/clock.h) */
	struct core_goal goal;
};

struct distance {
	bool wanted; /* a guest, and its samples are worth it */
	double began; /* the timed pass (measure/clock.h) */
	struct distance_looks of[PLACEMENTS];
};

/* The nearest distance to go by among those seen: the usual one, or one that an eighth of the looks had. NaN for none. */
double distance_wanted(const double *seen_s, size_t n);

/*
 * Is this study to look and to gather? On a virtual machine, when it catches up on samples, and when it takes long enough, by the guess before
 * it, that looking is a small part of it.
 */
void distance_begin(struct study *s);

/*
 * The goal for a transfer of a placement, whose CPUs are looked at a few times when that was not done for a minute; NULL: whatever the
 * distance is. What may be spent in all grows with the time that the timed pass has taken, less what was spent already.
 */
struct core_goal *distance_goal(struct study *s, enum placement placement);

/*
 * Waits until a cache line takes `distance_s` there and back between two CPUs, as apart_near() sees it, and has the host bring them together meanwhile when they
 * are further, in a study that gathers; doesn't wait when that is NaN, or one of them is no CPU. False
 * when it did not come to that by `until` (measure/clock.h). A stopped study ends the wait: true.
 */
bool distance_wait(struct study *s, int cpu, int peer_cpu, double distance_s, double until);

/* How often it was tried, with what success: run.core_latency.gathered, and the warning cpus_gathered. */
void distance_conclude(struct study *s);

#endif
