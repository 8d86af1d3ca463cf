// SPDX-License-Identifier: MIT
/* copytax compare: what changed from one result to another, and how sure that is. */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/apart.h"
#include "analysis/compare.h"
#include "analysis/members.h"
#include "analysis/marks.h"
#include "analysis/turns.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "report/grid.h"
#include "report/trend.h"


#define COMPARISON_SCHEMA "copytax.comparison/1"
#define SHOWN_MAX 200 /* of a value that differs: mitigations are long */

enum key { KEY_FAIL_IF = 'f', KEY_JSON = 'j', KEY_MARKDOWN = 'm', KEY_MARGIN = 0x200, KEY_VERDICTS, KEY_PLOT, KEY_TURNS };

struct options {
	const char **paths;
	size_t path_count;
	struct gate gates[COMPARE_GATES_MAX];
	int gate_count;
	double margin;
	bool json, verdicts, turns;
	const char *plot;
	enum style style;
	struct failure why;
};

static const struct argp_option option_table[] = {
	{ "fail-if", KEY_FAIL_IF, "WHAT", 0,
	  "exit 1 if a case is worse with confidence, and by more than this: sender_cpu>5%, comma-separated; also receiver_cpu, total_cpu, wall",
	  0 },
	{ "margin", KEY_MARGIN, "PERCENT", 0,
	  "call nothing different that is closer than this (2%): two runs of one build are not the same either",
	  0 },
	{ "json", KEY_JSON, NULL, 0, "print JSON", 0 },
	{ "in-turns", KEY_TURNS, NULL, 0,
	  "the results are BASE NEW BASE NEW …, of two builds that were run in turns: compares pair by pair, which tells much smaller differences apart than two long runs do",
	  0 },
	{ "plot", KEY_PLOT, "FILE", 0,
	  "draw the trend of many results of one host, in the order of time, as .svg or .png", 0 },
	{ "verdicts", KEY_VERDICTS, NULL, 0,
	  "print nothing but a line for each case, for scripts: its method, the verdict on its sender CPU, chunk and cache; and one with the host's speed",
	  0 },
	{ "markdown", KEY_MARKDOWN, NULL, 0, "print Markdown", 0 },
	{ 0 },
};

static int take_margin(struct options *o, const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (text[0] < '0' || text[0] > '9' || (*end && strcmp(end, "%")) || !(value < 100))
		return fail(&o->why, EXIT_WRONG_USE, EINVAL, "'%s' is no margin: use 2%%", text);
	o->margin = value / 100;
	return 0;
}

static int take(struct options *o, int key, const char *text)
{
	int count;

	switch (key) {
	case KEY_FAIL_IF:
		count = gates_parse(text, o->gates, &o->why);
		o->gate_count = count < 0 ? 0 : count;
		return count < 0 ? count : 0;
	case KEY_MARGIN:
		return take_margin(o, text);
	case KEY_JSON:
		o->json = true;
		return 0;
	case KEY_PLOT:
		o->plot = text;
		return 0;
	case KEY_TURNS:
		o->turns = true;
		return 0;
	case KEY_VERDICTS:
		o->verdicts = true;
		return 0;
	case KEY_MARKDOWN:
		o->style = STYLE_MARKDOWN;
		return 0;
	default:
		return 1;
	}
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct options *o = state->input;

	if (key == ARGP_KEY_ARG) {
		/* never more than argc */
		o->paths[o->path_count++] = text;
		return 0;
	}
	if (key == ARGP_KEY_END && o->path_count < 2)
		argp_failure(state, EXIT_WRONG_USE, 0,
			     "name two results or more: BASE NEW [NEW…]; see --help");
	if (key == ARGP_KEY_END && o->turns && o->path_count % 2)
		argp_failure(state, EXIT_WRONG_USE, 0,
			     "--in-turns takes results in pairs: BASE NEW BASE NEW ...; see --help");
	return option_result(state, key, text, take(o, key, text), &o->why);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : UNKNOWN;
}

/* ---- differences before figures ---- */

static void put_value(const json_t *value, enum style style, FILE *out)
{
	char *text = json_is_string(value) ? strdup(json_string_value(value)) :
		     json_is_null(value)   ? strdup("not known") :
					     json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	if (!text)
		return;
	if (strlen(text) > SHOWN_MAX) {
		size_t end = SHOWN_MAX;

		while (end && ((unsigned char)text[end] & 0xc0) == 0x80)
			end--; /* not in the middle of a character */
		text[end] = '\0';
		put_text(out, style, text);
		fputs("…", out);
	} else {
		put_text(out, style, text);
	}
	free(text);
}

/* Of two objects only the members that differ: two lists of mitigations are told apart by nobody. */
static void put_difference(const json_t *one, enum style style, FILE *out)
{
	json_t *base = json_object_get(one, "base"), *new = json_object_get(one, "new"), *value;
	const char *key;

	fputs(style == STYLE_MARKDOWN ? "- " : "  ", out);
	put_text(out, style, text_of(one, "name"));
	fputs(": ", out);
	if (json_is_object(base) && json_is_object(new)) {
		const char *between = "";

		json_object_foreach(base, key, value) {
			if (json_equal(value, json_object_get(new, key)))
				continue;
			fputs(between, out);
			put_text(out, style, key);
			fputs(" ", out);
			put_value(value, style, out);
			fputs(" → ", out);
			value = json_object_get(new, key);
			put_value(value ? value : json_null(), style, out);
			between = "; ";
		}
		if (!*between)
			fputs("more is known of one than of the other", out);
	} else {
		put_value(base, style, out);
		fputs(" → ", out);
		put_value(new, style, out);
	}
	fputs("\n", out);
}

static void put_differences(const json_t *doc, enum style style, FILE *out)
{
	const json_t *list = json_object_get(doc, "differences");
	static const struct {
		bool breaks;
		const char *heading;
	} parts[] = {
		{ true, "Not comparable, because they were measured under different conditions; what differs below may be due to these:" },
		{ false, "Other differences:" },
	};

	for (size_t p = 0; p < 2; p++) {
		bool headed = false;

		for (size_t i = 0; i < json_array_size(list); i++) {
			const json_t *one = json_array_get(list, i);

			if (json_is_true(json_object_get(one, "breaks")) != parts[p].breaks)
				continue;
			if (!headed)
				fprintf(out, "%s\n%s", parts[p].heading,
					style == STYLE_MARKDOWN ? "\n" : "");
			headed = true;
			put_difference(one, style, out);
		}
		if (headed)
			fputs("\n", out);
	}
	if (json_is_true(json_object_get(doc, "comparable")))
		fputs("Machine and settings are the same in all that is known to matter.\n\n", out);
}

/* One sentence: what the yardstick says of the host, because every figure below moves with it. */
static void put_speed(const json_t *doc, FILE *out)
{
	double slower = member_number(json_object_get(doc, "host_speed"), "slower");
	const json_t *turns = json_object_get(doc, "turns");

	if (turns) {
		fprintf(out, "%.0f pairs of runs in turns: what the host does to both of a pair falls out of their ratio.\n",
			member_number(turns, "pairs"));
		if (member_number(turns, "apart") > 0)
			fprintf(out, "In %.0f of them the CPUs were at another distance in the one than in the other; those say nothing.\n",
				member_number(turns, "apart"));
		putc('\n', out);
		return;
	}
	if (isnan(slower))
		fputs("How fast the host was is not known for both (no yardstick): a change of all cases alike may be the host's.\n\n",
		      out);
	else if (fabs(slower - 1) < 0.01)
		fputs("By the yardstick the host was equally fast both times (within 1 %).\n\n", out);
	else
		fprintf(out,
			"By the yardstick the host was %.0f %% %s in the second. A case is called different only if it is so as measured and at equal speed.\n\n",
			fabs(slower - 1) * 100, slower > 1 ? "slower" : "faster");
}

/* ---- the table ---- */

static const char *verdict_word(const json_t *metric)
{
	const char *verdict = text_of(metric, "verdict");

	return strcmp(verdict, "cant_tell") ? verdict : "can't tell";
}

static void put_ratio(struct grid *grid, const json_t *metric, bool interval)
{
	double ratio = member_number(metric, "ratio"), low = member_number(metric, "low"),
	       high = member_number(metric, "high");

	if (isnan(ratio))
		grid_cell(grid, "%s", UNKNOWN);
	else if (!interval)
		grid_cell(grid, "%+.1f %%", (ratio - 1) * 100);
	else if (isnan(low) || isnan(high))
		grid_cell(grid, "%+.1f %% (no interval)", (ratio - 1) * 100);
	else
		grid_cell(grid, "%+.1f %% (%+.1f to %+.1f)", (ratio - 1) * 100, (low - 1) * 100,
			  (high - 1) * 100);
}

static int put_table(const json_t *doc, enum style style, FILE *out)
{
	const json_t *cases = json_object_get(doc, "cases");
	struct grid grid = { 0 };
	char chunk[FORMAT_MAX];

	grid_column(&grid, "", "case", true);
	grid_column(&grid, "sender CPU", "base ms", false);
	grid_column(&grid, "sender CPU", "new ms", false);
	grid_column(&grid, "sender CPU", "change", false);
	grid_column(&grid, "sender CPU", "verdict", true);
	grid_column(&grid, "total CPU", "change", false);
	grid_column(&grid, "total CPU", "verdict", true);
	grid_column(&grid, "wall time", "change", false);
	grid_column(&grid, "wall time", "verdict", true);
	for (size_t i = 0; i < json_array_size(cases); i++) {
		const json_t *c = json_array_get(cases, i), *metrics = json_object_get(c, "metrics"),
			     *sender = json_object_get(metrics, metric_names[METRIC_SENDER_CPU]),
			     *total = json_object_get(metrics, metric_names[METRIC_TOTAL_CPU]),
			     *wall = json_object_get(metrics, metric_names[METRIC_WALL]);

		grid_row(&grid);
		/* in one cell: what does not fit beside it repeats it */
		grid_cell(&grid, "%s %s %s", text_of(c, "method"),
			  format_chunk((uint64_t)json_integer_value(json_object_get(c, "chunk")),
				       chunk), text_of(c, "cache"));
		grid_cell(&grid, "%.4g", member_number(sender, "base") * 1e3);
		grid_cell(&grid, "%.4g", member_number(sender, "new") * 1e3);
		put_ratio(&grid, sender, true);
		grid_cell(&grid, "%s", verdict_word(sender));
		put_ratio(&grid, total, false);
		grid_cell(&grid, "%s", verdict_word(total));
		put_ratio(&grid, wall, false);
		grid_cell(&grid, "%s", verdict_word(wall));
	}
	return grid_finish(&grid, style, out);
}

/* Each reason once, with how many verdicts have it. */
static void put_reasons(const json_t *doc, enum style style, FILE *out)
{
	const json_t *cases = json_object_get(doc, "cases");
	json_t *reasons = json_object(), *value;
	const char *key;

	for (size_t i = 0; i < json_array_size(cases); i++) {
		const json_t *m = json_object_get(json_object_get(json_array_get(cases, i), "metrics"),
						  metric_names[METRIC_SENDER_CPU]);
		const char *why = json_string_value(json_object_get(m, "why"));
		json_t *entry = why ? json_object_get(reasons, why) : NULL;

		if (why)
			json_object_set_new(reasons, why,
					    json_integer(json_integer_value(entry) + 1));
	}
	if (json_object_size(reasons))
		fputs("\nOf the verdicts on sender CPU:\n", out);
	if (json_object_size(reasons) && style == STYLE_MARKDOWN)
		fputs("\n", out);
	json_object_foreach(reasons, key, value) {
		fprintf(out, "%s%lld: ", style == STYLE_MARKDOWN ? "- " : "  ",
			(long long)json_integer_value(value));
		put_text(out, style, key);
		fputs("\n", out);
	}
	json_decref(reasons);
}

static void put_missing(const json_t *doc, enum style style, FILE *out)
{
	const json_t *list = json_object_get(doc, "missing");
	char chunk[FORMAT_MAX];

	if (json_array_size(list))
		fputs("\nOn one side only:\n", out);
	if (json_array_size(list) && style == STYLE_MARKDOWN)
		fputs("\n", out);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		fputs(style == STYLE_MARKDOWN ? "- " : "  ", out);
		put_text(out, style, text_of(one, "method"));
		fprintf(out, " %s ", format_chunk((uint64_t)json_integer_value(
						  json_object_get(one, "chunk")), chunk));
		put_text(out, style, text_of(one, "cache"));
		fprintf(out, " in %s: ", text_of(one, "in"));
		put_text(out, style, text_of(one, "reason"));
		fputs("\n", out);
	}
}

static void put_gates(const json_t *doc, enum style style, FILE *out)
{
	const json_t *gates = json_object_get(doc, "gates"), *cases = json_object_get(doc, "cases");
	char chunk[FORMAT_MAX];

	for (size_t g = 0; g < json_array_size(gates); g++) {
		const json_t *gate = json_array_get(gates, g), *hit = json_object_get(gate, "cases");

		fprintf(out, "\n%s > %.4g %%: %s\n", text_of(gate, "metric"),
			member_number(gate, "above") * 100,
			json_is_true(json_object_get(gate, "failed")) ? "FAILED" : "no case");
		for (size_t i = 0; i < json_array_size(hit); i++) {
			const json_t *c = json_array_get(
				cases, (size_t)json_integer_value(json_array_get(hit, i)));
			const json_t *m = json_object_get(json_object_get(c, "metrics"),
							  text_of(gate, "metric"));

			fputs(style == STYLE_MARKDOWN ? "- " : "  ", out);
			put_text(out, style, text_of(c, "method"));
			fprintf(out, " %s ", format_chunk((uint64_t)json_integer_value(
							  json_object_get(c, "chunk")), chunk));
			put_text(out, style, text_of(c, "cache"));
			fprintf(out, ": %+.1f %% (corrected p = %.2g)\n",
				(member_number(m, "ratio") - 1) * 100, member_number(m, "p_adjusted"));
		}
	}
}

static int put_comparison(const json_t *doc, enum style style, FILE *out)
{
	int err;

	fputs(style == STYLE_MARKDOWN ? "## " : "", out);
	put_text(out, style, text_of(doc, "base_path"));
	fputs(" → ", out);
	put_text(out, style, text_of(doc, "new_path"));
	fputs("\n\n", out);
	put_differences(doc, style, out);
	put_speed(doc, out);
	err = put_table(doc, style, out);
	fprintf(out,
		"\nChanges are %s with 95 %% intervals; verdicts are corrected for %zu cases\nand call nothing different that is closer than %.3g %%.\n",
		json_object_get(doc, "turns") ? "of the medians of each pair of runs (Wilcoxon, Hodges and Lehmann)" :
						"medians of all pairs of samples",
		json_array_size(json_object_get(doc, "cases")), member_number(doc, "margin") * 100);
	put_reasons(doc, style, out);
	put_missing(doc, style, out);
	put_gates(doc, style, out);
	return err;
}

/* "read_write worse 32K warm", and "slower 3.1" in per cent of the yardstick. */
static void put_verdicts(const json_t *doc, FILE *out)
{
	const json_t *cases = json_object_get(doc, "cases");
	double slower = member_number(json_object_get(doc, "host_speed"), "slower");
	char chunk[FORMAT_MAX];

	for (size_t i = 0; i < json_array_size(cases); i++) {
		const json_t *c = json_array_get(cases, i), *metrics = json_object_get(c, "metrics");
		uint64_t bytes = (uint64_t)json_integer_value(json_object_get(c, "chunk"));

		fprintf(out, "%s %s %s %s\n", text_of(c, "method"),
			text_of(json_object_get(metrics, metric_names[METRIC_SENDER_CPU]), "verdict"),
			format_chunk(bytes, chunk), text_of(c, "cache"));
	}
	if (isnan(slower))
		fputs("slower unknown\n", out);
	else
		fprintf(out, "slower %.1f\n", (slower - 1) * 100);
}

/* ---- the command ---- */

/* Most often because of a condition that is part of every case, such as the payload: names them. */
static int nothing_in_common(const json_t *doc, const char *base, const char *new,
			     struct failure *why)
{
	const json_t *because = json_object_get(doc, "because");
	char names[256] = "";

	for (size_t i = 0; i < json_array_size(because); i++) {
		size_t used = strlen(names);

		snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
			 json_string_value(json_array_get(because, i)));
	}
	return fail(why, EXIT_WRONG_USE, EINVAL,
		    "%s and %s have no case in common that both measured%s%s", base, new,
		    names[0] ? "; they differ in: " : "", names);
}

static int compare_all(struct options *o, json_t *list, bool *failed, struct failure *why)
{
	struct result *base = NULL, *new = NULL;
	int err = result_load(o->paths[0], &base, why);

	for (size_t i = 1; i < o->path_count && !err; i++) {
		json_t *doc;

		err = result_load(o->paths[i], &new, why);
		if (err)
			break;
		/* without a distance in common the differences say so */
		(void)apart_align(base, new);
		if (marks_set_aligned(base) || marks_set_aligned(new)) {
			err = fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
			break;
		}
		doc = compare_results(base, new, o->margin, o->gates, (size_t)o->gate_count);
		result_free(new);
		if (!doc) {
			err = fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
			break;
		}
		if (!json_array_size(json_object_get(doc, "cases")))
			err = nothing_in_common(doc, o->paths[0], o->paths[i], why);
		json_object_set_new(doc, "base_path", json_string(o->paths[0]));
		json_object_set_new(doc, "new_path", json_string(o->paths[i]));
		*failed |= json_is_true(json_object_get(doc, "failed"));
		json_array_append_new(list, doc);
	}
	result_free(base);
	return err;
}

/* All pairs together, as one comparison. */
static int compare_turns(struct options *o, json_t *list, bool *failed, struct failure *why)
{
	struct result **results = calloc(o->path_count, sizeof(*results));
	json_t *doc = NULL;
	int err = results ? 0 : fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");

	for (size_t i = 0; i < o->path_count && !err; i++)
		err = result_load(o->paths[i], &results[i], why);
	if (!err) {
		doc = turns_compare(results, o->path_count, o->margin, o->gates,
				    (size_t)o->gate_count);
		if (!doc)
			err = fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	}
	if (!err && !json_array_size(json_object_get(doc, "cases")))
		err = nothing_in_common(doc, o->paths[0], o->paths[1], why);
	if (!err) {
		json_object_set_new(doc, "base_path", json_string(o->paths[0]));
		json_object_set_new(doc, "new_path", json_string(o->paths[1]));
		*failed = json_is_true(json_object_get(doc, "failed"));
		json_array_append(list, doc);
	}
	json_decref(doc);
	for (size_t i = 0; results && i < o->path_count; i++)
		result_free(results[i]);
	free(results);
	return err;
}

/* Side by side what is more than two; *all is the document's part, or NULL. The picture, when it is asked for. */
static int show_many(const struct options *o, json_t **all, struct failure *why)
{
	struct trend_entry *entries = calloc(o->path_count, sizeof(*entries));
	struct result **results = calloc(o->path_count, sizeof(*results));
	int err = 0;

	if (!entries || !results) {
		free(entries);
		free(results);
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < o->path_count && !err; i++) {
		err = result_load(o->paths[i], &results[i], why);
		entries[i] = (struct trend_entry){ .result = results[i], .path = o->paths[i] };
	}
	if (!err) {
		(void)trend_sort(entries, o->path_count);
		if (o->path_count > 2 && o->json)
			*all = trend_json(entries, o->path_count);
		if (o->path_count > 2 && !o->json && !o->verdicts) {
			fputs(o->style == STYLE_MARKDOWN ? "\n## All of them\n\n" : "\nAll of them\n\n",
			      stdout);
			if (trend_table(entries, o->path_count, o->style, stdout))
				err = fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
		}
	}
	if (!err && o->plot)
		err = trend_draw(entries, o->path_count, o->plot, why);
	for (size_t i = 0; i < o->path_count; i++)
		result_free(results[i]);
	free(results);
	free(entries);
	return err;
}

int cmd_compare(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.args_doc = "BASE NEW [NEW...]",
		.doc = "Compares results with the first (or pair by pair, --in-turns): what differs in machine and settings, then each case with its interval and verdict. Exits with 1 only when --fail-if asked and a case is worse with confidence.",
	};
	struct options o = { .margin = COMPARE_MARGIN, .style = STYLE_TEXT };
	struct failure why = { 0 };
	json_t *list = json_array(), *all = NULL, *doc;
	bool failed = false;
	int err = 0;

	o.paths = calloc((size_t)argc + 1, sizeof(*o.paths));
	if (!o.paths || !list) {
		fail(&why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
		free(o.paths);
		json_decref(list);
		return cmd_failed(&why);
	}
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	err = o.turns ? compare_turns(&o, list, &failed, &why) : compare_all(&o, list, &failed, &why);
	if (!err && o.json && (o.plot || (o.path_count > 2 && !o.turns)))
		err = show_many(&o, &all, &why);
	if (!err && o.json) {
		doc = json_pack("{s:s, s:O, s:b}", "schema", COMPARISON_SCHEMA, "comparisons", list,
				"failed", failed);
		if (all)
			json_object_set_new(doc, "all", all);
		json_dumpf(doc, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
		putchar('\n');
		json_decref(doc);
	}
	for (size_t i = 0; i < json_array_size(list) && !err && !o.json; i++) {
		if (i)
			putchar('\n');
		if (o.verdicts)
			put_verdicts(json_array_get(list, i), stdout);
		else if (put_comparison(json_array_get(list, i), o.style, stdout))
			err = fail(&why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	}
	if (!err && !o.json && (o.plot || (o.path_count > 2 && !o.turns)))
		err = show_many(&o, &all, &why);
	free(o.paths);
	json_decref(list);
	if (err)
		return cmd_failed(&why);
	return failed ? EXIT_COMPARISON_FAILED : EXIT_DONE;
}
