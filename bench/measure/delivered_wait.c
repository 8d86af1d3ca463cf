// SPDX-License-Identifier: MIT
#include "measure/delivered_wait.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure/clock.h"
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

/* Two ends of a connection on loopback: what the first sends goes out at once. -errno, and both are -1. */
static int connect_two(int ends[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, err = 0;

	ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ends[1] = -1;
	if (listener < 0 || ends[0] < 0 || bind(listener, (struct sockaddr *)&at, size) ||
	    listen(listener, 1) || getsockname(listener, (struct sockaddr *)&at, &size) ||
	    connect(ends[0], (struct sockaddr *)&at, size) ||
	    setsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) ||
	    (ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0)
		err = -errno;
	if (listener >= 0)
		close(listener);
	if (err && ends[0] >= 0)
		close(ends[0]);
	if (err)
		ends[0] = ends[1] = -1;
	return err;
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
	err = connect_two(ends);
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
