// SPDX-License-Identifier: MIT
/*
 * read + send(MSG_ZEROCOPY): a ring of user buffers. A buffer is read into again once the kernel has said
 * that it is done with what it held.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/size.h"
#include "method/completions.h"
#include "method/io.h"

#define BUFFERS_MAX 64
#define RING_BYTES ((size_t)8 << 20) /* at least two buffers, however large a chunk is */

struct ring {
	struct completions completions;
	size_t count, size; /* buffers; bytes of one */
	char *memory;
	uint32_t last[BUFFERS_MAX]; /* the last send from a buffer */
	bool used[BUFFERS_MAX];
};

static size_t buffers_of(const struct job *job)
{
	uint64_t chunks = (job->size + job->chunk - 1) / job->chunk;
	size_t count = RING_BYTES / job->chunk;

	count = count < 2 ? 2 : count > BUFFERS_MAX ? BUFFERS_MAX : count;
	if (chunks < count)
		count = chunks ? (size_t)chunks : 1;
	return count;
}

static int probe(const struct job *job, char *reason, size_t reason_size)
{
	struct job ring = *job;
	int err = completions_probe(job, reason, reason_size);

	ring.chunk *= buffers_of(job);
	return err ? err : io_probe_buffer(&ring, reason, reason_size);
}

static int prepare(struct job *job)
{
	struct ring *r = calloc(1, sizeof(*r));
	char text[SIZE_TEXT_MAX];
	int err;

	if (!r)
		return job_failed(job, "allocate", ENOMEM, job->size);
	job->state = r;
	err = io_open_source(job, 0);
	if (err)
		return err;
	err = completions_enable(job->socket);
	if (err)
		return job_failed(job, "setsockopt (SO_ZEROCOPY)", -err, job->size);
	r->count = buffers_of(job);
	/* whole pages, so that no page belongs to two sends */
	r->size = (job->chunk + 4095) & ~(size_t)4095;
	snprintf(job->note, sizeof(job->note), "%zu buffers of %s", r->count,
		 size_format(r->size, text));
	method_figure_set(job, "buffer_bytes", (double)(r->count * r->size));
	return io_buffer(job, 4096, r->count * r->size, &r->memory);
}

static int move(struct job *job)
{
	struct ring *r = job->state;
	struct completions *c = &r->completions;
	uint64_t left = job->size;
	int err = 0;

	for (size_t i = 0; left; i = i + 1 < r->count ? i + 1 : 0) {
		char *buffer = r->memory + i * r->size;
		ssize_t n;

		while (r->used[i] && !completions_has(c, r->last[i])) {
			err = completions_wait(c, job->socket);
			if (err)
				return job_failed(job, "wait for completions", -err, left);
		}
		do
			n = read(job->file, buffer, io_piece(job, left));
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return job_failed(job, "read", errno, left);
		if (n == 0)
			return job_failed(job, "read", ENODATA, left);
		err = completions_send(c, job->socket, buffer, (size_t)n, &r->last[i]);
		if (err)
			return job_failed(job, "send (MSG_ZEROCOPY)", -err, left);
		r->used[i] = true;
		left -= (uint64_t)n;
	}
	err = completions_drain(c, job->socket);
	return err ? job_failed(job, "wait for completions", -err, 0) : 0;
}

static void release(struct job *job)
{
	struct ring *r = job->state;

	if (r) {
		completions_tell(&r->completions, job);
		free(r->memory);
	}
	free(r);
	io_close_source(job);
}

const struct method method_read_zerocopy = {
	.name = "read_zerocopy",
	.summary = "read into a ring of buffers, send them with MSG_ZEROCOPY",
	.flags = METHOD_USER_BUFFER | METHOD_ZEROCOPY,
	.textbook = {
		.calls = { { "read", 1 }, { "sendto", 1 } },
		.file_to_user = 1,
		.says = "zero-copy spares the second copy of read and write",
	},
	.probe = probe,
	.prepare = prepare,
	.send = move,
	.release = release,
};
