/* SPDX-License-Identifier: MIT */
/*
 * The direct measurements, in sittings spread over the timed rounds: a host that moves CPUs or changes its speed does so
 * to both, and the fitted prices are held against figures of the same minutes.
 */
#ifndef COPYTAX_STUDY_SITTINGS_H
#define COPYTAX_STUDY_SITTINGS_H

#include <stddef.h>

#include "study/study.h"

/* Fifteen samples of each measurement in all, as `copytax calibrate` takes at once. */
#define SITTINGS 5u
#define SITTING_SAMPLES 3
/* So many of them are wanted at the run's distance of the CPUs, and no more than so many taken to get there. */
#define SITTINGS_NEAR 3u
#define SITTINGS_MAX 12u

/*
 * Takes those that are due before turn `turn` of `turns`: the first before turn 0, the last when `turn` is `turns`. They
 * are in the result's prices then. 0, -EINTR when stopped, or -errno with `why`.
 */
int sittings_take(struct study *s, size_t turn, size_t turns, struct failure *why);

/*
 * More of them, each begun when the CPUs are at the run's distance (after apart_mark()), until enough of
 * the others' were or `until` (measure/clock.h) is over. Chosen by the latency alone, as samples are. 0, -EINTR or -errno with `why`.
 */
int sittings_again(struct study *s, double until, struct failure *why);

#endif
