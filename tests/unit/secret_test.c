// SPDX-License-Identifier: MIT
/* The shared secret: where it comes from, and what proves that one knows it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transfer/address.h"
#include "transfer/secret.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

static char path[] = "/tmp/copytax-secret-XXXXXX";

static int load(const char *content, size_t size, mode_t mode, struct secret *secret, struct failure *why)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC), err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, size), size);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	*why = (struct failure){ 0 };
	err = secret_load(path, secret, why);
	assert_int_equal(fchmodat(AT_FDCWD, path, 0600, 0), 0);
	return err;
}

static void loads(void **state)
{
	struct secret secret;
	struct failure why;
	char big[SECRET_MOST + 1];

	(void)state;
	assert_int_equal(load("0123456789abcdef\r\n", 18, 0600, &secret, &why), 0);
	assert_int_equal(secret.length, 16);
	assert_memory_equal(secret.bytes, "0123456789abcdef", 16);
	/* one too short; blanks are none of it */
	assert_int_equal(load("0123456789abcde \n", 17, 0600, &secret, &why), -EINVAL);
	assert_non_null(strstr(why.text, "too short: 15 bytes"));
	assert_int_equal(secret.length, 0);
	assert_int_equal(load("", 0, 0600, &secret, &why), -EINVAL);
	/* others can read it, or change it */
	assert_int_equal(load("0123456789abcdef", 16, 0640, &secret, &why), -EACCES);
	assert_int_equal(load("0123456789abcdef", 16, 0602, &secret, &why), -EACCES);
	memset(big, 'x', sizeof(big));
	assert_int_equal(load(big, sizeof(big), 0600, &secret, &why), -EFBIG);
	why = (struct failure){ 0 };
	assert_int_equal(secret_load("/dev/zero", &secret, &why), -EINVAL);
	assert_int_equal(why.exit_code, EXIT_WRONG_USE);
}

static void proves(void **state)
{
	struct secret a = { .length = 20 }, b = { .length = 20 };
	uint8_t one[PROTOCOL_NONCE] = { 1 }, two[PROTOCOL_NONCE] = { 2 };
	uint8_t mac[PROTOCOL_MAC], other[PROTOCOL_MAC];
	/* HMAC-SHA-256 of label, NUL and both nonces under twenty bytes 0x0b, by Python's hmac */
	static const uint8_t expected[PROTOCOL_MAC] = {
		0xc7, 0x3f, 0xc0, 0xf5, 0xb8, 0x66, 0x23, 0xc2,
		0x86, 0x92, 0xdd, 0xbd, 0xb8, 0xc4, 0x92, 0x29,
		0x97, 0x07, 0xf2, 0xa3, 0x33, 0xad, 0x91, 0x40,
		0xef, 0x71, 0x7e, 0xd2, 0xb7, 0x4f, 0x7a, 0xae,
	};

	(void)state;
	memset(a.bytes, 0x0b, 20);
	memset(b.bytes, 0x0b, 20);
	secret_prove(&a, SECRET_CLIENT, one, two, mac);
	assert_memory_equal(mac, expected, sizeof(mac));
	secret_prove(&b, SECRET_CLIENT, one, two, other);
	assert_true(secret_same(mac, other, sizeof(mac)));
	/* not the other side's, not another session's, not another secret's */
	secret_prove(&a, SECRET_SERVER, one, two, other);
	assert_false(secret_same(mac, other, sizeof(mac)));
	secret_prove(&a, SECRET_CLIENT, two, one, other);
	assert_false(secret_same(mac, other, sizeof(mac)));
	b.bytes[19] ^= 1;
	secret_prove(&b, SECRET_CLIENT, one, two, other);
	assert_false(secret_same(mac, other, sizeof(mac)));
	secret_forget(&a);
	assert_int_equal(a.length, 0);
	assert_int_equal(a.bytes[0], 0);
}

static void addresses(void **state)
{
	static const struct {
		const char *text, *shown;
		bool loopback;
	} good[] = {
		{ "127.0.0.1:80", "127.0.0.1:80", true },
		{ "127.1.2.3", "127.1.2.3:4742", true },
		{ "0.0.0.0:1", "0.0.0.0:1", false },
		{ "10.0.0.1:0", "10.0.0.1:0", false },
		{ "128.0.0.1", "128.0.0.1:4742", false },
		{ "[::1]:80", "[::1]:80", true },
		{ "::1", "[::1]:4742", true },
		{ "[::]:65535", "[::]:65535", false },
		{ "[2001:db8::1]", "[2001:db8::1]:4742", false },
		/* other hosts can't reach it, but nothing rests on knowing that */
		{ "[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:80", false },
	};
	static const char *const bad[] = { "", ":80", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
					   "127.0.0.1:80x", "[::1", "[::1]80", "256.0.0.1:80", "localhost:80" };
	struct link_address at, other;
	struct failure why;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char text[ADDRESS_TEXT_MAX];

		why = (struct failure){ 0 };
		assert_int_equal(address_parse(good[i].text, false, &at, &why), 0);
		assert_string_equal(address_format(&at, text), good[i].shown);
		assert_int_equal(address_is_loopback(&at), good[i].loopback);
		other = at;
		address_set_port(&other, 1234);
		assert_int_equal(address_port(&other), 1234);
		assert_true(address_same_host(&at, &other));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = (struct failure){ 0 };
		assert_true(address_parse(bad[i], false, &at, &why) < 0);
		assert_int_equal(why.exit_code, EXIT_WRONG_USE);
	}
	assert_int_equal(address_parse("127.0.0.1:80", false, &at, &why), 0);
	assert_int_equal(address_parse("127.0.0.2:80", false, &other, &why), 0);
	assert_false(address_same_host(&at, &other));
	assert_int_equal(address_parse("[::1]:80", false, &other, &why), 0);
	assert_false(address_same_host(&at, &other));
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads),
		cmocka_unit_test(proves),
		cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests_name("secret", tests, make_file, remove_file);
}
