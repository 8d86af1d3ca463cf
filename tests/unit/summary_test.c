// SPDX-License-Identifier: MIT
/* What a case's samples say. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/summary.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "near.h"

#define GB 1000000000u

static void add_case(struct result *r, const char *method, const char *cache, uint64_t chunk)
{
	struct case_result *c = result_add_case(r);

	assert_non_null(c);
	c->method = strdup(method);
	c->cache = strdup(cache);
	c->sink = strdup("drain");
	c->link = strdup("tcp");
	c->chunk = chunk;
	c->payload = 2 * (uint64_t)GB;
	c->connections = 1;
}

static void add_sample(struct case_result *c, unsigned int round, bool warmup, double wall, double sender,
		       double receiver)
{
	long i = samples_add(&c->samples);

	assert_true(i >= 0);
	c->samples.value[SAMPLE_WALL_S][i] = wall;
	c->samples.value[SAMPLE_SENDER_CPU_S][i] = sender;
	c->samples.value[SAMPLE_RECEIVER_CPU_S][i] = receiver;
	c->samples.value[SAMPLE_ROUND][i] = round;
	c->samples.value[SAMPLE_WARMUP][i] = warmup;
}

static struct result *one_case(void)
{
	struct result *r = result_new();

	assert_non_null(r);
	add_case(r, "sendfile", "warm", 32768);
	return r;
}

static void leaves_warm_up_out(void **state)
{
	struct result *r = one_case();
	struct case_summary s;

	(void)state;
	add_sample(&r->cases[0], 0, true, 100, 100, 100);
	add_sample(&r->cases[0], 1, false, 2, 1, 3);
	add_sample(&r->cases[0], 2, false, 4, 3, 5);
	add_sample(&r->cases[0], 3, false, 8, 2, 1);
	assert_int_equal(summarize(r, &r->cases[0], &s), 0);
	assert_int_equal(s.field[SAMPLE_WALL_S].n, 3);
	assert_near(s.field[SAMPLE_WALL_S].median, 4, 1e-12);
	assert_near(s.field[SAMPLE_WALL_S].high, 8, 1e-12);
	/* 2 GB in 4 s */
	assert_near(s.throughput.median, 0.5e9, 1e-3);
	assert_near(s.sender_cpu_per_gb.median, 1, 1e-12);
	assert_near(s.receiver_cpu_per_gb.median, 1.5, 1e-12);
	/* the median of the sums, not the sum of the medians: 4, 8, 3 → 4 */
	assert_near(s.total_cpu_per_gb.median, 2, 1e-12);
	/* columns nobody filled are unknown, not 0 */
	assert_int_equal(s.field[SAMPLE_STEAL_S].n, 0);
	assert_true(isnan(s.field[SAMPLE_STEAL_S].median));
	result_free(r);
}

static void no_sample_no_number(void **state)
{
	struct result *r = one_case();
	struct case_summary s;
	json_t *json;

	(void)state;
	assert_int_equal(summarize(r, &r->cases[0], &s), 0);
	assert_int_equal(s.field[SAMPLE_WALL_S].n, 0);
	assert_true(isnan(s.throughput.median) && isnan(s.sender_cpu_per_gb.median));
	assert_null(s.baseline);
	json = summary_json(r, &r->cases[0]);
	assert_true(json_is_null(
		json_object_get(json_object_get(json, "throughput_bytes_per_s"), "median")));
	assert_true(json_is_string(
		json_object_get(json_object_get(json, "throughput_bytes_per_s"), "reason")));
	json_decref(json);
	result_free(r);
}

static void an_empty_payload_has_no_cost_per_byte(void **state)
{
	struct result *r = one_case();
	struct case_summary s;
	json_t *json;

	(void)state;
	r->cases[0].payload = 0;
	add_sample(&r->cases[0], 0, false, 0.001, 0.001, 0.001);
	assert_int_equal(summarize(r, &r->cases[0], &s), 0);
	assert_true(isnan(s.sender_cpu_per_gb.median) && isnan(s.total_cpu_per_gb.median));
	json = summary_json(r, &r->cases[0]);
	json = json_object_get(json, "cpu_s_per_gb") ? json : NULL;
	assert_non_null(json);
	assert_true(json_is_null(json_object_get(
		json_object_get(json_object_get(json, "cpu_s_per_gb"), "sender"), "median")));
	json_decref(json);
	result_free(r);
}

/* The machine gets slower from round to round: ratios within a round don't care, ratios of medians would. */
static void ratios_pair_within_rounds(void **state)
{
	static const double slow[] = { 1, 10, 3, 50, 7 };
	struct result *r = result_new();
	struct case_summary s;

	(void)state;
	add_case(r, "read_write", "warm", 32768);
	add_case(r, "sendfile", "warm", 32768);
	/* a warm-up in which everything is different */
	add_sample(&r->cases[0], 0, true, 1, 1, 1);
	add_sample(&r->cases[1], 0, true, 9, 9, 9);
	for (unsigned int i = 0; i < 5; i++)
		add_sample(&r->cases[0], i + 1, false, slow[i], slow[i], slow[i]);
	/* in another order, and without a sample of round 3 */
	for (unsigned int i = 5; i-- > 0;)
		if (i != 2)
			add_sample(&r->cases[1], i + 1, false, slow[i] / 2, slow[i] / 4, slow[i]);
	assert_int_equal(summarize(r, &r->cases[1], &s), 0);
	assert_ptr_equal(s.baseline, &r->cases[0]);
	assert_int_equal(s.wall_ratio.n, 4);
	assert_near(s.wall_ratio.low, 0.5, 1e-12);
	assert_near(s.wall_ratio.median, 0.5, 1e-12);
	assert_near(s.wall_ratio.high, 0.5, 1e-12);
	assert_near(s.sender_cpu_ratio.median, 0.25, 1e-12);
	assert_near(s.total_cpu_ratio.median, 0.625, 1e-12);
	/* the baseline against itself */
	assert_int_equal(summarize(r, &r->cases[0], &s), 0);
	assert_near(s.sender_cpu_ratio.low, 1, 0);
	assert_near(s.sender_cpu_ratio.high, 1, 0);
	result_free(r);
}

static void divides_only_by_its_like(void **state)
{
	struct result *r = result_new();
	struct case_summary s;

	(void)state;
	add_case(r, "read_write", "warm", 32768);
	add_case(r, "read_write", "cold", 32768);
	add_case(r, "sendfile", "warm", 4096);
	add_case(r, "sendfile", "cold", 32768);
	add_case(r, "direct_write", "warm", 32768);
	add_case(r, "direct_write", "cold", 32768);
	add_case(r, "direct_write", "cold", 4096);
	for (size_t i = 0; i < r->case_count; i++)
		add_sample(&r->cases[i], 0, false, 1, 1, 1);
	assert_int_equal(summarize(r, &r->cases[2], &s), 0);
	assert_null(s.baseline); /* another chunk */
	assert_int_equal(summarize(r, &r->cases[3], &s), 0);
	assert_ptr_equal(s.baseline, &r->cases[1]);
	/* direct I/O reads the disk whatever is in the cache: compared with a cold read_write */
	assert_int_equal(summarize(r, &r->cases[4], &s), 0);
	assert_ptr_equal(s.baseline, &r->cases[1]);
	assert_int_equal(summarize(r, &r->cases[5], &s), 0);
	assert_ptr_equal(s.baseline, &r->cases[1]);
	assert_int_equal(summarize(r, &r->cases[6], &s), 0);
	assert_null(s.baseline);
	result_free(r);
}

static void a_baseline_of_nothing_is_none(void **state)
{
	struct result *r = result_new();
	struct case_summary s;

	(void)state;
	add_case(r, "read_write", "warm", 32768);
	add_case(r, "sendfile", "warm", 32768);
	add_sample(&r->cases[1], 0, false, 1, 1, 1);
	assert_int_equal(summarize(r, &r->cases[1], &s), 0);
	assert_null(s.baseline);
	/* and one that took no time at all gives no infinite ratio */
	add_sample(&r->cases[0], 0, false, 0, 0, 0);
	assert_int_equal(summarize(r, &r->cases[1], &s), 0);
	assert_int_equal(s.wall_ratio.n, 0);
	assert_true(isnan(s.wall_ratio.median));
	result_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_warm_up_out),
		cmocka_unit_test(no_sample_no_number),
		cmocka_unit_test(an_empty_payload_has_no_cost_per_byte),
		cmocka_unit_test(ratios_pair_within_rounds),
		cmocka_unit_test(divides_only_by_its_like),
		cmocka_unit_test(a_baseline_of_nothing_is_none),
	};

	return cmocka_run_group_tests_name("summary", tests, NULL, NULL);
}
