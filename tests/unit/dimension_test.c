// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "result/result.h"
#include "study/dimension.h"
#include "study/feasible.h"
#include "study/plan.h"
#include "study/study.h"

/* after the above: it defines fail() */
#include <cmocka.h>

static struct plan_case *expand(const struct plan_line *line, size_t *count)
{
	const struct plan plan = { .rounds = 3 };
	struct plan_case *cases = NULL;
	struct failure why = { 0 };

	assert_int_equal(plan_expand(&plan, line, &cases, count, &why), 0);
	return cases;
}

static void set(struct plan_line *line, enum dimension d, const char *list)
{
	struct failure why = { 0 };

	assert_int_equal(dimension_parse(d, &line->conditions[d], list, &why), 0);
}

/* What a default is called must read back as that default, for every dimension. */
static void formats_as_it_parses(void **state)
{
	(void)state;
	for (enum dimension d = 0; d < DIMENSIONS; d++) {
		union dimension_value usual = dimension_default(d);
		struct dimension_list list = { 0 };
		struct failure why = { 0 };
		char text[DIMENSION_TEXT_MAX];

		dimension_format(d, &usual, text);
		assert_int_equal(dimension_parse(d, &list, text, &why), 0);
		assert_int_equal(list.count, 1);
		assert_memory_equal(&list.value[0], &usual, sizeof(usual));
		assert_int_equal(dimension_find(dimensions[d].name), d);
		assert_int_equal(dimension_find(dimensions[d].key), d);
	}
	assert_int_equal(dimension_find("colour"), DIMENSIONS);
}

static void refuses(void **state)
{
	static const struct {
		enum dimension d;
		const char *list, *says;
	} bad[] = {
		{ DIM_LINK, "ether", "there is no link 'ether'; there are: tcp, unix, veth" },
		{ DIM_CONNECTIONS, "0", "is no number of connections" },
		{ DIM_CONNECTIONS, "4097", "is no number of connections" },
		{ DIM_MTU, "100", "'100' is no MTU: use 576 to 65535" },
		{ DIM_SNDBUF, "1", "is no socket buffer size" },
		{ DIM_LEAD, "65537", "'65537' is no lead: use 0 to 65536 bytes" },
		{ DIM_LEAD, "auto", "is no lead" },
		{ DIM_GATHER, "maybe", "--scatter-gather takes 'on' or 'off'" },
		{ DIM_CONGESTION, "abcdefghijklmnopq", "is no congestion control's name" },
		{ DIM_SIZE, "1M,", "has an empty item" },
		{ DIM_EACH, "half", "there is no share 'half'; there are: share, whole" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct dimension_list list = { 0 };
		struct failure why = { 0 };

		assert_true(dimension_parse(bad[i].d, &list, bad[i].list, &why) < 0);
		assert_int_equal(why.exit_code, EXIT_WRONG_USE);
		assert_non_null(strstr(why.text, bad[i].says));
	}
}

/* Conditions that mean nothing on a link must not multiply its cases. */
static void settles(void **state)
{
	struct plan_line line = { .methods = 1 };
	struct plan_case *cases;
	size_t count;
	int of[LINKS] = { 0 };

	(void)state;
	set(&line, DIM_LINK, "tcp,unix,veth");
	set(&line, DIM_MTU, "1500,9000");
	set(&line, DIM_LEAD, "0,256");
	set(&line, DIM_CONGESTION, "reno,cubic");
	set(&line, DIM_OFFLOAD, "on,off");
	set(&line, DIM_GATHER, "on,off");
	set(&line, DIM_FILES, "one,many");
	cases = expand(&line, &count);
	for (size_t i = 0; i < count; i++)
		of[cases[i].link.kind]++;
	assert_int_equal(of[LINK_TCP], 4);
	assert_int_equal(of[LINK_UNIX], 1);
	/* 2 leads × 2 MTUs × 2 congestion controls × (on on, off on, off off) */
	assert_int_equal(of[LINK_VETH], 24);
	free(cases);
}

static void shares(void **state)
{
	struct plan_line line = { .methods = 1 };
	struct plan_case *cases;
	size_t count;

	(void)state;
	set(&line, DIM_SIZE, "1000003");
	set(&line, DIM_CONNECTIONS, "4");
	set(&line, DIM_EACH, "share,whole");
	cases = expand(&line, &count);
	assert_int_equal(count, 2);
	assert_int_equal(plan_share(&cases[0]), 250000);
	assert_int_equal(plan_payload(&cases[0]), 1000000);
	assert_int_equal(plan_share(&cases[1]), 1000003);
	assert_int_equal(plan_payload(&cases[1]), 4000012);
	free(cases);
}

static void refuses_monstrous_products(void **state)
{
	const struct plan plan = { .rounds = 1 };
	struct plan_line line = { 0 };
	struct plan_case *cases = NULL;
	struct failure why = { 0 };
	size_t count;
	char list[512] = "1";

	(void)state;
	for (int i = 2; i <= 20; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), ",%d", i);
	set(&line, DIM_CONNECTIONS, list);
	set(&line, DIM_SIZE, list);
	set(&line, DIM_LINK, "tcp,unix");
	set(&line, DIM_CACHE, "warm,cold,half");
	assert_true(plan_expand(&plan, &line, &cases, &count, &why) < 0);
	assert_int_equal(why.exit_code, EXIT_WRONG_USE);
	assert_null(cases);
}

static void takes_one_value_for_one_transfer(void **state)
{
	struct plan_line line = { 0 };
	struct failure why = { 0 };
	struct plan_case c;

	(void)state;
	set(&line, DIM_CHUNK, "4K");
	assert_int_equal(plan_single(&line, method_find("sendfile"), &c, &why), 0);
	assert_int_equal(c.chunk, 4096);
	assert_string_equal(c.method->name, "sendfile");
	set(&line, DIM_CHUNK, "4K,8K");
	assert_true(plan_single(&line, method_find("sendfile"), &c, &why) < 0);
	assert_int_equal(why.exit_code, EXIT_WRONG_USE);
}

static struct case_result *result_case(struct result *r, const struct plan_case *c)
{
	struct case_result *out = result_add_case(r);

	assert_non_null(out);
	out->method = strdup("sendfile");
	out->cache = strdup("warm");
	out->sink = strdup("drain");
	out->link = strdup(link_names[c->link.kind]);
	out->chunk = c->chunk;
	out->connections = c->connections;
	out->payload = plan_payload(c);
	case_conditions(c, out->conditions);
	return out;
}

static bool same(struct plan_line *a, struct plan_line *b, const char *but)
{
	struct result *r = result_new();
	struct plan_case *x, *y;
	size_t n;
	bool is;

	a->methods = b->methods = 1;
	x = expand(a, &n);
	y = expand(b, &n);
	result_case(r, x);
	result_case(r, y);
	is = case_same_conditions(&r->cases[0], &r->cases[1], but, NULL);
	assert_int_equal(is, case_same_conditions(&r->cases[1], &r->cases[0], but, NULL));
	result_free(r);
	free(x);
	free(y);
	return is;
}

static void tells_conditions_apart(void **state)
{
	struct plan_line usual = { 0 }, other = { 0 };

	(void)state;
	assert_true(same(&usual, &other, NULL));
	set(&other, DIM_SNDBUF, "64K");
	assert_false(same(&usual, &other, NULL));
	assert_true(same(&usual, &other, "sndbuf"));
	assert_false(same(&usual, &other, "rcvbuf"));
	/* what follows from a condition goes with it */
	other = (struct plan_line){ 0 };
	set(&other, DIM_LINK, "unix");
	assert_false(same(&usual, &other, NULL));
	assert_true(same(&usual, &other, "link"));
	other = (struct plan_line){ 0 };
	set(&other, DIM_CONNECTIONS, "7");
	assert_true(same(&usual, &other, "connections"));
	other = (struct plan_line){ 0 };
	set(&other, DIM_SIZE, "1M");
	assert_false(same(&usual, &other, "connections"));
	assert_true(same(&usual, &other, "size"));
}

static void says_what_cannot_be(void **state)
{
	static const struct refusals none;
	struct plan_line line = { .methods = 1 };
	struct plan_case *cases;
	char reason[256] = "";
	size_t count;

	(void)state;
	set(&line, DIM_LINK, "unix");
	set(&line, DIM_SINK, "truncate");
	cases = expand(&line, &count);
	assert_true(feasible(cases, &none, reason, sizeof(reason)) < 0);
	assert_non_null(strstr(reason, "MSG_TRUNC"));
	free(cases);
	line = (struct plan_line){ .methods = 1 };
	set(&line, DIM_SIZE, "1000T");
	cases = expand(&line, &count);
	assert_true(feasible(cases, &none, reason, sizeof(reason)) < 0);
	assert_non_null(strstr(reason, "--cache cold"));
	cases[0].cache = CACHE_COLD;
	assert_int_equal(feasible(cases, &none, reason, sizeof(reason)), 0);
	free(cases);
	line = (struct plan_line){ .methods = 1 };
	set(&line, DIM_LINK, "veth");
	cases = expand(&line, &count);
	assert_int_equal(feasible(cases, &none, reason, sizeof(reason)), 0);
	assert_true(feasible(cases, &(struct refusals){ .veth = "needs root" }, reason,
			     sizeof(reason)) < 0);
	assert_string_equal(reason, "needs root");
	free(cases);
}

static void guesses_more_for_more(void **state)
{
	struct plan_line line = { .methods = 1 };
	struct plan_case *cases;
	double small, large, longest, shortest;
	size_t count;

	(void)state;
	set(&line, DIM_SIZE, "1M,32G");
	cases = expand(&line, &count);
	assert_int_equal(count, 2);
	small = study_guess(&cases[0], 1, 1, 3, &shortest);
	large = study_guess(&cases[1], 1, 1, 3, &longest);
	assert_true(small > 0 && shortest > 0 && shortest <= small);
	assert_true(large > 100 * small && longest > shortest);
	free(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_as_it_parses),
		cmocka_unit_test(refuses),
		cmocka_unit_test(settles),
		cmocka_unit_test(shares),
		cmocka_unit_test(refuses_monstrous_products),
		cmocka_unit_test(takes_one_value_for_one_transfer),
		cmocka_unit_test(tells_conditions_apart),
		cmocka_unit_test(says_what_cannot_be),
		cmocka_unit_test(guesses_more_for_more),
	};

	return cmocka_run_group_tests_name("dimension", tests, NULL, NULL);
}
