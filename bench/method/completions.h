/* SPDX-License-Identifier: MIT */
/*
 * Which sends with MSG_ZEROCOPY the kernel is done with. Each such send gets the next number, modulo 2^32; the
 * kernel reports ranges of numbers in the socket's error queue, as a rule ascending and without a gap, and
 * says of each range whether it was copied after all. Memory that was sent may be reused once its number is in.
 *
 * The bookkeeping (completions_sent, completions_take) makes no system call.
 */
#ifndef COPYTAX_METHOD_COMPLETIONS_H
#define COPYTAX_METHOD_COMPLETIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "method/method.h"

#define COMPLETIONS_WINDOW 1024 /* sends that may be outstanding; a power of two */

struct completions {
	uint32_t next; /* of the next send */
	uint32_t done; /* all numbers before this one are in */
	uint64_t ranges, taken,
		copied; /* reports; sends they were about; those that came back copied */
	uint64_t copied_bytes;
	uint64_t gaps;		     /* reports that came before an earlier number's */
	uint64_t refusals;	     /* sends that the kernel had no room for at first (ENOBUFS) */
	uint32_t most;		     /* outstanding at once */
	uint32_t ahead;		     /* numbers that are in while an earlier one is not */
	bool in[COMPLETIONS_WINDOW]; /* by number, within [done, next) */
	uint32_t bytes[COMPLETIONS_WINDOW];
};

static inline uint32_t completions_outstanding(const struct completions *c)
{
	return c->next - c->done;
}

static inline bool completions_full(const struct completions *c)
{
	return completions_outstanding(c) == COMPLETIONS_WINDOW;
}

/* Is send number `id` done with? True of every number before `done`, if it was less than 2^31 sends ago. */
static inline bool completions_has(const struct completions *c, uint32_t id)
{
	return (int32_t)(id - c->done) < 0;
}

/* A send went out; its number. There must be room: see completions_full(). */
uint32_t completions_sent(struct completions *c, size_t bytes);

/* The numbers first … last are reported. -EPROTO: one of them was never sent, or was reported before. */
int completions_take(struct completions *c, uint32_t first, uint32_t last, bool copied);

/*
 * Takes what is in the socket's error queue. Returns 0, -EPROTO, or -errno when the queue holds a real error.
 */
int completions_reap(struct completions *c, int socket);

/*
 * Waits for something in the error queue, and takes it. -EPIPE: the peer is gone; -EPROTO also when a number
 * stays missing for GAP_PATIENCE_MS although later ones are in.
 */
int completions_wait(struct completions *c, int socket);

/* Waits until everything sent is in. */
int completions_drain(struct completions *c, int socket);

/* send(2) of all bytes with MSG_ZEROCOPY; *last is the number of the last part. 0 or -errno. */
int completions_send(struct completions *c, int socket, const char *data, size_t len,
		     uint32_t *last);

/* SO_ZEROCOPY; 0 or -errno. */
int completions_enable(int socket);

/* The figures of the case: completions, copied_share, … */
void completions_tell(const struct completions *c, struct job *job);

/*
 * probe() of methods that send so: does the kernel know it, and may it pin a chunk? Returns 0 or -errno with
 * a reason.
 */
int completions_probe(const struct job *job, char *reason, size_t reason_size);

#endif
