// SPDX-License-Identifier: MIT
/* Messages between hosts: what is written is read again, and nothing that a stranger makes up is taken. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/protocol.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

static const char long_name[] = "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopq";

static struct protocol_message hello(enum protocol_type type)
{
	struct protocol_message m = { .type = type,
				      .hello = { .version = PROTOCOL_VERSION, .secret_wanted = true } };

	strcpy(m.hello.tool, long_name);
	strcpy(m.hello.commit, "0123456789ab");
	memset(m.hello.nonce, 0xa5, sizeof(m.hello.nonce));
	return m;
}

static struct protocol_message prepare(void)
{
	struct protocol_message m = { .type = PROTOCOL_PREPARE,
				      .prepare = { .size = PROTOCOL_PAYLOAD_MAX,
						   .sink = PROTOCOL_SINKS_MAX - 1,
						   .nodelay = true,
						   .connections = PROTOCOL_CONNECTIONS_MAX,
						   .send_buffer = PROTOCOL_BUFFER_MAX,
						   .receive_buffer = 1,
						   .limit_s = PROTOCOL_SECONDS_MAX } };

	strcpy(m.prepare.congestion, "reno");
	return m;
}

/* One of each type, with every field at its bound. */
static size_t one_of_each(struct protocol_message out[static PROTOCOL_TYPES])
{
	size_t n = 0;
	struct protocol_message m;

	out[n++] = hello(PROTOCOL_HELLO);
	out[n++] = hello(PROTOCOL_CHALLENGE);
	m = (struct protocol_message){ .type = PROTOCOL_PROOF };
	memset(m.mac, 0x5a, sizeof(m.mac));
	out[n++] = m;
	m = (struct protocol_message){ .type = PROTOCOL_WELCOME,
				       .welcome = { .idle_s = 1, .total_s = PROTOCOL_SECONDS_MAX, .cpu = -1 } };
	strcpy(m.welcome.kernel, long_name);
	strcpy(m.welcome.machine, "x86_64");
	out[n++] = m;
	m = (struct protocol_message){ .type = PROTOCOL_REFUSED, .refused.code = REFUSAL_FAILED };
	memset(m.refused.reason, '.', sizeof(m.refused.reason) - 1);
	out[n++] = m;
	out[n++] = prepare();
	m = (struct protocol_message){ .type = PROTOCOL_PORT, .port.port = 65535 };
	memset(m.port.token, 7, sizeof(m.port.token));
	out[n++] = m;
	m = (struct protocol_message){ .type = PROTOCOL_READY,
				       .ready = { .send_buffer = INT32_MAX, .receive_buffer = 0 } };
	strcpy(m.ready.congestion, "cubic");
	out[n++] = m;
	out[n++] = (struct protocol_message){ .type = PROTOCOL_DONE,
					      .done = { .received = PROTOCOL_PAYLOAD_MAX,
							.hash = UINT64_MAX,
							.cpu_ns = INT64_MAX,
							.mapped = 1,
							.odd_hashes = UINT32_MAX } };
	return n;
}

/* Parses a copy that ends where the sanitizers see every byte read beyond it. */
static int parse(const uint8_t *data, size_t size, struct protocol_message *out)
{
	uint8_t *copy = malloc(size ? size : 1);
	int taken;

	assert_non_null(copy);
	if (size)
		memcpy(copy, data, size);
	taken = protocol_parse(copy, size, out);
	free(copy);
	return taken;
}

static void comes_back(void **state)
{
	struct protocol_message all[PROTOCOL_TYPES];
	size_t count = one_of_each(all);

	(void)state;
	assert_int_equal(count, PROTOCOL_TYPES - 1);
	for (size_t i = 0; i < count; i++) {
		uint8_t bytes[PROTOCOL_MESSAGE_MAX], again[PROTOCOL_MESSAGE_MAX];
		size_t size = protocol_write(&all[i], bytes);
		struct protocol_message m;

		assert_in_range(size, PROTOCOL_HEADER + 1, PROTOCOL_MESSAGE_MAX);
		assert_int_equal(parse(bytes, size, &m), size);
		assert_int_equal(m.type, all[i].type);
		/* the same bytes again: every field came through */
		assert_int_equal(protocol_write(&m, again), size);
		assert_memory_equal(again, bytes, size);
		/* the bounds are the fields' own */
		assert_string_not_equal(protocol_type_name(m.type), "an unknown message");
	}
}

static void waits_for_the_rest(void **state)
{
	struct protocol_message all[PROTOCOL_TYPES], m;
	size_t count = one_of_each(all);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		uint8_t bytes[2 * PROTOCOL_MESSAGE_MAX];
		size_t size = protocol_write(&all[i], bytes);

		for (size_t part = 0; part < size; part++)
			assert_int_equal(parse(bytes, part, &m), 0);
		/* what follows belongs to the next one */
		memset(bytes + size, 0xff, 64);
		assert_int_equal(parse(bytes, size + 64, &m), size);
	}
}

static void garbage(void **state)
{
	static const char *const strangers[] = {
		"GET / HTTP/1.1\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "\x16\x03\x01\x02", "C", "CT", "CTA", "CTAY",
		"CTAX\0\0", "\n",
	};
	static const size_t lengths[] = { 18, 21, 4, 1, 2, 3, 4, 6, 1 };
	static const int results[] = { -EPROTO, -EPROTO, -EPROTO, 0, 0, 0, -EPROTO, 0, -EPROTO };
	struct protocol_message m;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		assert_int_equal(parse((const uint8_t *)strangers[i], lengths[i], &m), results[i]);
}

/* Types and lengths as no message has them. */
static void headers(void **state)
{
	static const struct {
		uint8_t bytes[PROTOCOL_HEADER];
		int result;
	} bad[] = {
		{ { 'C', 'T', 'A', 'X', 0, 0, 0, 0, 0, 0, 0, 0 }, -EPROTO },
		{ { 'C', 'T', 'A', 'X', 0, PROTOCOL_TYPES, 0, 0, 0, 0, 0, 0 }, -EPROTO },
		{ { 'C', 'T', 'A', 'X', 1, 1, 0, 0, 0, 0, 0, 0 }, -EPROTO },
		{ { 'C', 'T', 'A', 'X', 0, 1, 0, 1, 0, 0, 0, 0 }, -EPROTO },
		/* 4 GiB - 1, 2 GiB, one more than any body has */
		{ { 'C', 'T', 'A', 'X', 0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff }, -EMSGSIZE },
		{ { 'C', 'T', 'A', 'X', 0, 1, 0, 0, 0x80, 0, 0, 0 }, -EMSGSIZE },
		{ { 'C', 'T', 'A', 'X', 0, 1, 0, 0, 0, 0, 2, 1 }, -EMSGSIZE },
		/* bodies of no bytes, where some belong */
		{ { 'C', 'T', 'A', 'X', 0, PROTOCOL_HELLO, 0, 0, 0, 0, 0, 0 }, -EBADMSG },
		{ { 'C', 'T', 'A', 'X', 0, PROTOCOL_PROOF, 0, 0, 0, 0, 0, 0 }, -EBADMSG },
		{ { 'C', 'T', 'A', 'X', 0, PROTOCOL_PREPARE, 0, 0, 0, 0, 0, 0 }, -EBADMSG },
		{ { 'C', 'T', 'A', 'X', 0, PROTOCOL_DONE, 0, 0, 0, 0, 0, 0 }, -EBADMSG },
	};
	struct protocol_message m;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i].bytes, sizeof(bad[i].bytes), &m), bad[i].result);
}

/* A body that is a byte longer or shorter than its fields, whatever the byte is. */
static void lengths(void **state)
{
	struct protocol_message all[PROTOCOL_TYPES], m;
	size_t count = one_of_each(all);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		uint8_t bytes[PROTOCOL_MESSAGE_MAX + 1] = { 0 };
		size_t size = protocol_write(&all[i], bytes), body = size - PROTOCOL_HEADER;

		for (size_t other = 0; other <= body + 1 && other <= PROTOCOL_BODY_MAX; other++) {
			bytes[10] = (uint8_t)(other >> 8);
			bytes[11] = (uint8_t)other;
			assert_int_equal(parse(bytes, PROTOCOL_HEADER + other, &m),
					 other == body ? (int)size : -EBADMSG);
		}
	}
}

/* Sets one byte of a well-formed message, and expects what the parser says to it. */
static void with(const struct protocol_message *good, size_t at, uint8_t value, int result)
{
	uint8_t bytes[PROTOCOL_MESSAGE_MAX];
	size_t size = protocol_write(good, bytes);
	struct protocol_message m;

	assert_in_range(at, 0, size - 1);
	bytes[at] = value;
	assert_int_equal(parse(bytes, size, &m), result < 0 ? result : (int)size);
}

static void fields(void **state)
{
	const struct protocol_message h = hello(PROTOCOL_HELLO), p = prepare();
	struct protocol_message zero = p;
	uint8_t bytes[PROTOCOL_MESSAGE_MAX];
	struct protocol_message m;

	(void)state;
	/* no boolean; a text that is longer than its room, or than the body; an escape sequence; no ASCII */
	with(&h, PROTOCOL_HEADER + 2, 2, -EBADMSG);
	with(&h, PROTOCOL_HEADER + 3, PROTOCOL_NAME_MAX, -EBADMSG);
	with(&h, PROTOCOL_HEADER + 3, 255, -EBADMSG);
	with(&h, PROTOCOL_HEADER + 4, 0x1b, -EBADMSG);
	with(&h, PROTOCOL_HEADER + 4, 0, -EBADMSG);
	with(&h, PROTOCOL_HEADER + 4, 0xc3, -EBADMSG);
	/* one beyond each bound: payload, sink, connections, buffers, limit */
	with(&p, PROTOCOL_HEADER + 7, 1, -EBADMSG);
	with(&p, PROTOCOL_HEADER, 0xff, -EBADMSG);
	with(&p, PROTOCOL_HEADER + 8, PROTOCOL_SINKS_MAX, -EBADMSG);
	with(&p, PROTOCOL_HEADER + 9, 2, -EBADMSG);
	with(&p, PROTOCOL_HEADER + 11, 1, -EBADMSG);
	with(&p, PROTOCOL_HEADER + 15, 1, -EBADMSG);
	with(&p, PROTOCOL_HEADER + 16, 0xff, -EBADMSG);
	with(&p, PROTOCOL_HEADER + 20, 0xff, -EBADMSG);
	/* within them */
	with(&p, PROTOCOL_HEADER + 8, 0, 1);
	with(&p, PROTOCOL_HEADER + 10, 1, 1);
	/* no connections, no time */
	zero.prepare.connections = 0;
	assert_int_equal(parse(bytes, protocol_write(&zero, bytes), &m), -EBADMSG);
	zero = p;
	zero.prepare.limit_s = 0;
	assert_int_equal(parse(bytes, protocol_write(&zero, bytes), &m), -EBADMSG);
}

/* Another version is told by its number, whatever else it says. */
static void versions(void **state)
{
	struct protocol_message h = hello(PROTOCOL_HELLO), m;
	uint8_t bytes[PROTOCOL_MESSAGE_MAX];
	size_t size;

	(void)state;
	h.hello.version = 2;
	size = protocol_write(&h, bytes);
	memset(bytes + PROTOCOL_HEADER + 2, 0xff, size - PROTOCOL_HEADER - 2);
	assert_int_equal(parse(bytes, size, &m), size);
	assert_int_equal(m.hello.version, 2);
	assert_string_equal(m.hello.tool, "");
}

/* What is written is printable, whatever was to be said. */
static void writes_what_it_reads(void **state)
{
	struct protocol_message r = { .type = PROTOCOL_REFUSED, .refused.code = REFUSAL_CANT }, m;
	uint8_t bytes[PROTOCOL_MESSAGE_MAX];

	(void)state;
	strcpy(r.refused.reason, "a\nb\x1b[31m\xc3\xa4");
	assert_true(parse(bytes, protocol_write(&r, bytes), &m) > 0);
	assert_string_equal(m.refused.reason, "a?b?[31m??");
}

/* Every message with each of its bytes set to each value: parsed or refused, never more than was given. */
static void one_byte_off(void **state)
{
	struct protocol_message all[PROTOCOL_TYPES], m;
	size_t count = one_of_each(all);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		uint8_t bytes[PROTOCOL_MESSAGE_MAX];
		size_t size = protocol_write(&all[i], bytes);

		for (size_t at = 0; at < size; at++) {
			uint8_t before = bytes[at];

			for (int value = 0; value < 256; value += 3) {
				int taken;

				bytes[at] = (uint8_t)value;
				taken = parse(bytes, size, &m);
				assert_true(taken == 0 || taken == -EPROTO || taken == -EMSGSIZE ||
					    taken == -EBADMSG ||
					    (taken >= (int)PROTOCOL_HEADER && taken <= (int)size));
			}
			bytes[at] = before;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(waits_for_the_rest),
		cmocka_unit_test(garbage),
		cmocka_unit_test(headers),
		cmocka_unit_test(lengths),
		cmocka_unit_test(fields),
		cmocka_unit_test(versions),
		cmocka_unit_test(writes_what_it_reads),
		cmocka_unit_test(one_byte_off),
	};

	return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
