/* SPDX-License-Identifier: MIT */
/*
 * The timed pass: rounds of all cases by the schedule, then more of them where some samples don't count, because the
 * host had moved the CPUs (analysis/apart.h), and where more precision was asked for.
 */
#ifndef COPYTAX_STUDY_ROUNDS_H
#define COPYTAX_STUDY_ROUNDS_H

#include "study/study.h"

/* Adds samples to the result's cases. 0, -EINTR when stopped, or -errno with `why`. */
int rounds_measure(struct study *s, struct failure *why);

#endif
