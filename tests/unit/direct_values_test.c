// SPDX-License-Identifier: MIT
#include "analysis/direct_values.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "near.h"

static json_t *loads(const char *text)
{
	json_error_t error;
	json_t *doc = json_loads(text, 0, &error);

	if (!doc)
		print_error("%s at %d\n", error.text, error.position);
	assert_non_null(doc);
	return doc;
}

/* Two sittings: near and at one speed, far and at half of it. */
static json_t *two_sittings(void)
{
	return loads(
		"{\"measurements\": ["
		" {\"id\": \"handed_copy\", \"unit\": \"s per GB\", \"sittings\": ["
		"  {\"samples\": [0.10, 0.11, 0.12], \"yardstick_s\": 1e-3, \"core_latency_s\": 1.2e-7},"
		"  {\"samples\": [0.30, 0.31, 0.32], \"yardstick_s\": 2e-3, \"core_latency_s\": 4.5e-7}]},"
		" {\"id\": \"fault_pages\", \"unit\": \"pages per fault\", \"sittings\": ["
		"  {\"samples\": [16, 16, 16], \"yardstick_s\": 1e-3},"
		"  {\"samples\": [16, 16, 16], \"yardstick_s\": 2e-3}]}]}");
}

static const json_t *measurement(const json_t *direct, size_t i)
{
	return json_array_get(json_object_get(direct, "measurements"), i);
}

static const char *reason(const json_t *direct, size_t i)
{
	return json_string_value(json_object_get(measurement(direct, i), "reason"));
}

static void a_value_is_the_median_of_all_sittings(void **state)
{
	json_t *direct = two_sittings(), *more = two_sittings();
	double low, high;

	(void)state;
	direct_summarise(direct);
	assert_near(direct_value(direct, "handed_copy", &low, &high), 0.21, 1e-12);
	assert_near(low, 0.10, 1e-12);
	assert_near(high, 0.32, 1e-12);
	assert_int_equal(json_integer_value(json_object_get(measurement(direct, 0), "n")), 6);
	direct_add(direct, more);
	assert_near(direct_value(direct, "handed_copy", &low, &high), 0.21, 1e-12);
	assert_int_equal(json_integer_value(json_object_get(measurement(direct, 0), "n")), 12);
	assert_true(isnan(direct_value(direct, "nothing", NULL, NULL)));
	json_decref(more);
	json_decref(direct);
}

/* Each sitting by its own yardstick; pages per fault are no time. */
static void sittings_are_brought_to_one_speed(void **state)
{
	json_t *direct = two_sittings(), *scaled;

	(void)state;
	direct_summarise(direct);
	scaled = direct_at_speed(direct, 1e-3);
	/* 0.10, 0.11, 0.12, 0.15, 0.155, 0.16 */
	assert_near(direct_value(scaled, "handed_copy", NULL, NULL), 0.135, 1e-12);
	assert_near(direct_value(scaled, "fault_pages", NULL, NULL), 16, 0);
	/* the document itself stays as it was taken */
	assert_near(direct_value(direct, "handed_copy", NULL, NULL), 0.21, 1e-12);
	json_decref(scaled);
	scaled = direct_at_speed(direct, NAN);
	assert_near(direct_value(scaled, "handed_copy", NULL, NULL), 0.21, 1e-12);
	json_decref(scaled);
	json_decref(direct);
	assert_null(direct_at_speed(NULL, 1));
}

static void sittings_at_another_distance_are_taken_out(void **state)
{
	json_t *direct = two_sittings();

	(void)state;
	assert_int_equal(direct_sittings_at(direct, 125e-9), 1);
	assert_int_equal(direct_sittings_at(direct, 450e-9), 1);
	assert_int_equal(direct_sittings_at(direct, 5e-9), 0);
	assert_true(direct_sittings_at(direct, NAN) == SIZE_MAX);
	assert_true(direct_sittings_at(NULL, 125e-9) == SIZE_MAX);
	direct_drop_apart(direct, NAN);
	direct_summarise(direct);
	assert_near(direct_value(direct, "handed_copy", NULL, NULL), 0.21, 1e-12);
	direct_drop_apart(direct, 125e-9);
	assert_near(direct_value(direct, "handed_copy", NULL, NULL), 0.11, 1e-12);
	assert_near(direct_value(direct, "fault_pages", NULL, NULL), 16, 0);
	/* now the other one, too */
	direct_drop_apart(direct, 450e-9);
	assert_true(isnan(direct_value(direct, "handed_copy", NULL, NULL)));
	assert_non_null(strstr(reason(direct, 0), "120 ns) than in the run (450 ns)"));
	assert_null(json_object_get(measurement(direct, 0), "low"));
	json_decref(direct);
}

static void what_no_sitting_found_has_the_reason(void **state)
{
	json_t *direct = loads(
		"{\"measurements\": ["
		" {\"id\": \"a\", \"sittings\": [{\"samples\": [], \"reason\": \"no disk\"}]},"
		" {\"id\": \"b\", \"sittings\": [{\"samples\": [null, null]}]},"
		" {\"id\": \"c\", \"sittings\": [{\"samples\": [-1, -2, 1]}]},"
		" {\"id\": \"d\", \"sittings\": [{\"samples\": [], \"reason\": \"no disk\"}, {\"samples\": [3, null]}]},"
		" {\"id\": \"e\", \"value\": 5, \"low\": 4, \"high\": 6}]}");

	(void)state;
	direct_summarise(direct);
	assert_string_equal(reason(direct, 0), "no disk");
	assert_string_equal(reason(direct, 1), "every sample failed");
	assert_non_null(strstr(reason(direct, 2), "too noisy"));
	/* one sitting is better than none */
	assert_near(direct_value(direct, "d", NULL, NULL), 3, 0);
	assert_null(reason(direct, 3));
	/* older results have no sittings */
	assert_near(direct_value(direct, "e", NULL, NULL), 5, 0);
	json_decref(direct);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_the_median_of_all_sittings),
		cmocka_unit_test(sittings_are_brought_to_one_speed),
		cmocka_unit_test(sittings_at_another_distance_are_taken_out),
		cmocka_unit_test(what_no_sitting_found_has_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
