// SPDX-License-Identifier: MIT
/* read + write: the loop of every textbook, and the baseline of every ratio. */
#include <stdlib.h>

#include "method/io.h"

#ifdef COPYTAX_PLANT_COPY
#include <string.h>

/* For the test of the comparison (scripts/false-alarms.sh) alone: one copy more, which it must find. */
static const char *plant_copy(const char *buffer, size_t len)
{
	static char again[1 << 20];
	static size_t to;

	/* round and round, past the first cache: what a copy costs whose target was not just written */
	for (size_t at = 0, piece; at < len; at += piece) {
		piece = len - at < sizeof(again) - to ? len - at : sizeof(again) - to;
		memcpy(again + to, buffer + at, piece);
		__asm__ volatile("" : : "r"(again) : "memory");
		to = (to + piece) % sizeof(again);
	}
	return buffer;
}
#else
static inline const char *plant_copy(const char *buffer, size_t len)
{
	(void)len;
	return buffer;
}
#endif

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
	char *buffer = job->state;
	uint64_t left = job->size;

	while (left) {
		ssize_t n = read(job->file, buffer, io_piece(job, left));
		int err;

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return job_failed(job, "read", errno, left);
		}
		if (n == 0)
			return job_failed(job, "read", ENODATA, left);
		err = io_write_all(job->socket, plant_copy(buffer, (size_t)n), (size_t)n);
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

const struct method method_read_write = {
	.name = "read_write",
	.summary = "read into a user buffer, write it to the socket",
	.flags = METHOD_CLASSIC | METHOD_USER_BUFFER,
	.textbook = {
		.calls = { { "read", 1 }, { "write", 1 } },
		.file_to_user = 1,
		.user_to_socket = 1,
		.says = "two calls, four user/kernel crossings and two CPU copies per chunk",
	},
	.probe = io_probe_buffer,
	.prepare = prepare,
	.send = move,
	.release = release,
};
