// SPDX-License-Identifier: MIT
#include "transfer/protocol.h"

#include <errno.h>
#include <string.h>

static const uint8_t magic[4] = { 'C', 'T', 'A', 'X' };

/* What is left to read of a body. The first read past its end, or of something out of bounds, is remembered. */
struct reader {
	const uint8_t *at;
	size_t left;
	bool bad;
};

struct writer {
	uint8_t *at;
	size_t left;
};

static uint64_t get(struct reader *r, size_t bytes)
{
	uint64_t value = 0;

	if (r->left < bytes) {
		r->bad = true;
		return 0;
	}
	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | r->at[i];
	r->at += bytes;
	r->left -= bytes;
	return value;
}

static uint64_t get_at_most(struct reader *r, size_t bytes, uint64_t most)
{
	uint64_t value = get(r, bytes);

	if (value > most) {
		r->bad = true;
		return 0;
	}
	return value;
}

static void get_bytes(struct reader *r, uint8_t *to, size_t bytes)
{
	if (r->left < bytes) {
		r->bad = true;
		return;
	}
	memcpy(to, r->at, bytes);
	r->at += bytes;
	r->left -= bytes;
}

/* Printable ASCII: what a stranger calls itself ends up on a terminal. `room` counts the NUL. */
static void get_text(struct reader *r, char *to, size_t room)
{
	size_t length = (size_t)get(r, 1);

	to[0] = '\0';
	if (length >= room || length > r->left) {
		r->bad = true;
		return;
	}
	for (size_t i = 0; i < length; i++)
		if (r->at[i] < 0x20 || r->at[i] > 0x7e) {
			r->bad = true;
			return;
		}
	memcpy(to, r->at, length);
	to[length] = '\0';
	r->at += length;
	r->left -= length;
}

/* A later version may say the rest in another way: enough is known to refuse it by its number. */
static void get_hello(struct reader *r, struct protocol_hello *hello)
{
	hello->version = (uint16_t)get(r, 2);
	if (hello->version != PROTOCOL_VERSION) {
		r->left = 0;
		return;
	}
	hello->secret_wanted = get_at_most(r, 1, 1);
	get_text(r, hello->tool, sizeof(hello->tool));
	get_text(r, hello->commit, sizeof(hello->commit));
	get_bytes(r, hello->nonce, sizeof(hello->nonce));
}

static void get_welcome(struct reader *r, struct protocol_welcome *welcome)
{
	get_bytes(r, welcome->mac, sizeof(welcome->mac));
	welcome->idle_s = (uint32_t)get_at_most(r, 4, PROTOCOL_SECONDS_MAX);
	welcome->total_s = (uint32_t)get_at_most(r, 4, PROTOCOL_SECONDS_MAX);
	/* one more than the CPU: 0 is none */
	welcome->cpu = (int32_t)get_at_most(r, 4, 1u << 20) - 1;
	get_text(r, welcome->kernel, sizeof(welcome->kernel));
	get_text(r, welcome->machine, sizeof(welcome->machine));
}

static void get_prepare(struct reader *r, struct protocol_prepare *p)
{
	p->size = get_at_most(r, 8, PROTOCOL_PAYLOAD_MAX);
	p->sink = (uint8_t)get_at_most(r, 1, PROTOCOL_SINKS_MAX - 1);
	p->nodelay = get_at_most(r, 1, 1);
	p->connections = (uint16_t)get_at_most(r, 2, PROTOCOL_CONNECTIONS_MAX);
	p->send_buffer = (uint32_t)get_at_most(r, 4, PROTOCOL_BUFFER_MAX);
	p->receive_buffer = (uint32_t)get_at_most(r, 4, PROTOCOL_BUFFER_MAX);
	p->limit_s = (uint32_t)get_at_most(r, 4, PROTOCOL_SECONDS_MAX);
	get_text(r, p->congestion, sizeof(p->congestion));
	if (!p->connections || !p->limit_s)
		r->bad = true;
}

static void get_ready(struct reader *r, struct protocol_ready *ready)
{
	ready->send_buffer = (uint32_t)get_at_most(r, 4, INT32_MAX);
	ready->receive_buffer = (uint32_t)get_at_most(r, 4, INT32_MAX);
	ready->nodelay = get_at_most(r, 1, 1);
	get_text(r, ready->congestion, sizeof(ready->congestion));
}

static void get_body(struct reader *r, struct protocol_message *m)
{
	switch (m->type) {
	case PROTOCOL_HELLO:
	case PROTOCOL_CHALLENGE:
		get_hello(r, &m->hello);
		break;
	case PROTOCOL_PROOF:
		get_bytes(r, m->mac, sizeof(m->mac));
		break;
	case PROTOCOL_WELCOME:
		get_welcome(r, &m->welcome);
		break;
	case PROTOCOL_REFUSED:
		m->refused.code = (uint16_t)get_at_most(r, 2, REFUSALS - 1);
		get_text(r, m->refused.reason, sizeof(m->refused.reason));
		break;
	case PROTOCOL_PREPARE:
		get_prepare(r, &m->prepare);
		break;
	case PROTOCOL_PORT:
		m->port.port = (uint16_t)get(r, 2);
		get_bytes(r, m->port.token, sizeof(m->port.token));
		break;
	case PROTOCOL_READY:
		get_ready(r, &m->ready);
		break;
	case PROTOCOL_DONE:
		m->done.received = get(r, 8);
		m->done.hash = get(r, 8);
		m->done.cpu_ns = get_at_most(r, 8, INT64_MAX);
		m->done.mapped = get(r, 8);
		m->done.odd_hashes = (uint32_t)get(r, 4);
		break;
	default:
		r->bad = true;
	}
}

int protocol_parse(const uint8_t *data, size_t size, struct protocol_message *out)
{
	struct reader header = { data, PROTOCOL_HEADER, false }, body;
	uint64_t type, length;
	size_t known = size < sizeof(magic) ? size : sizeof(magic);

	memset(out, 0, sizeof(*out));
	/* told at the first wrong byte, not when a whole header has come */
	if (known && memcmp(data, magic, known))
		return -EPROTO;
	if (size < PROTOCOL_HEADER)
		return 0;
	(void)get(&header, sizeof(magic));
	type = get(&header, 2);
	if (!type || type >= PROTOCOL_TYPES || get(&header, 2))
		return -EPROTO;
	length = get(&header, 4);
	if (length > PROTOCOL_BODY_MAX)
		return -EMSGSIZE;
	if (size - PROTOCOL_HEADER < length)
		return 0;
	body = (struct reader) { data + PROTOCOL_HEADER, (size_t)length, false };
	out->type = (enum protocol_type)type;
	get_body(&body, out);
	if (body.bad || body.left)
		return -EBADMSG;
	return (int)(PROTOCOL_HEADER + length);
}

/* A body is written into PROTOCOL_BODY_MAX, which the longest of them fits: the parser's test holds it to that. */
static void put(struct writer *w, size_t bytes, uint64_t value)
{
	if (w->left < bytes)
		return;
	for (size_t i = 0; i < bytes; i++)
		w->at[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
	w->at += bytes;
	w->left -= bytes;
}

static void put_bytes(struct writer *w, const uint8_t *from, size_t bytes)
{
	if (w->left < bytes)
		return;
	memcpy(w->at, from, bytes);
	w->at += bytes;
	w->left -= bytes;
}

static void put_text(struct writer *w, const char *text, size_t room)
{
	size_t length = strnlen(text, room - 1);

	put(w, 1, length);
	if (w->left < length)
		return;
	for (size_t i = 0; i < length; i++)
		w->at[i] = text[i] < 0x20 || text[i] > 0x7e ? '?' : (uint8_t)text[i];
	w->at += length;
	w->left -= length;
}

static void put_hello(struct writer *w, const struct protocol_hello *hello)
{
	put(w, 2, hello->version);
	put(w, 1, hello->secret_wanted);
	put_text(w, hello->tool, sizeof(hello->tool));
	put_text(w, hello->commit, sizeof(hello->commit));
	put_bytes(w, hello->nonce, sizeof(hello->nonce));
}

static void put_welcome(struct writer *w, const struct protocol_welcome *welcome)
{
	put_bytes(w, welcome->mac, sizeof(welcome->mac));
	put(w, 4, welcome->idle_s);
	put(w, 4, welcome->total_s);
	put(w, 4, (uint64_t)(welcome->cpu + 1));
	put_text(w, welcome->kernel, sizeof(welcome->kernel));
	put_text(w, welcome->machine, sizeof(welcome->machine));
}

static void put_prepare(struct writer *w, const struct protocol_prepare *p)
{
	put(w, 8, p->size);
	put(w, 1, p->sink);
	put(w, 1, p->nodelay);
	put(w, 2, p->connections);
	put(w, 4, p->send_buffer);
	put(w, 4, p->receive_buffer);
	put(w, 4, p->limit_s);
	put_text(w, p->congestion, sizeof(p->congestion));
}

static void put_body(struct writer *w, const struct protocol_message *m)
{
	switch (m->type) {
	case PROTOCOL_HELLO:
	case PROTOCOL_CHALLENGE:
		put_hello(w, &m->hello);
		break;
	case PROTOCOL_PROOF:
		put_bytes(w, m->mac, sizeof(m->mac));
		break;
	case PROTOCOL_WELCOME:
		put_welcome(w, &m->welcome);
		break;
	case PROTOCOL_REFUSED:
		put(w, 2, m->refused.code);
		put_text(w, m->refused.reason, sizeof(m->refused.reason));
		break;
	case PROTOCOL_PREPARE:
		put_prepare(w, &m->prepare);
		break;
	case PROTOCOL_PORT:
		put(w, 2, m->port.port);
		put_bytes(w, m->port.token, sizeof(m->port.token));
		break;
	case PROTOCOL_READY:
		put(w, 4, m->ready.send_buffer);
		put(w, 4, m->ready.receive_buffer);
		put(w, 1, m->ready.nodelay);
		put_text(w, m->ready.congestion, sizeof(m->ready.congestion));
		break;
	case PROTOCOL_DONE:
		put(w, 8, m->done.received);
		put(w, 8, m->done.hash);
		put(w, 8, m->done.cpu_ns);
		put(w, 8, m->done.mapped);
		put(w, 4, m->done.odd_hashes);
		break;
	default:
		break;
	}
}

size_t protocol_write(const struct protocol_message *m, uint8_t out[static PROTOCOL_MESSAGE_MAX])
{
	struct writer body = { out + PROTOCOL_HEADER, PROTOCOL_BODY_MAX };
	struct writer header = { out, PROTOCOL_HEADER };

	put_body(&body, m);
	put_bytes(&header, magic, sizeof(magic));
	put(&header, 2, m->type);
	put(&header, 2, 0);
	put(&header, 4, PROTOCOL_BODY_MAX - body.left);
	return PROTOCOL_MESSAGE_MAX - body.left;
}

const char *protocol_type_name(enum protocol_type type)
{
	static const char *const names[PROTOCOL_TYPES] = {
		[PROTOCOL_HELLO] = "HELLO",	[PROTOCOL_CHALLENGE] = "CHALLENGE",
		[PROTOCOL_PROOF] = "PROOF",	[PROTOCOL_WELCOME] = "WELCOME",
		[PROTOCOL_REFUSED] = "REFUSED", [PROTOCOL_PREPARE] = "PREPARE",
		[PROTOCOL_PORT] = "PORT",	[PROTOCOL_READY] = "READY",
		[PROTOCOL_DONE] = "DONE",
	};

	return type > 0 && type < PROTOCOL_TYPES ? names[type] : "an unknown message";
}
