// SPDX-License-Identifier: MIT
#include "method/completions.h"

#include <errno.h>
#include <linux/capability.h>
#include <time.h> /* errqueue.h needs it */
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "method/io.h"

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY 0x4000000
#endif

#define REAP_EVERY 64 /* sends; what is in the queue by then is mostly one merged range */
#define GAP_PATIENCE_MS 10000
/* With nothing outstanding of its own a connection waits for the others' pages: a minute in all. */
#define REFUSALS_MAX 60000
#define REFUSED_PAUSE_NS 1000000

_Static_assert(!(COMPLETIONS_WINDOW & (COMPLETIONS_WINDOW - 1)), "numbers are masked");

static uint32_t place(uint32_t id)
{
	return id & (COMPLETIONS_WINDOW - 1);
}

uint32_t completions_sent(struct completions *c, size_t bytes)
{
	uint32_t id = c->next++;

	c->in[place(id)] = false;
	c->bytes[place(id)] = (uint32_t)bytes;
	if (completions_outstanding(c) > c->most)
		c->most = completions_outstanding(c);
	return id;
}

int completions_take(struct completions *c, uint32_t first, uint32_t last, bool copied)
{
	uint32_t count = last - first + 1, from = first - c->done;

	/* distances from `done` are small numbers, on both sides of the wrap */
	if (!count || from >= completions_outstanding(c) ||
	    count > completions_outstanding(c) - from)
		return -EPROTO;
	for (uint32_t i = 0; i < count; i++)
		if (c->in[place(first + i)])
			return -EPROTO;
	if (from)
		c->gaps++;
	c->ranges++;
	c->taken += count;
	c->copied += copied ? count : 0;
	for (uint32_t i = 0; i < count; i++) {
		c->in[place(first + i)] = true;
		if (copied)
			c->copied_bytes += c->bytes[place(first + i)];
	}
	c->ahead += count;
	while (c->done != c->next && c->in[place(c->done)]) {
		c->done++;
		c->ahead--;
	}
	return 0;
}

/* One message of the error queue. 1: taken, 0: none is there. */
static int reap_one(struct completions *c, int socket)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct sock_extended_err) +
				      sizeof(struct sockaddr_in6))];
	} control;
	struct msghdr message = { .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *part;
	ssize_t n;

	do
		n = recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	for (part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
		struct sock_extended_err e;
		int err;

		if (part->cmsg_len < CMSG_LEN(sizeof(e)))
			continue;
		memcpy(&e, CMSG_DATA(part), sizeof(e));
		if (e.ee_origin != SO_EE_ORIGIN_ZEROCOPY)
			continue;
		err = completions_take(c, e.ee_info, e.ee_data,
				       e.ee_code & SO_EE_CODE_ZEROCOPY_COPIED);
		if (err)
			return err;
	}
	return 1;
}

int completions_reap(struct completions *c, int socket)
{
	int got;

	do
		got = reap_one(c, socket);
	while (got > 0 && completions_outstanding(c));
	return got < 0 ? got : 0;
}

int completions_wait(struct completions *c, int socket)
{
	struct pollfd p = {
		.fd = socket
	}; /* a filled error queue is POLLERR, which is always looked for */
	uint64_t before = c->taken;
	int gone = 0;
	socklen_t size = sizeof(gone);
	int n, err;

	n = poll(&p, 1, c->ahead ? GAP_PATIENCE_MS : -1);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (!n)
		return -EPROTO;
	err = completions_reap(c, socket);
	if (err || c->taken != before)
		return err;
	/* woken by something that is no completion */
	if (!getsockopt(socket, SOL_SOCKET, SO_ERROR, &gone, &size) && gone)
		return -gone;
	return p.revents & (POLLHUP | POLLNVAL) ? -EPIPE : 0;
}

int completions_drain(struct completions *c, int socket)
{
	int err = 0;

	while (!err && completions_outstanding(c))
		err = completions_wait(c, socket);
	return err;
}

/* The kernel is out of memory for completions (net.core.optmem_max) or for pinned pages (RLIMIT_MEMLOCK). */
static int make_room(struct completions *c, int socket, unsigned int *refusals)
{
	c->refusals++;
	if (completions_outstanding(c))
		return completions_wait(c, socket);
	/* what was reaped is freed at once; but other connections of this user have pinned pages, too */
	if (++*refusals == REFUSALS_MAX)
		return -ENOBUFS;
	(void)nanosleep(&(struct timespec) { .tv_nsec = REFUSED_PAUSE_NS }, NULL);
	return 0;
}

int completions_send(struct completions *c, int socket, const char *data, size_t len,
		     uint32_t *last)
{
	unsigned int refusals = 0;
	int err = 0;

	while (len && !err) {
		ssize_t n;

		if (completions_full(c)) {
			err = completions_wait(c, socket);
			continue;
		}
		n = send(socket, data, len, MSG_ZEROCOPY | MSG_NOSIGNAL);
		if (n >= 0) {
			*last = completions_sent(c, (size_t)n);
			data += n;
			len -= (size_t)n;
			if (!(c->next % REAP_EVERY))
				err = completions_reap(c, socket);
		} else {
			err = errno == ENOBUFS ? make_room(c, socket, &refusals)
					       : io_retry(socket, POLLOUT, errno);
		}
	}
	return err;
}

int completions_enable(int socket)
{
	int on = 1;

	return setsockopt(socket, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)) ? -errno : 0;
}

void completions_tell(const struct completions *c, struct job *job)
{
	method_figure_set(job, "completions", (double)c->taken);
	method_figure_set(job, "completions_copied", (double)c->copied);
	if (c->taken)
		method_figure_set(job, "copied_share", (double)c->copied / (double)c->taken);
	method_figure_set(job, "copied_bytes", (double)c->copied_bytes);
	method_figure_set(job, "completion_gaps", (double)c->gaps);
	method_figure_set(job, "refused_sends", (double)c->refusals);
	method_figure_set(job, "sends_in_flight", c->most);
}

/* Pages that are sent so count against RLIMIT_MEMLOCK, except for a process with CAP_IPC_LOCK. */
static bool may_pin(size_t bytes, unsigned long long *limit)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	struct rlimit memlock;

	if (!syscall(SYS_capget, &header, data) && data[0].effective & 1u << CAP_IPC_LOCK)
		return true;
	if (getrlimit(RLIMIT_MEMLOCK, &memlock) || memlock.rlim_cur == RLIM_INFINITY)
		return true;
	*limit = memlock.rlim_cur;
	return bytes <= memlock.rlim_cur;
}

int completions_probe(const struct job *job, char *reason, size_t reason_size)
{
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err;
	unsigned long long limit = 0;

	err = s < 0 ? -errno : completions_enable(s);
	if (s >= 0)
		close(s);
	if (err) {
		snprintf(reason, reason_size,
			 "the kernel does not take SO_ZEROCOPY on a TCP socket (%s); it needs "
			 "Linux 4.14 or newer",
			 strerror(-err));
		return err;
	}
	if (may_pin(job->chunk, &limit))
		return 0;
	snprintf(reason, reason_size,
		 "a send of %zu bytes would pin more memory than this user may (RLIMIT_MEMLOCK, "
		 "%llu bytes); raise it (ulimit -l), use a smaller --chunk, or grant CAP_IPC_LOCK",
		 job->chunk, limit);
	return -ENOBUFS;
}
