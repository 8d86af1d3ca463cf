/* SPDX-License-Identifier: MIT */
/* The two clocks every figure rests on. Seconds; they can't fail on Linux. */
#ifndef COPYTAX_MEASURE_CLOCK_H
#define COPYTAX_MEASURE_CLOCK_H

#include <time.h>

static inline double clock_seconds(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline double clock_wall(void)
{
	return clock_seconds(CLOCK_MONOTONIC);
}

/* All threads of the process, exact: the scheduler's own accounting, not the ticks that getrusage splits. */
static inline double clock_process_cpu(void)
{
	return clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

#endif
