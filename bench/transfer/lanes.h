/* SPDX-License-Identifier: MIT */
/* Threads of a worker, one per connection, that take each step together. */
#ifndef COPYTAX_TRANSFER_LANES_H
#define COPYTAX_TRANSFER_LANES_H

#include "transfer/worker.h"

/* Starts a thread per lane, and waits until all have prepared. Returns 0 or -errno; lane->err tells whose. */
int lanes_prepare(struct worker *w);

/* Lets all send, and waits until each has the receiver's word. */
void lanes_send(struct worker *w);

/* Lets all release, and joins those that were started. */
void lanes_release(struct worker *w);

/* How evenly the lanes got through, counted from `start`. */
void lanes_fair_share(const struct worker *w, double start, struct transfer_outcome *out);

/* What the methods of all lanes reported, as one: sums, but means of names that end in "_share". */
void lanes_figures(const struct worker *w, struct method_figure out[METHOD_FIGURES_MAX]);

/* Sends the lead and prepares the method, in the thread that will send. Returns 0 or -errno, with the job's failed_call. */
int lane_prepare(struct lane *lane);

/* Sends one lane's bytes and waits for the receiver's word. Returns 0 or -errno. */
int lane_send(struct lane *lane);

#endif
