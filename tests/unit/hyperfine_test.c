// SPDX-License-Identifier: MIT
/* The second opinion in words: that it agrees, that it doesn't, that it can't tell. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/hyperfine.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "made.h"

#include "written.h"

#define ROUNDS 9
#define RUN(method, times)                                                                         \
	"{\"command\": \"copytax send --method " method                                            \
	" --file p --chunk 32K\", \"times\": [" times "]}"
#define BASE "{\"command\": \"base\", \"times\": [0.010, 0.010, 0.010]}"

static char path[] = "/tmp/copytax-hyperfine-XXXXXX";

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

static void add_case(struct result *r, const char *method, double wall)
{
	struct case_result *c = made_case(r, method);

	for (int i = 0; i < ROUNDS; i++) {
		long row = samples_add(&c->samples);

		for (int f = 0; f < SAMPLE_FIELDS; f++)
			c->samples.value[f][row] = 0;
		c->samples.value[SAMPLE_WALL_S][row] = wall * (1 + 0.002 * (i - ROUNDS / 2));
		c->samples.value[SAMPLE_ROUND][row] = i;
	}
}

/* Our read_write takes 300 ms and our sendfile half of that. */
static struct result *ours(void)
{
	struct result *r = result_new();

	assert_non_null(r);
	add_case(r, "read_write", 0.30);
	add_case(r, "sendfile", 0.15);
	return r;
}

static int load(const struct result *r, const char *results, struct hyperfine *h,
		struct failure *why)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file, "{\"results\": [%s]}", results);
	fclose(file);
	memset(why, 0, sizeof(*why));
	return hyperfine_load(path, r, h, why);
}

/* The table and its sentence on a terminal. The caller frees it. */
static char *said(const char *results, enum agreement about_sendfile)
{
	struct result *r = ours();
	struct hyperfine h;
	struct failure why;
	char *text = NULL;
	size_t size = 0;
	FILE *out;

	assert_int_equal(load(r, results, &h, &why), 0);
	for (size_t i = 0; i < h.count; i++)
		if (!strcmp(h.opinions[i].method, "sendfile"))
			assert_int_equal(h.opinions[i].agreement, about_sendfile);
	out = open_memstream(&text, &size);
	assert_non_null(out);
	assert_int_equal(hyperfine_write(&h, STYLE_MARKDOWN, out), 0);
	fclose(out);
	hyperfine_free(&h);
	result_free(r);
	return text;
}

static void agreement_is_counted(void **state)
{
	char *text = said(BASE "," RUN("read_write", "0.310, 0.309, 0.311") "," RUN(
				  "sendfile", "0.159, 0.160, 0.161"),
			  AGREES);

	(void)state;
	holds(text, "agree within their intervals for 1 of 1 methods: sendfile.");
	holds(text, "took 10.0");
	lacks(text, "differ");
	free(text);
}

static void a_difference_gives_all_three_ratios(void **state)
{
	char *text = said(BASE "," RUN("read_write", "0.310, 0.309, 0.311") "," RUN(
				  "sendfile", "0.309, 0.310, 0.311"),
			  DIFFERS);

	(void)state;
	holds(text, "for 0 of 1 methods.");
	holds(text, "They differ for sendfile (hyperfine 1.00");
	holds(text, "here 0.500");
	holds(text, "here with set-up and release 0.500");
	holds(text, "a load that drifts");
	free(text);
}

/* A base as long as the runs leaves nothing of them. */
static void noise_is_no_opinion(void **state)
{
	char *text = said(
		"{\"command\": \"base\", \"times\": [0.30, 0.31, 0.32]}," RUN(
			"read_write", "0.29, 0.31, 0.33") "," RUN("sendfile", "0.30, 0.31, 0.32"),
		TOO_NOISY);

	(void)state;
	holds(text, "No check: hyperfine's times are not clearly above the base's");
	holds(text, "too noisy");
	free(text);
}

static void without_a_method_in_common_nothing_is_checked(void **state)
{
	char *text = said(BASE "," RUN("splice", "0.2, 0.2, 0.2"), NO_PEER);

	(void)state;
	holds(text, "have no method and chunk in common");
	free(text);
	/* the same method at another chunk is another thing */
	text = said(BASE
		    "," RUN("read_write",
			    "0.310, 0.309, 0.311") ","
						   "{\"command\": \"copytax send --method sendfile "
						   "--chunk whole\", \"times\": [0.16]}",
		    NO_PEER);
	holds(text, "whole");
	holds(text, "have no method and chunk in common");
	free(text);
}

static void what_hyperfine_did_not_write_is_refused(void **state)
{
	static const char *const odd[] = {
		RUN("sendfile", "0.16"), /* no base */
		BASE ",{\"command\": 7, \"times\": [1]}",
		BASE "," RUN("sendfile", ""),
		BASE "," RUN("sendfile", "0.16, \"fast\""),
		BASE ",{\"command\": \"copytax send --method sendfile\", \"times\": [1]}",
		BASE
		",{\"command\": \"copytax send --method sendfile --chunk many\", \"times\": [1]}",
		BASE ",{\"command\": \"copytax send --method= --chunk 4K\", \"times\": [1]}",
		BASE ",{\"command\": \"copytax send --method sendfile --chunk 4K\"}",
		"{\"command\": \"base\", \"times\": []}",
		BASE "," RUN("read_write", ""),
		BASE ",7",
	};
	struct result *r = ours();

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct hyperfine h;
		struct failure why;

		if (load(r, odd[i], &h, &why) != -EINVAL)
			fail_msg("taken: %s", odd[i]);
		holds(why.text, "was not written by scripts/hyperfine.sh");
		assert_int_equal(why.exit_code, EXIT_WRONG_USE);
		assert_null(h.opinions);
	}
	result_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agreement_is_counted),
		cmocka_unit_test(a_difference_gives_all_three_ratios),
		cmocka_unit_test(noise_is_no_opinion),
		cmocka_unit_test(without_a_method_in_common_nothing_is_checked),
		cmocka_unit_test(what_hyperfine_did_not_write_is_refused),
	};

	return cmocka_run_group_tests(tests, make_file, drop_file);
}
