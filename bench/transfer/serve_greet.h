/* SPDX-License-Identifier: MIT */
/* One stranger at the door: who it is, how far it got, and when it is sent away. Never waits. */
#ifndef COPYTAX_TRANSFER_SERVE_GREET_H
#define COPYTAX_TRANSFER_SERVE_GREET_H

#include "transfer/serve.h"
#include "transfer/wire.h"

enum greeting_state {
	GREETING_NONE,	  /* no stranger here */
	GREETING_HELLO,	  /* has not said what it is */
	GREETING_PROOF,	  /* has been challenged */
	GREETING_QUEUED,  /* has proved itself, and waits a moment for a session to end */
	GREETING_FAREWELL /* was refused; what it still sends is thrown away until it hangs up */
};

struct greeting {
	enum greeting_state state;
	struct wire wire;
	struct link_address peer;
	double since, deadline; /* CLOCK_MONOTONIC */
	size_t discarded;
	uint8_t client_nonce[PROTOCOL_NONCE], server_nonce[PROTOCOL_NONCE];
};

enum greeting_news {
	GREETING_WAITS,
	GREETING_PROVED,  /* the stranger is none any more */
	GREETING_REFUSED, /* it was told so; `reason` says why */
	GREETING_OVER	  /* hung up, or has to be */
};

/* Takes over a connection, which does not block. */
void greeting_start(struct greeting *g, int fd, const struct link_address *peer,
		    unsigned int limit_s);

/* Reads what has come. `reason` has PROTOCOL_REASON_MAX and is set with GREETING_REFUSED. */
enum greeting_news greeting_read(struct greeting *g, const struct serve_settings *settings,
				 char *reason);

/* Says no and starts the farewell. */
void greeting_refuse(struct greeting *g, enum protocol_refusal code, const char *reason);

/* Proved, and every place is taken: one may be leaving right now. */
void greeting_queue(struct greeting *g);

/* Hangs up. */
void greeting_end(struct greeting *g);

#endif
