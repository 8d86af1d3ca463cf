/* SPDX-License-Identifier: MIT */
/*
 * The sender's half of a session with `copytax serve` (transfer/protocol.h). In a transfer a process of its
 * own takes the receiver's place towards the harness: it waits for the other host's words and hands them on,
 * so that nothing of the session runs in the measured process.
 */
#ifndef COPYTAX_TRANSFER_REMOTE_H
#define COPYTAX_TRANSFER_REMOTE_H

#include <signal.h>

#include "transfer/address.h"
#include "transfer/secret.h"
#include "transfer/transfer.h"
#include "transfer/wire.h"

struct remote {
	struct link_address peer;
	char name[ADDRESS_TEXT_MAX]; /* the peer, for messages */
	struct secret secret;
	const char *version, *commit; /* the tool's own */
	struct wire wire;	      /* fd -1: no session now */
	struct protocol_hello other;  /* what the peer said of itself */
	struct protocol_welcome welcome;
	uint8_t token[PROTOCOL_TOKEN]; /* of the transfer that was prepared last */
};

/* A session that remote_open() opens; `text` is HOST:PORT. Returns 0 or -errno with `why`. */
int remote_init(struct remote *remote, const char *text, const char *secret_file,
		const char *version, const char *commit, struct failure *why);

/* Connects, checks versions, proves the secret and has the peer prove it. Returns 0 or -errno with `why`. */
int remote_open(struct remote *remote, const volatile sig_atomic_t *stop, struct failure *why);
void remote_close(struct remote *remote);

/*
 * Has the peer make a receiver for the transfer; a session that has ended meanwhile is opened anew. *at is
 * where its data connections go. Returns a descriptor that stands for the listener (remote_receive() takes
 * it), or -errno with `why`.
 */
int remote_prepare(struct remote *remote, const struct transfer_spec *spec, struct link_address *at,
		   struct failure *why);

/* The first thing to say on a data connection. Returns 0 or -errno. */
int remote_introduce(const struct remote *remote, int socket);

/* In the receiver's place: as receiver_serve() does, with what the peer says. */
void remote_receive(struct remote *remote, const struct transfer_spec *spec, int control);

#endif
