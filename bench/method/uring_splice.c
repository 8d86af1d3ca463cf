// SPDX-License-Identifier: MIT
/* io_uring: splice from the file to a pipe, and from the pipe to the socket, as linked pairs. */
#include <fcntl.h>
#include <stdlib.h>

#include "method/pipe.h"
#include "method/uring.h"

struct spliced {
	struct uring u;
	struct pipe_ends pipe;
	size_t piece; /* the chunk, or what the pipe holds */
	unsigned int pairs;
};

static int probe(const struct job *job, char *reason, size_t reason_size)
{
	static const int operations[] = { IORING_OP_SPLICE, -1 };

	(void)job;
	return uring_probe(operations, "Linux 5.7", reason, reason_size);
}

static int prepare_ring(struct job *job, bool sqpoll)
{
	struct spliced *s = calloc(1, sizeof(*s));
	size_t page = (size_t)sysconf(_SC_PAGESIZE), room = job->chunk;
	int err;

	if (!s)
		return job_failed(job, "allocate", ENOMEM, job->size);
	s->pipe = (struct pipe_ends) { -1, -1, 0 };
	job->state = s;
	err = io_open_source(job, 0);
	/* every page takes a place in the pipe; a chunk that starts within a page touches one more */
	if (room % page)
		room += page;
	if (!err)
		err = pipe_open(job, room, &s->pipe);
	if (!err)
		err = uring_open(job, &s->u, sqpoll, s->pipe.out, s->pipe.in);
	if (err)
		return err;
	/* the chain is laid out beforehand, so no piece may be cut short by the pipe's size */
	s->piece = job->chunk;
	if (s->piece > s->pipe.size)
		s->piece = s->pipe.size;
	if (s->piece % page && s->piece > s->pipe.size - page)
		s->piece = s->pipe.size - page;
	s->pairs = uring_pairs(job, s->piece, 0);
	method_figure_set(job, "chunks_queued", s->pairs);
	method_figure_set(job, "chunks_in_flight", 1);
	method_figure_set(job, "pipe_bytes", (double)s->pipe.size);
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

static size_t length(const struct job *job, const struct spliced *s, uint64_t offset)
{
	uint64_t left = job->size - offset;

	return left < s->piece ? (size_t)left : s->piece;
}

static void queue(const struct job *job, struct spliced *s, uint64_t offset, unsigned int pairs)
{
	for (unsigned int i = 0; i < pairs; i++) {
		struct io_uring_sqe *in = io_uring_get_sqe(&s->u.ring);
		struct io_uring_sqe *out = io_uring_get_sqe(&s->u.ring);
		unsigned int len = (unsigned int)length(job, s, offset);

		io_uring_prep_splice(in, URING_SOURCE, (int64_t)offset, URING_PIPE_IN, -1, len,
				     SPLICE_F_MOVE | SPLICE_F_FD_IN_FIXED);
		uring_link(in, 2 * i, false);
		io_uring_prep_splice(out, URING_PIPE_OUT, -1, URING_SOCKET, -1, len,
				     SPLICE_F_MOVE | SPLICE_F_FD_IN_FIXED);
		uring_link(out, 2 * i + 1, i + 1 == pairs);
		offset += len;
	}
}

/* What the chain did, up to the first request that went wrong; what is in the pipe then goes out by hand. */
static int settle(struct job *job, struct spliced *s, unsigned int pairs, uint64_t *offset)
{
	for (unsigned int i = 0; i < pairs; i++) {
		int in = s->u.result[i][0], out = s->u.result[i][1], err;
		size_t len = length(job, s, *offset);
		size_t sent = out > 0 ? (size_t)out : 0;

		if (in == (int)len && sent == len) {
			*offset += len;
			continue;
		}
		s->u.restarts++;
		if (in < 0 && !uring_passing(in))
			return job_failed(job, "splice (file to pipe, io_uring)", -in,
					  job->size - *offset);
		if (in == 0)
			return job_failed(job, "splice (file to pipe, io_uring)", ENODATA,
					  job->size - *offset);
		if (in > 0 && out < 0 && !uring_passing(out))
			return job_failed(job, "splice (pipe to socket, io_uring)", -out,
					  job->size - *offset);
		len = in > 0 ? (size_t)in : 0;
		err = pipe_to_socket(job, &s->pipe, len - sent, job->size - *offset);
		*offset += len;
		return err;
	}
	return 0;
}

static int move(struct job *job)
{
	struct spliced *s = job->state;
	uint64_t offset = 0;

	while (offset < job->size) {
		uint64_t chunks = (job->size - offset + s->piece - 1) / s->piece;
		unsigned int pairs = chunks < s->pairs ? (unsigned int)chunks : s->pairs;
		int err;

		queue(job, s, offset, pairs);
		err = uring_run(&s->u, 2 * pairs, NULL, NULL);
		if (err)
			return job_failed(job, "io_uring_enter", -err, job->size - offset);
		err = settle(job, s, pairs, &offset);
		if (err)
			return err;
	}
	return 0;
}

static void release(struct job *job)
{
	struct spliced *s = job->state;

	if (s) {
		method_figure_set(job, "chains_broken", (double)s->u.restarts);
		uring_close(&s->u);
		pipe_close(&s->pipe);
	}
	free(s);
	io_close_source(job);
}

#define SAYS "splice without a copy and without its two calls for each chunk"

const struct method method_uring_splice = {
	.name = "uring_splice",
	.summary = "io_uring: linked splices through a pipe, a chain of chunks to one call",
	.textbook = { .says = SAYS },
	.probe = probe,
	.prepare = prepare,
	.send = move,
	.release = release,
};

const struct method method_uring_splice_sqpoll = {
	.name = "uring_splice_sqpoll",
	.summary = "uring_splice with a kernel thread that takes requests without calls",
	.textbook = { .says = SAYS },
	.probe = probe,
	.prepare = prepare_sqpoll,
	.send = move,
	.release = release,
};
