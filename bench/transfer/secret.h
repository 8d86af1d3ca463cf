/* SPDX-License-Identifier: MIT */
/*
 * The secret that two hosts share, and the proof of knowing it: HMAC-SHA-256 over both sides' nonces, with
 * a label per direction so that neither side's proof can be played back as the other's.
 */
#ifndef COPYTAX_TRANSFER_SECRET_H
#define COPYTAX_TRANSFER_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"
#include "transfer/protocol.h"

/* Who listens to a handshake can try secrets at home, so a short one is none. */
#define SECRET_LEAST 16u
#define SECRET_MOST 4096u

struct secret {
	size_t length; /* 0: none */
	uint8_t bytes[SECRET_MOST];
};

enum secret_side { SECRET_CLIENT, SECRET_SERVER };

/*
 * Reads a file that only its owner may read; blanks and line ends at its end don't count.
 * Returns 0 or -errno with `why` (exit code 2).
 */
int secret_load(const char *path, struct secret *secret, struct failure *why);

/* The proof of `side` for these nonces. Without a secret it proves nothing and is the same for everybody. */
void secret_prove(const struct secret *secret, enum secret_side side,
		  const uint8_t client[static PROTOCOL_NONCE],
		  const uint8_t server[static PROTOCOL_NONCE], uint8_t mac[static PROTOCOL_MAC]);

/* In a time that does not depend on where they differ. */
bool secret_same(const void *a, const void *b, size_t bytes);

/* Random bytes of the kernel's. Returns 0 or -errno. */
int secret_random(void *to, size_t bytes);

/* Overwrites it, in a way that no compiler leaves out. */
void secret_forget(struct secret *secret);

#endif
