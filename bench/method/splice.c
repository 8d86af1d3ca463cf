// SPDX-License-Identifier: MIT
/* splice: page references go from the file to a pipe, and from the pipe to the socket. */
#include <fcntl.h>
#include <stdlib.h>

#include "method/pipe.h"

static int prepare(struct job *job)
{
	struct pipe_ends *p = malloc(sizeof(*p));
	int err;

	if (!p)
		return job_failed(job, "allocate", ENOMEM, job->size);
	*p = (struct pipe_ends) { -1, -1, 0 };
	job->state = p;
	err = io_open_source(job, 0);
	return err ? err : pipe_open(job, job->chunk, p);
}

static int move(struct job *job)
{
	const struct pipe_ends *p = job->state;
	uint64_t left = job->size;

	while (left) {
		ssize_t n =
			splice(job->file, NULL, p->in, NULL, io_piece(job, left), SPLICE_F_MOVE);
		int err;

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return job_failed(job, "splice (file to pipe)", errno, left);
		}
		if (n == 0)
			return job_failed(job, "splice (file to pipe)", ENODATA, left);
		err = pipe_to_socket(job, p, (size_t)n, left);
		if (err)
			return err;
		left -= (uint64_t)n;
	}
	return 0;
}

static void release(struct job *job)
{
	struct pipe_ends *p = job->state;

	if (p)
		pipe_close(p);
	free(p);
	io_close_source(job);
}

const struct method method_splice = {
	.name = "splice",
	.summary = "splice from the file to a pipe and on to the socket",
	.flags = METHOD_CLASSIC,
	.textbook = {
		.calls = { { "splice", 2 } },
		.says = "zero-copy: two calls per chunk move page references through a pipe",
	},
	.prepare = prepare,
	.send = move,
	.release = release,
};
