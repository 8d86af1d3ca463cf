/* SPDX-License-Identifier: MIT */
/*
 * Data connections of a session: whoever connects has to come from the client's host and to show the
 * transfer's token first. Strangers wait for nothing and hold nobody up.
 */
#ifndef COPYTAX_TRANSFER_SERVE_GATHER_H
#define COPYTAX_TRANSFER_SERVE_GATHER_H

#include "transfer/address.h"
#include "transfer/protocol.h"

#define GATHER_CANDIDATES 64

struct candidate {
	int fd; /* -1: none */
	size_t got;
	uint8_t token[PROTOCOL_TOKEN];
};

struct gathering {
	struct link_address peer; /* the client's control connection came from there */
	uint8_t token[PROTOCOL_TOKEN];
	double deadline;     /* CLOCK_MONOTONIC, for all of them */
	unsigned int idle_s; /* reading from one gives up after this long without a byte */
	struct candidate candidates[GATHER_CANDIDATES];
	size_t next; /* the place whose candidate goes when all are taken */
};

void gathering_start(struct gathering *g, const struct link_address *peer, double deadline,
		     unsigned int idle_s);

/* The next connection of `listener` that has shown the token. Returns a descriptor, or -errno. */
int gathering_next(struct gathering *g, int listener);

/* Hangs up on those who have not. */
void gathering_end(struct gathering *g);

#endif
