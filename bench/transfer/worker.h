/* SPDX-License-Identifier: MIT */
/* The measured process: one method, once. Its three steps, in the process that calls them. */
#ifndef COPYTAX_TRANSFER_WORKER_H
#define COPYTAX_TRANSFER_WORKER_H

#include "transfer/transfer.h"

struct worker {
	const struct transfer_spec *spec;
	struct job job;
	int socket;
	struct transfer_outcome *out; /* the sender's share is filled in */
};

/* Pins, connects to `at`, prepares the method. Returns 0 or -errno with `why`. */
int worker_prepare(struct worker *w, const struct transfer_spec *spec,
		   const struct link_address *at, struct transfer_outcome *out, struct failure *why);

/* The timed transfer. Returns 0 or -errno with `why`. */
int worker_transfer(struct worker *w, struct failure *why);

/* Releases the method and closes the socket, also after a failure. */
void worker_release(struct worker *w);

#endif
