// SPDX-License-Identifier: MIT
/* mmap + send(MSG_ZEROCOPY): the socket refers to the mapped page-cache pages until they have gone out. */
#include <stdlib.h>
#include <sys/mman.h>

#include "method/completions.h"
#include "method/io.h"

struct zerocopy {
	char *map; /* NULL: an empty file */
	struct completions completions;
};

static int prepare(struct job *job)
{
	struct zerocopy *z = calloc(1, sizeof(*z));
	int err;

	if (!z)
		return job_failed(job, "allocate", ENOMEM, job->size);
	job->state = z;
	err = io_open_source(job, 0);
	if (err)
		return err;
	err = completions_enable(job->socket);
	if (err)
		return job_failed(job, "setsockopt (SO_ZEROCOPY)", -err, job->size);
	if (!job->size)
		return 0;
	z->map = mmap(NULL, job->size, PROT_READ, MAP_SHARED, job->file, 0);
	if (z->map == MAP_FAILED) {
		z->map = NULL;
		return job_failed(job, "mmap", errno, job->size);
	}
	return 0;
}

static int move(struct job *job)
{
	struct zerocopy *z = job->state;
	uint64_t left = job->size;
	uint32_t last;
	int err;

	while (left) {
		size_t piece = io_piece(job, left);

		err = completions_send(&z->completions, job->socket, z->map + (job->size - left),
				       piece, &last);
		if (err)
			return job_failed(job, "send (MSG_ZEROCOPY)", -err, left);
		left -= piece;
	}
	err = completions_drain(&z->completions, job->socket);
	return err ? job_failed(job, "wait for completions", -err, 0) : 0;
}

static void release(struct job *job)
{
	struct zerocopy *z = job->state;

	if (z) {
		completions_tell(&z->completions, job);
		if (z->map)
			munmap(z->map, job->size);
	}
	free(z);
	io_close_source(job);
}

const struct method method_zerocopy = {
	.name = "zerocopy",
	.summary = "map the file, send from the mapping with MSG_ZEROCOPY",
	.flags = METHOD_ZEROCOPY,
	.textbook = {
		.calls = { { "sendto", 1 } },
		.says = "zero-copy: user memory goes out by reference, and a message tells when it is free again",
	},
	.probe = completions_probe,
	.prepare = prepare,
	.send = move,
	.release = release,
};
