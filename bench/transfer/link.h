/* SPDX-License-Identifier: MIT */
/*
 * The link: what the socket is. Every kind is made by the same three calls, set alike on both ends and
 * read back; only link_listen() and link_connect() know how kinds differ.
 */
#ifndef COPYTAX_TRANSFER_LINK_H
#define COPYTAX_TRANSFER_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/failure.h"

/* The size of a response's headers, say. */
#define LINK_LEAD_DEFAULT 256u
#define LINK_LEAD_MAX 65536u

#define CONGESTION_NAME_MAX 16 /* TCP_CA_NAME_MAX of the kernel */

enum link_kind {
	LINK_TCP, /* loopback */
	LINK_UNIX, /* an AF_UNIX stream */
	LINK_VETH, /* TCP between two network namespaces that transfer/veth.h makes */
	LINK_REMOTE, /* TCP to `copytax serve` on another host */
	LINKS
};

extern const char *const link_names[LINKS];
extern const char *const link_summaries[LINKS];

struct veth;

/* Where a listener is, for its link_connect(). */
struct link_address {
	struct sockaddr_storage address;
	socklen_t length;
};

struct link_settings {
	enum link_kind kind;
	char congestion[CONGESTION_NAME_MAX]; /* empty: the system's default */
	uint32_t send_buffer, receive_buffer; /* bytes as asked of the kernel; 0: auto-tuned */
	bool nodelay;
	uint32_t lead; /* bytes that go before the payload, LINK_TCP and LINK_VETH */
	uint16_t port; /* 0: any free one */
	const struct veth *veth; /* LINK_VETH: where the ends are; not owned */
	struct link_address remote; /* LINK_REMOTE: where to listen */
};

/* What the kernel says it set. It doubles the buffer sizes for its own bookkeeping (socket(7)). */
struct link_actual {
	char congestion[CONGESTION_NAME_MAX]; /* empty: not TCP */
	int send_buffer, receive_buffer;
	int nodelay;
};

/* Does it run TCP? What is set and counted in TCP holds for these only. */
bool link_is_tcp(enum link_kind kind);

/*
 * A listener with the settings that its connections inherit, and room for `connections` of them to wait.
 * Returns a descriptor or -errno.
 */
int link_listen(const struct link_settings *settings, unsigned int connections,
		struct link_address *at, struct failure *why);

/* A connection to it. Returns a descriptor or -errno. */
int link_connect(const struct link_settings *settings, const struct link_address *at,
		 struct failure *why);

/*
 * Sends and takes the lead. The kernel fills a task's pages for socket data one after the other, so it is to be sent by the thread that
 * sends the payload: the payload then begins where a body begins behind its headers, and not with a page, where its copies would be of
 * pages that lie alike, which some CPUs take much longer for (docs/decisions/0017). Return 0 or -errno, -EPIPE when the other end is gone.
 */
int link_send_lead(int socket, uint32_t lead);
int link_take_lead(int socket, uint32_t lead);

/* Returns 0 or -errno. */
int link_read_back(int socket, struct link_actual *actual);

#endif
