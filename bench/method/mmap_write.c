// SPDX-License-Identifier: MIT
/* mmap + write: the page cache is mapped, and write copies from the mapping into the socket. */
#include <sys/mman.h>

#include "method/io.h"

static int prepare(struct job *job)
{
	void *map;
	int err = io_open_source(job, 0);

	if (err || !job->size) /* an empty file can't be mapped, and need not be */
		return err;
	map = mmap(NULL, job->size, PROT_READ, MAP_SHARED, job->file, 0);
	if (map == MAP_FAILED)
		return job_failed(job, "mmap", errno, job->size);
	job->state = map;
	return 0;
}

static int move(struct job *job)
{
	const char *map = job->state;
	uint64_t left = job->size;

	while (left) {
		size_t piece = io_piece(job, left);
		int err = io_write_all(job->socket, map + (job->size - left), piece);

		if (err)
			return job_failed(job, "write", -err, left);
		left -= piece;
	}
	return 0;
}

static void release(struct job *job)
{
	if (job->state)
		munmap(job->state, job->size);
	io_close_source(job);
}

const struct method method_mmap_write = {
	.name = "mmap_write",
	.summary = "map the file, write from the mapping to the socket",
	.textbook = {
		.calls = { { "write", 1 } },
		.says = "zero-copy: the page cache is mapped, and one call per chunk is left",
	},
	.prepare = prepare,
	.send = move,
	.release = release,
};
