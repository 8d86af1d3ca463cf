/* SPDX-License-Identifier: MIT */
/*
 * Where the worker's CPU time goes, by samples of its stacks: on every n-th cycle where a PMU works, by the CPU
 * clock otherwise. The kernel writes the samples into memory shared with the harness, which looks at them only after
 * the transfer. Samples of several transfers add up.
 *
 * What the CPU clock can't see: its sample comes by an interrupt, so what ran with interrupts off is found at the
 * place that switched them on again.
 *
 * User code is built without frame pointers, so of it only the innermost function is taken.
 *
 * The three functions in the middle fit struct transfer_hooks, with the struct profile as `arg`.
 */
#ifndef COPYTAX_MEASURE_PROFILE_H
#define COPYTAX_MEASURE_PROFILE_H

#include <jansson.h>
#include <sys/types.h>

#include "analysis/folded.h"
#include "base/failure.h"

struct profile;

/* `cpu`: where the worker will be pinned, or -1. Returns 0 or -ENOMEM with `why`. */
int profile_new(int cpu, struct profile **out, struct failure *why);
void profile_free(struct profile *profile);

/* Never fail: what goes wrong becomes profile_json()'s reason. */
int profile_born(void *arg, pid_t sender, pid_t receiver, struct failure *why);
int profile_ready(void *arg, struct failure *why);
void profile_over(void *arg);

/* Forgets the samples so far: for the next case. */
void profile_clear(struct profile *profile);

/* The stacks so far, merged: "worker;write;entry_SYSCALL_64_after_hwframe_[k];…". Borrowed. */
const struct folded *profile_stacks(struct profile *profile);

/*
 * {event, period, period_unit, transfers, samples, lost, throttled, reason?}; `samples` is null with the reason when
 * nothing could be sampled; "names" has the reason when the kernel's functions have no names. NULL: out of memory.
 */
json_t *profile_json(const struct profile *profile);

#endif
