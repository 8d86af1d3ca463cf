/* SPDX-License-Identifier: MIT */
/*
 * The receiving process: accepts the connections, takes what comes on each (in a thread of its own when
 * there are several), answers on each that it all arrived.
 */
#ifndef COPYTAX_TRANSFER_RECEIVER_H
#define COPYTAX_TRANSFER_RECEIVER_H

#include "transfer/transfer.h"

/* What the receiver tells the harness over its control socket: READY once, then DONE. */
struct receiver_report {
	enum { RECEIVER_READY = 1, RECEIVER_DONE } kind;
	int err; /* 0 or -errno */
	double cpu_s;
	double switches_voluntary; /* NaN: not known, as of another host's receiver */
	uint64_t received, hash, mapped;
	unsigned int odd_hashes;
	struct link_actual link;
	char reason[sizeof(((struct failure *)0)->text)]; /* of err, when its number does not say it all: from another host */
};

/* Serves one transfer on `listener` and returns when it is over. `control` is one end of a socket pair. */
void receiver_serve(const struct transfer_spec *spec, int listener, int control);

#endif
