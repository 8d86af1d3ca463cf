// SPDX-License-Identifier: MIT
#include "transfer/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "transfer/address.h"
#include "transfer/veth.h"

const char *const link_names[LINKS] = {
	[LINK_TCP] = "tcp",
	[LINK_UNIX] = "unix",
	[LINK_VETH] = "veth",
	[LINK_REMOTE] = "remote",
};

const char *const link_summaries[LINKS] = {
	[LINK_TCP] = "TCP over loopback",
	[LINK_UNIX] = "a stream of the AF_UNIX family: no TCP, no packets",
	[LINK_VETH] = "TCP between two network namespaces, made for the run and removed after it (root)",
	[LINK_REMOTE] = "TCP to 'copytax serve' on another host",
};

bool link_is_tcp(enum link_kind kind)
{
	return kind != LINK_UNIX;
}

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

static int set_tcp(int s, const struct link_settings *settings, struct failure *why)
{
	int on = settings->nodelay;

	if (settings->congestion[0] &&
	    setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, settings->congestion,
		       (socklen_t)strlen(settings->congestion)))
		return fail(why, EXIT_MACHINE_CANT, errno,
			    "can't set TCP congestion control to '%s' (%s); /proc/sys/net/ipv4/tcp_available_congestion_control lists what there is; choose with --cc, or --cc default",
			    settings->congestion, strerror(errno));
	if (setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		return fail(why, EXIT_MACHINE_CANT, errno, "can't set a TCP socket's options: %s",
			    strerror(errno));
	return 0;
}

static int open_socket(const struct link_settings *settings, int family, bool listener,
		       struct failure *why)
{
	int s, err = 0;

	s = settings->kind == LINK_VETH ?
		    veth_socket(settings->veth, listener ? VETH_RECEIVER : VETH_SENDER) :
		    socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return fail(why, EXIT_MACHINE_CANT, errno, "can't make a socket for the link '%s': %s",
			    link_names[settings->kind], strerror(errno));
	if (family != AF_UNIX)
		err = set_tcp(s, settings, why);
	if (err)
		goto out;
	err = set_buffer(s, SO_SNDBUFFORCE, SO_SNDBUF, settings->send_buffer);
	if (!err)
		err = set_buffer(s, SO_RCVBUFFORCE, SO_RCVBUF, settings->receive_buffer);
	if (err)
		err = fail(why, EXIT_MACHINE_CANT, -err, "can't set a socket's buffers: %s",
			   strerror(-err));
out:
	if (err) {
		close(s);
		return err;
	}
	return s;
}

static struct link_address first_address(const struct link_settings *settings)
{
	struct link_address at = { .length = sizeof(struct sockaddr_in) };
	struct sockaddr_in *inet = (struct sockaddr_in *)&at.address;

	if (settings->kind == LINK_REMOTE)
		return settings->remote;
	if (settings->kind == LINK_UNIX) {
		/* a name of no letters: the kernel chooses one that no file stands for */
		at.address.ss_family = AF_UNIX;
		at.length = sizeof(sa_family_t);
		return at;
	}
	inet->sin_family = AF_INET;
	inet->sin_port = htons(settings->port);
	inet->sin_addr.s_addr = settings->kind == LINK_VETH ? inet_addr(VETH_RECEIVER_ADDRESS) :
							      htonl(INADDR_LOOPBACK);
	return at;
}

static void describe(const struct link_address *at, char *text, size_t size)
{
	const struct sockaddr_in *inet = (const struct sockaddr_in *)&at->address;
	char address[INET_ADDRSTRLEN] = "";

	if (at->address.ss_family == AF_UNIX) {
		snprintf(text, size, "a local socket");
		return;
	}
	if (at->address.ss_family == AF_INET6) {
		(void)address_format(at, text);
		return;
	}
	(void)inet_ntop(AF_INET, &inet->sin_addr, address, sizeof(address));
	snprintf(text, size, "%s port %u", address, ntohs(inet->sin_port));
}

int link_listen(const struct link_settings *settings, unsigned int connections,
		struct link_address *at, struct failure *why)
{
	int s, on = 1, err = 0;
	char where[ADDRESS_TEXT_MAX];

	*at = first_address(settings);
	s = open_socket(settings, at->address.ss_family, true, why);
	if (s < 0)
		return s;
	/* a port that the sample before used is in TIME_WAIT; one that somebody listens on stays refused */
	(void)setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(s, (struct sockaddr *)&at->address, at->length) && !listen(s, (int)connections)) {
		at->length = sizeof(at->address);
		if (!getsockname(s, (struct sockaddr *)&at->address, &at->length))
			return s;
	}
	err = errno;
	describe(at, where, sizeof(where));
	close(s);
	if (settings->kind == LINK_VETH)
		return fail(why, EXIT_MACHINE_CANT, err,
			    "can't listen on %s in the network namespace made for the run: %s; did somebody take its device away?",
			    where, strerror(err));
	return fail(why, EXIT_MACHINE_CANT, err,
		    "can't listen on %s: %s; choose another with --port, or leave it out", where,
		    strerror(err));
}

int link_connect(const struct link_settings *settings, const struct link_address *at,
		 struct failure *why)
{
	int s = open_socket(settings, at->address.ss_family, false, why), err;
	char where[ADDRESS_TEXT_MAX];

	if (s < 0)
		return s;
	while (connect(s, (const struct sockaddr *)&at->address, at->length)) {
		if (errno == EINTR)
			continue;
		err = errno;
		describe(at, where, sizeof(where));
		close(s);
		if (settings->kind == LINK_VETH)
			return fail(why, EXIT_MACHINE_CANT, err,
				    "can't connect to %s in the network namespace made for the run: %s; did somebody take its device away?",
				    where, strerror(err));
		return fail(why, EXIT_MACHINE_CANT, err, "can't connect to %s: %s", where,
			    strerror(err));
	}
	return s;
}

int link_read_back(int s, struct link_actual *actual)
{
	socklen_t len = sizeof(int);
	int family = 0;

	memset(actual, 0, sizeof(*actual));
	if (getsockopt(s, SOL_SOCKET, SO_DOMAIN, &family, &len) ||
	    getsockopt(s, SOL_SOCKET, SO_SNDBUF, &actual->send_buffer, &len) ||
	    getsockopt(s, SOL_SOCKET, SO_RCVBUF, &actual->receive_buffer, &len))
		return -errno;
	if (family == AF_UNIX)
		return 0;
	if (getsockopt(s, IPPROTO_TCP, TCP_NODELAY, &actual->nodelay, &len))
		return -errno;
	len = sizeof(actual->congestion);
	if (getsockopt(s, IPPROTO_TCP, TCP_CONGESTION, actual->congestion, &len))
		return -errno;
	actual->congestion[sizeof(actual->congestion) - 1] = '\0';
	return 0;
}

int link_send_lead(int socket, uint32_t lead)
{
	static const char nothing[4096];

	while (lead) {
		size_t piece = lead < sizeof(nothing) ? lead : sizeof(nothing);
		ssize_t n = send(socket, nothing, piece, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		lead -= n > 0 ? (uint32_t)n : 0;
	}
	return 0;
}

int link_take_lead(int socket, uint32_t lead)
{
	char bytes[4096];

	while (lead) {
		size_t piece = lead < sizeof(bytes) ? lead : sizeof(bytes);
		ssize_t n = recv(socket, bytes, piece, 0);

		if (!n)
			return -EPIPE;
		if (n < 0 && errno != EINTR)
			return -errno;
		lead -= n > 0 ? (uint32_t)n : 0;
	}
	return 0;
}
