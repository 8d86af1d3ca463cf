// SPDX-License-Identifier: MIT
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include "analysis/host_speed.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "near.h"

static void add(struct case_result *c, double yardstick, bool warmup)
{
	long row = samples_add(&c->samples);

	assert_true(row >= 0);
	c->samples.value[SAMPLE_YARDSTICK_S][row] = yardstick;
	c->samples.value[SAMPLE_WARMUP][row] = warmup;
}

static void without_a_yardstick_it_says_so(void **state)
{
	struct result *r = result_new();
	struct host_speed speed;
	json_t *json;

	(void)state;
	add(result_add_case(r), NAN, false);
	assert_int_equal(host_speed(r, &speed), 0);
	assert_int_equal(speed.n, 0);
	assert_true(isnan(speed.median_s));
	json = host_speed_json(&speed);
	assert_true(json_is_null(json_object_get(json, "median_s")));
	assert_non_null(json_string_value(json_object_get(json, "reason")));
	json_decref(json);
	result_free(r);
}

/* 0 … 100 ms over two cases: quantiles that can be read off; warm-up and unknown samples stay out. */
static void quantiles_of_all_cases(void **state)
{
	struct result *r = result_new();
	struct host_speed speed;
	struct case_result *c;

	(void)state;
	c = result_add_case(r);
	for (int i = 50; i <= 100; i++)
		add(c, i * 1e-3, false);
	c = result_add_case(r);
	for (int i = 1; i < 50; i++)
		add(c, i * 1e-3, false);
	add(c, 5, true);
	add(c, NAN, false);
	assert_int_equal(host_speed(r, &speed), 0);
	assert_int_equal(speed.n, 100);
	assert_near(speed.median_s, 50.5e-3, 1e-9);
	assert_near(speed.low_s, 10.9e-3, 1e-9);
	assert_near(speed.high_s, 90.1e-3, 1e-9);
	result_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_yardstick_it_says_so),
		cmocka_unit_test(quantiles_of_all_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
