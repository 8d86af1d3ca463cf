/* SPDX-License-Identifier: MIT */
/*
 * What two copytaxes on two hosts say to each other over the control connection. Pure functions over
 * buffers: no sockets, no allocation, no state. Everything that comes from a stranger goes through
 * protocol_parse().
 *
 *	client                                  server
 *	HELLO      version, nonce          →
 *	                                   ←    CHALLENGE  version, nonce, is a secret wanted?
 *	PROOF      keyed hash of both      →
 *	                                   ←    WELCOME    the server's own keyed hash, its limits
 *	PREPARE    one transfer's settings →
 *	                                   ←    PORT       where to connect, and with which token
 *	   … data connections: the token first, then the payload; eight bytes come back …
 *	                                   ←    READY      what the kernel made of the settings
 *	                                   ←    DONE       bytes, hash, CPU time of the receiver
 *	PREPARE …
 *
 * REFUSED may take the place of any answer of the server's, and ends the session. A message is a header of
 * twelve bytes (magic, type, zero, length of the body) and a body of at most PROTOCOL_BODY_MAX. Numbers are
 * big-endian; a text is a byte of length and printable ASCII.
 */
#ifndef COPYTAX_TRANSFER_PROTOCOL_H
#define COPYTAX_TRANSFER_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROTOCOL_VERSION 1
#define PROTOCOL_HEADER 12u
#define PROTOCOL_BODY_MAX 512u
#define PROTOCOL_MESSAGE_MAX (PROTOCOL_HEADER + PROTOCOL_BODY_MAX)
#define PROTOCOL_NAME_MAX 64	/* with its NUL: versions, names */
#define PROTOCOL_REASON_MAX 256 /* with its NUL */
#define PROTOCOL_NONCE 32
#define PROTOCOL_MAC 32
#define PROTOCOL_TOKEN 16
#define PROTOCOL_CONNECTIONS_MAX 4096u
#define PROTOCOL_PAYLOAD_MAX (UINT64_C(1) << 50)
#define PROTOCOL_BUFFER_MAX (64u << 20) /* of a socket, as asked of the kernel */
#define PROTOCOL_SECONDS_MAX 2592000u	/* 30 days */
#define PROTOCOL_SINKS_MAX 16

enum protocol_type {
	PROTOCOL_HELLO = 1,
	PROTOCOL_CHALLENGE,
	PROTOCOL_PROOF,
	PROTOCOL_WELCOME,
	PROTOCOL_REFUSED,
	PROTOCOL_PREPARE,
	PROTOCOL_PORT,
	PROTOCOL_READY,
	PROTOCOL_DONE,
	PROTOCOL_TYPES
};

enum protocol_refusal {
	REFUSAL_GARBAGE = 1, /* what came is no message, or not one that belongs there */
	REFUSAL_VERSION,
	REFUSAL_SECRET,
	REFUSAL_BUSY,
	REFUSAL_LIMIT,	/* a time or size limit of the server's */
	REFUSAL_CANT,	/* the server's machine can't */
	REFUSAL_FAILED, /* the transfer failed on the server's side */
	REFUSALS
};

struct protocol_hello {	    /* HELLO and CHALLENGE */
	uint16_t version;   /* of the protocol; when it is not ours nothing below is set */
	bool secret_wanted; /* CHALLENGE only */
	char tool[PROTOCOL_NAME_MAX], commit[PROTOCOL_NAME_MAX];
	uint8_t nonce[PROTOCOL_NONCE];
};

struct protocol_welcome {
	uint8_t mac[PROTOCOL_MAC];
	uint32_t idle_s, total_s;
	int32_t cpu; /* that receivers are pinned to; -1: none */
	char kernel[PROTOCOL_NAME_MAX],
		machine[PROTOCOL_NAME_MAX]; /* uname's release and machine */
};

struct protocol_refused {
	uint16_t code; /* enum protocol_refusal */
	char reason[PROTOCOL_REASON_MAX];
};

struct protocol_prepare {
	uint64_t size; /* of each connection */
	uint8_t sink;  /* enum sink; the parser knows only its range */
	bool nodelay;
	uint16_t connections;		      /* 1 … PROTOCOL_CONNECTIONS_MAX */
	uint32_t send_buffer, receive_buffer; /* 0: auto-tuned */
	uint32_t limit_s;
	char congestion[PROTOCOL_NAME_MAX]; /* empty: the default */
};

struct protocol_port {
	uint16_t port;
	uint8_t token[PROTOCOL_TOKEN];
};

struct protocol_ready {
	uint32_t send_buffer, receive_buffer;
	bool nodelay;
	char congestion[PROTOCOL_NAME_MAX];
};

struct protocol_done {
	uint64_t received; /* over all connections */
	uint64_t hash;	   /* the first connection's */
	uint64_t cpu_ns, mapped;
	uint32_t odd_hashes; /* connections with another one */
};

struct protocol_message {
	enum protocol_type type;
	union {
		struct protocol_hello hello;
		uint8_t mac[PROTOCOL_MAC]; /* PROOF */
		struct protocol_welcome welcome;
		struct protocol_refused refused;
		struct protocol_prepare prepare;
		struct protocol_port port;
		struct protocol_ready ready;
		struct protocol_done done;
	};
};

/*
 * Reads one message from the start of `data`. Returns the bytes it took; 0 when there is not a whole message
 * yet and what is there can become one; -EPROTO for what is no message of ours, -EMSGSIZE for a body that
 * claims to be longer than any is, -EBADMSG for a field out of its bounds or a body of another length than
 * its fields. Nothing outside `data` is looked at; *out is whole only on success.
 */
int protocol_parse(const uint8_t *data, size_t size, struct protocol_message *out);

/* Writes a message; texts are cut to their bounds. Returns its length. */
size_t protocol_write(const struct protocol_message *message,
		      uint8_t out[static PROTOCOL_MESSAGE_MAX]);

/* "HELLO" for its number. */
const char *protocol_type_name(enum protocol_type type);

#endif
