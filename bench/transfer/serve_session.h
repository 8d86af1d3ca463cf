/* SPDX-License-Identifier: MIT */
/* A client that has proved itself, served in a process of its own until it goes or a limit is reached. */
#ifndef COPYTAX_TRANSFER_SERVE_SESSION_H
#define COPYTAX_TRANSFER_SERVE_SESSION_H

#include "transfer/serve.h"
#include "transfer/wire.h"

/* What a session tells the listening process when it is over. */
struct session_summary {
	uint64_t transfers, bytes;
	char end[PROTOCOL_REASON_MAX]; /* why it ended */
};

/*
 * Serves the client on `fd`, whose proof was right; the server's own goes out first. Returns when the
 * session is over, with nothing left behind.
 */
void session_serve(const struct serve_settings *settings, int fd, const struct link_address *peer,
		   const uint8_t mac[static PROTOCOL_MAC], struct session_summary *summary);

#endif
