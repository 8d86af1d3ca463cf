// SPDX-License-Identifier: MIT
#include "transfer/serve_gather.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "measure/clock.h"
#include "transfer/secret.h"

void gathering_start(struct gathering *g, const struct link_address *peer, double deadline,
		     unsigned int idle_s)
{
	*g = (struct gathering) { .peer = *peer, .deadline = deadline, .idle_s = idle_s };
	for (size_t i = 0; i < GATHER_CANDIDATES; i++)
		g->candidates[i].fd = -1;
}

static void drop(struct candidate *c)
{
	if (c->fd >= 0)
		close(c->fd);
	*c = (struct candidate) { .fd = -1 };
}

void gathering_end(struct gathering *g)
{
	for (size_t i = 0; i < GATHER_CANDIDATES; i++)
		drop(&g->candidates[i]);
}

static void accept_candidate(struct gathering *g, int listener)
{
	struct link_address peer = { .length = sizeof(peer.address) };
	int fd = accept4(listener, (struct sockaddr *)&peer.address, &peer.length,
			 SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct candidate *c;

	if (fd < 0)
		return;
	if (!address_same_host(&peer, &g->peer)) {
		close(fd);
		return;
	}
	c = &g->candidates[g->next++ % GATHER_CANDIDATES];
	drop(c);
	c->fd = fd;
}

/* As the sinks read it: waiting, but not for ever. */
static int hand_over(const struct gathering *g, struct candidate *c)
{
	struct timeval idle = { .tv_sec = (time_t)g->idle_s };
	int fd = c->fd, flags = fcntl(fd, F_GETFL);

	c->fd = -1;
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof(idle)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &idle, sizeof(idle))) {
		flags = -errno;
		close(fd);
		return flags;
	}
	return fd;
}

/* Returns whether the candidate has shown the token; a wrong one is dropped. */
static bool read_token(const struct gathering *g, struct candidate *c)
{
	/* not a byte more: the payload follows */
	ssize_t n = recv(c->fd, c->token + c->got, sizeof(c->token) - c->got, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		drop(c);
		return false;
	}
	c->got += (size_t)n;
	if (c->got < sizeof(c->token))
		return false;
	if (secret_same(c->token, g->token, sizeof(c->token)))
		return true;
	drop(c);
	return false;
}

int gathering_next(struct gathering *g, int listener)
{
	for (;;) {
		struct pollfd fds[1 + GATHER_CANDIDATES];
		double left = g->deadline - clock_wall();
		int n;

		if (left <= 0)
			return -ETIMEDOUT;
		fds[GATHER_CANDIDATES] = (struct pollfd) { .fd = listener, .events = POLLIN };
		for (size_t i = 0; i < GATHER_CANDIDATES; i++)
			fds[i] = (struct pollfd) { .fd = g->candidates[i].fd, .events = POLLIN };
		n = poll(fds, 1 + GATHER_CANDIDATES, (int)(left * 1000) + 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n <= 0)
			continue;
		for (size_t i = 0; i < GATHER_CANDIDATES; i++)
			if (fds[i].revents && read_token(g, &g->candidates[i]))
				return hand_over(g, &g->candidates[i]);
		if (fds[GATHER_CANDIDATES].revents)
			accept_candidate(g, listener);
	}
}
