/* SPDX-License-Identifier: MIT */
/*
 * What the methods share: opening the source, and finishing a partial write. Inline, so that the timed
 * path holds nothing but the calls.
 */
#ifndef COPYTAX_METHOD_IO_H
#define COPYTAX_METHOD_IO_H

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "method/method.h"

/* Records what was under way; returns -errno. */
static inline int job_failed(struct job *job, const char *call, int err, uint64_t left)
{
	job->failed_call = call;
	job->moved = job->size - left;
	return -err;
}

/* Out of line: none of these happens on a transfer that goes well. Returns 0 to try again, or -errno. */
int io_retry(int fd, short wanted, int err);

/* Writes all of `data`. Returns 0 or -errno. */
static inline int io_write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);
		int err;

		if (n < 0) {
			err = io_retry(fd, POLLOUT, errno);
			if (err)
				return err;
			continue;
		}
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Opens job->path for reading with O_CLOEXEC and `flags`, checking that it is still a regular file. */
int io_open_source(struct job *job, int flags);
void io_close_source(struct job *job);

/* A user buffer of at least one chunk, `alignment` a power of two, every page touched. */
int io_buffer(struct job *job, size_t alignment, size_t size, char **buffer);

/* probe() of methods that hold a chunk in a user buffer: is there memory for it? */
int io_probe_buffer(const struct job *job, char *reason, size_t reason_size);

/* The largest transfer one read, write or sendfile call accepts (MAX_RW_COUNT for 4 KiB pages). */
#define IO_CALL_MAX 0x7ffff000UL

/* The most one call of this job may move, now that `left` bytes are left. */
static inline size_t io_piece(const struct job *job, uint64_t left)
{
	return left < job->chunk ? (size_t)left : job->chunk;
}

#endif
