// SPDX-License-Identifier: MIT
#include "report/counted_data.h"

#include <math.h>
#include <string.h>

#include "analysis/counts.h"
#include "analysis/reason.h"
#include "method/method.h"
#include "report/counted.h"
#include "report/format.h"
#include "report/table.h"

static void count_row(const struct case_result *c, const char *kind, const char *name,
		      const char *part, double value, const json_t *entry, FILE *out)
{
	put_tsv(out, c->method);
	fprintf(out, "\t%llu", (unsigned long long)c->chunk);
	put_tsv_field(out, c->cache);
	put_tsv_field(out, c->sink);
	put_tsv_field(out, c->link);
	fprintf(out, "\t%u\t%llu", c->connections, (unsigned long long)c->payload);
	put_tsv_field(out, kind);
	put_tsv_field(out, name);
	put_tsv_field(out, part);
	put_tsv_number(out, value);
	put_tsv_field(out, json_string_value(json_object_get(entry, "source")));
	put_tsv_field(out, json_string_value(json_object_get(entry, "reason")));
	putc('\n', out);
}

static void count_rows(const struct case_result *c, const char *kind, json_t *entries, FILE *out)
{
	const char *name, *part;
	json_t *entry, *value;

	json_object_foreach(entries, name, entry)
	{
		count_row(c, kind, name, "", counted(entry), entry, out);
		json_object_foreach(json_object_get(entry, "by"), part, value)
			count_row(c, kind, name, part, counted(value), entry, out);
	}
}

void counts_table(const struct result *result, FILE *out)
{
	fputs("method\tchunk_bytes\tcache\tsink\tlink\tconnections\tpayload_"
	      "bytes\tkind\tname\tpart\t"
	      "value\tsource\treason\n",
	      out);
	for (size_t i = 0; i < result->case_count; i++) {
		count_rows(&result->cases[i], "count", result->cases[i].counts, out);
		count_rows(&result->cases[i], "copied bytes", result->cases[i].copies, out);
	}
}

/* Copies per payload byte by the classic texts; NaN for a method that they don't know. */
static double textbook_factor(const struct case_result *c)
{
	const struct method *m = method_find(c->method);

	return m ? (double)(m->textbook.file_to_user + m->textbook.user_to_socket +
			    m->textbook.file_to_socket)
		 : (double)NAN;
}

/* Two per call, the calls per chunk by the texts. */
static double textbook_crossings(const struct case_result *c)
{
	const struct method *m = method_find(c->method);
	unsigned int calls = 0;

	for (size_t i = 0; m && i < sizeof(m->textbook.calls) / sizeof(m->textbook.calls[0]) &&
			   m->textbook.calls[i].name;
	     i++)
		calls += m->textbook.calls[i].per_chunk;
	return calls ? 2.0 * calls * rounds_of(c) : (double)NAN;
}

void copies_heading(FILE *out)
{
	fputs("x\tmethod\tcache", out);
	for (size_t i = 0; i <= SENDER_SITES; i++)
		fprintf(out, "\t%s", site_names[i].key);
	fputs("\tsender_known\tlabel\ttextbook\tnote\n", out);
}

bool copies_bar(const struct case_result *c, unsigned int at, const char *note, FILE *out)
{
	bool whole = false, any;
	double factor = note[0] ? (double)NAN : known_factor(c, &whole);
	double payload = c->payload ? (double)c->payload : (double)NAN;
	char text[FORMAT_MAX], label[FORMAT_MAX] = "";

	any = !isnan(factor);
	if (any)
		snprintf(label, sizeof(label), "%s%.90s", whole ? "" : "≥",
			 format_number(factor, text));
	fprintf(out, "%u", at);
	put_tsv_field(out, c->method);
	put_tsv_field(out, c->cache);
	/* the sender's sites and the receiver's, which comes after them */
	for (size_t i = 0; i <= SENDER_SITES; i++) {
		double copied = note[0] ? (double)NAN
					: copied_bytes(c, site_names[i].key) / payload;

		put_tsv_number(out, copied);
		any |= !isnan(copied);
	}
	put_tsv_number(out, factor);
	put_tsv_field(out, label);
	put_tsv_number(out, textbook_factor(c));
	put_tsv_field(out, note[0] || !isnan(factor) ? note : "not counted");
	putc('\n', out);
	return any;
}

void crossings_heading(FILE *out)
{
	fputs("x\tmethod\tcache\tcrossings\tcrossings_label\tswitches\tswitches_"
	      "label\ttextbook\tnote\n",
	      out);
}

bool crossings_bar(const struct case_result *c, unsigned int at, const char *note, FILE *out)
{
	double crossings = note[0] ? (double)NAN : count_of(c, "crossings", NULL);
	/* of the same pass: without its crossings, getrusage's figures stand in these places */
	double switches = isnan(crossings)
				  ? (double)NAN
				  : count_of(c, "context_switches_voluntary", NULL) +
					    count_of(c, "context_switches_involuntary", NULL);
	char text[FORMAT_MAX];

	fprintf(out, "%u", at);
	put_tsv_field(out, c->method);
	put_tsv_field(out, c->cache);
	put_tsv_number(out, crossings);
	put_tsv_field(out, isnan(crossings) ? "" : format_count(crossings, text));
	put_tsv_number(out, switches);
	put_tsv_field(out, isnan(switches) ? "" : format_count(switches, text));
	put_tsv_number(out, textbook_crossings(c));
	put_tsv_field(out, note[0] || !isnan(crossings) ? note : "not counted");
	putc('\n', out);
	return !isnan(crossings);
}

static bool shown(const struct family *family, const struct case_result *c)
{
	return c->chunk == family->chunk && c->status == CASE_OK && counted_case(c);
}

/* "file→kernel and deferred" of the sender's that a counted case of the family has as null, and why, of the first. */
static void unknown_sites(const struct family *family, char *list, size_t size,
			  char why[static REASON_SHORT_MAX])
{
	list[0] = 0;
	for (size_t i = 0; i < SENDER_SITES; i++) {
		for (size_t k = 0; k < family->count; k++) {
			const struct case_result *c = family->cases[k];
			size_t len = strlen(list);

			if (!shown(family, c) || !isnan(copied_bytes(c, site_names[i].key)))
				continue;
			if (!len)
				reason_short(copy_reason(c, site_names[i].key), why);
			snprintf(list + len, size - len, "%s%s", len ? " and " : "",
				 site_names[i].name);
			break;
		}
	}
}

/* Is a site drawn anywhere? Then it has a key. */
static bool site_seen(const struct result *result, const char *key)
{
	for (size_t i = 0; i < result->case_count; i++)
		if (copied_bytes(&result->cases[i], key) > 0)
			return true;
	return false;
}

void counted_texts(const struct result *result, const struct family *main, FILE *out)
{
	char list[120], why[REASON_SHORT_MAX], text[400];

	for (size_t i = 0; i <= SENDER_SITES; i++)
		fprintf(out, "seen_%s = %d\n", site_names[i].key,
			site_seen(result, site_names[i].key));
	put_label(out, "copies_note_1",
		  "Counted, not timed: bytes that the CPU copied ÷ payload bytes. Number and "
		  "diamond: the sender "
		  "alone.");
	unknown_sites(main, list, sizeof(list), why);
	snprintf(text, sizeof(text), "What went by reference is no copy, and is not drawn.");
	if (list[0])
		snprintf(text, sizeof(text), "≥: without %s, unknown here and not 0 (%.100s).",
			 list, why);
	put_label(out, "copies_note_2", text);
	put_label(out, "crossings_note_1",
		  "Sender, per transfer, counted. Crossing: one change between user and kernel "
		  "mode, so two per "
		  "system call.");
	put_label(out, "crossings_note_2",
		  "Context switch: the scheduler puts another task on the CPU. What the texts call "
		  "context "
		  "switches are crossings.");
}
