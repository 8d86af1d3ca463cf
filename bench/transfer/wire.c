// SPDX-License-Identifier: MIT
#include "transfer/wire.h"

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "measure/clock.h"

int wire_wait(const struct wire *wire, short events, double deadline)
{
	struct pollfd p = { .fd = wire->fd, .events = events };
	sigset_t none;

	sigemptyset(&none);
	for (;;) {
		double left = deadline - clock_wall();
		struct timespec t;
		int n;

		if (wire->stop && *wire->stop)
			return -EINTR;
		if (left <= 0)
			return -ETIMEDOUT;
		t = (struct timespec) { .tv_sec = (time_t)left,
					.tv_nsec = (long)((left - floor(left)) * 1e9) };
		n = ppoll(&p, 1, &t, wire->stop ? &none : NULL);
		if (wire->stop && *wire->stop)
			return -EINTR;
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

int wire_send(struct wire *wire, const struct protocol_message *message, double deadline)
{
	uint8_t bytes[PROTOCOL_MESSAGE_MAX];
	size_t size = protocol_write(message, bytes), sent = 0;
	int err = 0;

	while (sent < size && !err) {
		ssize_t n = send(wire->fd, bytes + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EAGAIN)
			err = wire_wait(wire, POLLOUT, deadline);
		else if (errno != EINTR)
			err = -errno;
	}
	return err;
}

int wire_receive(struct wire *wire, struct protocol_message *message, double deadline)
{
	for (;;) {
		int taken = protocol_parse(wire->buffer, wire->used, message), err;
		ssize_t n;

		if (taken < 0)
			return taken;
		if (taken) {
			wire->used -= (size_t)taken;
			memmove(wire->buffer, wire->buffer + taken, wire->used);
			return 0;
		}
		err = wire_wait(wire, POLLIN, deadline);
		if (err)
			return err;
		/* never empty-handed: a buffer that is full holds a message, or nothing that can become one */
		n = recv(wire->fd, wire->buffer + wire->used, sizeof(wire->buffer) - wire->used,
			 MSG_DONTWAIT);
		if (!n)
			return -EPIPE;
		if (n > 0)
			wire->used += (size_t)n;
		else if (errno != EINTR && errno != EAGAIN)
			return -errno;
	}
}

void wire_refuse(struct wire *wire, enum protocol_refusal code, const char *format, ...)
{
	struct protocol_message m = { .type = PROTOCOL_REFUSED, .refused.code = (uint16_t)code };
	va_list args;

	va_start(args, format);
	vsnprintf(m.refused.reason, sizeof(m.refused.reason), format, args);
	va_end(args);
	(void)wire_send(wire, &m, clock_wall() + 1);
}

void wire_guard(int fd, unsigned int silence_s)
{
	int on = 1, idle = silence_s > 8 ? (int)silence_s / 2 : 4, step = idle / 4;
	unsigned int silence_ms = silence_s * 1000;

	/* none of them is needed for the answers to be right */
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &step, sizeof(step));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms, sizeof(silence_ms));
}

void wire_tune(int fd, unsigned int silence_s)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	wire_guard(fd, silence_s);
}
