// SPDX-License-Identifier: MIT
/* Facts: what a one-line file becomes, and what is said when it becomes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure/fact.h"
#include "result/result.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "written.h"

static char path[] = "/tmp/copytax-fact-XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0)
		return -1;
	return close(fd);
}

static int drop_file(void **state)
{
	(void)state;
	return unlink(path);
}

static json_t *fact_of(const char *content, enum fact_kind kind)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(content, file);
	fclose(file);
	return fact_from_file(path, kind, NULL);
}

static void a_line_becomes_a_value(void **state)
{
	static const struct {
		const char *content;
		enum fact_kind kind;
		const char *value; /* JSON */
	} cases[] = {
		{ "bbr\n", FACT_TEXT, "\"bbr\"" },
		{ "two words\nand a line\n", FACT_TEXT, "\"two words\"" },
		{ "no newline", FACT_TEXT, "\"no newline\"" },
		{ "212992\n", FACT_NUMBER, "212992" },
		{ "-1\n", FACT_NUMBER, "-1" },
		{ "0x10\n", FACT_NUMBER, "16" },
		{ "128\n", FACT_KIB, "131072" },
		{ "4096\t131072 \t6291456\n", FACT_NUMBERS, "[4096, 131072, 6291456]" },
		{ "reno cubic\n", FACT_WORDS, "[\"reno\", \"cubic\"]" },
		{ "always [madvise] never\n", FACT_BRACKETED, "\"madvise\"" },
		{ "[none] mq-deadline\n", FACT_BRACKETED, "\"none\"" },
		{ "none\n", FACT_BRACKETED, "\"none\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *fact = fact_of(cases[i].content, cases[i].kind);
		json_t *value = json_loads(cases[i].value, JSON_DECODE_ANY, NULL);

		assert_non_null(value);
		if (!json_equal(json_object_get(fact, "value"), value))
			fail_msg("\"%s\" did not become %s", cases[i].content, cases[i].value);
		assert_string_equal(json_string_value(json_object_get(fact, "source")), path);
		assert_null(json_object_get(fact, "reason"));
		json_decref(value);
		json_decref(fact);
	}
}

static void what_is_not_understood_is_quoted(void **state)
{
	static const struct {
		const char *content;
		enum fact_kind kind;
		const char *says;
	} cases[] = {
		{ "many\n", FACT_NUMBER, "says \"many\", which is not understood" },
		{ "12 apples\n", FACT_NUMBER, "says \"12 apples\"" },
		{ "99999999999999999999\n", FACT_NUMBER, "says \"99999999999999999999\"" },
		{ "4096 many 3\n", FACT_NUMBERS, "says \"4096 many 3\"" },
		{ "\n", FACT_TEXT, "empty" },
		{ "", FACT_NUMBER, "empty" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *fact = fact_of(cases[i].content, cases[i].kind);
		const char *reason = json_string_value(json_object_get(fact, "reason"));

		assert_true(json_is_null(json_object_get(fact, "value")));
		assert_non_null(reason);
		holds(reason, path);
		holds(reason, cases[i].says);
		json_decref(fact);
	}
}

static void what_is_absent_says_what_that_means(void **state)
{
	json_t *fact = fact_from_file("/nowhere/at/all", FACT_NUMBER, "a kernel before 6.0");

	(void)state;
	assert_string_equal(json_string_value(json_object_get(fact, "reason")),
			    "a kernel before 6.0 (no /nowhere/at/all)");
	json_decref(fact);
	fact = fact_from_file("/nowhere/at/all", FACT_NUMBER, NULL);
	assert_string_equal(json_string_value(json_object_get(fact, "reason")),
			    "/nowhere/at/all: No such file or directory");
	json_decref(fact);
	/* absence is one thing, and a folder where a file should be another */
	fact = fact_from_file("/", FACT_TEXT, "a kernel before 6.0");
	assert_string_equal(json_string_value(json_object_get(fact, "reason")),
			    "/: Is a directory");
	json_decref(fact);
}

static void facts_are_found_by_group_and_name(void **state)
{
	json_t *host = json_object();

	(void)state;
	fact_put(host, "net", "mtu", fact_known(json_integer(65536), "test"));
	fact_put(host, "net", "name", fact_unknown("%s has none", "it"));
	fact_put(host, "net", "lost", fact_known(NULL, "test"));
	assert_int_equal(json_integer_value(fact_value(host, "net.mtu")), 65536);
	assert_null(fact_value(host, "net.name"));
	assert_string_equal(fact_reason(host, "net.name"), "it has none");
	assert_string_equal(fact_reason(host, "net.lost"), "out of memory");
	/* what nobody recorded, and what is no name of a fact */
	assert_null(fact_value(host, "net.speed"));
	assert_string_equal(fact_reason(host, "net.speed"), "not recorded");
	assert_null(fact_value(host, "mtu"));
	assert_null(fact_value(host, "a_group_of_a_name_that_is_longer_than_any.mtu"));
	assert_string_equal(fact_reason(host, "mtu"), "not recorded");
	/* the later one counts */
	fact_put(host, "net", "mtu", fact_unknown("gone"));
	assert_null(fact_value(host, "net.mtu"));
	json_decref(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_becomes_a_value),
		cmocka_unit_test(what_is_not_understood_is_quoted),
		cmocka_unit_test(what_is_absent_says_what_that_means),
		cmocka_unit_test(facts_are_found_by_group_and_name),
	};

	return cmocka_run_group_tests(tests, make_file, drop_file);
}
