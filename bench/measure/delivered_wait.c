// SPDX-License-Identifier: MIT
#include "measure/delivered_wait.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/tcp_pair.h"
#include "transfer/placement.h"

#define RECEIVE_BYTES (256u << 10) /* as the receiver's buffer */

struct taker {
	int socket, cpu;
	char *buffer;
};

static void *take(void *arg)
{
	const struct taker *t = arg;

	(void)placement_pin(t->cpu);
	while (recv(t->socket, t->buffer, RECEIVE_BYTES, 0) > 0)
		;
	return NULL;
}

/* CPU seconds of a read, on average; with a socket that is not -1 a piece goes out there before each. */
static int read_all(const struct delivered_wait *w, int socket, unsigned int reads, double *per_read)
{
	uint64_t pieces = w->size / w->piece;
	double reading = 0;

	for (unsigned int i = 0; i < reads; i++) {
		double before;
		ssize_t n;

		if (socket >= 0 && send(socket, w->buffer, w->piece, MSG_NOSIGNAL) < 0)
			return -errno;
		before = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
		n = pread(w->fd, w->buffer, w->piece, (off_t)(i % pieces * w->piece));
		reading += clock_seconds(CLOCK_THREAD_CPUTIME_ID) - before;
		if (n != (ssize_t)w->piece)
			return n < 0 ? -errno : -ENODATA;
	}
	*per_read = reading / reads;
	return 0;
}

int delivered_wait(const struct delivered_wait *wait, unsigned int reads, double *more_s)
{
	struct taker taker = { .cpu = wait->peer_cpu };
	double alone = NAN, after = NAN;
	pthread_t thread;
	int ends[2], err;

	*more_s = NAN;
	if (wait->peer_cpu < 0 || !wait->piece || wait->size < wait->piece || !reads)
		return -EINVAL;
	err = tcp_pair(ends);
	if (err)
		return err;
	taker.socket = ends[1];
	taker.buffer = malloc(RECEIVE_BYTES);
	err = taker.buffer ? -pthread_create(&thread, NULL, take, &taker) : -ENOMEM;
	if (!err) {
		err = read_all(wait, -1, reads, &alone);
		if (!err)
			err = read_all(wait, ends[0], reads, &after);
		(void)shutdown(ends[0], SHUT_WR);
		pthread_join(thread, NULL);
	}
	if (!err)
		*more_s = after - alone;
	free(taker.buffer);
	close(ends[0]);
	close(ends[1]);
	return err;
}
