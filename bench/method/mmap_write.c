// SPDX-License-Identifier: MIT
/*
 * mmap + write: the page cache is mapped, and write copies from the mapping into the socket. One method and
 * three variants of it that differ in what the kernel is told about the mapping, and in nothing else.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "method/io.h"

#define NO_ADVICE (-1)

static int map_file(struct job *job, int more_flags, int advice)
{
	void *map;
	int err = io_open_source(job, 0);

	if (err || !job->size) /* an empty file can't be mapped, and need not be */
		return err;
	map = mmap(NULL, job->size, PROT_READ, MAP_SHARED | more_flags, job->file, 0);
	if (map == MAP_FAILED)
		return job_failed(job, "mmap", errno, job->size);
	job->state = map;
	if (advice != NO_ADVICE && madvise(map, job->size, advice))
		return job_failed(job, "madvise", errno, job->size);
	return 0;
}

static int prepare(struct job *job)
{
	return map_file(job, 0, NO_ADVICE);
}

static int prepare_populate(struct job *job)
{
	return map_file(job, MAP_POPULATE, NO_ADVICE);
}

static int prepare_sequential(struct job *job)
{
	return map_file(job, 0, MADV_SEQUENTIAL);
}

static int prepare_hugepage(struct job *job)
{
	return map_file(job, 0, MADV_HUGEPAGE);
}

/* A kernel without transparent huge pages does not know the advice. */
static int probe_hugepage(const struct job *job, char *reason, size_t reason_size)
{
	size_t size = 4096;
	void *page = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int err = 0;

	(void)job;
	if (page == MAP_FAILED || madvise(page, size, MADV_HUGEPAGE))
		err = -errno;
	if (page != MAP_FAILED)
		munmap(page, size);
	if (err)
		snprintf(reason, reason_size,
			 "madvise(MADV_HUGEPAGE) is refused (%s): this kernel is built without "
			 "transparent huge pages (CONFIG_TRANSPARENT_HUGEPAGE); use mmap_write",
			 strerror(-err));
	return err;
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
	.flags = METHOD_CLASSIC,
	.textbook = {
		.calls = { { "write", 1 } },
		.says = "zero-copy: the page cache is mapped, and one call per chunk is left",
	},
	.prepare = prepare,
	.send = move,
	.release = release,
};

const struct method method_mmap_populate = {
	.name = "mmap_populate",
	.summary = "mmap_write with MAP_POPULATE: every page is mapped at set-up, so none faults",
	.flags = METHOD_FILLS_CACHE,
	.textbook = {
		.calls = { { "write", 1 } },
		.says = "mapping all pages beforehand spares mmap its page faults",
	},
	.prepare = prepare_populate,
	.send = move,
	.release = release,
};

const struct method method_mmap_sequential = {
	.name = "mmap_sequential",
	.summary = "mmap_write with MADV_SEQUENTIAL: the kernel is told to read ahead",
	.textbook = {
		.calls = { { "write", 1 } },
		.says = "telling the kernel the order of access lets it read ahead of mmap's faults",
	},
	.prepare = prepare_sequential,
	.send = move,
	.release = release,
};

const struct method method_mmap_hugepage = {
	.name = "mmap_hugepage",
	.summary = "mmap_write with MADV_HUGEPAGE: huge pages are asked for",
	.textbook = {
		.calls = { { "write", 1 } },
		.says = "huge pages make one page fault out of 512",
	},
	.probe = probe_hugepage,
	.prepare = prepare_hugepage,
	.send = move,
	.release = release,
};
