/* SPDX-License-Identifier: MIT */
/*
 * The measured process: one method, once, over one connection or many. Its three steps, in the process
 * that calls them. Several connections are a thread each; a single one is the calling thread itself.
 */
#ifndef COPYTAX_TRANSFER_WORKER_H
#define COPYTAX_TRANSFER_WORKER_H

#include <pthread.h>

#include "transfer/transfer.h"

struct worker;

/* One connection. */
struct lane {
	struct worker *worker;
	struct job job;
	char *path; /* of its own file; NULL: the common one */
	pthread_t thread;
	bool started;
	int err;
	double done; /* when the receiver's word was there, CLOCK_MONOTONIC */
};

struct worker {
	const struct transfer_spec *spec;
	struct lane *lanes;
	unsigned int opened; /* lanes with a socket */
	struct transfer_outcome *out; /* the sender's share is filled in */
	/* futexes: no call of the method's own kind, so that its calls can be told by name */
	uint32_t busy; /* threads that have not come to the end of the present step */
	uint32_t step; /* which the threads may go on to */
};

/* Pins, connects to `at`, prepares the method for every connection. Returns 0 or -errno with `why`. */
int worker_prepare(struct worker *w, const struct transfer_spec *spec,
		   const struct link_address *at, struct transfer_outcome *out, struct failure *why);

/* The timed transfer. Returns 0 or -errno with `why`. */
int worker_transfer(struct worker *w, struct failure *why);

/* Releases the method and closes the sockets, also after a failure. */
void worker_release(struct worker *w);

#endif
