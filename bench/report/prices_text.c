// SPDX-License-Identifier: MIT
#include "report/prices_text.h"

#include <math.h>
#include <string.h>

#include "analysis/members.h"
#include "report/grid.h"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : UNKNOWN;
}

static void put_title(const char *text, enum style style, FILE *out)
{
	fputs(style == STYLE_MARKDOWN ? "**" : "", out);
	put_text(out, style, text);
	fputs(style == STYLE_MARKDOWN ? "**\n\n" : "\n", out);
}

static void put_item(const char *text, enum style style, FILE *out)
{
	fputs(style == STYLE_MARKDOWN ? "- " : "  • ", out);
	put_text(out, style, text);
	putc('\n', out);
}

/* A price is kept in seconds per unit; per call, fault and switch people read µs, per GB ms. */
static double scale_of(const json_t *term)
{
	return strstr(text_of(term, "unit"), "GB") ? 1e3 : 1e6;
}

/* "s per GB" → "ms per GB" */
static void unit_cell(struct grid *grid, const json_t *term)
{
	const char *unit = text_of(term, "unit");

	grid_cell(grid, "%s%s", strncmp(unit, "s per ", 6) ? "" : scale_of(term) > 1e3 ? "µ" : "m",
		  unit);
}

static void price_cell(struct grid *grid, const json_t *object, const char *value, const char *low,
		       const char *high, double scale)
{
	struct interval i = { .median = scale * member_number(object, value),
			      .low = scale * member_number(object, low),
			      .high = scale * member_number(object, high) };
	char text[FORMAT_MAX];

	i.n = isnan(i.median) ? 0 : 2;
	if (isnan(i.low) || isnan(i.high))
		grid_cell(grid, "%s", format_number(i.median, text));
	else
		grid_cell(grid, "%s", format_range(&i, text));
}

/* "takes in user_to_socket": terms that this run's cases could not tell from this one. */
static void with_cell(struct grid *grid, const json_t *term)
{
	const json_t *with = json_object_get(term, "with");
	char text[300] = "";
	size_t len = 0;

	for (size_t i = 0; i < json_array_size(with) && len < 200; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.60s", i ? ", " : "",
					text_of(json_array_get(with, i), "id"));
	grid_cell(grid, "%s", text);
}

static int terms_table(const json_t *terms, enum style style, FILE *out)
{
	struct grid grid = { 0 };

	grid_column(&grid, "", "price of", true);
	grid_column(&grid, "", "price", false);
	grid_column(&grid, "", "unit", true);
	grid_column(&grid, "", "one price with", true);
	for (size_t i = 0; i < json_array_size(terms); i++) {
		const json_t *term = json_array_get(terms, i);

		grid_row(&grid);
		grid_cell(&grid, "%s", text_of(term, "name"));
		price_cell(&grid, term, "price", "low", "high", scale_of(term));
		unit_cell(&grid, term);
		with_cell(&grid, term);
	}
	return grid_finish(&grid, style, out);
}

static void put_quality(const json_t *prices, enum style style, FILE *out)
{
	char r2[FORMAT_MAX], error[FORMAT_MAX], line[300];
	double share = member_number(prices, "model_error");

	snprintf(line, sizeof(line),
		 "Sender CPU seconds of a transfer = sum of price × count, fitted over the samples of %zu cases: R² "
		 "%.40s, typical error of a case %.40s%%. In brackets 95%% intervals.",
		 json_array_size(json_object_get(prices, "cases")),
		 format_number(member_number(prices, "r_squared"), r2),
		 format_number(100 * share, error));
	put_text(out, style, line);
	if (json_is_true(json_object_get(prices, "anew"))) {
		putc(' ', out);
		put_text(out, style,
			 "The result is of an older version, with prices of another model: these are fitted anew to its samples.");
	}
	fputs("\n\n", out);
}

static void put_absent(const json_t *prices, enum style style, FILE *out)
{
	const json_t *absent = json_object_get(prices, "absent");
	char line[500];

	for (size_t i = 0; i < json_array_size(absent); i++) {
		const json_t *one = json_array_get(absent, i);

		snprintf(line, sizeof(line), "No price of %.60s: %.300s.", text_of(one, "id"),
			 text_of(one, "reason"));
		put_item(line, style, out);
	}
	if (json_array_size(absent))
		putc('\n', out);
}

/* The term with that id, for its unit. */
static const json_t *term_by(const json_t *terms, const char *id)
{
	for (size_t i = 0; i < json_array_size(terms); i++)
		if (!strcmp(text_of(json_array_get(terms, i), "id"), id))
			return json_array_get(terms, i);
	return NULL;
}

static int checks_table(const json_t *prices, enum style style, FILE *out)
{
	const json_t *checks = json_object_get(prices, "checks");
	const json_t *terms = json_object_get(prices, "terms");
	struct grid grid = { 0 };
	char text[FORMAT_MAX];
	int err;

	if (!json_array_size(checks)) {
		put_text(out, style, "No direct measurements to hold them against: 'copytax run "
				     "--calibrate' takes them.");
		fputs("\n\n", out);
		return 0;
	}
	put_title("Against direct measurements of the same run", style, out);
	grid_column(&grid, "", "price of", true);
	grid_column(&grid, "", "fitted", false);
	grid_column(&grid, "", "direct", false);
	grid_column(&grid, "", "unit", true);
	grid_column(&grid, "", "ratio", false);
	grid_column(&grid, "", "verdict", true);
	for (size_t i = 0; i < json_array_size(checks); i++) {
		const json_t *check = json_array_get(checks, i);
		const json_t *term = term_by(terms, text_of(check, "id"));
		bool near = json_is_true(json_object_get(check, "near"));
		bool overlap = json_is_true(json_object_get(check, "intervals_overlap"));

		grid_row(&grid);
		grid_cell(&grid, "%s%s by %s", text_of(term, "name"),
			  json_is_true(json_object_get(check, "with_carried")) ? ", with carrying" :
										 "",
			  text_of(check, "direct_id"));
		price_cell(&grid, check, "price", "low", "high", scale_of(term));
		price_cell(&grid, check, "direct", "direct_low", "direct_high", scale_of(term));
		unit_cell(&grid, term);
		grid_cell(&grid, "%s", format_number(member_number(check, "ratio"), text));
		grid_cell(&grid, "%s",
			  near	  ? "near" :
			  overlap ? "not near; intervals overlap" :
				    "differs");
	}
	err = grid_finish(&grid, style, out);
	putc('\n', out);
	for (size_t i = 0; i < json_array_size(checks); i++) {
		const json_t *check = json_array_get(checks, i);
		const char *why = json_string_value(json_object_get(check, "why"));
		char line[700];

		if (!why)
			continue;
		snprintf(line, sizeof(line), "%.60s: %.600s.", text_of(check, "direct_id"), why);
		put_item(line, style, out);
	}
	putc('\n', out);
	return err;
}

static void left_out_row(struct grid *grid, const json_t *one)
{
	const char *reason = json_string_value(json_object_get(one, "reason"));
	double share = member_number(one, "worst_ratio"), ms = 1e3 * member_number(one, "worst_s");
	const json_t *borrowed = json_object_get(one, "borrowed");
	char text[FORMAT_MAX], from[300] = "";
	size_t len = 0;

	grid_row(grid);
	grid_cell(grid, "%s", text_of(one, "method"));
	if (reason) {
		grid_span(grid, reason);
		return;
	}
	for (size_t i = 0; i < json_array_size(borrowed) && len < 200; i++)
		len += (size_t)snprintf(from + len, sizeof(from) - len, "%s%.60s", i ? ", " : "",
					text_of(json_array_get(borrowed, i), "id"));
	if (isnan(share))
		grid_cell(grid, "%s", UNKNOWN);
	else
		grid_cell(grid, "%+.0f%%", 100 * share);
	grid_cell(grid, "%s%s", ms > 0 ? "+" : "", format_number(ms, text));
	grid_cell(grid, "%s", json_is_true(json_object_get(one, "good")) ? "yes" : "no");
	grid_cell(grid, "%s", from);
}

static int left_out_table(const json_t *prices, enum style style, FILE *out)
{
	const json_t *list = json_object_get(prices, "predicted_from_others");
	struct grid grid = { 0 };
	int err;

	if (!json_array_size(list))
		return 0;
	put_title("Each method predicted from the others", style, out);
	grid_column(&grid, "", "method", true);
	grid_column(&grid, "worst case", "error", false);
	grid_column(&grid, "worst case", "error, ms", false);
	grid_column(&grid, "", "within 20% or 3 ms everywhere", true);
	grid_column(&grid, "", "priced directly, as no other method has it", true);
	for (size_t i = 0; i < json_array_size(list); i++)
		left_out_row(&grid, json_array_get(list, i));
	err = grid_finish(&grid, style, out);
	putc('\n', out);
	return err;
}

static int residuals_table(const json_t *prices, enum style style, FILE *out)
{
	const json_t *cases = json_object_get(prices, "cases");
	struct grid grid = { 0 };
	char text[FORMAT_MAX];

	if (!json_array_size(cases))
		return 0;
	put_title("What the prices leave unexplained, by case", style, out);
	grid_column(&grid, "", "method", true);
	grid_column(&grid, "", "cache", true);
	grid_column(&grid, "", "chunk", false);
	grid_column(&grid, "", "measured, ms", false);
	grid_column(&grid, "", "by the prices, ms", false);
	grid_column(&grid, "", "left, ms", false);
	for (size_t i = 0; i < json_array_size(cases); i++) {
		const json_t *c = json_array_get(cases, i);
		double chunk = member_number(c, "chunk"), left = 1e3 * member_number(c, "residual_s");

		grid_row(&grid);
		grid_cell(&grid, "%s", text_of(c, "method"));
		grid_cell(&grid, "%s", text_of(c, "cache"));
		if (chunk >= 0 && chunk < 0x1p62)
			grid_cell(&grid, "%s", format_chunk((uint64_t)chunk, text));
		else
			grid_cell(&grid, "%s", UNKNOWN);
		grid_cell(&grid, "%s", format_number(1e3 * member_number(c, "measured_s"), text));
		grid_cell(&grid, "%s", format_number(1e3 * member_number(c, "predicted_s"), text));
		grid_cell(&grid, "%s%s", left > 0 ? "+" : "", format_number(left, text));
	}
	return grid_finish(&grid, style, out);
}

int prices_write(const struct result *result, enum style style, FILE *out)
{
	const json_t *terms = json_object_get(result->prices, "terms");
	const char *reason = json_string_value(json_object_get(result->prices, "reason"));
	int err;

	if (!json_is_array(terms)) {
		if (!result->case_count)
			return 0;
		fputs("No prices: ", out);
		put_text(out, style, reason ? reason : "this result was not priced");
		fputs(".\n", out);
		return 0;
	}
	put_quality(result->prices, style, out);
	err = terms_table(terms, style, out);
	putc('\n', out);
	put_absent(result->prices, style, out);
	err = err ? err : left_out_table(result->prices, style, out);
	err = err ? err : checks_table(result->prices, style, out);
	return err ? err : residuals_table(result->prices, style, out);
}
