/* SPDX-License-Identifier: MIT */
/* The other host of the link `remote`, as run and send know it from their options. */
#ifndef COPYTAX_CMD_PEER_H
#define COPYTAX_CMD_PEER_H

#include <jansson.h>

#include "cmd/conditions.h"
#include "transfer/remote.h"

#define PEER_MISSING "--link remote needs --peer HOST:PORT, where 'copytax serve' listens"

/*
 * Finds the host of --peer and opens a session with it; when `wanted` is false *out is NULL and all is well,
 * unless a peer was named. The caller hands it to peer_close(). Returns 0 or -errno with `why`.
 */
int peer_open(const struct conditions *conditions, bool wanted, const volatile sig_atomic_t *stop,
	      struct remote **out, struct failure *why);
void peer_close(struct remote *remote);

/* What the result says of it: address, version, commit, kernel, machine, cpu, authenticated. */
json_t *peer_json(const struct remote *remote);

/* Where the two processes run, for the result: the receiver is not among this machine's CPUs. */
void peer_place(const struct remote *remote, struct placement_choice *place);

#endif
