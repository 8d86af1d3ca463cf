// SPDX-License-Identifier: MIT
/* A payload is known by its bytes, whatever its seed and wherever its writing was cut; nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transfer/payload.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

static char folder[] = "/tmp/copytax-payload-test.XXXXXX";
static char path[64];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/payload", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static bool is_made(void)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool made;

	assert_true(fd >= 0);
	made = payload_is_made(fd);
	close(fd);
	return made;
}

static void write_file(const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

static void a_payload_of_any_seed_is_known(void **state)
{
	static const uint64_t seeds[] = { 0, 1, 7, UINT64_MAX, 0x123456789abcdef0u };
	struct failure why = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		unlink(path);
		assert_int_equal(payload_create(path, 100000, seeds[i], NULL, &why), 0);
		assert_true(is_made());
	}
}

static void one_that_was_cut_is_known(void **state)
{
	struct failure why = { 0 };

	(void)state;
	unlink(path);
	assert_int_equal(payload_create(path, 8192, 3, NULL, &why), 0);
	for (off_t size = 16; size <= 8192; size += 509) {
		assert_int_equal(truncate(path, 8192 - size + 16), 0);
		assert_true(is_made());
	}
	/* one word proves nothing: any word is the first of some seed */
	assert_int_equal(truncate(path, 8), 0);
	assert_false(is_made());
	assert_int_equal(truncate(path, 0), 0);
	assert_true(is_made());
}

static void other_files_are_not(void **state)
{
	char bytes[4096];
	struct failure why = { 0 };
	int fd;

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	write_file(bytes, sizeof(bytes));
	assert_false(is_made());
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 31 % 251);
	write_file(bytes, sizeof(bytes));
	assert_false(is_made());
	/* one that differs in one bit within what is looked at */
	unlink(path);
	assert_int_equal(payload_create(path, 8192, 3, NULL, &why), 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, bytes, 1, 4000), 1);
	bytes[0] ^= 1;
	assert_int_equal(pwrite(fd, bytes, 1, 4000), 1);
	close(fd);
	assert_false(is_made());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_payload_of_any_seed_is_known),
		cmocka_unit_test(one_that_was_cut_is_known),
		cmocka_unit_test(other_files_are_not),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
