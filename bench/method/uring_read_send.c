// SPDX-License-Identifier: MIT
/*
 * io_uring: read and send as linked pairs, many pairs to one submission. A pair starts when the one before it
 * is done and its bytes are in the socket, so one registered buffer serves all.
 */
#include <stdlib.h>
#include <sys/uio.h>

#include "method/uring.h"

struct read_send {
	struct uring u;
	char *buffer;
	bool registered;
	unsigned int pairs;
};

static int probe(const struct job *job, char *reason, size_t reason_size)
{
	static const int operations[] = { IORING_OP_READ_FIXED, IORING_OP_READ, IORING_OP_SEND,
					  -1 };
	int err = uring_probe(operations, "Linux 5.6", reason, reason_size);

	return err ? err : io_probe_buffer(job, reason, reason_size);
}

static int prepare_ring(struct job *job, bool sqpoll)
{
	struct read_send *r = calloc(1, sizeof(*r));
	struct iovec buffer;
	int err;

	if (!r)
		return job_failed(job, "allocate", ENOMEM, job->size);
	job->state = r;
	err = io_open_source(job, 0);
	if (!err)
		err = io_buffer(job, 4096, job->chunk, &r->buffer);
	if (!err)
		err = uring_open(job, &r->u, sqpoll, -1, -1);
	if (err)
		return err;
	/* more than 1 GiB, or than RLIMIT_MEMLOCK allows, can't be: then it is looked up for every read */
	buffer = (struct iovec) { r->buffer, job->chunk };
	r->registered = !io_uring_register_buffers(&r->u.ring, &buffer, 1);
	r->pairs = uring_pairs(job, job->chunk, 0);
	method_figure_set(job, "chunks_queued", r->pairs);
	method_figure_set(job, "chunks_in_flight", 1);
	method_figure_set(job, "buffer_bytes", (double)job->chunk);
	method_figure_set(job, "buffers_registered", r->registered);
	return 0;
}

static int prepare(struct job *job)
{
	return prepare_ring(job, false);
}

static int prepare_sqpoll(struct job *job)
{
	return prepare_ring(job, true);
}

static size_t length(const struct job *job, uint64_t offset)
{
	return io_piece(job, job->size - offset);
}

static void queue(const struct job *job, struct read_send *r, uint64_t offset, unsigned int pairs)
{
	for (unsigned int i = 0; i < pairs; i++) {
		struct io_uring_sqe *in = io_uring_get_sqe(&r->u.ring);
		struct io_uring_sqe *out = io_uring_get_sqe(&r->u.ring);
		size_t len = length(job, offset);

		if (r->registered)
			io_uring_prep_read_fixed(in, URING_SOURCE, r->buffer, (unsigned int)len,
						 offset, 0);
		else
			io_uring_prep_read(in, URING_SOURCE, r->buffer, (unsigned int)len, offset);
		uring_link(in, 2 * i, false);
		/* a short send would let the next pair overtake its rest */
		io_uring_prep_send(out, URING_SOCKET, r->buffer, len, MSG_WAITALL | MSG_NOSIGNAL);
		uring_link(out, 2 * i + 1, i + 1 == pairs);
		offset += len;
	}
}

/* What the chain did, in order, up to the first request that went wrong; the rest of its chunk by hand. */
static int settle(struct job *job, struct read_send *r, unsigned int pairs, uint64_t *offset)
{
	for (unsigned int i = 0; i < pairs; i++) {
		size_t len = length(job, *offset), sent;
		int done = uring_pair(job, &r->u, i, len, *offset, "send (io_uring)");

		if (done < 0)
			return done;
		if (done) {
			*offset += len;
			continue;
		}
		sent = r->u.result[i][1] > 0 ? (size_t)r->u.result[i][1] : 0;
		done = uring_by_hand(job, r->buffer, *offset + sent, len - sent);
		*offset += done ? sent : len;
		return done;
	}
	return 0;
}

static int move(struct job *job)
{
	struct read_send *r = job->state;
	uint64_t offset = 0;

	while (offset < job->size) {
		uint64_t chunks = (job->size - offset + job->chunk - 1) / job->chunk;
		unsigned int pairs = chunks < r->pairs ? (unsigned int)chunks : r->pairs;
		int err;

		queue(job, r, offset, pairs);
		err = uring_run(&r->u, 2 * pairs, NULL, NULL);
		if (err)
			return job_failed(job, "io_uring_enter", -err, job->size - offset);
		err = settle(job, r, pairs, &offset);
		if (err)
			return err;
	}
	return 0;
}

static void release(struct job *job)
{
	struct read_send *r = job->state;

	if (r) {
		method_figure_set(job, "chains_broken", (double)r->u.restarts);
		uring_close(&r->u);
		free(r->buffer);
	}
	free(r);
	io_close_source(job);
}

#define SAYS "asynchronous: one call moves what took two calls for each chunk"

const struct method method_uring_read_send = {
	.name = "uring_read_send",
	.summary = "io_uring: linked reads and sends, a chain of chunks to one call",
	.flags = METHOD_USER_BUFFER,
	.textbook = { .file_to_user = 1, .user_to_socket = 1, .says = SAYS },
	.probe = probe,
	.prepare = prepare,
	.send = move,
	.release = release,
};

const struct method method_uring_read_send_sqpoll = {
	.name = "uring_read_send_sqpoll",
	.summary = "uring_read_send with a kernel thread that takes requests without calls",
	.flags = METHOD_USER_BUFFER,
	.textbook = { .file_to_user = 1, .user_to_socket = 1, .says = SAYS },
	.probe = probe,
	.prepare = prepare_sqpoll,
	.send = move,
	.release = release,
};
