// SPDX-License-Identifier: MIT
/* O_DIRECT read + write: the device fills the user buffer, past the page cache. */
#include <fcntl.h>
#include <linux/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "method/io.h"

struct alignment {
	size_t memory, offset;
	const char *source;
};

struct direct {
	char *buffer;
	size_t piece; /* chunk, rounded down to the offset alignment */
	size_t align; /* of offset and length */
	int tail; /* the file without O_DIRECT, for a tail the file system won't read directly; or -1 */
};

/*
 * What direct I/O on this file must be aligned to: statx(STATX_DIOALIGN, Linux 6.1) where the file system
 * answers, else the file system's block size, which every one of them accepts. -EOPNOTSUPP: none at all.
 */
static int find_alignment(int fd, struct alignment *out)
{
	struct statx st = { 0 };
	struct statfs fs;

	/* the system call itself: an older C library's statx() filters nothing, but its header lacks the fields */
	if (!syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &st) &&
	    st.stx_mask & STATX_DIOALIGN) {
		if (!st.stx_dio_offset_align)
			return -EOPNOTSUPP;
		*out = (struct alignment){ st.stx_dio_mem_align, st.stx_dio_offset_align,
					   "statx" };
		return 0;
	}
	if (fstatfs(fd, &fs))
		return -errno;
	*out = (struct alignment){ (size_t)fs.f_bsize, (size_t)fs.f_bsize, "block size" };
	return 0;
}

static int open_direct(const struct job *job, struct alignment *align)
{
	int fd = open(job->path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	int err;

	if (fd < 0)
		return -errno;
	err = find_alignment(fd, align);
	if (!err && !align->offset) /* a file system that says nothing sensible */
		err = -EOPNOTSUPP;
	if (!err && align->memory < sizeof(void *))
		align->memory = sizeof(void *);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static int probe(const struct job *job, char *reason, size_t reason_size)
{
	struct alignment align = { 0 };
	int fd = open_direct(job, &align), err = 0;
	void *buffer = NULL;

	if (fd < 0) {
		snprintf(reason, reason_size,
			 "the file system of %s does not do direct I/O (open with O_DIRECT: %s); put the payload on ext4, xfs or btrfs",
			 job->path, strerror(-fd));
		return fd;
	}
	if (job->size > job->chunk && job->chunk < align.offset) {
		err = -EINVAL;
		snprintf(reason, reason_size,
			 "direct I/O here is aligned to %zu bytes, larger than the chunk of %zu",
			 align.offset, job->chunk);
	} else if (posix_memalign(&buffer, align.memory, align.offset)) {
		err = -ENOMEM;
		snprintf(reason, reason_size, "out of memory");
	} else if (job->size && read(fd, buffer, align.offset) < 0) {
		err = -errno;
		snprintf(reason, reason_size,
			 "a direct read of %zu bytes at offset 0 failed (%s) although the file opened with O_DIRECT",
			 align.offset, strerror(-err));
	}
	free(buffer);
	close(fd);
	return err ? err : io_probe_buffer(job, reason, reason_size);
}

static int prepare(struct job *job)
{
	struct direct *d = malloc(sizeof(*d));
	struct alignment align = { .memory = 4096, .offset = 4096 };
	size_t room;

	if (!d)
		return job_failed(job, "allocate", ENOMEM, job->size);
	*d = (struct direct){ .tail = -1 };
	job->state = d;
	job->file = open_direct(job, &align);
	if (job->file < 0)
		return job_failed(job, "open (O_DIRECT)", -job->file, job->size);
	d->tail = open(job->path, O_RDONLY | O_CLOEXEC);
	if (d->tail < 0)
		return job_failed(job, "open", errno, job->size);
	d->align = align.offset;
	d->piece = job->chunk - job->chunk % align.offset;
	if (!d->piece)
		d->piece = align.offset; /* the whole payload is smaller than one aligned block */
	room = d->piece;
	snprintf(job->note, sizeof(job->note), "direct I/O aligned to %zu bytes (%s)", align.offset,
		 align.source);
	return io_buffer(job, align.memory > 4096 ? align.memory : 4096, room, &d->buffer);
}

/* The last, unaligned bytes of a file system that refuses to read them directly. */
static ssize_t read_tail(struct job *job, struct direct *d, uint64_t left)
{
	return pread(d->tail, d->buffer, (size_t)left, (off_t)(job->size - left));
}

static int move(struct job *job)
{
	struct direct *d = job->state;
	uint64_t left = job->size;

	while (left) {
		/* a whole block at the end of the file too: the kernel returns what is there */
		size_t piece = left < d->piece ? (size_t)(left + d->align - 1) / d->align * d->align :
						 d->piece;
		ssize_t n = read(job->file, d->buffer, piece);
		int err;

		if (n < 0 && errno == EINVAL && left < d->align)
			n = read_tail(job, d, left);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return job_failed(job, "read (O_DIRECT)", errno, left);
		}
		if (n == 0)
			return job_failed(job, "read (O_DIRECT)", ENODATA, left);
		if ((uint64_t)n > left) /* the file grew: the payload is what it was */
			n = (ssize_t)left;
		err = io_write_all(job->socket, d->buffer, (size_t)n);
		if (err)
			return job_failed(job, "write", -err, left);
		left -= (uint64_t)n;
	}
	return 0;
}

static void release(struct job *job)
{
	struct direct *d = job->state;

	if (d) {
		if (d->tail >= 0)
			close(d->tail);
		free(d->buffer);
	}
	free(d);
	io_close_source(job);
}

const struct method method_direct_write = {
	.name = "direct_write",
	.summary = "read with O_DIRECT into a user buffer, write it to the socket",
	.flags = METHOD_CLASSIC | METHOD_BYPASSES_PAGE_CACHE | METHOD_USER_BUFFER,
	.textbook = {
		.calls = { { "read", 1 }, { "write", 1 } },
		.says = "zero-copy: the device fills the user buffer and the page cache is left out",
	},
	.probe = probe,
	.prepare = prepare,
	.send = move,
	.release = release,
};
