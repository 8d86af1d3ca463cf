// SPDX-License-Identifier: MIT
#include "report/events_text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/figures.h"
#include "analysis/reason.h"
#include "report/by_method.h"
#include "report/table.h"

/* Before a value that was scaled up, because its event had the counters a part of the time only. */
#define SCALED "≈"

/* One line of the table: where a case has its value, and what it is called. */
struct line {
	char key[96];
	char scope[8]; /* of an event; "" for a figure or an energy domain */
	char title[160];
	double scale; /* from the document's unit to the title's */
	bool count; /* a whole number */
	enum line_kind { LINE_FIGURE, LINE_EVENT, LINE_ENERGY } kind;
};

struct lines {
	struct line *list;
	size_t count;
};

static const json_t *entry_of(const struct case_result *kase, const struct line *line)
{
	const json_t *entry;
	size_t i;

	if (line->kind != LINE_EVENT)
		return json_object_get(line->kind == LINE_FIGURE ? kase->figures : kase->energy,
				       line->key);
	json_array_foreach(kase->events, i, entry) {
		const char *name = json_string_value(json_object_get(entry, "name"));
		const char *scope = json_string_value(json_object_get(entry, "scope"));

		if (name && scope && !strcmp(name, line->key) && !strcmp(scope, line->scope))
			return entry;
	}
	return NULL;
}

static struct line *add_line(struct lines *lines, enum line_kind kind, const char *key,
			     const char *scope)
{
	struct line *grown = reallocarray(lines->list, lines->count + 1, sizeof(*grown)), *line;

	if (!grown)
		return NULL;
	lines->list = grown;
	line = &grown[lines->count++];
	*line = (struct line){ .kind = kind, .scale = 1 };
	snprintf(line->key, sizeof(line->key), "%s", key);
	snprintf(line->scope, sizeof(line->scope), "%s", scope);
	return line;
}

static bool makes_a_figure(const char *event)
{
	for (const struct figure *f = figures; f->name; f++)
		if ((f->numerator.event && !strcasecmp(f->numerator.event, event)) ||
		    (f->denominator.event && !strcasecmp(f->denominator.event, event)))
			return true;
	return false;
}

static int add_figures(struct lines *lines)
{
	for (const struct figure *f = figures; f->name; f++) {
		struct line *line = add_line(lines, LINE_FIGURE, f->name, "");

		if (!line)
			return -ENOMEM;
		snprintf(line->title, sizeof(line->title), "%s", f->title);
	}
	return 0;
}

static bool has_line(const struct lines *lines, const char *name, const char *scope)
{
	for (size_t i = 0; i < lines->count; i++)
		if (!strcmp(lines->list[i].key, name) && !strcmp(lines->list[i].scope, scope))
			return true;
	return false;
}

static int add_events(struct lines *lines, const struct case_result *kase, enum style style)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(kase->events, i, entry) {
		const char *name = json_string_value(json_object_get(entry, "name"));
		const char *scope = json_string_value(json_object_get(entry, "scope"));
		const char *unit = json_string_value(json_object_get(entry, "unit"));
		struct line *line;
		bool ns = unit && !strcmp(unit, "ns");

		if (!name || !scope || has_line(lines, name, scope) ||
		    (style == STYLE_TEXT && makes_a_figure(name)))
			continue;
		line = add_line(lines, LINE_EVENT, name, scope);
		if (!line)
			return -ENOMEM;
		line->scale = ns ? 1e-6 : 1;
		line->count = !unit;
		snprintf(line->title, sizeof(line->title), "%.95s%s%.7s%s%s%.20s", name,
			 strcmp(scope, "all") ? " (" : "", strcmp(scope, "all") ? scope : "",
			 strcmp(scope, "all") ? ")" : "", unit ? ", " : "", ns ? "ms" : unit ? unit : "");
	}
	return 0;
}

static int add_energy(struct lines *lines, const struct case_result *kase)
{
	const char *domain;
	json_t *entry;

	json_object_foreach(kase->energy, domain, entry) {
		struct line *line;

		if (has_line(lines, domain, ""))
			continue;
		line = add_line(lines, LINE_ENERGY, domain, "");
		if (!line)
			return -ENOMEM;
		snprintf(line->title, sizeof(line->title), "%.60s energy%s",
			 strcmp(domain, "dram") ? domain : "memory",
			 json_is_number(json_object_get(entry, "value")) ? ", J/GB" : "");
	}
	return 0;
}

static int find_lines(const struct by_method *by_method, enum style style, struct lines *out)
{
	int err = add_figures(out);

	for (size_t i = 0; i < by_method->count && !err; i++)
		err = add_events(out, by_method->cases[i], style);
	for (size_t i = 0; i < by_method->count && !err; i++)
		err = add_energy(out, by_method->cases[i]);
	return err;
}

/* What the cases have on a line. */
enum content { CONTENT_UNKNOWN, CONTENT_ZERO, CONTENT_NUMBERS };

static enum content content_of(const struct by_method *by_method, const struct line *line)
{
	enum content content = CONTENT_UNKNOWN;

	for (size_t i = 0; i < by_method->count; i++) {
		double value = counted(entry_of(by_method->cases[i], line));

		if (isnan(value))
			continue;
		if (value != 0)
			return CONTENT_NUMBERS;
		content = CONTENT_ZERO;
	}
	return content;
}

/* `least` becomes the smallest share of the time that an event had a counter. */
static void put_line(struct grid *grid, const struct by_method *by_method, const struct line *line,
		     double *least)
{
	char text[FORMAT_MAX];

	grid_row(grid);
	grid_cell(grid, "%s", line->title);
	for (size_t i = 0; i < by_method->count; i++) {
		const json_t *entry = entry_of(by_method->cases[i], line);
		const json_t *share = json_object_get(entry, "multiplexed");
		double value = counted(entry) * line->scale;

		if (json_is_number(share))
			*least = fmin(*least, json_number_value(share));
		grid_cell(grid, "%s%s", json_is_number(share) && !isnan(value) ? SCALED : "",
			  line->count ? format_count(value, text) : format_number(value, text));
	}
}

/* "name" once for both of its modes, or "name (kernel)" when the other one has not the same. */
static void list_name(json_t *lists, const char *key, const struct line *line, bool apart)
{
	const char *said = json_string_value(json_object_get(lists, key));
	const char *last = said ? strrchr(said, ',') : NULL;
	const char *name = line->kind == LINE_ENERGY || apart ? line->title : line->key;
	char *list;

	last = last ? last + 2 : said;
	if (last && !strcmp(last, name))
		return;
	if (asprintf(&list, "%s%s%s", said ? said : "", said ? ", " : "", name) < 0)
		return;
	json_object_set_new(lists, key, json_string(list));
	free(list);
}

/* Has another mode of the event other content than this one? */
static bool modes_differ(const struct by_method *by_method, const struct lines *lines, size_t which)
{
	const struct line *line = &lines->list[which];

	for (size_t i = 0; i < lines->count; i++)
		if (lines->list[i].kind == LINE_EVENT && !strcmp(lines->list[i].key, line->key) &&
		    content_of(by_method, &lines->list[i]) != content_of(by_method, line))
			return true;
	return false;
}

static const char *reason_of(const struct by_method *by_method, const struct line *line)
{
	for (size_t i = 0; i < by_method->count; i++) {
		const char *reason = json_string_value(
			json_object_get(entry_of(by_method->cases[i], line), "reason"));

		if (reason)
			return reason;
	}
	return "no reason recorded";
}

static double idle_watts(const struct by_method *by_method)
{
	double watts = 0;
	const char *domain;
	json_t *entry;

	json_object_foreach(by_method->cases[0]->energy, domain, entry) {
		const json_t *idle = json_object_get(entry, "idle_watts");

		if (json_is_number(idle))
			watts += json_number_value(idle);
	}
	return watts;
}

static int put_notes(const struct by_method *by_method, const struct lines *lines, double least,
		     enum style style, FILE *out)
{
	json_t *unknown = json_object(), *zero = json_object(), *list;
	char *text = NULL, number[FORMAT_MAX];
	const char *reason;
	size_t size = 0;
	FILE *note = open_memstream(&text, &size);
	double watts = idle_watts(by_method);

	if (!note || !unknown || !zero) {
		if (note)
			fclose(note);
		free(text);
		json_decref(unknown);
		json_decref(zero);
		return -ENOMEM;
	}
	if (least < 1)
		fprintf(note,
			SCALED " scaled up: more events than counters, so this one was counted in a part of the time only (%.0f%% at least). ",
			floor(100 * least + 1e-6));
	if (watts > 0)
		fprintf(note,
			"Energy is the whole machine's, less the %s W that it took when idle before the run. ",
			format_number(watts, number));
	for (size_t i = 0; i < lines->count; i++) {
		const struct line *line = &lines->list[i];
		enum content content = content_of(by_method, line);

		/* what a figure lacks, its events say */
		if (line->kind == LINE_FIGURE || content == CONTENT_NUMBERS)
			continue;
		list_name(content == CONTENT_ZERO ? zero : unknown,
			  content == CONTENT_ZERO ? "" : reason_of(by_method, line), line,
			  line->kind == LINE_EVENT && modes_differ(by_method, lines, i));
	}
	if (json_object_size(zero))
		fprintf(note, "None at all: %s. ", json_string_value(json_object_get(zero, "")));
	json_object_foreach(unknown, reason, list)
		fprintf(note, "Not counted: %s (%s). ", json_string_value(list), reason);
	fclose(note);
	json_decref(unknown);
	json_decref(zero);
	if (text && text[0]) {
		text[strlen(text) - 1] = 0;
		by_method_note(text, style, out);
	}
	free(text);
	return 0;
}

static bool has_events(const struct case_result *kase)
{
	return json_array_size(kase->events) || json_object_size(kase->energy);
}

/* The events that make figures have no line on a terminal, but why they are missing is said there, too. */
static int all_lines(const struct by_method *by_method, struct lines *out)
{
	return find_lines(by_method, STYLE_MARKDOWN, out);
}

static int family_events(const struct family *family, enum style style, FILE *out)
{
	struct by_method by_method;
	struct lines shown = { 0 }, all = { 0 };
	struct grid grid = { 0 };
	double least = 1;
	int err = by_method_find(family, has_events, &by_method);

	if (!err && by_method.count)
		err = find_lines(&by_method, style, &shown);
	if (!err && by_method.count)
		err = all_lines(&by_method, &all);
	if (!err && by_method.count) {
		by_method_title(family, "Events, per transfer: ", style, out);
		by_method_columns(&grid, &by_method, "");
		for (size_t i = 0; i < shown.count; i++)
			if (content_of(&by_method, &shown.list[i]) == CONTENT_NUMBERS)
				put_line(&grid, &by_method, &shown.list[i], &least);
		err = grid_finish(&grid, style, out);
		if (!err)
			err = put_notes(&by_method, &all, least, style, out);
		putc('\n', out);
	}
	free(shown.list);
	free(all.list);
	by_method_free(&by_method);
	return err;
}

int table_events(const struct result *result, enum style style, FILE *out)
{
	struct families families;
	const struct family *main;
	int err = families_find(result, &families);

	main = err ? NULL : families_main(&families);
	for (size_t i = 0; i < families.count && !err; i++)
		if (style == STYLE_MARKDOWN || &families.list[i] == main)
			err = family_events(&families.list[i], style, out);
	families_free(&families);
	return err;
}

const char *event_missing(const struct case_result *kase, const char *event, char *text)
{
	const char *reason = NULL;
	const json_t *entry;
	size_t i;

	if (!json_array_size(kase->events))
		return strcpy(text, "there was no events pass");
	json_array_foreach(kase->events, i, entry) {
		const char *name = json_string_value(json_object_get(entry, "name"));

		if (!name || strcasecmp(name, event) != 0)
			continue;
		if (json_is_number(json_object_get(entry, "value")))
			return NULL;
		reason = json_string_value(json_object_get(entry, "reason"));
	}
	return reason ? reason_short(reason, text) :
			strcpy(text, "the event was not asked for (--events)");
}
