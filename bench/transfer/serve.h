/* SPDX-License-Identifier: MIT */
/*
 * The receiver for senders on other hosts. One process listens and greets: it holds every stranger, does
 * nothing for them but read at most one bounded message at a time, and forgets them after a few seconds.
 * Who proves to know the secret gets a process of its own (transfer/serve_session.h), which does the rest.
 * What arrives is counted, and hashed when asked, and never written anywhere.
 */
#ifndef COPYTAX_TRANSFER_SERVE_H
#define COPYTAX_TRANSFER_SERVE_H

#include <signal.h>
#include <stdbool.h>

#include "base/failure.h"
#include "transfer/address.h"
#include "transfer/secret.h"

#define SERVE_CLIENTS_MAX 64u

struct serve_settings {
	struct link_address at;	      /* port 0: any free one */
	struct secret *secret;	      /* length 0: none, which only loopback goes without */
	const char *version, *commit; /* the tool's own */
	unsigned int clients;	      /* sessions at a time, 1 … SERVE_CLIENTS_MAX */
	unsigned int greet_s;	      /* from connecting to having proved oneself */
	unsigned int
		idle_s; /* of a session without a word, and of a data connection without a byte */
	unsigned int total_s;		   /* of a session */
	unsigned int limit_s;		   /* of one transfer */
	uint16_t data_port;		   /* of the data connections; 0: any free one */
	int cpu;			   /* that receivers are pinned to; -1: none */
	bool quiet;			   /* no lines about sessions and refusals on stderr */
	const volatile sig_atomic_t *stop; /* set by signals that are blocked while it serves */
};

/*
 * Serves until *stop is set. `listening` is called once, with the address that was bound. Returns 0, -EINTR
 * when sessions were cut short, or -errno with `why` when it can't listen.
 */
int serve_run(const struct serve_settings *settings,
	      void (*listening)(const struct link_address *at), struct failure *why);

#endif
