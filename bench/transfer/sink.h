/* SPDX-License-Identifier: MIT */
/* What the receiver does with the bytes. */
#ifndef COPYTAX_TRANSFER_SINK_H
#define COPYTAX_TRANSFER_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sink {
	SINK_DRAIN, /* recv into memory */
	SINK_TRUNCATE, /* MSG_TRUNC: thrown away in the kernel; an upper bound */
	SINK_SPLICE, /* through a pipe to /dev/null */
	SINK_VERIFY, /* recv and hash; never timed */
	SINK_ZEROCOPY, /* TCP_ZEROCOPY_RECEIVE: pages mapped, recv for what can't be */
	SINKS
};

/* What one recv of every sink asks for: larger than a socket hands out at once, small enough for L2. */
#define SINK_BUFFER_BYTES (256u << 10)

struct sink_state {
	enum sink sink;
	char *buffer;
	bool shares; /* the buffer is another state's */
	char *window; /* SINK_ZEROCOPY: where pages are mapped; NULL: none */
	uint64_t mapped; /* bytes of it that came without a copy */
	int pipe[2];
	int null;
	void *hash; /* XXH3_state_t */
};

extern const char *const sink_names[SINKS];
extern const char *const sink_summaries[SINKS];

/*
 * Allocates what the sink needs and touches it; the buffer is that of `first`, if there is one and the
 * sink does not look at the bytes. Returns 0 or -errno. sink_close() also after a failure.
 */
int sink_open(struct sink_state *state, enum sink sink, const struct sink_state *first);

/* What needs the connection: the mapping of SINK_ZEROCOPY. Returns 0 or -errno. */
int sink_ready(struct sink_state *state, int socket);
void sink_close(struct sink_state *state);

/*
 * Takes bytes from the socket until `size` have come or the peer closed. Returns 0 or -errno; *received
 * is right in both cases.
 */
int sink_take(struct sink_state *state, int socket, uint64_t size, uint64_t *received);

/* XXH3 (64 bits) of what SINK_VERIFY took. */
uint64_t sink_hash(const struct sink_state *state);

#endif
