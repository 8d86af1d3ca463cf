// SPDX-License-Identifier: MIT
/*
 * preadv2 + write: read_write with a word to the kernel about each read. RWF_DONTCACHE: what the read brought into the
 * page cache is dropped behind it; what was there before stays.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "method/io.h"

#ifndef RWF_DONTCACHE /* Linux 6.14; the C library's headers may be older */
#define RWF_DONTCACHE 0x00000080
#endif

#define AT_POSITION (-1)

static int probe(const struct job *job, char *reason, size_t reason_size)
{
	struct job trial = { .path = job->path };
	char byte;
	struct iovec one = { &byte, sizeof(byte) };
	int err = io_open_source(&trial, 0);

	/* a kernel refuses flags that it does not know, and a file system those that it can't do */
	if (!err && preadv2(trial.file, &one, 1, AT_POSITION, RWF_DONTCACHE) < 0)
		err = -errno;
	io_close_source(&trial);
	if (err == -EOPNOTSUPP)
		snprintf(reason, reason_size,
			 "preadv2 with RWF_DONTCACHE is refused here: it takes Linux 6.14 and a "
			 "file system that can "
			 "(ext4, xfs, btrfs; tmpfs never); use read_write");
	else if (err)
		snprintf(reason, reason_size, "preadv2 with RWF_DONTCACHE of %s failed: %s",
			 job->path, strerror(-err));
	return err ? err : io_probe_buffer(job, reason, reason_size);
}

static int prepare(struct job *job)
{
	char *buffer = NULL;
	int err = io_open_source(job, 0);

	if (!err)
		err = io_buffer(job, 4096, job->chunk, &buffer);
	job->state = buffer;
	return err;
}

static int move(struct job *job)
{
	struct iovec piece = { .iov_base = job->state };
	uint64_t left = job->size;

	while (left) {
		ssize_t n;
		int err;

		piece.iov_len = io_piece(job, left);
		n = preadv2(job->file, &piece, 1, AT_POSITION, RWF_DONTCACHE);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return job_failed(job, "preadv2 (RWF_DONTCACHE)", errno, left);
		}
		if (n == 0)
			return job_failed(job, "preadv2 (RWF_DONTCACHE)", ENODATA, left);
		err = io_write_all(job->socket, job->state, (size_t)n);
		if (err)
			return job_failed(job, "write", -err, left);
		left -= (uint64_t)n;
	}
	return 0;
}

static void release(struct job *job)
{
	free(job->state);
	io_close_source(job);
}

const struct method method_preadv2_dontcache = {
	.name = "preadv2_dontcache",
	.summary = "read_write with RWF_DONTCACHE: what a read brings into the page cache is dropped behind it",
	.flags = METHOD_USER_BUFFER,
	.textbook = {
		.calls = { { "preadv2", 1 }, { "write", 1 } },
		.file_to_user = 1,
		.user_to_socket = 1,
		.says = "buffered reads without the page cache filling up: direct I/O's clean memory, read's convenience",
	},
	.probe = probe,
	.prepare = prepare,
	.send = move,
	.release = release,
};
