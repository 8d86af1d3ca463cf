// SPDX-License-Identifier: MIT
/* From results made up for the purpose to what a person reads. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/claims_text.h"
#include "report/counted.h"
#include "report/data.h"
#include "report/grid.h"
#include "report/html.h"
#include "report/hyperfine.h"
#include "report/machine.h"
#include "report/markdown.h"
#include "report/misleads.h"
#include "report/plots.h"
#include "report/table.h"
#include "report/verdict.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "written.h"

#define PAYLOAD 1000000000ull
#define CHUNK 32768ull
#define ROUNDS 9

/* Times with a spread of 2 % around `typical`, the same order in every case so that ratios are exact. */
static struct case_result *add_case(struct result *r, const char *method, const char *cache,
				    uint64_t chunk, double wall, double cpu, int rounds)
{
	struct case_result *c = result_add_case(r);

	assert_non_null(c);
	c->method = strdup(method);
	c->cache = strdup(cache);
	c->sink = strdup("drain");
	c->link = strdup("tcp");
	c->chunk = chunk;
	c->payload = PAYLOAD;
	c->connections = 1;
	for (int i = 0; i < rounds; i++) {
		long row = samples_add(&c->samples);
		double swing = 1 + 0.02 * (i - rounds / 2) / (double)rounds;

		assert_true(row >= 0);
		for (int f = 0; f < SAMPLE_FIELDS; f++)
			c->samples.value[f][row] = 0;
		c->samples.value[SAMPLE_WALL_S][row] = wall * swing;
		c->samples.value[SAMPLE_SENDER_CPU_S][row] = cpu * swing;
		c->samples.value[SAMPLE_RECEIVER_CPU_S][row] = 0.1;
		c->samples.value[SAMPLE_SYSTEM_CPU_S][row] = NAN;
		c->samples.value[SAMPLE_ROUND][row] = i;
	}
	return c;
}

/* Alternately dearer and cheaper than the baseline: nobody could tell. */
static void make_level(struct case_result *c)
{
	for (size_t i = 0; i < c->samples.count; i++) {
		c->samples.value[SAMPLE_WALL_S][i] *= i % 2 ? 1.05 : 0.95;
		c->samples.value[SAMPLE_SENDER_CPU_S][i] *= i % 2 ? 1.05 : 0.95;
	}
}

static struct result *two_methods(void)
{
	struct result *r = result_new();

	assert_non_null(r);
	add_case(r, "read_write", "warm", CHUNK, 0.30, 0.28, ROUNDS);
	add_case(r, "sendfile", "warm", CHUNK, 0.15, 0.07, ROUNDS);
	return r;
}

static int all_tables(const struct result *result, enum style style, FILE *out)
{
	return style == STYLE_TEXT ? table_terminal(result, out) : table_markdown(result, out);
}

static void numbers(void **state)
{
	struct interval i = {
		.n = 15, .median = 0.275, .low = 0.271, .high = 0.279, .confidence = 0.96
	};
	struct interval one = { .n = 1, .median = 2, .low = 2, .high = 2 };
	struct interval none = { .n = 0, .median = NAN, .low = NAN, .high = NAN };
	char out[FORMAT_MAX];

	(void)state;
	assert_string_equal(format_number(NAN, out), "–");
	assert_string_equal(format_number(INFINITY, out), "–");
	assert_string_equal(format_number(0, out), "0");
	assert_string_equal(format_number(0.9996, out), "1.00");
	assert_string_equal(format_number(0.03456, out), "0.0346");
	assert_string_equal(format_number(12.345, out), "12.3");
	assert_string_equal(format_number(327680000, out), "327,680,000");
	assert_string_equal(format_count(-1234.4, out), "-1,234");
	assert_string_equal(format_count(999, out), "999");
	assert_string_equal(format_number(1e300, out), "1e+300");
	assert_string_equal(format_spread(&i, out), "0.275 ±1.5%");
	assert_string_equal(format_range(&i, out), "0.275 (0.271–0.279)");
	assert_string_equal(format_spread(&none, out), "–");
	assert_string_equal(format_range(&none, out), "–");
	/* one sample has no interval, and must not look exact */
	assert_string_equal(format_spread(&one, out), "2.00 ±?");
	assert_string_equal(format_range(&one, out), "2.00 (?)");
	assert_string_equal(format_chunk(0, out), "whole");
	assert_string_equal(format_chunk(32768, out), "32K");
}

static char *escaped(void (*put)(FILE *, const char *), const char *text)
{
	char *out = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&out, &size);

	put(file, text);
	fclose(file);
	return out;
}

static void escaping(void **state)
{
	static const struct {
		void (*put)(FILE *, const char *);
		const char *in, *out;
	} cases[] = {
		{ put_plain, "a\x1b[31mb\nc\td", "a?[31mb c d" },
		{ put_plain,
		  "\xc2\x9b"
		  "x \xe2\x80\xae"
		  "y",
		  "?x ?y" },
		{ put_plain, "1–2 ±", "1–2 ±" },
		{ put_markdown, "read_write _x_", "read_write \\_x\\_" },
		{ put_markdown, "<b>|`*[a](b)", "\\<b\\>\\|\\`\\*\\[a\\](b)" },
		{ put_markdown, "# no\n# heading", "\\# no # heading" },
		{ put_markdown, "1. no list", "1\\. no list" },
		{ put_markdown, "0.275", "0.275" },
		{ put_markdown, "- no list", "\\- no list" },
		{ put_html, "<a href=\"x\">&'", "&lt;a href=&quot;x&quot;&gt;&amp;&#39;" },
		{ put_gnuplot, "it's\n'", "'it''s '''" },
		{ put_tsv, "a\tb\nc", "a b c" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *out = escaped(cases[i].put, cases[i].in);

		assert_string_equal(out, cases[i].out);
		free(out);
	}
}

static void says_who_is_cheapest(void **state)
{
	struct result *r = two_methods();
	char *text = written(verdict_write, r, STYLE_MARKDOWN);

	(void)state;
	holds(text, "sendfile costs the sender the least CPU, 0.0700");
	holds(text, "0.250 (0.250–0.250) times");
	holds(text, "sendfile takes the least wall time, 6.67");
	holds(text, "What would change this");
	lacks(text, "can't be told apart");
	free(text);
	result_free(r);
}

static void says_when_it_cant_tell(void **state)
{
	struct result *r = result_new();
	char *text;

	(void)state;
	add_case(r, "read_write", "warm", CHUNK, 0.30, 0.28, ROUNDS);
	make_level(add_case(r, "mmap_write", "warm", CHUNK, 0.30, 0.28, ROUNDS));
	text = written(verdict_write, r, STYLE_MARKDOWN);
	holds(text, "can't be told apart");
	lacks(text, "costs the sender the least CPU");
	free(text);
	text = written(all_tables, r, STYLE_TEXT);
	holds(text, "~ can't be told from 1");
	holds(text, "These can't be told from read_write: mmap_write (warm, sender CPU)");
	free(text);
	result_free(r);
}

static void says_when_rounds_are_too_few(void **state)
{
	struct result *r = result_new();
	char *text;

	(void)state;
	add_case(r, "read_write", "warm", CHUNK, 0.30, 0.28, 3);
	add_case(r, "sendfile", "warm", CHUNK, 0.15, 0.07, 3);
	text = written(verdict_write, r, STYLE_MARKDOWN);
	holds(text, "from 3 samples: too few for 95% confidence");
	free(text);
	text = written(misleads_write, r, STYLE_MARKDOWN);
	holds(text, "With 3 samples");
	free(text);
	result_free(r);
}

/* No order of methods is built in: turned round, the numbers turn the answer round. */
static void assumes_no_ranking(void **state)
{
	struct result *r = result_new();
	char *text;

	(void)state;
	add_case(r, "sendfile", "warm", CHUNK, 0.30, 0.28, ROUNDS);
	add_case(r, "read_write", "warm", CHUNK, 0.15, 0.07, ROUNDS);
	text = written(verdict_write, r, STYLE_MARKDOWN);
	holds(text, "read_write costs the sender the least CPU");
	holds(text, "the next, sendfile, takes 4.00 (4.00–4.00) times as much");
	free(text);
	result_free(r);
}

static void has_no_answer_without_cases(void **state)
{
	struct result *r = result_new();
	char *text = written(verdict_write, r, STYLE_MARKDOWN);

	(void)state;
	holds(text, "No case was measured, so there is no answer.");
	free(text);
	text = written(all_tables, r, STYLE_TEXT);
	free(text);
	result_free(r);
}

static void direct_io_meets_cold_only(void **state)
{
	struct result *r = two_methods();
	char *text;

	(void)state;
	/* absurdly cheap, and still not the winner among those that read the page cache */
	add_case(r, "direct_write", "warm", CHUNK, 0.01, 0.01, ROUNDS);
	text = written(verdict_write, r, STYLE_MARKDOWN);
	holds(text, "sendfile costs the sender the least CPU");
	free(text);
	text = written(all_tables, r, STYLE_TEXT);
	holds(text, "– no read_write to divide by");
	holds(text, "this run has no read_write from a cold cache");
	free(text);
	add_case(r, "read_write", "cold", CHUNK, 0.9, 0.4, ROUNDS);
	text = written(all_tables, r, STYLE_TEXT);
	holds(text, "† against read_write from a cold cache");
	free(text);
	result_free(r);
}

static void set_copied(struct case_result *c, const char *site, long long bytes)
{
	json_object_set_new(c->copies, site,
			    json_pack("{s:I, s:i, s:s}", "bytes", (json_int_t)bytes, "calls", 10,
				      "source", "probe"));
}

static void unset_copied(struct case_result *c, const char *site, const char *reason)
{
	json_object_set_new(c->copies, site,
			    json_pack("{s:n, s:n, s:s}", "bytes", "calls", "reason", reason));
}

static void count_all(struct case_result *c)
{
	static const char *const names[] = { "syscalls", "crossings", "context_switches_voluntary",
					     "context_switches_involuntary" };

	for (size_t i = 0; i < 4; i++)
		json_object_set_new(c->counts, names[i],
				    measured((double)(i + 1) * 10007, "probe"));
	set_copied(c, "file_to_user", PAYLOAD);
	set_copied(c, "file_to_kernel", 0);
	set_copied(c, "user_to_socket", PAYLOAD);
	set_copied(c, "deferred", 0);
}

static void null_is_a_dash(void **state)
{
	struct result *r = two_methods();
	char *text;

	(void)state;
	assert_true(isnan(counted(NULL)));
	count_all(&r->cases[0]);
	json_object_set_new(r->cases[0].counts, "interrupts", unmeasured("no probe attaches here"));
	assert_true(isnan(counted(json_object_get(r->cases[0].counts, "interrupts"))));
	json_object_set_new(r->cases[0].counts, "observation", unmeasured("the host moved"));
	text = written(counted_write, r, STYLE_MARKDOWN);
	holds(text, "| read_write | 10,007 | 20,014 | 30,021 | 40,028 |");
	holds(text, "| sendfile | not counted |");
	holds(text, "Not counted: interrupts (no probe attaches here)");
	/* in MB; the sites that are 0 everywhere or unknown are not columns */
	holds(text, "| read_write | 1,000 | 1,000 | 2.00 | – |");
	holds(text, "CPU ÷ timed not known of read_write: the host moved.");
	free(text);
	result_free(r);
}

/* What is 0 for every method is one word below the table; what is unknown is another, and no 0. */
static void folds_empty_columns(void **state)
{
	static const char reason[] =
		"fexit skb_copy_ubufs: EPERM at load (refused here); kretprobe "
		"skb_copy_ubufs: ENOENT at load (no kprobes)";
	struct result *r = two_methods();
	char *text;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		count_all(&r->cases[i]);
		unset_copied(&r->cases[i], "deferred", reason);
	}
	text = written(counted_write, r, STYLE_TEXT);
	holds(text, "None at all: copies");
	holds(text, "Not counted: deferred copies (refused");
	lacks(text, "file→kernel  ");
	holds(text, "≥2.00");
	holds(text, "≥ when a site of them could not be");
	lacks(text, "kretprobe");
	free(text);
	json_array_append_new(r->probes,
			      json_pack("{s:s, s:s, s:n, s:s}", "name", "deferred", "status",
					"unavailable", "how", "reason", reason));
	text = written(counted_how, r, STYLE_MARKDOWN);
	holds(text, "| deferred | not counted | fexit skb_copy_ubufs: EPERM");
	holds(text, "kretprobe");
	free(text);
	result_free(r);
}

static void says_when_nothing_was_counted(void **state)
{
	struct result *r = two_methods();
	char *text = written(counted_write, r, STYLE_TEXT);

	(void)state;
	assert_string_equal(text, "");
	free(text);
	json_object_set_new(r->cases[0].counts, "syscalls", unmeasured("left out by --no-counts"));
	text = written(counted_write, r, STYLE_TEXT);
	holds(text, "Nothing was counted: left out by --no-counts.");
	free(text);
	result_free(r);
}

static void claims_read_as_sentences(void **state)
{
	struct result *r = two_methods();
	char *text;

	(void)state;
	json_array_append_new(r->claims, json_pack("{s:s, s:s, s:s, s:s}", "claim", "it is so",
						   "verdict", "corrected", "measured",
						   "two of three", "why", "mmap_write did"));
	json_array_append_new(r->claims,
			      json_pack("{s:s, s:s, s:n, s:s}", "claim", "and so", "verdict",
					"cant_tell", "measured", "why", "nobody counted."));
	text = written(claims_write, r, STYLE_TEXT);
	holds(text, "Corrected: “it is so”. Two of three. mmap_write did.\n");
	holds(text, "Can't tell: “and so”. Nobody counted.\n");
	free(text);
	result_free(r);
}

static void one_sample_has_no_interval(void **state)
{
	struct result *r = result_new();
	char *text;

	(void)state;
	add_case(r, "read_write", "warm", CHUNK, 0.30, 0.28, 1);
	add_case(r, "sendfile", "warm", CHUNK, 0.15, 0.07, 1);
	text = written(all_tables, r, STYLE_TEXT);
	holds(text, "One sample each, so no interval");
	holds(text, "One sample has no interval: read_write, sendfile.");
	lacks(text, "0% or better");
	lacks(text, "1 samples");
	free(text);
	text = written(verdict_write, r, STYLE_TEXT);
	lacks(text, "1 samples");
	free(text);
	result_free(r);
}

static void refused_cases_keep_their_reason(void **state)
{
	struct result *r = two_methods();
	struct case_result *c = add_case(r, "splice", "warm", CHUNK, 1, 1, 0);
	char *text;

	(void)state;
	c->status = CASE_SKIPPED;
	c->reason = strdup("this file system can't");
	text = written(all_tables, r, STYLE_TEXT);
	holds(text, "skipped: this file system can't");
	free(text);
	text = written(all_tables, r, STYLE_MARKDOWN);
	holds(text, "| splice | skipped: this file system can't |");
	free(text);
	text = written(verdict_write, r, STYLE_MARKDOWN);
	holds(text, "splice (skipped)");
	free(text);
	result_free(r);
}

static void fits_the_terminal(void **state)
{
	struct result *r = two_methods();
	char *text, *line, *rest;

	(void)state;
	for (uint64_t chunk = 4096; chunk <= 1 << 20; chunk *= 2)
		if (chunk != CHUNK)
			add_case(r, "preadv2_write", "warm", chunk, 0.0123, 0.0123, ROUNDS);
	add_case(r, "sendfile", "warm", 0, 0.2, 0.2, ROUNDS);
	result_warn(r, "long",
		    "a warning of many words that goes on and on until it has to be broken "
		    "because no terminal is as wide as that",
		    "none");
	text = written(all_tables, r, STYLE_TEXT);
	rest = text;
	while ((line = strsep(&rest, "\n")))
		assert_true(text_width(line) <= GRID_WIDTH);
	free(text);
	result_free(r);
}

static void hostile_text_stays_text(void **state)
{
	static const char evil[] =
		"</svg><script>alert(1)</script>|`x` ![i](http://evil.example/i.png)\n\n# h";
	struct result *r = two_methods();
	struct report_parts parts = { .no_plots = "none here.", .no_paths = "none here." };
	const struct page page = { evil, "en", "Contents", NULL };
	struct failure why = { 0 };
	char *markdown = NULL, *html = NULL;
	size_t size;
	FILE *out;

	(void)state;
	result_warn(r, "evil", evil, evil);
	json_object_set_new(r->host, evil, json_string(evil));
	json_object_set_new(r->run, "argv", json_pack("[s, s]", "copytax", "```\n<script>"));
	json_array_append_new(r->cases[0].notes, json_string(evil));
	free(r->cases[1].method);
	r->cases[1].method = strdup(evil);
	out = open_memstream(&markdown, &size);
	assert_int_equal(markdown_report(r, &parts, out), 0);
	fclose(out);
	out = open_memstream(&html, &size);
	assert_int_equal(html_page(markdown, &page, out, &why), 0);
	fclose(out);
	lacks(html, "<script");
	lacks(html, "<img");
	lacks(html, "<h1>h</h1>");
	lacks(html, "src=");
	holds(html, "default-src 'none'");
	holds(html, "&lt;script&gt;");
	holds(html, "<table>");
	free(markdown);
	free(html);
	result_free(r);
}

static void marks_an_interrupted_run(void **state)
{
	struct result *r = two_methods();
	struct report_parts parts = { .no_plots = "none here." };
	char *markdown = NULL;
	size_t size;
	FILE *out = open_memstream(&markdown, &size);

	(void)state;
	json_object_set_new(r->run, "interrupted", json_true());
	assert_int_equal(markdown_report(r, &parts, out), 0);
	fclose(out);
	holds(markdown, "**This run was interrupted.**");
	free(markdown);
	result_free(r);
}

static void gives_the_command_back(void **state)
{
	struct result *r = result_new();
	char *text;

	(void)state;
	assert_null(machine_command(r));
	json_object_set_new(r->run, "argv", json_pack("[s, s, s]", "copytax", "run", "it's"));
	text = machine_command(r);
	assert_string_equal(text, "copytax run 'it'\\''s'");
	free(text);
	result_free(r);
}

static char folder[] = "/tmp/copytax-report-test.XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void put_file(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static char *get_file(const char *name)
{
	char path[256], *text = calloc(1, 65536);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_true(fread(text, 1, 65535, file) > 0);
	fclose(file);
	return text;
}

static void data_knows_no_zero_for_unknown(void **state)
{
	struct result *r = two_methods();
	struct case_result *c = add_case(r, "splice", "warm", CHUNK, 1, 1, 0);
	struct drawable drawable;
	struct failure why = { 0 };
	char *text;

	(void)state;
	c->status = CASE_FAILED;
	c->reason = strdup("tab\there");
	assert_int_equal(data_write(r, folder, &drawable, &why), 0);
	assert_true(drawable.bars);
	assert_false(drawable.sweep);
	assert_false(drawable.copies);
	assert_false(drawable.crossings);
	text = get_file("cases.tsv");
	holds(text, "splice\t32768\twarm\tdrain\ttcp\t1\t1000000000\tfailed\ttab here\t0\tNaN\t");
	free(text);
	text = get_file("throughput.tsv");
	holds(text, "3\tsplice\twarm\tNaN\tNaN\tNaN\tfailed");
	free(text);
	count_all(&r->cases[0]);
	unset_copied(&r->cases[0], "deferred", "why");
	assert_int_equal(data_write(r, folder, &drawable, &why), 0);
	assert_true(drawable.copies);
	assert_true(drawable.crossings);
	text = get_file("copies.tsv");
	holds(text, "1\tread_write\twarm\t1\t0\t1\tNaN\tNaN\t2\t≥2.00\t2\t\n");
	holds(text, "2\tsendfile\twarm\tNaN\tNaN\tNaN\tNaN\tNaN\tNaN\t\t1\tnot counted\n");
	free(text);
	text = get_file("crossings.tsv");
	/* by the texts: two calls, so four crossings, per 32K of 10^9 bytes, the last one short */
	holds(text, "1\tread_write\twarm\t20014\t20,014\t70049\t70,049\t122072\t\n");
	holds(text, "2\tsendfile\twarm\tNaN\t\tNaN\t\t61036\tnot counted\n");
	free(text);
	text = get_file("counts.tsv");
	holds(text, "count\tsyscalls\t\t10007\tprobe\t\n");
	holds(text, "copied bytes\tdeferred\t\tNaN\t\twhy\n");
	free(text);
	result_free(r);
}

#define TIMES(m, t)                                                                                \
	"{\"command\": \"copytax send --method " m " --file p --chunk 32K\", \"times\": [" t "]}"

static void hyperfine_is_held_against_ours(void **state)
{
	struct result *r = two_methods();
	struct hyperfine h;
	struct failure why = { 0 };
	char path[256];

	(void)state;
	add_case(r, "mmap_write", "warm", CHUNK, 0.30, 0.28, ROUNDS);
	for (size_t i = 0; i < ROUNDS; i++)
		r->cases[2].samples.value[SAMPLE_RELEASE_CPU_S][i] = 0.03;
	snprintf(path, sizeof(path), "%s/%s", folder, HYPERFINE_FILE);
	unlink(path);
	assert_int_equal(hyperfine_load(path, r, &h, &why), -ENOENT);
	assert_string_equal(why.text, "");
	put_file(HYPERFINE_FILE,
		 "{\"results\": [{\"command\": \"base\", \"times\": [0.010, 0.010, "
		 "0.010]}," TIMES("read_write", "0.310, 0.310, 0.310") "," TIMES(
			 "sendfile",
			 "0.159, 0.160, 0.161") "," TIMES("mmap_write",
							  "0.339, "
							  "0.340, "
							  "0.341") "," TIMES("splice",
									     "0.2, 0.2, 0.2") "]}");
	assert_int_equal(hyperfine_load(path, r, &h, &why), 0);
	assert_int_equal(h.count, 4);
	/* (0.160 - 0.010) / (0.310 - 0.010) */
	assert_true(fabs(h.opinions[1].ratio.median - 0.5) < 1e-9);
	assert_int_equal(h.opinions[1].agreement, AGREES);
	/* its 30 ms of unmapping are in hyperfine's time and outside our clock */
	assert_int_equal(h.opinions[2].agreement, AGREES_WHOLE);
	assert_int_equal(h.opinions[3].agreement, NO_PEER);
	hyperfine_free(&h);
	put_file(HYPERFINE_FILE, "{\"results\": [");
	assert_int_equal(hyperfine_load(path, r, &h, &why), -EINVAL);
	holds(why.text, "no whole JSON document");
	memset(&why, 0, sizeof(why));
	put_file(HYPERFINE_FILE, "{\"results\": [{\"command\": 3}]}");
	assert_int_equal(hyperfine_load(path, r, &h, &why), -EINVAL);
	holds(why.text, "not written by scripts/hyperfine.sh");
	result_free(r);
}

static void plots_say_what_is_missing(void **state)
{
	const struct drawable drawable = { .bars = true };
	const char *search = getenv("PATH");
	char *kept = search ? strdup(search) : NULL, path[256];
	struct failure why = { 0 };

	(void)state;
	setenv("COPYTAX_SHARE", "/nonexistent", 1);
	assert_int_equal(plots_draw(folder, folder, &drawable, &why), -ENOENT);
	holds(why.text, "no gnuplot sources in /nonexistent/plots");
	snprintf(path, sizeof(path), "%s/plots", folder);
	assert_int_equal(mkdir(path, 0755), 0);
	put_file("plots/page.gp", "");
	setenv("COPYTAX_SHARE", folder, 1);
	setenv("PATH", "/nonexistent", 1);
	memset(&why, 0, sizeof(why));
	assert_int_equal(plots_draw(folder, folder, &drawable, &why), -ENOENT);
	holds(why.text, "gnuplot is not installed");
	if (kept)
		setenv("PATH", kept, 1);
	free(kept);
	unsetenv("COPYTAX_SHARE");
}

/* Exit code 0 is not enough: a plot that gnuplot grumbled about must not be believed. */
static void plots_take_warnings_for_errors(void **state)
{
	const struct drawable drawable = { .bars = true };
	struct failure why = { 0 };

	(void)state;
	if (access("/usr/bin/gnuplot", X_OK))
		skip();
	put_file("plots/throughput.gp", "print 'warning: something is odd'\n");
	setenv("COPYTAX_SHARE", folder, 1);
	assert_int_equal(plots_draw(folder, folder, &drawable, &why), -EIO);
	holds(why.text, "could not draw throughput.gp cleanly: warning: something is odd");
	unsetenv("COPYTAX_SHARE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(escaping),
		cmocka_unit_test(says_who_is_cheapest),
		cmocka_unit_test(says_when_it_cant_tell),
		cmocka_unit_test(says_when_rounds_are_too_few),
		cmocka_unit_test(assumes_no_ranking),
		cmocka_unit_test(has_no_answer_without_cases),
		cmocka_unit_test(direct_io_meets_cold_only),
		cmocka_unit_test(null_is_a_dash),
		cmocka_unit_test(folds_empty_columns),
		cmocka_unit_test(says_when_nothing_was_counted),
		cmocka_unit_test(claims_read_as_sentences),
		cmocka_unit_test(one_sample_has_no_interval),
		cmocka_unit_test(refused_cases_keep_their_reason),
		cmocka_unit_test(fits_the_terminal),
		cmocka_unit_test(hostile_text_stays_text),
		cmocka_unit_test(marks_an_interrupted_run),
		cmocka_unit_test(gives_the_command_back),
		cmocka_unit_test(data_knows_no_zero_for_unknown),
		cmocka_unit_test(hyperfine_is_held_against_ours),
		cmocka_unit_test(plots_say_what_is_missing),
		cmocka_unit_test(plots_take_warnings_for_errors),
	};

	return cmocka_run_group_tests_name("report", tests, make_folder, remove_folder);
}
