// SPDX-License-Identifier: MIT
/* Claims against made-up counts: a missing number never confirms, and a copy that was seen always refutes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/claims.h"
#include "analysis/reason.h"

#include <cmocka.h>

#include "made.h"

#define CHUNK 32768
#define CHUNKS 10000
#define PAYLOAD ((uint64_t)CHUNK * CHUNKS)

static const char refused[] =
	"fexit f: EPERM at load (refused here); kretprobe f: ENOENT at load (no kprobes)";

static struct case_result *add_case(struct result *r, const char *method, double wall, double cpu,
				    double swing)
{
	struct case_result *c = made_case(r, method);

	c->chunk = CHUNK;
	c->payload = PAYLOAD;
	for (int i = 0; i < 9; i++) {
		long row = samples_add(&c->samples);

		assert_true(row >= 0);
		for (int f = 0; f < SAMPLE_FIELDS; f++)
			c->samples.value[f][row] = 0;
		c->samples.value[SAMPLE_WALL_S][row] = wall * (i % 2 ? 1 + swing : 1 - swing);
		c->samples.value[SAMPLE_SENDER_CPU_S][row] = cpu;
		c->samples.value[SAMPLE_RECEIVER_CPU_S][row] = cpu;
		c->samples.value[SAMPLE_ROUND][row] = i;
	}
	return c;
}

static void copied(struct case_result *c, const char *site, double times)
{
	json_object_set_new(c->copies, site,
			    isnan(times) ? json_pack("{s:n, s:s}", "bytes", "reason", refused)
					 : json_pack("{s:I, s:s}", "bytes",
						     (json_int_t)(times * (double)PAYLOAD),
						     "source", "test"));
}

static void copies(struct case_result *c, double file_to_user, double user_to_socket, double rest)
{
	copied(c, "file_to_user", file_to_user);
	copied(c, "user_to_socket", user_to_socket);
	copied(c, "file_to_kernel", rest);
	copied(c, "deferred", rest);
}

static struct result *two(double wall, double swing)
{
	struct result *r = result_new();

	assert_non_null(r);
	json_object_set_new(r->settings, "chunk_default", json_integer(CHUNK));
	add_case(r, "read_write", 0.3, 0.3, 0);
	add_case(r, "sendfile", wall, 0.1, swing);
	return r;
}

static void expect(const struct result *r, const char *id, const char *verdict, const char *part)
{
	json_t *claims = claims_test(r), *claim;
	size_t i;

	assert_non_null(claims);
	json_array_foreach(claims, i, claim)
	{
		char *text = json_dumps(claim, JSON_SORT_KEYS);

		if (!strcmp(json_string_value(json_object_get(claim, "id")), id)) {
			assert_string_equal(json_string_value(json_object_get(claim, "verdict")),
					    verdict);
			if (!strstr(text, part))
				print_error("no \"%s\" in %s\n", part, text);
			assert_non_null(strstr(text, part));
		}
		assert_null(strstr(text, "nan"));
		free(text);
	}
	json_decref(claims);
}

static void faster_is_about_wall_time(void **state)
{
	struct result *r = two(0.1, 0.01);

	(void)state;
	expect(r, "zero_copy_cheaper", "confirmed", "So it is here");
	result_free(r);
	r = two(0.3, 0.2);
	expect(r, "zero_copy_cheaper", "cant_tell", "cheaper in CPU but not proven faster");
	result_free(r);
	r = two(0.6, 0.01);
	expect(r, "zero_copy_cheaper", "corrected",
	       "slower by the clock here, and its sender CPU is lower");
	result_free(r);
}

static void few_rounds_prove_nothing(void **state)
{
	struct result *r = two(0.1, 0.01);

	(void)state;
	r->cases[1].samples.count = 3;
	expect(r, "zero_copy_cheaper", "cant_tell", "Too few rounds (3)");
	result_free(r);
}

static void a_missing_site_is_named(void **state)
{
	struct result *r = two(0.1, 0);

	(void)state;
	copies(&r->cases[0], 1, 1, NAN);
	copies(&r->cases[1], 0, 0, NAN);
	expect(r, "two_copies", "cant_tell",
	       "file_to_kernel and deferred, not counted here: refused here");
	expect(r, "sendfile_zero_copy", "cant_tell",
	       "No copy by sendfile at the sites that were counted");
	copies(&r->cases[0], 1, 1, 0);
	copies(&r->cases[1], 0, 0, 0);
	expect(r, "two_copies", "confirmed", "2.00 copies per byte");
	expect(r, "sendfile_zero_copy", "confirmed", "Zero on the sending side only");
	result_free(r);
}

static void a_copy_refutes_without_the_rest(void **state)
{
	struct result *r = two(0.1, 0);

	(void)state;
	copies(add_case(r, "mmap_write", 0.2, 0.2, 0), 0, 1, NAN);
	expect(r, "mmap_zero_copy", "corrected", "At least 1.00 copies per byte");
	result_free(r);
}

static void nothing_was_counted(void **state)
{
	struct result *r = two(0.1, 0);

	(void)state;
	expect(r, "ten_thousand_rounds", "cant_tell", "for want of a counting pass");
	expect(r, "splice_zero_copy", "cant_tell", "splice was not measured");
	result_free(r);
}

static void reasons_are_short(void **state)
{
	char out[REASON_SHORT_MAX], longest[400];

	(void)state;
	assert_string_equal(reason_short(refused, out), "refused here");
	assert_string_equal(reason_short("fexit f: not in this kernel (6.5 and newer)", out),
			    "fexit f: not in this kernel (6.5 and newer)");
	assert_string_equal(reason_short("fexit f: EPERM at attach (a (nested) word)", out),
			    "a (nested) word");
	assert_string_equal(reason_short(NULL, out), "not counted");
	assert_string_equal(reason_short("; x", out), "");
	for (size_t i = 0; i < sizeof(longest) - 1; i += 3)
		memcpy(longest + i, "→", 3);
	longest[sizeof(longest) - 1] = 0;
	assert_true(strlen(reason_short(longest, out)) < REASON_SHORT_MAX);
	assert_string_equal(out + strlen(out) - 6, "→…");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faster_is_about_wall_time),
		cmocka_unit_test(few_rounds_prove_nothing),
		cmocka_unit_test(a_missing_site_is_named),
		cmocka_unit_test(a_copy_refutes_without_the_rest),
		cmocka_unit_test(nothing_was_counted),
		cmocka_unit_test(reasons_are_short),
	};

	return cmocka_run_group_tests_name("claims", tests, NULL, NULL);
}
