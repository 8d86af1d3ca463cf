// SPDX-License-Identifier: MIT
#include "method/pipe.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/size.h"

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

int pipe_open(struct job *job, size_t wanted, struct pipe_ends *p)
{
	char text[SIZE_TEXT_MAX];
	int fds[2], limit = pipe_limit(), size;

	if (pipe2(fds, O_CLOEXEC))
		return job_failed(job, "pipe", errno, job->size);
	*p = (struct pipe_ends) { fds[0], fds[1], 0 };
	/* a pipe smaller than the chunk cuts every call to its own size; the kernel may refuse (EPERM) */
	size = wanted < (size_t)limit ? (int)wanted : limit;
	if (size > fcntl(p->in, F_GETPIPE_SZ))
		(void)fcntl(p->in, F_SETPIPE_SZ, size);
	size = fcntl(p->in, F_GETPIPE_SZ);
	if (size <= 0)
		return job_failed(job, "fcntl (F_GETPIPE_SZ)", errno, job->size);
	p->size = (size_t)size;
	snprintf(job->note, sizeof(job->note), "pipe %s%s", size_format((uint64_t)size, text),
		 (size_t)size < job->chunk ? " (smaller than the chunk: it bounds each call)" : "");
	return 0;
}

void pipe_close(struct pipe_ends *p)
{
	if (p->out >= 0)
		close(p->out);
	if (p->in >= 0)
		close(p->in);
	p->out = p->in = -1;
}

int pipe_to_socket(struct job *job, const struct pipe_ends *p, size_t len, uint64_t left)
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
