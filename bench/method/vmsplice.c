// SPDX-License-Identifier: MIT
/* vmsplice: pages of a mapping of the file are given to a pipe, and spliced from the pipe to the socket. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "method/pipe.h"

struct vmspliced {
	struct pipe_ends pipe;
	char *map; /* NULL: an empty file */
};

static int prepare(struct job *job)
{
	struct vmspliced *v = malloc(sizeof(*v));
	size_t page = (size_t)sysconf(_SC_PAGESIZE), wanted = job->chunk;
	int err;

	if (!v)
		return job_failed(job, "allocate", ENOMEM, job->size);
	*v = (struct vmspliced) { { -1, -1, 0 }, NULL };
	job->state = v;
	err = io_open_source(job, 0);
	if (err || !job->size)
		return err;
	v->map = mmap(NULL, job->size, PROT_READ, MAP_SHARED, job->file, 0);
	if (v->map == MAP_FAILED) {
		v->map = NULL;
		return job_failed(job, "mmap", errno, job->size);
	}
	/* every page takes a place in the pipe; a chunk that starts within a page touches one more */
	if (wanted % page)
		wanted += page;
	return pipe_open(job, wanted, &v->pipe);
}

static int move(struct job *job)
{
	const struct vmspliced *v = job->state;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t left = job->size;

	while (left) {
		struct iovec piece = { v->map + (job->size - left), io_piece(job, left) };
		/* only whole pages can be given away; a socket never takes them over, it refers to them */
		bool whole = !(((uintptr_t)piece.iov_base | piece.iov_len) % page);
		ssize_t n = vmsplice(v->pipe.in, &piece, 1, whole ? SPLICE_F_GIFT : 0);
		int err;

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return job_failed(job, "vmsplice", errno, left);
		}
		if (n == 0)
			return job_failed(job, "vmsplice", EIO, left);
		err = pipe_to_socket(job, &v->pipe, (size_t)n, left);
		if (err)
			return err;
		left -= (uint64_t)n;
	}
	return 0;
}

static void release(struct job *job)
{
	struct vmspliced *v = job->state;

	if (v) {
		pipe_close(&v->pipe);
		if (v->map)
			munmap(v->map, job->size);
	}
	free(v);
	io_close_source(job);
}

const struct method method_vmsplice = {
	.name = "vmsplice",
	.summary = "map the file, vmsplice the mapping's pages into a pipe, splice them to the socket",
	.textbook = {
		.calls = { { "vmsplice", 1 }, { "splice", 1 } },
		.says = "zero-copy: pages of user memory are given to the kernel",
	},
	.prepare = prepare,
	.send = move,
	.release = release,
};
