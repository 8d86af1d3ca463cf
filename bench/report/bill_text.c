// SPDX-License-Identifier: MIT
#include "report/bill_text.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "analysis/bill.h"
#include "analysis/members.h"
#include "analysis/terms.h"
#include "report/grid.h"

/* Names under the bars of the picture: those of the document are too long for that. */
static const struct {
	const char *id, *name;
} short_names[] = {
	{ "calls", "calls" },		  { "file_to_user", "copies" },
	{ "user_to_socket", "to socket" }, { "sends", "send" },
	{ "lends", "lend pages" },	  { "faults", "faults" },
	{ "waits", "disk waits" },	  { "disk_to_page_cache", "disk→cache" },
	{ "mapped_to_socket", "map→socket" },
	{ "deliveries", "deliveries" },	  { "wakes", "wake-ups" },
	{ "disk_to_user", "disk→user" },  { "carried", "stack" },
	{ "delivered_waits", "after delivery" }, { "room_waits", "waits for room" },
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : UNKNOWN;
}

static bool billable(const struct family *family, const struct case_result *c)
{
	return c->chunk == family->chunk && case_measured(c);
}

/* A price in what people read: µs per call, fault or switch, ms per GB. */
static void price_cell(struct grid *grid, const json_t *line)
{
	bool gb = !strcmp(text_of(line, "quantity"), "GB");
	double price = member_number(line, "price");
	char text[FORMAT_MAX];

	grid_cell(grid, "%s %s", format_number(price * (gb ? 1e3 : 1e6), text),
		  gb ? "ms/GB" : "µs");
}

static void count_cell(struct grid *grid, const json_t *line)
{
	bool gb = !strcmp(text_of(line, "quantity"), "GB");
	double count = member_number(line, "count");
	char text[FORMAT_MAX];

	grid_cell(grid, "%s", gb ? format_number(count, text) : format_count(count, text));
}

static void cost_cell(struct grid *grid, double cost, double low, double high)
{
	struct interval i = { .median = 1e3 * cost, .low = 1e3 * low, .high = 1e3 * high, .n = 2 };
	char text[FORMAT_MAX];

	grid_cell(grid, "%s",
		  isnan(low) || isnan(high) ? format_number(1e3 * cost, text) :
					      format_range(&i, text));
}

static void bill_rows(struct grid *grid, const struct case_result *c, const json_t *bill)
{
	static const struct {
		const char *name, *key;
	} ends[] = { { "unexplained", "unexplained_s" }, { "measured", "measured_s" } };
	const json_t *lines = json_object_get(bill, "lines");

	for (size_t i = 0; i < json_array_size(lines); i++) {
		const json_t *line = json_array_get(lines, i);

		grid_row(grid);
		grid_cell(grid, "%s", c->method);
		grid_cell(grid, "%s", text_of(line, "name"));
		count_cell(grid, line);
		price_cell(grid, line);
		cost_cell(grid, member_number(line, "cost_s"), member_number(line, "low_s"),
			  member_number(line, "high_s"));
	}
	for (size_t i = 0; i < 2; i++) {
		grid_row(grid);
		grid_cell(grid, "%s", c->method);
		grid_cell(grid, "%s", ends[i].name);
		grid_cell(grid, "%s", "");
		grid_cell(grid, "%s", "");
		cost_cell(grid, member_number(bill, ends[i].key), NAN, NAN);
	}
}

/* "Going over from read_write to sendfile saves 43.4 ms here: …" by the two bills. */
static int write_saving(const struct case_result *base, const json_t *from,
			const struct case_result *c, const json_t *to, enum style style, FILE *out)
{
	double saved = member_number(from, "measured_s") - member_number(to, "measured_s");
	json_t *savings = bill_savings(from, to);
	char number[FORMAT_MAX], part[FORMAT_MAX], text[1200];
	size_t len, shown = 0;

	if (!savings)
		return -ENOMEM;
	if (json_is_array(savings) && isfinite(saved)) {
		len = (size_t)snprintf(text, sizeof(text), "From %.40s to %.40s: %s ms %s here (",
				       base->method, c->method,
				       format_number(fabs(1e3 * saved), number),
				       saved < 0 ? "more" : "less");
		for (size_t i = 0; i < json_array_size(savings) && shown < 4; i++) {
			const json_t *one = json_array_get(savings, i);
			double ms = 1e3 * member_number(one, "saved_s");

			if (fabs(ms) < 0.05)
				continue;
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.60s %s%s ms",
						shown++ ? ", " : "", text_of(one, "name"),
						ms < 0 ? "+" : "−",
						format_number(fabs(ms), part));
		}
		snprintf(text + len, sizeof(text) - len, ").");
		fputs(style == STYLE_MARKDOWN ? "- " : "  • ", out);
		if (style == STYLE_MARKDOWN)
			put_markdown(out, text);
		else
			put_wrapped(out, text, 4, GRID_WIDTH - 4);
		putc('\n', out);
	}
	json_decref(savings);
	return 0;
}

static int write_savings(const struct result *result, const struct family *family,
			 const struct case_result *base, enum style style, FILE *out)
{
	json_t *from = base && case_measured(base) ? bill_of(result, base) : NULL;
	int err = 0;

	if (!from)
		return 0;
	for (size_t i = 0; i < family->count && !err; i++) {
		const struct case_result *c = family->cases[i];
		json_t *to;

		if (!billable(family, c) || c == base)
			continue;
		to = bill_of(result, c);
		err = to ? write_saving(base, from, c, to, style, out) : -ENOMEM;
		json_decref(to);
	}
	json_decref(from);
	return err;
}

int bill_switching(const struct result *result, const struct case_result *kase, enum style style,
		   FILE *out)
{
	struct families families;
	int err = families_find(result, &families);

	for (size_t i = 0; i < families.count && !err; i++) {
		const struct family *family = &families.list[i];

		for (size_t k = 0; k < family->count && !err; k++)
			if (family->cases[k] == kase && kase->chunk == family->chunk)
				err = write_savings(result, family, kase, style, out);
	}
	families_free(&families);
	return err;
}

static int write_bills(const struct result *result, const struct family *family, enum style style,
		       FILE *out)
{
	struct grid grid = { 0 };
	size_t rows = 0;
	int err = 0;

	grid_column(&grid, "", "method", true);
	grid_column(&grid, "", "line", true);
	grid_column(&grid, "", "count", false);
	grid_column(&grid, "", "price", false);
	grid_column(&grid, "", "cost, ms", false);
	for (size_t i = 0; i < family->count && !err; i++) {
		const struct case_result *c = family->cases[i];
		const char *reason;
		json_t *bill;

		if (!billable(family, c))
			continue;
		bill = bill_of(result, c);
		if (!bill) {
			err = -ENOMEM;
			break;
		}
		reason = json_string_value(json_object_get(bill, "reason"));
		if (json_is_array(json_object_get(bill, "lines"))) {
			bill_rows(&grid, c, bill);
		} else {
			grid_row(&grid);
			grid_cell(&grid, "%s", c->method);
			grid_span(&grid, reason ? reason : "no bill");
		}
		rows++;
		json_decref(bill);
	}
	if (grid_finish(&grid, style, out) && !err)
		err = -ENOMEM;
	if (err || !rows)
		return err;
	putc('\n', out);
	return write_savings(result, family, family_case(family, "read_write", family->chunk), style,
			     out);
}

int bill_write(const struct result *result, enum style style, FILE *out)
{
	const char *reason = json_string_value(json_object_get(result->prices, "reason"));
	const struct family *main;
	struct families families;
	int err = families_find(result, &families);

	main = err ? NULL : families_main(&families);
	if (main && json_is_array(json_object_get(result->prices, "terms"))) {
		char title[400];

		family_title(main, &main->chunk, title, sizeof(title));
		fputs(style == STYLE_MARKDOWN ? "**" : "", out);
		put_text(out, style, title);
		fputs(style == STYLE_MARKDOWN ? "**\n\n" : "\n", out);
		err = write_bills(result, main, style, out);
	} else if (main) {
		fputs("No bill: ", out);
		put_text(out, style, reason ? reason : "the result has no prices");
		fputs(".\n", out);
	}
	families_free(&families);
	return err;
}

/* ---- the picture ---- */

/* All terms there are, what is unexplained and what was measured. */
#define ROWS_MAX (TERMS + 2)

static const char *short_name(const json_t *line)
{
	const char *id = text_of(line, "id");

	for (size_t i = 0; i < sizeof(short_names) / sizeof(short_names[0]); i++)
		if (!strcmp(short_names[i].id, id))
			return short_names[i].name;
	return "other";
}

/* A panel of the picture while it is written. */
struct panel {
	FILE *out, *labels;
	const char *method;
	unsigned int number, rows;
};

/* The next bar, from `from` to `to` ms; `kind`: 0 a line, 1 unexplained, 2 measured. */
static void put_bar(struct panel *panel, const char *name, double from, double to, int kind)
{
	char text[FORMAT_MAX];

	panel->rows++;
	fprintf(panel->labels, "bill_line[%u] = ", (panel->number - 1) * ROWS_MAX + panel->rows);
	put_gnuplot(panel->labels, name);
	putc('\n', panel->labels);
	fprintf(panel->out, "%u\t", panel->number);
	put_tsv(panel->out, panel->method);
	fprintf(panel->out, "\t%u\t", panel->rows);
	put_tsv(panel->out, name);
	fprintf(panel->out, "\t%.9g\t%.9g\t%d\t%s%s\n", from, to, kind, to < from ? "−" : "",
		format_number(fabs(to - from), text));
}

static void put_panel(struct panel *panel, const json_t *bill)
{
	const json_t *lines = json_object_get(bill, "lines");
	double at = 0, measured_ms = 1e3 * member_number(bill, "measured_s");

	for (size_t i = 0; i < json_array_size(lines); i++) {
		const json_t *line = json_array_get(lines, i);
		double cost = 1e3 * member_number(line, "cost_s");

		put_bar(panel, short_name(line), at, at + cost, 0);
		at += cost;
	}
	put_bar(panel, "unexplained", at, measured_ms, 1);
	put_bar(panel, "measured", 0, measured_ms, 2);
}

int bill_data(const struct result *result, const struct family *family, FILE *out, FILE *labels,
	      bool *any)
{
	unsigned int panels = 0, most = 0;

	fputs("panel\tmethod\trow\tline\tfrom_ms\tto_ms\tkind\tlabel\n", out);
	fprintf(labels, "array bill_method[%zu]\narray bill_rows[%zu]\narray bill_line[%zu]\n",
		family->count + 1, family->count + 1, (family->count + 1) * ROWS_MAX);
	fprintf(labels, "bill_rows_max = %d\n", ROWS_MAX);
	for (size_t i = 0; i < family->count; i++) {
		const struct case_result *c = family->cases[i];
		struct panel panel = { out, labels, c->method, panels + 1, 0 };
		json_t *bill;

		if (!billable(family, c))
			continue;
		bill = bill_of(result, c);
		if (!bill)
			return -ENOMEM;
		if (json_is_array(json_object_get(bill, "lines"))) {
			panels++;
			put_panel(&panel, bill);
			most = panel.rows > most ? panel.rows : most;
			fprintf(labels, "bill_rows[%u] = %u\nbill_method[%u] = ", panels,
				panel.rows, panels);
			put_gnuplot(labels, c->method);
			putc('\n', labels);
		}
		json_decref(bill);
	}
	fprintf(labels, "bill_count = %u\nbill_most = %u\n", panels, most);
	*any = panels > 0 && panels <= BILL_PANELS_MAX;
	return 0;
}
