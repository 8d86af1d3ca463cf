// SPDX-License-Identifier: MIT
/* Plans: what is said on the command line or in a file, and the cases it comes to. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "study/plan.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

static size_t method_count(void)
{
	size_t n = 0;

	while (methods[n])
		n++;
	return n;
}

static void assert_says(const struct failure *why, const char *part)
{
	if (!strstr(why->text, part))
		print_error("expected \"%s\" in \"%s\"\n", part, why->text);
	assert_non_null(strstr(why->text, part));
	assert_int_equal(why->exit_code, EXIT_WRONG_USE);
}

/* Loads a plan of this text. */
static int load(const char *text, struct plan *plan, struct failure *why)
{
	char path[] = "/tmp/copytax-plan-XXXXXX";
	int fd = mkstemp(path), err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	*plan = (struct plan){ .warmup = -1 };
	memset(why, 0, sizeof(*why));
	err = plan_load(plan, path, why);
	unlink(path);
	return err;
}

static void lists(void **state)
{
	struct plan_line line = { 0 };
	struct failure why = { 0 };

	(void)state;
	assert_int_equal(plan_chunks(&line, "4K,whole,1G", &why), 0);
	assert_int_equal(line.chunk_count, 3);
	assert_int_equal(line.chunks[0], 4096);
	assert_int_equal(line.chunks[1], 0);
	assert_int_equal(line.chunks[2], 1 << 30);
	/* said again: replaced, not added to */
	assert_int_equal(plan_chunks(&line, "32K", &why), 0);
	assert_int_equal(line.chunk_count, 1);
	assert_int_equal(plan_caches(&line, "cold,warm", &why), 0);
	assert_int_equal(line.caches, 1u << CACHE_COLD | 1u << CACHE_WARM);
	assert_int_equal(plan_sinks(&line, "drain,verify", &why), 0);
	assert_int_equal(line.sinks, 1u << SINK_DRAIN | 1u << SINK_VERIFY);
	assert_int_equal(plan_methods(&line, "sendfile", &why), 0);
	assert_int_equal(__builtin_popcountll(line.methods), 1);
	assert_int_equal(plan_methods(&line, "all", &why), 0);
	assert_int_equal(__builtin_popcountll(line.methods), method_count());
	assert_int_equal(plan_methods(&line, "classic", &why), 0);
	assert_int_equal(line.methods, (1u << 5) - 1);
	assert_int_equal(plan_methods(&line, "classic,vmsplice,sendfile", &why), 0);
	assert_int_equal(__builtin_popcountll(line.methods), 6);
	assert_string_equal(why.text, "");
}

static void refuses_items(void **state)
{
	static const struct {
		int (*take)(struct plan_line *line, const char *list, struct failure *why);
		const char *list, *says;
	} bad[] = {
		{ plan_methods, "teleport", "there is no method 'teleport'; there are: read_write, " },
		{ plan_methods, "sendfile,,splice", "has an empty item" },
		{ plan_methods, "", "has an empty item" },
		{ plan_methods, "sendfile,", "has an empty item" },
		{ plan_methods, "Sendfile", "there is no method 'Sendfile'" },
		{ plan_chunks, "0", "'0' is no chunk size" },
		{ plan_chunks, "4095", "'4095' is no chunk size" },
		{ plan_chunks, "1025M", "'1025M' is no chunk size" },
		{ plan_chunks, "32K,-1", "'-1' is no chunk size" },
		{ plan_chunks, "whole,all", "'all' is no chunk size" },
		{ plan_caches, "hot", "there is no cache state 'hot'; there are: warm, cold" },
		{ plan_sinks, "drain,swim", "there is no sink 'swim'; there are: drain, truncate" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct plan_line line = { 0 };
		struct failure why = { 0 };

		assert_true(bad[i].take(&line, bad[i].list, &why) < 0);
		assert_says(&why, bad[i].says);
	}
}

static void refuses_long_lists(void **state)
{
	struct plan_line line = { 0 };
	struct failure why = { 0 };
	char list[8192] = "4K";

	(void)state;
	for (int i = 1; i < PLAN_CHUNKS_MAX; i++)
		strcat(list, ",4K");
	assert_int_equal(plan_chunks(&line, list, &why), 0);
	strcat(list, ",4K");
	assert_true(plan_chunks(&line, list, &why) < 0);
	assert_says(&why, "more than 32 chunk sizes");
	memset(&why, 0, sizeof(why));
	memset(list, 'a', sizeof(list) - 1);
	list[sizeof(list) - 1] = '\0';
	assert_true(plan_methods(&line, list, &why) < 0);
	assert_says(&why, "too long");
	memset(&why, 0, sizeof(why));
	list[1000] = '\0';
	assert_true(plan_methods(&line, list, &why) < 0);
	assert_says(&why, "there is no method 'aaaa");
}

static void numbers(void **state)
{
	static const char *const bad[] = { "", "x", "-1", "+1", " 1", "1 ", "1.5", "0x1", "100001",
					   "99999999999999999999" };
	struct failure why = { 0 };
	unsigned int number = 0;

	(void)state;
	assert_int_equal(plan_number("1", "rounds", 1, &number, &why), 0);
	assert_int_equal(number, 1);
	assert_int_equal(plan_number("100000", "rounds", 1, &number, &why), 0);
	assert_int_equal(number, PLAN_ROUNDS_MAX);
	assert_int_equal(plan_number("0", "warm-up rounds", 0, &number, &why), 0);
	assert_int_equal(number, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&why, 0, sizeof(why));
		assert_true(plan_number(bad[i], "rounds", 1, &number, &why) < 0);
		assert_says(&why, "is no number of rounds: use 1 to 100000");
	}
	memset(&why, 0, sizeof(why));
	assert_true(plan_number("0", "rounds", 1, &number, &why) < 0);
	assert_says(&why, "'0' is no number of rounds");
}

static void loads(void **state)
{
	static const char text[] = "# a comment\n"
				   "\n"
				   "  size 4M   # and another\n"
				   "rounds 9\n"
				   "warmup 0\n"
				   "case chunk=4K,32K cache=warm,cold methods=sendfile,splice rounds=3\n"
				   "case"; /* no newline at the end */
	struct plan plan;
	struct failure why;

	(void)state;
	assert_int_equal(load(text, &plan, &why), 0);
	assert_true(plan.size_given);
	assert_int_equal(plan.size, 4 << 20);
	assert_int_equal(plan.rounds, 9);
	assert_int_equal(plan.warmup, 0);
	assert_int_equal(plan.line_count, 2);
	assert_int_equal(plan.lines[0].chunk_count, 2);
	assert_int_equal(plan.lines[0].rounds, 3);
	assert_int_equal(plan.lines[1].methods, 0);
	assert_int_equal(load("case\n", &plan, &why), 0);
	assert_int_equal(plan.warmup, -1);
	assert_false(plan.size_given);
}

static void refuses_plans(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "has no case line" },
		{ "rounds 3\n", "has no case line" },
		{ "case\nround 3\n", "line 2: 'round' is no statement of a plan" },
		{ "case\nrounds\n", "line 2: 'rounds' takes one value" },
		{ "case\nrounds 3 4\n", "line 2: 'rounds' takes one value" },
		{ "case\nrounds 0\n", "line 2: '0' is no number of rounds" },
		{ "warmup -1\ncase\n", "line 1: '-1' is no number of warm-up rounds" },
		{ "size big\ncase\n", "line 1: 'big' is no size" },
		{ "case chunk\n", "line 1: 'chunk' is no condition of a case" },
		{ "case colour=blue\n", "line 1: 'colour' is no condition of a case" },
		{ "\n\ncase chunk=1\n", "line 3: '1' is no chunk size" },
		{ "case cache=hot\n", "line 1: there is no cache state 'hot'" },
		{ "case sink=swim\n", "line 1: there is no sink 'swim'" },
		{ "case method=fax\n", "line 1: there is no method 'fax'" },
		{ "case rounds=0\n", "line 1: '0' is no number of rounds" },
	};
	struct plan plan;
	struct failure why;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(load(bad[i].text, &plan, &why) < 0);
		assert_says(&why, bad[i].says);
	}
}

static void refuses_monstrous_plans(void **state)
{
	char text[PLAN_LINES_MAX * 5 + 16] = "", line[4096];
	struct plan plan;
	struct failure why;

	(void)state;
	for (int i = 0; i < PLAN_LINES_MAX; i++)
		strcat(text, "case\n");
	assert_int_equal(load(text, &plan, &why), 0);
	strcat(text, "case\n");
	assert_true(load(text, &plan, &why) < 0);
	assert_says(&why, "line 65: more than 64 case lines");
	memset(line, ' ', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_true(load(line, &plan, &why) < 0);
	assert_says(&why, "line 1: the line is too long");
}

static void refuses_files(void **state)
{
	struct plan plan = { 0 };
	struct failure why = { 0 };

	(void)state;
	assert_true(plan_load(&plan, "/nonexistent/plan", &why) < 0);
	assert_says(&why, "can't read the plan /nonexistent/plan: No such file");
	memset(&why, 0, sizeof(why));
	assert_true(plan_load(&plan, "/tmp", &why) < 0);
	assert_says(&why, "can't read the plan /tmp: Is a directory");
}

/* The plans that ship are plans. */
static void ships_good_plans(void **state)
{
	static const char *const plans[] = { "bench/plans/bench.plan", "bench/plans/quick.plan",
						     "bench", "quick" }; /* the same, built in */

	(void)state;
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		struct plan plan = { .warmup = -1 };
		struct failure why = { 0 };

		if (strchr(plans[i], '/') && access(plans[i], R_OK))
			skip();
		assert_int_equal(plan_load(&plan, plans[i], &why), 0);
		assert_true(plan.rounds > 0 && plan.size_given);
	}
}

static struct plan_case *expand(const char *text, const struct plan_line *override, size_t *count)
{
	struct plan_case *cases = NULL;
	struct plan plan;
	struct failure why;

	assert_int_equal(load(text, &plan, &why), 0);
	if (!plan.rounds)
		plan.rounds = 10;
	assert_int_equal(plan_expand(&plan, override, &cases, count, &why), 0);
	return cases;
}

static void fills_in_what_nobody_said(void **state)
{
	static const struct plan plan = { .rounds = 4 };
	static const struct plan_line nothing;
	struct plan_case *cases;
	struct failure why = { 0 };
	size_t count;

	(void)state;
	assert_int_equal(plan_expand(&plan, &nothing, &cases, &count, &why), 0);
	assert_int_equal(count, 5); /* the classic ones */
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(cases[i].method, methods[i]);
		assert_int_equal(cases[i].chunk, CHUNK_DEFAULT);
		assert_int_equal(cases[i].cache, CACHE_WARM);
		assert_int_equal(cases[i].sink, SINK_DRAIN);
		assert_int_equal(cases[i].rounds, 4);
	}
	free(cases);
}

static void expands_products_in_order(void **state)
{
	static const struct plan_line nothing;
	size_t count;
	struct plan_case *cases = expand(
		"case chunk=32K,4K cache=cold,warm sink=truncate,drain methods=splice,read_write\n",
		&nothing, &count);

	(void)state;
	assert_int_equal(count, 16);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(cases[i].chunk, i < 8 ? 32768 : 4096);
		assert_int_equal(cases[i].cache, i / 4 % 2 ? CACHE_COLD : CACHE_WARM);
		assert_int_equal(cases[i].sink, i / 2 % 2 ? SINK_TRUNCATE : SINK_DRAIN);
		assert_string_equal(cases[i].method->name, i % 2 ? "splice" : "read_write");
	}
	free(cases);
}

static void merges_duplicates(void **state)
{
	static const struct plan_line nothing;
	size_t count;
	struct plan_case *cases = expand("rounds 20\n"
					 "case methods=sendfile chunk=32K,32K,4K rounds=5\n"
					 "case methods=sendfile,sendfile chunk=4K rounds=8\n"
					 "case methods=sendfile chunk=32K rounds=2\n",
					 &nothing, &count);

	(void)state;
	assert_int_equal(count, 2);
	assert_int_equal(cases[0].chunk, 32768);
	assert_int_equal(cases[0].rounds, 5);
	assert_int_equal(cases[1].chunk, 4096);
	assert_int_equal(cases[1].rounds, 8);
	free(cases);
}

static void a_case_asks_for_fewer_rounds_not_more(void **state)
{
	static const struct plan_line nothing;
	size_t count;
	struct plan_case *cases = expand("rounds 6\ncase methods=sendfile rounds=60\n"
					 "case methods=splice rounds=2\ncase methods=read_write\n",
					 &nothing, &count);

	(void)state;
	assert_int_equal(count, 3);
	assert_int_equal(cases[0].rounds, 6);
	assert_int_equal(cases[1].rounds, 2);
	assert_int_equal(cases[2].rounds, 6);
	free(cases);
}

static void the_command_line_replaces(void **state)
{
	struct plan_line override = { 0 };
	struct failure why = { 0 };
	struct plan_case *cases;
	size_t count;

	(void)state;
	assert_int_equal(plan_methods(&override, "splice", &why), 0);
	assert_int_equal(plan_chunks(&override, "64K,whole", &why), 0);
	cases = expand("rounds 6\ncase methods=all chunk=4K rounds=2\ncase chunk=1M cache=cold sink=splice\n",
		       &override, &count);
	assert_int_equal(count, 4);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(cases[i].method->name, "splice");
		assert_int_equal(cases[i].chunk, i % 2 ? 0 : 65536);
		/* what the command line did not say is the plan's */
		assert_int_equal(cases[i].cache, i < 2 ? CACHE_WARM : CACHE_COLD);
		assert_int_equal(cases[i].sink, i < 2 ? SINK_DRAIN : SINK_SPLICE);
		assert_int_equal(cases[i].rounds, i < 2 ? 2 : 6);
	}
	free(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),
		cmocka_unit_test(refuses_items),
		cmocka_unit_test(refuses_long_lists),
		cmocka_unit_test(numbers),
		cmocka_unit_test(loads),
		cmocka_unit_test(refuses_plans),
		cmocka_unit_test(refuses_monstrous_plans),
		cmocka_unit_test(refuses_files),
		cmocka_unit_test(ships_good_plans),
		cmocka_unit_test(fills_in_what_nobody_said),
		cmocka_unit_test(expands_products_in_order),
		cmocka_unit_test(merges_duplicates),
		cmocka_unit_test(a_case_asks_for_fewer_rounds_not_more),
		cmocka_unit_test(the_command_line_replaces),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
