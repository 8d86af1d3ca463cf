/* SPDX-License-Identifier: MIT */
/*
 * Counts events of the worker over one transfer: opened on the process while it waits at its first
 * instruction, enabled right before "go", stopped and read while it still exists. Threads it starts
 * (io_uring's) are counted with it.
 *
 * An event that can't be counted is null with a reason. So is a hardware event that opened and stayed at 0 in
 * user and kernel mode alike although the worker ran: a PMU that counts nothing is as good as none. A software
 * event's 0 is a real one.
 *
 * The four functions in the middle fit struct transfer_hooks, with the struct events as `arg`.
 */
#ifndef COPYTAX_MEASURE_EVENTS_H
#define COPYTAX_MEASURE_EVENTS_H

#include <jansson.h>
#include <sys/types.h>

#include "base/failure.h"
#include "measure/event_names.h"

struct events;

/*
 * `list`: as event_codes_of() takes it. `cpu`: where the worker will be pinned, or -1.
 * Returns 0 or -errno with `why`: a list that isn't one, out of memory. That nothing can be counted is no failure.
 */
int events_new(const char *list, int cpu, struct events **out, struct failure *why);
void events_free(struct events *events);

/* Never fail: what goes wrong becomes the reason of an event. */
int events_born(void *arg, pid_t sender, pid_t receiver, struct failure *why);
int events_ready(void *arg, struct failure *why);
void events_over(void *arg);

/*
 * What the last transfer counted: [{name, scope, value, enabled_s, running_s, reason, source}], with "unit" where
 * the value isn't a plain count, and "multiplexed" (running ÷ enabled) where the PMU had to share its counters and
 * the value is scaled up. NULL: out of memory.
 */
json_t *events_json(const struct events *events);

#endif
