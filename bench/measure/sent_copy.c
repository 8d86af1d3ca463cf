// SPDX-License-Identifier: MIT
#include "measure/sent_copy.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/softirqs.h"
#include "measure/tcp_pair.h"
#include "transfer/link.h"
#include "transfer/placement.h"

#define READ_BYTES (256u << 10) /* as the receiver's buffer */
#define SMALL_BYTES 64u
#define SMALL_SENDS 2048u
#define PATIENCE_S 5

struct reader {
	char *buffer;
	int socket, cpu;
	_Alignas(256) atomic_size_t taken;
	_Alignas(256) atomic_bool over;
};

static void *take(void *arg)
{
	struct reader *r = arg;
	size_t taken = 0;

	(void)placement_pin(r->cpu);
	while (!atomic_load_explicit(&r->over, memory_order_relaxed)) {
		ssize_t n = recv(r->socket, r->buffer, READ_BYTES, MSG_DONTWAIT);

		if (n > 0)
			atomic_store_explicit(&r->taken, taken += (size_t)n, memory_order_release);
	}
	return NULL;
}

/* The sender's side, and what it found. */
struct sender {
	struct reader *reader;
	int socket, cpu;
	size_t sent;
	double null_call_s;
	double seconds, calls, deliveries; /* of what was sent since these were last set to 0 */
};

static int wait_until_taken(const struct sender *s)
{
	double began = clock_wall();

	while (atomic_load_explicit(&s->reader->taken, memory_order_acquire) < s->sent)
		if (clock_wall() - began > PATIENCE_S)
			return -ETIMEDOUT;
	return 0;
}

/* `count` pieces at once, from byte `at` of what goes round, when all before them are read. */
static int send_batch(struct sender *s, const struct handed_source *source, size_t at, size_t count)
{
	double deliveries, cpu;
	int err = wait_until_taken(s);

	if (err)
		return err;
	deliveries = softirqs_net_rx(s->cpu);
	cpu = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
	for (size_t i = 0; i < count; i++, at += source->piece) {
		ssize_t n = send(s->socket, source->from + at % source->span, source->piece,
				 MSG_NOSIGNAL);

		if (n != (ssize_t)source->piece)
			return n < 0 ? -errno : -EIO;
	}
	s->seconds += clock_seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
	s->deliveries += softirqs_net_rx(s->cpu) - deliveries;
	s->calls += (double)count;
	s->sent += count * source->piece;
	return 0;
}

/* What a delivery costs with its packet: of sends that have next to nothing to copy. */
static int small_sends(struct sender *s, double *per_delivery)
{
	static const char nothing[SMALL_BYTES];
	const struct handed_source small = { nothing, SMALL_BYTES, SMALL_BYTES };
	int err = send_batch(s, &small, 0, SMALL_SENDS);

	*per_delivery = (s->seconds - s->calls * s->null_call_s) / s->deliveries;
	return err ? err : s->deliveries > 0 ? 0 : -ENODATA;
}

/* The first eighth more, which is not counted, is for the memory to be where it will be. */
static int large_sends(struct sender *s, const struct handed_source *source, size_t bytes)
{
	size_t before = bytes / 8 / SENT_BATCH_BYTES * SENT_BATCH_BYTES;
	int err = 0;

	for (size_t at = 0; at < before + bytes && !err; at += SENT_BATCH_BYTES) {
		if (at == before)
			s->seconds = s->calls = s->deliveries = 0;
		err = send_batch(s, source, at, SENT_BATCH_BYTES / source->piece);
	}
	return err;
}

static int measure(struct sender *s, const struct handed_source *source, size_t bytes, double *per_gb)
{
	double per_delivery;
	int err = link_send_lead(s->socket, LINK_LEAD_DEFAULT);

	s->sent = LINK_LEAD_DEFAULT;
	if (!err)
		err = small_sends(s, &per_delivery);
	if (!err)
		err = large_sends(s, source, bytes);
	if (!err)
		*per_gb = (s->seconds - s->calls * s->null_call_s - s->deliveries * per_delivery) /
			  (double)bytes * 1e9;
	return err;
}

int sent_copy(const struct handed_source *source, size_t bytes, int cpu, int peer_cpu,
	      double null_call_s, double *per_gb)
{
	struct sender sender = { .cpu = cpu, .null_call_s = null_call_s };
	struct reader *r;
	pthread_t thread;
	int ends[2], err;

	*per_gb = NAN;
	if (cpu < 0 || peer_cpu < 0 || !source->piece || SENT_BATCH_BYTES % source->piece)
		return -EINVAL;
	if (isnan(softirqs_net_rx(cpu)))
		return -ENODATA;
	r = aligned_alloc(256, sizeof(*r));
	if (!r)
		return -ENOMEM;
	err = tcp_pair(ends);
	if (err) {
		free(r);
		return err;
	}
	memset(r, 0, sizeof(*r));
	r->socket = ends[1];
	r->cpu = peer_cpu;
	r->buffer = calloc(1, READ_BYTES);
	sender.reader = r;
	sender.socket = ends[0];
	err = r->buffer ? -pthread_create(&thread, NULL, take, r) : -ENOMEM;
	if (!err) {
		err = measure(&sender, source, bytes, per_gb);
		atomic_store(&r->over, true);
		pthread_join(thread, NULL);
	}
	free(r->buffer);
	free(r);
	close(ends[0]);
	close(ends[1]);
	return err;
}
