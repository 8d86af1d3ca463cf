/* SPDX-License-Identifier: MIT */
/*
 * Core-to-core latency: how long a cache line takes from one CPU to another and back. On a virtual machine
 * the answer changes while it runs: the host moves virtual CPUs between threads of a core, cores and chips,
 * and nothing in the guest tells. Sender and receiver of a transfer hand each other memory all the time, so
 * what they cost depends on it more than on anything else the host does.
 */
#ifndef COPYTAX_MEASURE_CORE_LATENCY_H
#define COPYTAX_MEASURE_CORE_LATENCY_H

/*
 * Seconds of one round trip between two CPUs just now: the fastest of a few hundred-fold ping-pongs of two threads,
 * which takes about a millisecond of both. Returns 0, -EINVAL when either is -1 or both are the same, -ETIMEDOUT when
 * they did not get to run at the same time, or -errno; *seconds is NaN then.
 */
int core_latency(int cpu, int other_cpu, double *seconds);

#endif
