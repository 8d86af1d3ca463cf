// SPDX-License-Identifier: MIT
#include "measure/handed_copy.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "measure/clock.h"
#include "transfer/placement.h"

#define READ_BYTES (256u << 10) /* as the receiver's buffer */
#define PATIENCE_S 5
/* Between two looks at the clock, which costs as much as a small copy. */
#define BATCH_BYTES (1u << 20)

struct ring {
	char *memory, *buffer;
	size_t piece;
	size_t lead, room; /* the reader waits for `lead` bytes, the writer until no more than `room` are unread */
	int cpu;
	_Alignas(256) atomic_size_t written;
	_Alignas(256) atomic_size_t taken;
	_Alignas(256) atomic_bool over;
};

static void *take(void *arg)
{
	struct ring *r = arg;
	size_t at = 0;

	(void)placement_pin(r->cpu);
	while (!atomic_load_explicit(&r->over, memory_order_relaxed)) {
		if (atomic_load_explicit(&r->written, memory_order_acquire) - at <
		    (at % r->lead ? r->piece : r->lead))
			continue;
		memcpy(r->buffer + at % READ_BYTES, r->memory + at % HANDED_RING_BYTES, r->piece);
		__asm__ volatile("" : : "r"(r->buffer) : "memory");
		at += r->piece;
		atomic_store_explicit(&r->taken, at, memory_order_release);
	}
	return NULL;
}

/* CPU seconds of copying after the first round, which is for the memory to be where it will be; NaN: nobody takes it. */
static double give(struct ring *r, const struct handed_source *s, size_t bytes)
{
	double copying = 0, began = clock_wall();

	for (size_t at = 0; at < HANDED_RING_BYTES + bytes;) {
		double before;

		while (at - atomic_load_explicit(&r->taken, memory_order_acquire) > r->room)
			if (clock_wall() - began > PATIENCE_S)
				return NAN;
		before = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
		for (size_t in_batch = 0; in_batch < BATCH_BYTES; in_batch += s->piece) {
			memcpy(r->memory + at % HANDED_RING_BYTES, s->from + at % s->span, s->piece);
			__asm__ volatile("" : : "r"(r->memory) : "memory");
			at += s->piece;
			atomic_store_explicit(&r->written, at, memory_order_release);
		}
		if (at > HANDED_RING_BYTES)
			copying += clock_seconds(CLOCK_THREAD_CPUTIME_ID) - before;
	}
	return copying;
}

int handed_copy(const struct handed_source *source, enum handed_reader reader, size_t bytes, int peer_cpu,
		double *per_gb)
{
	struct ring *r;
	pthread_t thread;
	double seconds;
	int err;

	*per_gb = NAN;
	if (peer_cpu < 0 || !source->piece || READ_BYTES % source->piece)
		return -EINVAL;
	r = aligned_alloc(256, sizeof(*r));
	if (!r)
		return -ENOMEM;
	memset(r, 0, sizeof(*r));
	r->piece = source->piece;
	r->lead = reader == HANDED_READER_CLOSE ? r->piece : BATCH_BYTES;
	r->room = reader == HANDED_READER_CLOSE ? HANDED_RING_BYTES - BATCH_BYTES : 0;
	r->cpu = peer_cpu;
	r->buffer = malloc(READ_BYTES);
	r->memory = mmap(NULL, HANDED_RING_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	err = !r->buffer || r->memory == MAP_FAILED ? -ENOMEM : 0;
	if (!err) {
		memset(r->buffer, 0, READ_BYTES);
		err = -pthread_create(&thread, NULL, take, r);
	}
	if (!err) {
		seconds = give(r, source, bytes);
		atomic_store(&r->over, true);
		pthread_join(thread, NULL);
		err = isnan(seconds) ? -ETIMEDOUT : 0;
		*per_gb = seconds / (double)bytes * 1e9;
	}
	if (r->memory != MAP_FAILED)
		munmap(r->memory, HANDED_RING_BYTES);
	free(r->buffer);
	free(r);
	return err;
}
