// SPDX-License-Identifier: MIT
#include "measure/delivered_wait.h"

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
#include "measure/tcp_pair.h"
#include "transfer/placement.h"

#define RECEIVE_BYTES (256u << 10) /* as the receiver's buffer */
#define PATIENCE_S 5
#define ASLEEP_S 20e-6 /* from the last byte read until the reader sleeps in its next call */

struct taker {
	int socket, cpu;
	char *buffer;
	_Alignas(256) atomic_size_t taken;
};

static void *take(void *arg)
{
	struct taker *t = arg;
	size_t taken = 0;
	ssize_t n;

	(void)placement_pin(t->cpu);
	while ((n = recv(t->socket, t->buffer, RECEIVE_BYTES, 0)) > 0)
		atomic_store_explicit(&t->taken, taken += (size_t)n, memory_order_release);
	return NULL;
}

/* One measurement under way: CPU seconds so far, of reads and sends alike. */
struct turns {
	const struct delivered_wait *wait;
	struct taker *taker;
	int socket;
	size_t sent;
	double cpu_s;
};

static double thread_cpu(void)
{
	return clock_seconds(CLOCK_THREAD_CPUTIME_ID);
}

static int read_one(struct turns *t, unsigned int i)
{
	const struct delivered_wait *w = t->wait;
	double before = thread_cpu();
	ssize_t n = pread(w->fd, w->buffer, w->piece, (off_t)(i % (w->size / w->piece) * w->piece));

	t->cpu_s += thread_cpu() - before;
	return n == (ssize_t)w->piece ? 0 : n < 0 ? -errno : -ENODATA;
}

static int send_one(struct turns *t)
{
	size_t piece = t->wait->piece;
	double before = thread_cpu();
	ssize_t n = send(t->socket, t->wait->buffer, piece, MSG_NOSIGNAL);

	t->cpu_s += thread_cpu() - before;
	t->sent += piece;
	return n == (ssize_t)piece ? 0 : n < 0 ? -errno : -EIO;
}

/* Until the reader has all and sleeps, as it does while the disk is waited for. Looking is nobody's cost. */
static int let_it_sleep(const struct turns *t)
{
	double began = clock_wall(), all;

	while (atomic_load_explicit(&t->taker->taken, memory_order_acquire) < t->sent)
		if (clock_wall() - began > PATIENCE_S)
			return -ETIMEDOUT;
	all = clock_wall();
	while (clock_wall() - all < ASLEEP_S)
		;
	return 0;
}

/* CPU seconds of a turn, on average. */
static int take_turns(struct turns *t, bool reads, bool sends, unsigned int count, double *per_turn)
{
	int err = 0;

	t->cpu_s = 0;
	for (unsigned int i = 0; i < count && !err; i++) {
		if (reads)
			err = read_one(t, i);
		else
			err = let_it_sleep(t);
		if (!err && sends)
			err = send_one(t);
	}
	*per_turn = t->cpu_s / count;
	return err;
}

static int measure(struct turns *t, unsigned int count, double *more_s)
{
	double reads = NAN, sends = NAN, both = NAN;
	int err = take_turns(t, true, false, count, &reads);

	/* the first sends find the connection's memory and its window small: they don't count */
	for (int pass = 0; pass < 2 && !err; pass++)
		err = take_turns(t, false, true, count, &sends);
	if (!err)
		err = take_turns(t, true, true, count, &both);
	if (!err)
		*more_s = both - reads - sends;
	return err;
}

int delivered_wait(const struct delivered_wait *wait, unsigned int turns, double *more_s)
{
	struct turns t = { .wait = wait };
	struct taker *taker;
	pthread_t thread;
	int ends[2], err;

	*more_s = NAN;
	if (wait->peer_cpu < 0 || !wait->piece || wait->size < wait->piece || !turns)
		return -EINVAL;
	taker = aligned_alloc(256, sizeof(*taker));
	if (!taker)
		return -ENOMEM;
	err = tcp_pair(ends);
	if (err) {
		free(taker);
		return err;
	}
	memset(taker, 0, sizeof(*taker));
	taker->cpu = wait->peer_cpu;
	taker->socket = ends[1];
	taker->buffer = calloc(1, RECEIVE_BYTES);
	t.taker = taker;
	t.socket = ends[0];
	err = taker->buffer ? -pthread_create(&thread, NULL, take, taker) : -ENOMEM;
	if (!err) {
		err = measure(&t, turns, more_s);
		(void)shutdown(ends[0], SHUT_WR);
		pthread_join(thread, NULL);
	}
	free(taker->buffer);
	free(taker);
	close(ends[0]);
	close(ends[1]);
	return err;
}
