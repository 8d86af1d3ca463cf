// SPDX-License-Identifier: MIT
#include "report/explain.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "analysis/bill.h"
#include "analysis/counts.h"
#include "analysis/summary.h"
#include "base/size.h"
#include "report/bill_text.h"
#include "report/format.h"
#include "report/paths.h"

#define NAME_WIDTH 34

static const struct {
	const char *key, *name;
} sites[] = {
	{ "file_to_user", "copied page cache → user buffer" },
	{ "file_to_kernel", "copied page cache → kernel pages" },
	{ "user_to_socket", "copied user memory → socket" },
	{ "deferred", "copied later after all" },
	{ "by_reference", "handed over by reference" },
	{ "disk_to_user", "device → user buffer (DMA)" },
	{ "disk_to_page_cache", "device → page cache (DMA)" },
	{ "socket_to_user", "copied socket → receiver" },
};

/* Pads by characters, not bytes: the names have arrows. */
static void put_name(const char *name, FILE *out)
{
	int width = 0;

	for (const char *p = name; *p; p++)
		width += (*p & 0xc0) != 0x80;
	fprintf(out, "  %s%*s", name, width < NAME_WIDTH ? NAME_WIDTH - width : 1, "");
}

static void put_row(const char *name, const char *textbook, double value, const char *source,
		    FILE *out)
{
	char text[FORMAT_MAX];

	put_name(name, out);
	fprintf(out, "%12s %16s   %s\n", textbook, isnan(value) ? "–" : format_count(value, text),
		source ? source : "");
}

static unsigned int textbook_copies(const struct textbook *t, const char *site)
{
	if (!strcmp(site, "file_to_user"))
		return t->file_to_user;
	if (!strcmp(site, "user_to_socket"))
		return t->user_to_socket;
	return 0;
}

static unsigned int all_textbook_copies(const struct textbook *t)
{
	return t->file_to_user + t->user_to_socket + t->file_to_socket;
}

static bool on_sender_path(const char *site)
{
	return !strcmp(site, "file_to_user") || !strcmp(site, "file_to_kernel") ||
	       !strcmp(site, "user_to_socket") || !strcmp(site, "deferred");
}

static const char *source_of(const json_t *entry)
{
	const char *source = json_string_value(json_object_get(entry, "source"));

	return source ? source : json_string_value(json_object_get(entry, "reason"));
}

static void put_calls(const struct method *m, const struct case_result *c, FILE *out)
{
	const json_t *entry = json_object_get(c->counts, "syscalls");
	double rounds = rounds_of(c), expected = 0;
	char textbook[FORMAT_MAX], name[64];

	for (size_t i = 0; i < 3 && m->textbook.calls[i].name; i++) {
		double calls = m->textbook.calls[i].per_chunk * rounds;

		expected += calls;
		snprintf(name, sizeof(name), "%s calls", m->textbook.calls[i].name);
		put_row(name, format_count(calls, textbook),
			count_of(c, "syscalls", m->textbook.calls[i].name), source_of(entry), out);
	}
	put_row("all system calls", format_count(expected, textbook), count_of(c, "syscalls", NULL),
		source_of(entry), out);
	put_row("user/kernel crossings", format_count(2 * expected, textbook),
		count_of(c, "crossings", NULL), source_of(json_object_get(c->counts, "crossings")),
		out);
}

static void put_switches(const struct case_result *c, FILE *out)
{
	static const struct {
		const char *key, *name;
	} rows[] = {
		{ "context_switches_voluntary", "context switches, voluntary" },
		{ "context_switches_involuntary", "context switches, involuntary" },
		{ "context_switches_process", "  … to another process" },
		{ "context_switches_thread", "  … to a thread of the same" },
		{ "interrupts", "interrupts taken" },
		{ "softirqs", "softirqs run" },
		{ "page_faults_minor", "page faults, minor" },
		{ "page_faults_major", "page faults, major" },
		{ "page_cache_pages_added", "page-cache pages added" },
		{ "page_cache_pages_touched", "page-cache pages touched" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const json_t *entry = json_object_get(c->counts, rows[i].key);

		if (entry)
			put_row(rows[i].name, "", count_of(c, rows[i].key, NULL), source_of(entry),
				out);
	}
}

static void put_copies(const struct method *m, const struct case_result *c, FILE *out)
{
	char textbook[FORMAT_MAX];

	for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++) {
		const json_t *entry = json_object_get(c->copies, sites[i].key);
		double said = textbook_copies(&m->textbook, sites[i].key) * (double)c->payload;

		if (entry)
			put_row(sites[i].name,
				on_sender_path(sites[i].key) ? format_count(said, textbook) : "",
				copied_bytes(c, sites[i].key), source_of(entry), out);
	}
	put_name("copies per byte, sender's side", out);
	fprintf(out, "%12u", all_textbook_copies(&m->textbook));
	if (isnan(sender_copied_bytes(c)) || !c->payload)
		fprintf(out, " %16s\n", "–");
	else
		fprintf(out, " %16.3f\n", sender_copied_bytes(c) / (double)c->payload);
}

static void put_cost(const struct result *result, const struct case_result *c, FILE *out)
{
	struct case_summary s;

	if (summarize(result, c, &s) || !s.sender_cpu_per_gb.n)
		return;
	fprintf(out,
		"\nIt took %.4f CPU seconds per GB of the sender (%.4f to %.4f), %.4f of the "
		"receiver",
		s.sender_cpu_per_gb.median, s.sender_cpu_per_gb.low, s.sender_cpu_per_gb.high,
		s.receiver_cpu_per_gb.median);
	if (s.baseline && s.baseline != c && s.sender_cpu_ratio.n)
		fprintf(out, ";\nthe sender's share is %.2f of read_write's (%.2f to %.2f)%s",
			s.sender_cpu_ratio.median, s.sender_cpu_ratio.low, s.sender_cpu_ratio.high,
			strcmp(s.baseline->cache, c->cache) ? " from a cold cache" : "");
	fputs(".\n", out);
}

/* Where the CPU time went, by the prices of this very result. */
static void put_bill(const struct result *result, const struct case_result *c, FILE *out)
{
	json_t *bill = bill_of(result, c);
	char text[600];

	if (bill && json_is_array(json_object_get(bill, "lines"))) {
		fputs("\nThe bill, by the prices fitted to this result:\n  ", out);
		put_wrapped(out, bill_sentence(bill, text, sizeof(text)), 2, 98);
		fputs("\n\nGoing over to another method would change, by the two bills:\n", out);
		(void)bill_switching(result, c, STYLE_TEXT, out);
	}
	json_decref(bill);
}

/* "saves 48.1 ms (55 %): GB copied 40.1 ms, system calls 4.75 ms": the two lines that do most, whichever way. */
static void put_saving(const json_t *from, const json_t *to, FILE *out)
{
	double own = json_number_value(json_object_get(from, "measured_s")),
	       saved = own - json_number_value(json_object_get(to, "measured_s"));
	const char *method = json_string_value(json_object_get(to, "method"));
	json_t *lines = bill_savings(from, to);

	fputs("  ", out);
	put_plain(out, method ? method : "?");
	fprintf(out, " %s %.3g ms (%.0f %%)", saved < 0 ? "costs more:" : "saves", fabs(saved) * 1e3,
		own > 0 ? fabs(saved) / own * 100 : 0);
	for (size_t i = 0; i < json_array_size(lines) && i < 2; i++) {
		const json_t *line = json_array_get(lines, i);
		const char *name = json_string_value(json_object_get(line, "name"));

		fprintf(out, "%s %s %+.3g ms", i ? "," : ":", name ? name : "?",
			-json_number_value(json_object_get(line, "saved_s")) * 1e3);
	}
	putc('\n', out);
	json_decref(lines);
}

/* What another method under the same conditions would save here, or cost, and by which lines of the bill. */
static void put_savings(const struct result *result, const struct case_result *c, FILE *out)
{
	json_t *own = bill_of(result, c);
	bool headed = false;

	for (size_t i = 0; i < result->case_count; i++) {
		const struct case_result *other = &result->cases[i];
		json_t *bill;

		if (other == c || other->status != CASE_OK || other->chunk != c->chunk ||
		    other->payload != c->payload || other->connections != c->connections ||
		    strcmp(other->cache, c->cache) != 0 || strcmp(other->sink, c->sink) != 0 ||
		    strcmp(other->link, c->link) != 0)
			continue;
		bill = bill_of(result, other);
		if (json_is_array(json_object_get(own, "lines")) &&
		    json_is_array(json_object_get(bill, "lines"))) {
			if (!headed)
				fputs("\nSwitching to another method, here and in sender CPU of a transfer (and the lines that change most):\n",
				      out);
			headed = true;
			put_saving(own, bill, out);
		}
		json_decref(bill);
	}
	json_decref(own);
}

/* The way of the bytes; `copytax report` draws the same. */
static void put_path(const struct method *m, const struct case_result *c, FILE *out)
{
	struct path path;

	path_find(m, c, &path);
	fputs("\nThe path of the bytes (copy ══▶, by reference ──▷, by a device ··▷):\n", out);
	path_print(&path, out);
}

void explain_print(const struct method *m, const struct result *result, FILE *out)
{
	const struct case_result *c = result ? main_case(result, m->name, "warm") : NULL;
	char chunk[SIZE_TEXT_MAX], bytes[FORMAT_MAX];

	fprintf(out, "%s: %s\nThe texts say: %s.\n\n", m->name, m->summary, m->textbook.says);
	if (!c) {
		for (size_t i = 0; i < 3 && m->textbook.calls[i].name; i++)
			fprintf(out, "  %u %s per chunk\n", m->textbook.calls[i].per_chunk,
				m->textbook.calls[i].name);
		fprintf(out, "  %u copies per byte on the sender's side\n\n%s\n",
			all_textbook_copies(&m->textbook),
			result ? "The result has no warm case of it with the default chunk and "
				 "drain."
			       : "There is no result to set beside it: 'copytax run' makes one.");
		return;
	}
	fprintf(out, "One transfer of %s bytes in chunks of %s, warm cache:\n",
		format_count((double)c->payload, bytes), size_format(c->chunk, chunk));
	put_name("", out);
	fprintf(out, "%12s %16s   %s\n", "textbook", "measured", "source");
	put_calls(m, c, out);
	put_switches(c, out);
	put_copies(m, c, out);
	put_path(m, c, out);
	put_cost(result, c, out);
	put_bill(result, c, out);
	put_savings(result, c, out);
}
