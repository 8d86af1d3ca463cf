/* SPDX-License-Identifier: MIT */
/* The whole machine's CPU time, so that work done outside the two measured processes shows. */
#ifndef COPYTAX_MEASURE_SYSSTAT_H
#define COPYTAX_MEASURE_SYSSTAT_H

struct sysstat {
	double wall_s; /* CLOCK_MONOTONIC when it was read */
	double idle_s, steal_s; /* of all CPUs since boot; idle includes waiting for I/O */
	int cpus; /* 0: /proc/stat could not be read */
};

void sysstat_read(struct sysstat *out);

/*
 * CPU seconds between two readings that were neither idle nor stolen: elapsed × CPUs - idle - steal.
 * Idle time is kept exactly by the kernel and shown in steps of USER_HZ (10 ms) per CPU, which is the
 * resolution. The tick-sampled user and system columns are not used. NaN when unknown.
 */
double sysstat_busy(const struct sysstat *from, const struct sysstat *to);

/* Seconds that the hypervisor took, in the same steps. NaN when unknown. */
double sysstat_steal(const struct sysstat *from, const struct sysstat *to);

#endif
