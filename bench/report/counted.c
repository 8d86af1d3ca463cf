// SPDX-License-Identifier: MIT
#include "report/counted.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/counts.h"
#include "analysis/reason.h"
#include "report/grid.h"
#include "report/table.h"

const struct site_name site_names[] = {
	{ "file_to_user", "file→user" },
	{ "file_to_kernel", "file→kernel" },
	{ "user_to_socket", "user→socket" },
	{ "deferred", "deferred" },
	{ "socket_to_user", "socket→user" },
	{ "by_reference", "by reference" },
	{ "disk_to_page_cache", "disk→cache" },
	{ "disk_to_user", "disk→user" },
	{ "linearized", "linearized" },
	{ NULL, NULL },
};

#define SITE_COUNT (sizeof(site_names) / sizeof(site_names[0]) - 1)

/* One column of a table, as data: where the number is, and what it is called above it and in a note. */
struct column {
	const char *key, *over, *name;
	const char *
		noun; /* "switches to a thread of the same process": for the notes below the table */
	bool copy;    /* in case->copies, else in case->counts */
};

static const struct column crossing_columns[] = {
	{ "syscalls", "", "calls", "system calls", false },
	{ "crossings", "", "crossings", "crossings", false },
	{ "context_switches_voluntary", "switched out", "waiting", "voluntary switches", false },
	{ "context_switches_involuntary", "switched out", "preempted", "involuntary switches",
	  false },
	{ "context_switches_process", "switched to", "process", "switches to another process",
	  false },
	{ "context_switches_thread", "switched to", "thread",
	  "switches to a thread of the same process", false },
	{ "context_switches_kernel", "switched to", "kernel", "switches to a kernel thread",
	  false },
	{ "context_switches_idle", "switched to", "idle", "switches to an idle CPU", false },
	{ "interrupts", "", "interrupts", "interrupts", false },
	{ "softirqs", "", "softirqs", "softirqs", false },
};

static const struct column copy_columns[] = {
	{ "file_to_user", "copied by sender", "file→user", "copies file→user", true },
	{ "file_to_kernel", "copied by sender", "file→kernel", "copies file→kernel", true },
	{ "user_to_socket", "copied by sender", "user→socket", "copies user→socket", true },
	{ "deferred", "copied by sender", "deferred", "deferred copies", true },
	{ "linearized", "copied by sender", "linearized", "linearized copies", true },
	{ "socket_to_user", "by receiver", "socket→user", "copies socket→user", true },
	{ "by_reference", "", "by reference", "bytes by reference", true },
	{ "disk_to_page_cache", "", "disk→cache", "bytes disk→page cache", true },
	{ "disk_to_user", "", "disk→user", "bytes disk→user buffer", true },
};

#define COLUMNS(table) (sizeof(table) / sizeof((table)[0]))

static const json_t *entry_of(const struct case_result *kase, const struct column *column)
{
	return json_object_get(column->copy ? kase->copies : kase->counts, column->key);
}

double known_factor(const struct case_result *kase, bool *whole)
{
	double sum = 0;
	size_t known = 0;

	for (size_t i = 0; i < SENDER_SITES; i++) {
		double bytes = copied_bytes(kase, site_names[i].key);

		if (isnan(bytes))
			continue;
		sum += bytes;
		known++;
	}
	*whole = known == SENDER_SITES;
	return known && kase->payload ? sum / (double)kase->payload : NAN;
}

bool counted_case(const struct case_result *kase)
{
	if (!isnan(count_of(kase, "syscalls", NULL)))
		return true;
	for (size_t i = 0; i < SITE_COUNT; i++)
		if (!isnan(copied_bytes(kase, site_names[i].key)))
			return true;
	return false;
}

static bool counted_any(const struct result *result)
{
	for (size_t i = 0; i < result->case_count; i++)
		if (counted_case(&result->cases[i]))
			return true;
	return false;
}

/* What a family's rows have in a column. */
enum content {
	CONTENT_NONE,	 /* no case has the key */
	CONTENT_UNKNOWN, /* null in every row */
	CONTENT_ZERO,	 /* counted, and 0 in every row */
	CONTENT_NUMBERS,
};

static bool in_table(const struct family *family, const struct case_result *kase)
{
	return kase->chunk == family->chunk && kase->status == CASE_OK;
}

/* A case that the counting pass did not reach has a sentence in place of numbers, and no say in the columns. */
static bool has_numbers(const struct family *family, const struct case_result *kase)
{
	return in_table(family, kase) && counted_case(kase);
}

static void row_without(struct grid *grid, const struct case_result *kase)
{
	const char *reason = count_reason(kase, "syscalls");
	char text[REASON_SHORT_MAX], line[REASON_SHORT_MAX + 32];

	snprintf(line, sizeof(line), "not counted%s%s", reason ? ": " : "",
		 reason ? reason_short(reason, text) : "");
	grid_row(grid);
	grid_cell(grid, "%s", kase->method);
	grid_span(grid, line);
}

static enum content content_of(const struct family *family, const struct column *column)
{
	size_t rows = 0, unknown = 0, zero = 0, there = 0;

	for (size_t i = 0; i < family->count; i++) {
		const json_t *entry = entry_of(family->cases[i], column);
		double value = counted(entry);

		if (!has_numbers(family, family->cases[i]))
			continue;
		rows++;
		there += entry != NULL;
		unknown += isnan(value) ? 1 : 0;
		zero += value == 0;
	}
	return !there		 ? CONTENT_NONE
	       : unknown == rows ? CONTENT_UNKNOWN
	       : zero == rows	 ? CONTENT_ZERO
				 : CONTENT_NUMBERS;
}

static void write_note(const char *text, enum style style, FILE *out)
{
	if (style == STYLE_MARKDOWN) {
		putc('\n', out);
		put_markdown(out, text);
	} else {
		put_wrapped(out, text, 0, GRID_WIDTH);
	}
	putc('\n', out);
}

/* "None at all: a, b." */
static void note_zeros(const struct family *family, const struct column *columns, size_t count,
		       FILE *out)
{
	const char *before = "None at all: ";

	for (size_t i = 0; i < count; i++) {
		if (content_of(family, &columns[i]) != CONTENT_ZERO)
			continue;
		fprintf(out, "%s%s", before, columns[i].noun);
		before = ", ";
	}
	if (before[0] == ',')
		fputs(". ", out);
}

/* Adds to `reasons` {short reason: "noun, noun"} for the columns with a null in them. */
static int gather_unknown(const struct family *family, const struct column *columns, size_t count,
			  json_t *reasons)
{
	char text[REASON_SHORT_MAX], *list;

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < family->count; k++) {
			const json_t *entry = entry_of(family->cases[k], &columns[i]);
			const char *said;

			if (!has_numbers(family, family->cases[k]) || !entry ||
			    !isnan(counted(entry)))
				continue;
			reason_short(json_string_value(json_object_get(entry, "reason")), text);
			said = json_string_value(json_object_get(reasons, text));
			if (asprintf(&list, "%s%s%s", said ? said : "", said ? ", " : "",
				     columns[i].noun) < 0)
				return -ENOMEM;
			json_object_set_new(reasons, text, json_string(list));
			free(list);
			break;
		}
	}
	return 0;
}

/* "Not counted here: a, b (why)." */
static int note_unknown(const struct family *family, const struct column *columns, size_t count,
			FILE *out)
{
	json_t *reasons = json_object(), *list;
	const char *reason;
	int err = gather_unknown(family, columns, count, reasons);

	json_object_foreach(reasons, reason, list)
		fprintf(out, "Not counted: %s (%s). ", json_string_value(list), reason);
	json_decref(reasons);
	return err;
}

/* The notes below a table, as one paragraph: `more` comes first. */
static int put_notes(const struct family *family, const struct column *columns, size_t count,
		     const char *more, enum style style, FILE *out)
{
	char *text = NULL;
	size_t size = 0;
	FILE *note = open_memstream(&text, &size);
	int err;

	if (!note)
		return -ENOMEM;
	fputs(more, note);
	note_zeros(family, columns, count, note);
	err = note_unknown(family, columns, count, note);
	if (fclose(note))
		err = -ENOMEM;
	if (!err && text[0]) {
		text[strlen(text) - 1] = 0;
		write_note(text, style, out);
	}
	free(text);
	return err;
}

static void put_title(const struct family *family, const char *what, enum style style, FILE *out)
{
	char title[400];

	family_title(family, &family->chunk, title, sizeof(title));
	fputs(style == STYLE_MARKDOWN ? "**" : "", out);
	put_text(out, style, what);
	put_text(out, style, title);
	fputs(style == STYLE_MARKDOWN ? "**\n\n" : "\n", out);
}

static int crossings_table(const struct family *family, bool first, enum style style, FILE *out)
{
	struct grid grid = { 0 };
	char text[FORMAT_MAX];
	int err;

	grid_column(&grid, "", "method", true);
	for (size_t i = 0; i < COLUMNS(crossing_columns); i++)
		if (content_of(family, &crossing_columns[i]) == CONTENT_NUMBERS)
			grid_column(&grid, crossing_columns[i].over, crossing_columns[i].name,
				    false);
	if (grid.column_count < 2)
		grid_column(&grid, "", "", true);
	for (size_t k = 0; k < family->count; k++) {
		if (!in_table(family, family->cases[k]))
			continue;
		if (!counted_case(family->cases[k])) {
			row_without(&grid, family->cases[k]);
			continue;
		}
		grid_row(&grid);
		grid_cell(&grid, "%s", family->cases[k]->method);
		for (size_t i = 0; i < COLUMNS(crossing_columns); i++)
			if (content_of(family, &crossing_columns[i]) == CONTENT_NUMBERS)
				grid_cell(&grid, "%s",
					  format_count(counted(entry_of(family->cases[k],
									&crossing_columns[i])),
						       text));
	}
	err = grid_finish(&grid, style, out);
	return err ? err
		   : put_notes(family, crossing_columns, COLUMNS(crossing_columns),
			       first ? "A call, a page fault or an interrupt in user mode is two "
				       "crossings; "
				       "only when the scheduler takes the CPU away is it a context "
				       "switch. "
				     : "",
			       style, out);
}

/* "2.00", or "≥2.00" when a site is missing from the sum */
static void factor_cell(struct grid *grid, const struct case_result *kase, bool *bounds)
{
	char text[FORMAT_MAX];
	bool whole;
	double factor = known_factor(kase, &whole);

	*bounds |= !whole && !isnan(factor);
	grid_cell(grid, "%s%s", whole || isnan(factor) ? "" : "≥", format_number(factor, text));
}

/* Whose column of what the probes cost is empty, and why. */
static void say_unobserved(const struct family *family, char *text, size_t size)
{
	const char *reason = NULL;
	size_t used;

	snprintf(text, size, "CPU ÷ timed not known of");
	for (size_t i = 0; i < family->count; i++) {
		const struct case_result *kase = family->cases[i];

		if (!in_table(family, kase) || !counted_case(kase) ||
		    !isnan(count_of(kase, "observation", NULL)))
			continue;
		used = strlen(text);
		snprintf(text + used, size - used, "%s %.40s", reason ? "," : "", kase->method);
		reason = count_reason(kase, "observation");
	}
	used = strlen(text);
	snprintf(text + used, size - used, ": %.200s. ", reason ? reason : "");
	if (!reason)
		text[0] = '\0';
}

static int copies_table(const struct family *family, bool first, enum style style, FILE *out)
{
	struct grid grid = { 0 };
	bool bounds = false;
	char text[FORMAT_MAX], unobserved[400], more[560];
	int err;

	grid_column(&grid, "", "method", true);
	for (size_t i = 0; i < COLUMNS(copy_columns); i++)
		if (content_of(family, &copy_columns[i]) == CONTENT_NUMBERS)
			grid_column(&grid, copy_columns[i].over, copy_columns[i].name, false);
	grid_column(&grid, "", "copy factor", false);
	grid_column(&grid, "CPU", "÷ timed", false);
	for (size_t k = 0; k < family->count; k++) {
		const struct case_result *kase = family->cases[k];

		if (!in_table(family, kase))
			continue;
		if (!counted_case(kase)) {
			row_without(&grid, kase);
			continue;
		}
		grid_row(&grid);
		grid_cell(&grid, "%s", kase->method);
		for (size_t i = 0; i < COLUMNS(copy_columns); i++)
			if (content_of(family, &copy_columns[i]) == CONTENT_NUMBERS)
				grid_cell(&grid, "%s",
					  format_number(counted(entry_of(kase, &copy_columns[i])) /
								1e6,
							text));
		factor_cell(&grid, kase, &bounds);
		grid_cell(&grid, "%s", format_number(count_of(kase, "observation", NULL), text));
	}
	err = grid_finish(&grid, style, out);
	say_unobserved(family, unobserved, sizeof(unobserved));
	snprintf(more, sizeof(more), "%s%s",
		 !first ? "" :
		 bounds ? "Copy factor: the sender's copies ÷ payload; ≥ when a site of them could not be counted. CPU ÷ timed: what the probes cost. " :
			  "Copy factor: the sender's copies ÷ payload. CPU ÷ timed: what the probes cost. ",
		 unobserved);
	return err ? err :
		     put_notes(family, copy_columns, COLUMNS(copy_columns), more, style, out);
}

static bool family_counted(const struct family *family)
{
	for (size_t i = 0; i < family->count; i++)
		if (has_numbers(family, family->cases[i]))
			return true;
	return false;
}

/* A run without a counting pass says so in one line, with the reason that its first case has. */
static void say_none(const struct result *result, enum style style, FILE *out)
{
	char text[REASON_SHORT_MAX], line[REASON_SHORT_MAX + 64];

	for (size_t i = 0; i < result->case_count; i++) {
		const char *reason = count_reason(&result->cases[i], "syscalls");

		if (!reason)
			continue;
		snprintf(line, sizeof(line), "Nothing was counted: %s.",
			 reason_short(reason, text));
		if (style == STYLE_MARKDOWN)
			put_markdown(out, line);
		else
			put_plain(out, line);
		fputs("\n\n", out);
		return;
	}
}

int counted_write(const struct result *result, enum style style, FILE *out)
{
	struct families families;
	bool first = true;
	int err;

	if (!counted_any(result)) {
		say_none(result, style, out);
		return 0;
	}
	err = families_find(result, &families);
	for (size_t i = 0; i < families.count && !err; i++) {
		const struct family *family = &families.list[i];

		if (!family_counted(family))
			continue;
		put_title(family, "Counted, per transfer: ", style, out);
		err = crossings_table(family, first, style, out);
		putc('\n', out);
		if (style == STYLE_TEXT)
			fputs("MB per transfer\n", out);
		else
			put_title(family, "MB per transfer: ", style, out);
		err = err ? err : copies_table(family, first, style, out);
		putc('\n', out);
		first = false;
	}
	families_free(&families);
	return err;
}

static const char *text_of(const json_t *probe, const char *key)
{
	const char *text = json_string_value(json_object_get(probe, key));

	return text ? text : UNKNOWN;
}

int counted_how(const struct result *result, enum style style, FILE *out)
{
	struct grid grid = { 0 };
	json_t *probe;
	size_t i;

	grid_column(&grid, "", "number", true);
	grid_column(&grid, "", "counted by", true);
	grid_column(&grid, "", "what was tried first, and why not", true);
	json_array_foreach(result->probes, i, probe)
	{
		grid_row(&grid);
		grid_cell(&grid, "%s", text_of(probe, "name"));
		grid_cell(&grid, "%s",
			  json_is_string(json_object_get(probe, "how")) ? text_of(probe, "how")
									: "not counted");
		grid_cell(&grid, "%s",
			  json_is_string(json_object_get(probe, "reason"))
				  ? text_of(probe, "reason")
				  : "");
	}
	return grid_finish(&grid, style, out);
}
