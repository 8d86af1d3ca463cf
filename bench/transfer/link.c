// SPDX-License-Identifier: MIT
#include "transfer/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The privileged option first: the plain one is silently cut to net.core.{w,r}mem_max. */
static int set_buffer(int s, int forced, int plain, uint32_t bytes)
{
	int value = (int)bytes;

	if (!bytes)
		return 0;
	if (!setsockopt(s, SOL_SOCKET, forced, &value, sizeof(value)))
		return 0;
	return setsockopt(s, SOL_SOCKET, plain, &value, sizeof(value)) ? -errno : 0;
}

static int open_socket(const struct link_settings *settings, struct failure *why)
{
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = settings->nodelay, err;

	if (s < 0)
		return fail(why, EXIT_MACHINE_CANT, errno, "can't make a TCP socket: %s",
			    strerror(errno));
	if (settings->congestion[0] &&
	    setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, settings->congestion,
		       (socklen_t)strlen(settings->congestion))) {
		err = fail(why, EXIT_MACHINE_CANT, errno,
			   "can't set TCP congestion control to '%s' (%s); /proc/sys/net/ipv4/tcp_available_congestion_control lists what there is; choose with --cc, or --cc default",
			   settings->congestion, strerror(errno));
		goto out;
	}
	err = setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ? -errno : 0;
	if (!err)
		err = set_buffer(s, SO_SNDBUFFORCE, SO_SNDBUF, settings->send_buffer);
	if (!err)
		err = set_buffer(s, SO_RCVBUFFORCE, SO_RCVBUF, settings->receive_buffer);
	if (err)
		err = fail(why, EXIT_MACHINE_CANT, -err, "can't set a TCP socket's options: %s",
			   strerror(-err));
out:
	if (err) {
		close(s);
		return err;
	}
	return s;
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

int link_listen(const struct link_settings *settings, uint16_t *port, struct failure *why)
{
	struct sockaddr_in address = loopback(settings->port);
	socklen_t len = sizeof(address);
	int s = open_socket(settings, why), on = 1, err = 0;

	if (s < 0)
		return s;
	/* a port that the sample before used is in TIME_WAIT; one that somebody listens on stays refused */
	(void)setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(s, (struct sockaddr *)&address, len) || listen(s, 1) ||
	    getsockname(s, (struct sockaddr *)&address, &len)) {
		err = fail(why, EXIT_MACHINE_CANT, errno,
			   "can't listen on 127.0.0.1 port %u: %s; choose another with --port, or leave it out",
			   settings->port, strerror(errno));
		close(s);
		return err;
	}
	*port = ntohs(address.sin_port);
	return s;
}

int link_connect(const struct link_settings *settings, uint16_t port, struct failure *why)
{
	struct sockaddr_in address = loopback(port);
	int s = open_socket(settings, why), err;

	if (s < 0)
		return s;
	while (connect(s, (struct sockaddr *)&address, sizeof(address))) {
		if (errno == EINTR)
			continue;
		err = fail(why, EXIT_MACHINE_CANT, errno,
			   "can't connect to 127.0.0.1 port %u: %s", port, strerror(errno));
		close(s);
		return err;
	}
	return s;
}

int link_read_back(int s, struct link_actual *actual)
{
	socklen_t len = sizeof(actual->congestion);

	memset(actual, 0, sizeof(*actual));
	if (getsockopt(s, IPPROTO_TCP, TCP_CONGESTION, actual->congestion, &len))
		return -errno;
	actual->congestion[sizeof(actual->congestion) - 1] = '\0';
	len = sizeof(int);
	if (getsockopt(s, IPPROTO_TCP, TCP_NODELAY, &actual->nodelay, &len) ||
	    getsockopt(s, SOL_SOCKET, SO_SNDBUF, &actual->send_buffer, &len) ||
	    getsockopt(s, SOL_SOCKET, SO_RCVBUF, &actual->receive_buffer, &len))
		return -errno;
	return 0;
}
