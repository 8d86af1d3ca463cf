/* SPDX-License-Identifier: MIT */
/* Waiting for a host that has moved a guest's CPUs apart to put them back. */
#ifndef COPYTAX_STUDY_DISTANCE_H
#define COPYTAX_STUDY_DISTANCE_H

#include <stdbool.h>

#include "study/study.h"

/*
 * Waits until a cache line takes `distance_s` there and back between two CPUs, as apart_near() sees it; doesn't when that is NaN, or one of them is no CPU. False
 * when it did not come to that by `until` (measure/clock.h). A stopped study ends the wait: true.
 */
bool distance_wait(struct study *s, int cpu, int peer_cpu, double distance_s, double until);

#endif
