/* SPDX-License-Identifier: MIT */
/*
 * What the methods on io_uring share: a ring with the kernel's best set-up flags, the two files registered,
 * and running one chain of linked requests to its end.
 *
 * Order on the stream: all requests of a submission are one chain of links, so a send starts when the
 * one before it is done. What can't be done by the chain (a short read or send breaks it) is done by hand.
 */
#ifndef COPYTAX_METHOD_URING_H
#define COPYTAX_METHOD_URING_H

#include <liburing.h>

#include "method/io.h"

#ifndef IORING_SEND_ZC_REPORT_USAGE /* Linux 6.2 */
#define IORING_SEND_ZC_REPORT_USAGE (1U << 3)
#endif
#ifndef IORING_NOTIF_USAGE_ZC_COPIED
#define IORING_NOTIF_USAGE_ZC_COPIED (1U << 31)
#endif

#define URING_PAIRS 32 /* chunks of one submission, two requests each */
#define URING_SETS 2   /* of buffers, where a method has more than one */
#define URING_BUFFER_BYTES                                                                         \
	((size_t)8 << 20) /* of all buffers of a method; one chunk each at least */

/* Places of the registered files. */
enum uring_file { URING_SOURCE, URING_SOCKET, URING_PIPE_OUT, URING_PIPE_IN, URING_FILES };

struct uring {
	struct io_uring ring;
	bool open;
	uint64_t restarts;			 /* chains that broke */
	int result[URING_SETS * URING_PAIRS][2]; /* by user_data: the pair, and which of it */
};

/* Sees every completion. A zero-copy send has two: its result, and (IORING_CQE_F_NOTIF) a notification later. */
typedef void (*uring_notify)(void *arg, const struct io_uring_cqe *cqe);

/* Can the kernel do io_uring, and these operations (ends with -1)? 0 or -errno with a reason. */
int uring_probe(const int *operations, const char *since, char *reason, size_t reason_size);

/* Opens a ring and registers the job's files, and the ends of a pipe unless those are −1; sets the note. */
int uring_open(struct job *job, struct uring *u, bool sqpoll, int pipe_out, int pipe_in);
void uring_close(struct uring *u);

/* How many chunks of a job are queued in one submission, with `copies` buffers for each. */
unsigned int uring_pairs(const struct job *job, size_t piece, unsigned int copies);

/* A prepared request's place in the chain, and in `result`; its files are those that are registered. */
static inline void uring_link(struct io_uring_sqe *sqe, unsigned int index, bool last)
{
	sqe->flags |= (__u8)(IOSQE_FIXED_FILE | (last ? 0 : IOSQE_IO_LINK));
	sqe->user_data = index;
}

/*
 * Submits the chain and waits for the results of its `count` requests, each of which goes to `result`.
 * `notify` may be NULL. Returns 0 or -errno.
 */
int uring_run(struct uring *u, unsigned int count, uring_notify notify, void *arg);

/* Waits for one more completion when no result is outstanding. */
int uring_wait_notification(struct uring *u, uring_notify notify, void *arg);

/* read and write of `len` bytes at `offset`, for what a broken chain left. */
int uring_by_hand(struct job *job, char *buffer, uint64_t offset, size_t len);

/*
 * What became of a linked pair of a read and a send of `len` bytes at `offset`: 1 all of them went out, 0 less did
 * and the rest (all but what its second result says) is to be done by hand, -errno it can't go on. `send` is the call
 * for the message.
 */
int uring_pair(struct job *job, struct uring *u, unsigned int pair, size_t len, uint64_t offset,
	       const char *send);

/* An error in a result: can the work be done by hand all the same? */
bool uring_passing(int err);

#endif
