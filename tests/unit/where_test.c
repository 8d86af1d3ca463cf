// SPDX-License-Identifier: MIT
/* Events, energy and sites as a person reads them, and the profile held against the prices. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/copy_price.h"
#include "analysis/figures.h"
#include "analysis/sites.h"
#include "report/events_text.h"
#include "report/families.h"
#include "report/plots.h"
#include "report/sites_text.h"
#include "report/where_data.h"
#include "result/result.h"
#include "study/agreement.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "written.h"

#define PAYLOAD 1024000000ull /* 1,000,000 KiB */
#define CHUNK 32768ull

static struct case_result *add_case(struct result *r, const char *method, double copied_file,
				    double copied_socket)
{
	struct case_result *c = result_add_case(r);
	long row;

	assert_non_null(c);
	c->method = strdup(method);
	c->cache = strdup("warm");
	c->sink = strdup("drain");
	c->link = strdup("tcp");
	c->chunk = CHUNK;
	c->payload = PAYLOAD;
	c->connections = 1;
	row = samples_add(&c->samples);
	for (int f = 0; f < SAMPLE_FIELDS; f++)
		c->samples.value[f][row] = 0;
	c->samples.value[SAMPLE_WALL_S][row] = 0.3;
	c->samples.value[SAMPLE_SENDER_CPU_S][row] = 0.2;
	json_object_set_new(c->copies, "file_to_user",
			    json_pack("{s:f, s:s}", "bytes", copied_file, "source", "test"));
	json_object_set_new(c->copies, "user_to_socket",
			    json_pack("{s:f, s:s}", "bytes", copied_socket, "source", "test"));
	json_object_set_new(c->copies, "file_to_kernel",
			    json_pack("{s:f, s:s}", "bytes", 0.0, "source", "test"));
	json_object_set_new(c->copies, "deferred",
			    json_pack("{s:f, s:s}", "bytes", 0.0, "source", "test"));
	return c;
}

static void add_event(struct case_result *c, const char *name, const char *scope, double value,
		      double multiplexed, const char *reason)
{
	json_t *entry = json_pack("{s:s, s:s, s:o, s:s*, s:s}", "name", name, "scope", scope, "value",
				  isnan(value) ? json_null() : json_integer((json_int_t)value),
				  "reason", reason, "source", "test");

	if (!isnan(multiplexed))
		json_object_set_new(entry, "multiplexed", json_real(multiplexed));
	json_array_append_new(c->events, entry);
}

/* Figures as the events pass makes them. */
static void derive(struct case_result *c)
{
	json_decref(c->figures);
	c->figures = figures_json(c->events, c->payload);
}

static void add_profile(struct case_result *c, uint64_t copying, uint64_t tcp, uint64_t other)
{
	struct folded folded = { 0 };
	char line[] = "worker;write;do_syscall_64_[k];tcp_sendmsg_[k];_copy_from_iter_[k]";
	char send[] = "worker;write;do_syscall_64_[k];tcp_sendmsg_[k]";
	char unknown[] = "worker;write;do_syscall_64_[k];frobnicate_[k]";

	if (copying)
		folded_add(&folded, line, copying);
	folded_add(&folded, send, tcp);
	if (other)
		folded_add(&folded, unknown, other);
	json_decref(c->profile);
	c->profile = json_pack("{s:s, s:i, s:I, s:o, s:s, s:s}", "event", "cpu-clock", "period", 500000,
			       "samples", (json_int_t)folded.samples, "sites",
			       sites_json(&folded, 0.2, c->payload), "flame", "profile/x.html",
			       "folded", "profile/x.folded");
	folded_free(&folded);
}

static const struct family *main_family(const struct result *r, struct families *families)
{
	assert_int_equal(families_find(r, families), 0);
	return families_main(families);
}

/* ---- events ---- */

static struct result *with_pmu(void)
{
	struct result *r = result_new();
	struct case_result *c = add_case(r, "read_write", PAYLOAD, PAYLOAD);

	add_event(c, "task-clock", "all", 200e6, NAN, NULL);
	json_object_set_new(json_array_get(c->events, 0), "unit", json_string("ns"));
	add_event(c, "minor-faults", "user", 0, NAN, NULL);
	add_event(c, "minor-faults", "kernel", 12, NAN, NULL);
	add_event(c, "cpu-migrations", "all", 0, NAN, NULL);
	add_event(c, "cycles", "user", 0.02 * PAYLOAD, NAN, NULL);
	add_event(c, "cycles", "kernel", 0.5 * PAYLOAD, 0.58, NULL);
	add_event(c, "cache-misses", "user", NAN, NAN, "the PMU here (x) has no such event");
	add_event(c, "cache-misses", "kernel", NAN, NAN, "the PMU here (x) has no such event");
	add_event(c, "r11", "kernel", 4242, NAN, NULL);
	derive(c);
	return r;
}

static void figures_come_with_their_doubts(void **state)
{
	struct result *r = with_pmu();
	char *text = written(table_events, r, STYLE_TEXT), *page = written(table_events, r, STYLE_MARKDOWN);

	(void)state;
	/* half of it was scaled up, and so is the sum */
	holds(text, "≈0.520");
	holds(text, "≈0.500");
	holds(text, "0.0200");
	lacks(text, "≈0.0200");
	holds(text, "58% at least");
	holds(text, "task-clock, ms");
	holds(text, "200");
	/* one mode has none, the other has */
	holds(text, "minor-faults (kernel)");
	holds(text, "None at all: minor-faults (user), cpu-migrations.");
	/* once for both modes, with the reason */
	holds(text, "cache-misses (the PMU here (x) has no such");
	/* what nobody makes a figure of has its own line; the others only where there is room */
	holds(text, "4,242");
	lacks(text, "cycles (kernel)");
	holds(page, "cycles (kernel)");
	free(text);
	free(page);
	result_free(r);
}

static void no_events_no_table(void **state)
{
	struct result *r = result_new();
	char *text;

	(void)state;
	add_case(r, "read_write", PAYLOAD, PAYLOAD);
	text = written(table_events, r, STYLE_TEXT);
	assert_string_equal(text, "");
	free(text);
	text = written(table_sites, r, STYLE_MARKDOWN);
	assert_string_equal(text, "");
	free(text);
	result_free(r);
}

static void energy_says_what_was_subtracted(void **state)
{
	struct result *r = with_pmu();
	char *text;

	(void)state;
	json_object_set_new(r->cases[0].energy, "package",
			    json_pack("{s:f, s:s, s:f}", "value", 7.25, "unit", "J/GB", "idle_watts", 20.0));
	json_object_set_new(r->cases[0].energy, "dram",
			    json_pack("{s:n, s:s}", "value", "reason", "no such counter"));
	text = written(table_events, r, STYLE_TEXT);
	holds(text, "package energy, J/GB");
	holds(text, "7.25");
	holds(text, "less the 20.0 W");
	holds(text, "memory energy (no such counter)");
	free(text);
	result_free(r);
}

static char *data_of(const struct result *r,
		     bool (*make)(const struct family *, FILE *, FILE *, char *), char *reason,
		     bool *any)
{
	struct families families;
	const struct family *family = main_family(r, &families);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size), *labels = fopen("/dev/null", "w");

	*any = make(family, out, labels, reason);
	fclose(labels);
	fclose(out);
	families_free(&families);
	return text;
}

static void a_picture_that_cannot_be_says_why(void **state)
{
	struct drawable drawable = { .bars = true };
	struct result *r = result_new();
	struct case_result *c = add_case(r, "read_write", PAYLOAD, PAYLOAD);
	const struct plot *cycles = NULL, *chunk = NULL;
	char *text;
	bool any;

	(void)state;
	add_event(c, "cycles", "user", NAN, NAN, "no PMU in this virtual machine");
	add_event(c, "cycles", "kernel", NAN, NAN, "no PMU in this virtual machine");
	derive(c);
	text = data_of(r, cycles_data, drawable.no_cycles, &any);
	assert_false(any);
	assert_string_equal(drawable.no_cycles, "no PMU in this virtual machine");
	holds(text, "1\tread_write\tNaN\tNaN\t\tno PMU in this virtual machine\t2\t2.00");
	free(text);
	text = data_of(r, sites_data, drawable.no_sites, &any);
	assert_false(any);
	holds(drawable.no_sites, "--profile");
	free(text);
	for (const struct plot *p = plots; p->name; p++) {
		cycles = p->need == NEEDS_CYCLES ? p : cycles;
		chunk = p->need == NEEDS_SWEEP ? p : chunk;
	}
	assert_string_equal(plot_absence(cycles, &drawable), "no PMU in this virtual machine");
	assert_null(plot_absence(chunk, &drawable));
	drawable.cycles = true;
	assert_null(plot_absence(cycles, &drawable));
	result_free(r);
}

static void cycles_are_data_by_mode(void **state)
{
	struct result *r = with_pmu();
	char reason[WHERE_REASON_MAX], *text;
	bool any;

	(void)state;
	text = data_of(r, cycles_data, reason, &any);
	assert_true(any);
	holds(text, "1\tread_write\t0.02\t0.5\t≈0.520\t\t2\t2.00\t\n");
	free(text);
	/* one mode alone is a lower bound */
	json_array_remove(r->cases[0].events, 5);
	derive(&r->cases[0]);
	text = data_of(r, cycles_data, reason, &any);
	assert_true(any);
	holds(text, "1\tread_write\t0.02\tNaN\t≥0.0200\t");
	free(text);
	result_free(r);
}

/* ---- sites ---- */

static void sites_are_priced_and_shared(void **state)
{
	struct result *r = result_new();
	char *text, reason[WHERE_REASON_MAX];
	bool any;

	(void)state;
	add_profile(add_case(r, "read_write", PAYLOAD, PAYLOAD), 500, 480, 20);
	add_profile(add_case(r, "sendfile", 0, 0), 0, 1000, 0);
	text = written(table_sites, r, STYLE_TEXT);
	/* half of 0.2 s for a million KiB */
	holds(text, "100 (50%)");
	holds(text, "4.00 (2.0%)");
	holds(text, "200 (100%)");
	holds(text, "1,000");
	holds(text, "Other: frobnicate (read_write, 20)");
	lacks(text, "block layer");
	free(text);
	text = data_of(r, sites_data, reason, &any);
	assert_true(any);
	holds(text, "2\tread_write\t100\t0\t");
	holds(text, "1\tsendfile\t0\t");
	free(text);
	result_free(r);
}

static void a_profile_without_names_says_so(void **state)
{
	struct result *r = result_new();
	struct case_result *c = add_case(r, "read_write", PAYLOAD, PAYLOAD);
	char *text;

	(void)state;
	json_decref(c->profile);
	c->profile = json_pack("{s:i, s:s, s:{s:s}}", "samples", 100, "names",
			       "kernel.kptr_restrict hides them", "sites", "reason",
			       "the kernel's functions have no names here");
	text = written(table_sites, r, STYLE_MARKDOWN);
	holds(text, "kptr_restrict hides them");
	lacks(text, "| samples");
	free(text);
	result_free(r);
}

static void only_a_runs_own_files_are_links(void **state)
{
	static const char *const bad[] = { "../profile/x.html", "profile/../../x.html", "http://x",
					   "profile/x](y).html", "profile/x y.html" };
	struct result *r = result_new();
	struct case_result *c = add_case(r, "read_write", PAYLOAD, PAYLOAD);
	char *text = NULL;
	size_t size = 0;
	FILE *out;

	(void)state;
	add_profile(c, 1, 1, 0);
	out = open_memstream(&text, &size);
	sites_links(r, out);
	fclose(out);
	holds(text, "[x](profile/x.html) ([stacks](profile/x.folded))");
	free(text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		json_object_set_new(c->profile, "flame", json_string(bad[i]));
		out = open_memstream(&text, &size);
		sites_links(r, out);
		fclose(out);
		assert_string_equal(text, "");
		free(text);
	}
	result_free(r);
}

/* ---- agreement ---- */

static json_t *one_price(const char *id, double price, json_t *with)
{
	return json_pack("{s:[{s:s, s:f, s:o}]}", "terms", "id", id, "price", price, "with", with);
}

static const json_t *agreement(const struct result *r, size_t i)
{
	return json_object_get(r->cases[i].profile, "agreement");
}

static void prices_and_profile_tell_one_story(void **state)
{
	struct result *r = result_new();
	const json_t *said;
	char *text;

	(void)state;
	add_profile(add_case(r, "read_write", PAYLOAD, PAYLOAD), 500, 500, 0);
	add_profile(add_case(r, "sendfile", 0, 0), 0, 1000, 0);
	add_case(r, "splice", 0, 0);
	json_decref(r->prices);
	/* 0.1 s for 2,000,000 copied KiB are 50 ns; the price: 0.045 s per GB are 46.08 */
	r->prices = one_price("file_to_user", 0.045,
			      json_pack("[{s:s, s:b}]", "id", "user_to_socket", "summed", 1));
	agreement_judge(r);
	said = agreement(r, 0);
	assert_true(fabs(json_number_value(json_object_get(said, "profile_ns_per_kib")) - 50) < 1e-6);
	assert_true(fabs(json_number_value(json_object_get(said, "counted_ns_per_kib")) - 46.08) < 1e-6);
	assert_true(json_is_true(json_object_get(said, "agree")));
	assert_non_null(strstr(json_string_value(json_object_get(said, "counted_source")), "fitted"));
	said = agreement(r, 1);
	assert_true(json_is_null(json_object_get(said, "agree")));
	assert_non_null(strstr(json_string_value(json_object_get(said, "reason")), "copies nothing"));
	/* where nothing was sampled there is nothing to compare */
	assert_null(agreement(r, 2));
	assert_int_equal(json_array_size(r->warnings), 0);
	text = written(table_sites, r, STYLE_MARKDOWN);
	holds(text, "read_write 50.0 and 46.1 ns (+9%)");
	free(text);
	result_free(r);
}

static void apart_is_a_warning(void **state)
{
	struct result *r = result_new();
	const json_t *warning;
	char *text;

	(void)state;
	add_profile(add_case(r, "read_write", PAYLOAD, PAYLOAD), 500, 500, 0);
	json_decref(r->prices);
	r->prices = one_price("file_to_user", 0.09,
			      json_pack("[{s:s, s:b}]", "id", "user_to_socket", "summed", 1));
	agreement_judge(r);
	assert_true(json_is_false(json_object_get(agreement(r, 0), "agree")));
	assert_int_equal(json_array_size(r->warnings), 1);
	warning = json_array_get(r->warnings, 0);
	assert_string_equal(json_string_value(json_object_get(warning, "code")), "copy_prices_apart");
	assert_non_null(strstr(json_string_value(json_object_get(warning, "text")),
			       "read_write 50 and 92 ns per KiB"));
	text = written(table_sites, r, STYLE_TEXT);
	holds(text, "too far apart");
	free(text);
	result_free(r);
}

/* Shares of one distance of the CPUs and CPU time of another make no price. */
static void a_profile_from_elsewhere_is_not_judged(void **state)
{
	struct result *r = result_new();
	const json_t *said;
	json_t *profile;
	char *text;

	(void)state;
	add_profile(add_case(r, "read_write", PAYLOAD, PAYLOAD), 500, 500, 0);
	profile = r->cases[0].profile;
	json_object_set_new(profile, "transfers", json_integer(5));
	json_object_set_new(profile, "transfers_apart", json_integer(3));
	json_decref(r->prices);
	r->prices = one_price("file_to_user", 0.09,
			      json_pack("[{s:s, s:b}]", "id", "user_to_socket", "summed", 1));
	agreement_judge(r);
	said = agreement(r, 0);
	assert_true(json_is_null(json_object_get(said, "agree")));
	assert_true(json_is_null(json_object_get(said, "profile_ns_per_kib")));
	assert_int_equal(json_array_size(r->warnings), 0);
	text = written(table_sites, r, STYLE_MARKDOWN);
	holds(text, "not compared: most sampled transfers were at another distance");
	free(text);
	/* the smaller part of them does no harm */
	json_object_set_new(profile, "transfers_apart", json_integer(2));
	agreement_judge(r);
	assert_true(json_is_false(json_object_get(agreement(r, 0), "agree")));
	result_free(r);
}

static void a_price_that_took_in_other_work_is_none(void **state)
{
	struct result *r = result_new();
	const char *source = NULL, *reason = NULL;
	struct case_result *c = add_case(r, "read_write", PAYLOAD, PAYLOAD);

	(void)state;
	add_profile(c, 500, 500, 0);
	json_decref(r->prices);
	r->prices = one_price("file_to_user", 0.045,
			      json_pack("[{s:s, s:b}, {s:s, s:b}]", "id", "user_to_socket", "summed", 1,
					"id", "sends", "summed", 0));
	assert_true(isnan(copy_price(r, c, &source, &reason)));
	assert_non_null(strstr(reason, "--calibrate"));
	agreement_judge(r);
	assert_non_null(strstr(json_string_value(json_object_get(agreement(r, 0), "reason")),
			       "--calibrate"));
	/* then what was measured one by one stands in: 0.04 and 0.02 s per GB are 30.72 ns per KiB of both */
	json_object_set_new(r->prices, "direct",
			    json_pack("{s:[{s:s, s:f}, {s:s, s:f}]}", "measurements", "id", "read_copy",
				      "value", 0.04, "id", "memcpy_copy", "value", 0.02));
	assert_true(fabs(copy_price(r, c, &source, &reason) - 30.72) < 1e-9);
	assert_string_equal(source, "direct measurements");
	assert_true(fabs(copy_price_direct(r, c) - 30.72) < 1e-9);
	/* bytes that were not counted have no price */
	json_object_set_new(c->copies, "user_to_socket",
			    json_pack("{s:n, s:s}", "bytes", "reason", "no probe"));
	assert_true(isnan(copy_price(r, c, &source, &reason)));
	assert_string_equal(reason, "no probe");
	agreement_judge(r);
	assert_non_null(json_string_value(json_object_get(agreement(r, 0), "reason")));
	result_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_come_with_their_doubts),
		cmocka_unit_test(no_events_no_table),
		cmocka_unit_test(energy_says_what_was_subtracted),
		cmocka_unit_test(a_picture_that_cannot_be_says_why),
		cmocka_unit_test(cycles_are_data_by_mode),
		cmocka_unit_test(sites_are_priced_and_shared),
		cmocka_unit_test(a_profile_without_names_says_so),
		cmocka_unit_test(only_a_runs_own_files_are_links),
		cmocka_unit_test(prices_and_profile_tell_one_story),
		cmocka_unit_test(apart_is_a_warning),
		cmocka_unit_test(a_profile_from_elsewhere_is_not_judged),
		cmocka_unit_test(a_price_that_took_in_other_work_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
