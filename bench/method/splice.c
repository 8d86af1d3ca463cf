// SPDX-License-Identifier: MIT
/* splice: page references go from the file to a pipe, and from the pipe to the socket. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/size.h"
#include "method/io.h"

struct pipe_ends {
	int out, in; /* read end, write end */
};

/* The largest pipe an unprivileged process may have; 1 MiB unless the administrator changed it. */
static int pipe_limit(void)
{
	FILE *file = fopen("/proc/sys/fs/pipe-max-size", "re");
	int limit = 0;

	if (file) {
		if (fscanf(file, "%d", &limit) != 1)
			limit = 0;
		fclose(file);
	}
	return limit > 0 ? limit : 1 << 20;
}

static int prepare(struct job *job)
{
	struct pipe_ends *p = malloc(sizeof(*p));
	char text[SIZE_TEXT_MAX];
	int fds[2], limit = pipe_limit(), size, err;

	if (!p)
		return job_failed(job, "allocate", ENOMEM, job->size);
	*p = (struct pipe_ends){ -1, -1 };
	job->state = p;
	err = io_open_source(job, 0);
	if (err)
		return err;
	if (pipe2(fds, O_CLOEXEC))
		return job_failed(job, "pipe", errno, job->size);
	*p = (struct pipe_ends){ fds[0], fds[1] };
	/* a pipe smaller than the chunk cuts every call to its own size; the kernel may refuse (EPERM) */
	size = job->chunk < (size_t)limit ? (int)job->chunk : limit;
	if (size > fcntl(p->in, F_GETPIPE_SZ))
		(void)fcntl(p->in, F_SETPIPE_SZ, size);
	size = fcntl(p->in, F_GETPIPE_SZ);
	if (size <= 0)
		return job_failed(job, "fcntl (F_GETPIPE_SZ)", errno, job->size);
	snprintf(job->note, sizeof(job->note), "pipe %s%s", size_format((uint64_t)size, text),
		 (size_t)size < job->chunk ? " (smaller than the chunk: it bounds each call)" : "");
	return 0;
}

static int pipe_to_socket(struct job *job, const struct pipe_ends *p, size_t len, uint64_t left)
{
	while (len) {
		ssize_t n = splice(p->out, NULL, job->socket, NULL, len, SPLICE_F_MOVE);

		if (n < 0) {
			int err = io_retry(job->socket, POLLOUT, errno);

			if (err)
				return job_failed(job, "splice (pipe to socket)", -err, left);
			continue;
		}
		if (n == 0)
			return job_failed(job, "splice (pipe to socket)", EPIPE, left);
		len -= (size_t)n;
	}
	return 0;
}

static int move(struct job *job)
{
	const struct pipe_ends *p = job->state;
	uint64_t left = job->size;

	while (left) {
		ssize_t n = splice(job->file, NULL, p->in, NULL, io_piece(job, left), SPLICE_F_MOVE);
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

	if (p) {
		if (p->out >= 0)
			close(p->out);
		if (p->in >= 0)
			close(p->in);
	}
	free(p);
	io_close_source(job);
}

const struct method method_splice = {
	.name = "splice",
	.summary = "splice from the file to a pipe and on to the socket",
	.textbook = {
		.calls = { { "splice", 2 } },
		.says = "zero-copy: two calls per chunk move page references through a pipe",
	},
	.prepare = prepare,
	.send = move,
	.release = release,
};
