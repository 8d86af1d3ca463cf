/* SPDX-License-Identifier: MIT */
/* Messages of transfer/protocol.h over a connection, with a time limit on every wait. */
#ifndef COPYTAX_TRANSFER_WIRE_H
#define COPYTAX_TRANSFER_WIRE_H

#include <signal.h>

#include "transfer/protocol.h"

struct wire {
	int fd;	     /* owned by whoever opened it; -1: none */
	size_t used; /* bytes that came and were not parsed yet */
	uint8_t buffer[PROTOCOL_MESSAGE_MAX];
	/* as in struct transfer_spec: looked at while waiting, for signals that are blocked outside; or NULL */
	const volatile sig_atomic_t *stop;
};

/*
 * Sends a whole message. Returns 0, -ETIMEDOUT at `deadline` (CLOCK_MONOTONIC, seconds), -EINTR when
 * *stop was set, or the socket's -errno.
 */
int wire_send(struct wire *wire, const struct protocol_message *message, double deadline);

/* Waits for a message. Returns 0, -EPIPE when the peer closed, a parser's error, or as wire_send() does. */
int wire_receive(struct wire *wire, struct protocol_message *message, double deadline);

/* Waits for poll events. Returns 0, -ETIMEDOUT, -EINTR or poll's -errno. */
int wire_wait(const struct wire *wire, short events, double deadline);

/* A refusal with its reason in words, as far as it can be sent within a second. */
void wire_refuse(struct wire *wire, enum protocol_refusal code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A peer that vanished is noticed after this long. Changes nothing about how data goes. */
void wire_guard(int fd, unsigned int silence_s);

/* Control connections: the same, and small messages go at once. */
void wire_tune(int fd, unsigned int silence_s);

#endif
