// SPDX-License-Identifier: MIT
/* Sizes as users write them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/size.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

static void parses(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{ "0", 0 },
		{ "1", 1 },
		{ "4096", 4096 },
		{ "007", 7 },
		{ "4K", 4096 },
		{ "4k", 4096 },
		{ "32KiB", 32768 },
		{ "32KB", 32768 },
		{ "1M", 1 << 20 },
		{ "1G", 1 << 30 },
		{ "2T", (uint64_t)2 << 40 },
		{ "320000K", 327680000 },
		{ "9223372036854775807", INT64_MAX },
		{ "9007199254740991K", (uint64_t)9007199254740991 << 10 },
		{ "8388607T", (uint64_t)8388607 << 40 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint64_t bytes = 12345;

		assert_int_equal(size_parse(good[i].text, &bytes), 0);
		assert_int_equal(bytes, good[i].bytes);
	}
}

static void refuses(void **state)
{
	static const char *const bad[] = { "",	 " ",	" 1",  "1 ",  "K",   "-1",  "+1",    "1.5M", "0x10",
					   "1e3", "1P", "1KK", "1Ki", "1iB", "1,0", "whole", "4K\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t bytes = 12345;

		assert_int_equal(size_parse(bad[i], &bytes), -EINVAL);
		assert_int_equal(bytes, 12345);
	}
}

static void knows_its_limits(void **state)
{
	static const char *const large[] = { "9223372036854775808",  "18446744073709551615",
					     "18446744073709551616", "9007199254740992K",
					     "8388608T",	     "99999999999999999999999999T" };

	(void)state;
	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
		uint64_t bytes = 12345;

		assert_int_equal(size_parse(large[i], &bytes), -ERANGE);
		assert_int_equal(bytes, 12345);
	}
}

static void formats(void **state)
{
	char text[SIZE_TEXT_MAX];

	(void)state;
	assert_string_equal(size_format(0, text), "0");
	assert_string_equal(size_format(1, text), "1");
	assert_string_equal(size_format(1000, text), "1000");
	assert_string_equal(size_format(1024, text), "1K");
	assert_string_equal(size_format(1025, text), "1025");
	assert_string_equal(size_format(327680000, text), "320000K");
	assert_string_equal(size_format((uint64_t)3 << 40, text), "3T");
	assert_string_equal(size_format((uint64_t)1 << 60, text), "1048576T");
	assert_string_equal(size_format(UINT64_MAX, text), "18446744073709551615");
}

static void goes_round(void **state)
{
	char text[SIZE_TEXT_MAX];

	(void)state;
	for (unsigned int shift = 0; shift < 63; shift++)
		for (uint64_t add = 0; add < 3; add++) {
			uint64_t bytes = ((uint64_t)1 << shift) + add, again = 0;

			assert_int_equal(size_parse(size_format(bytes, text), &again), 0);
			assert_int_equal(again, bytes);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),  cmocka_unit_test(refuses),	 cmocka_unit_test(knows_its_limits),
		cmocka_unit_test(formats), cmocka_unit_test(goes_round),
	};

	return cmocka_run_group_tests_name("size", tests, NULL, NULL);
}
