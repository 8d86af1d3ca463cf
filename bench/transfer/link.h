/* SPDX-License-Identifier: MIT */
/* The link: a TCP connection over loopback, set alike on both ends and read back. */
#ifndef COPYTAX_TRANSFER_LINK_H
#define COPYTAX_TRANSFER_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"

#define CONGESTION_NAME_MAX 16 /* TCP_CA_NAME_MAX of the kernel */

struct link_settings {
	char congestion[CONGESTION_NAME_MAX]; /* empty: the system's default */
	uint32_t send_buffer, receive_buffer; /* bytes as asked of the kernel; 0: auto-tuned */
	bool nodelay;
	uint16_t port; /* 0: any free one */
};

/* What the kernel says it set. It doubles the buffer sizes for its own bookkeeping (socket(7)). */
struct link_actual {
	char congestion[CONGESTION_NAME_MAX];
	int send_buffer, receive_buffer;
	int nodelay;
};

/* A listener on 127.0.0.1 with the settings that its connections inherit. Returns a descriptor or -errno. */
int link_listen(const struct link_settings *settings, uint16_t *port, struct failure *why);

/* A connection to it. Returns a descriptor or -errno. */
int link_connect(const struct link_settings *settings, uint16_t port, struct failure *why);

/* Returns 0 or -errno. */
int link_read_back(int socket, struct link_actual *actual);

#endif
