// SPDX-License-Identifier: MIT
#include "analysis/marks.h"
#include "report/table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/counted.h"
#include "report/events_text.h"
#include "report/families.h"
#include "report/grid.h"
#include "report/misleads.h"
#include "report/sites_text.h"

/* Behind a ratio that the samples can't tell from 1. */
#define SAME_MARK " ~"
/* Behind a ratio whose baseline ran under another cache state. */
#define OTHER_CACHE_MARK " †"
/* Behind a method whose sends by reference are reported on. */
#define LENT_MARK " ‡"

static const char *status_text(const struct case_result *kase)
{
	if (kase->status == CASE_SKIPPED)
		return "skipped";
	if (kase->status == CASE_FAILED)
		return "failed";
	return "not measured";
}

static int put_title(const struct family *family, const uint64_t *chunk, const char *what,
		     enum style style, FILE *out)
{
	char title[400];

	family_title(family, chunk, title, sizeof(title));
	if (style == STYLE_MARKDOWN)
		fputs("**", out);
	put_text(out, style, what);
	put_text(out, style, title);
	fputs(style == STYLE_MARKDOWN ? "**\n\n" : "\n", out);
	return 0;
}

static void put_note(const char *text, enum style style, FILE *out)
{
	if (style == STYLE_MARKDOWN) {
		putc('\n', out);
		put_markdown(out, text);
		putc('\n', out);
	} else {
		put_wrapped(out, text, 0, GRID_WIDTH);
		putc('\n', out);
	}
}

/* A row without numbers: why. */
static void refused_row(struct grid *grid, const struct case_result *kase)
{
	char *text = NULL;

	grid_row(grid);
	grid_cell(grid, "%s", kase->method);
	if (asprintf(&text, "%s: %s", status_text(kase),
		     kase->reason && kase->reason[0] ? kase->reason
		     : kase->status == CASE_OK	     ? marks_why_none(kase)
						     : "no reason recorded") < 0) {
		grid->out_of_memory = true;
		return;
	}
	grid_span(grid, text);
	free(text);
}

static void interval_cell(struct grid *grid, const struct interval *i, enum style style)
{
	char text[FORMAT_MAX];

	grid_cell(grid, "%s",
		  style == STYLE_MARKDOWN ? format_range(i, text) : format_spread(i, text));
}

/* Which of the marks a table used, so that only those are explained. */
struct marks {
	bool same, other_cache, no_baseline;
	char lent[300]; /* "zerocopy 100% copied, …" */
	double least_confidence; /* of the intervals, which two samples and more have */
	size_t fewest, most;
};

static void ratio_cell(struct grid *grid, const struct case_result *kase,
		       const struct case_summary *s, const struct interval *ratio, enum style style,
		       struct marks *marks)
{
	bool same = ratio->n && ratio_tells(ratio) == CANT_TELL;
	bool other = s->baseline && strcmp(s->baseline->cache, kase->cache) != 0;
	char text[FORMAT_MAX];

	if (s->baseline == kase) {
		grid_cell(grid, "1");
		return;
	}
	if (!ratio->n) {
		marks->no_baseline = true;
		grid_cell(grid, UNKNOWN);
		return;
	}
	marks->same |= same;
	marks->other_cache |= other;
	grid_cell(grid, "%s%s%s",
		  style == STYLE_MARKDOWN ? format_range(ratio, text) : format_spread(ratio, text),
		  same ? SAME_MARK : "", other ? OTHER_CACHE_MARK : "");
}

static void lent_cell(struct grid *grid, const struct case_result *kase, struct marks *marks)
{
	size_t len = strlen(marks->lent);
	char text[FORMAT_MAX];

	grid_cell(grid, "%s%s", kase->method, case_lends(kase) ? LENT_MARK : "");
	if (case_lends(kase) && len < sizeof(marks->lent))
		snprintf(marks->lent + len, sizeof(marks->lent) - len, "%s%s %s", len ? ", " : "",
			 kase->method, case_copied_text(kase, text, sizeof(text)));
}

static int main_row(struct grid *grid, const struct result *result, const struct case_result *kase,
		    enum style style, struct marks *marks)
{
	struct case_summary s;
	struct interval rate;
	int err = summarize(result, kase, &s);

	if (err)
		return err;
	rate = interval_times(s.throughput, 1e-9);
	grid_row(grid);
	lent_cell(grid, kase, marks);
	grid_cell(grid, "%zu", s.throughput.n);
	interval_cell(grid, &rate, style);
	interval_cell(grid, &s.sender_cpu_per_gb, style);
	interval_cell(grid, &s.receiver_cpu_per_gb, style);
	interval_cell(grid, &s.total_cpu_per_gb, style);
	ratio_cell(grid, kase, &s, &s.sender_cpu_ratio, style, marks);
	ratio_cell(grid, kase, &s, &s.wall_ratio, style, marks);
	if (s.throughput.n > 1 && s.throughput.confidence < marks->least_confidence)
		marks->least_confidence = s.throughput.confidence;
	if (s.throughput.n < marks->fewest)
		marks->fewest = s.throughput.n;
	if (s.throughput.n > marks->most)
		marks->most = s.throughput.n;
	return 0;
}

static void explain_main(const struct marks *marks, enum style style, FILE *out)
{
	char *text = NULL;
	size_t size = 0;
	FILE *note = open_memstream(&text, &size);

	if (!note)
		return;
	if (marks->most == 1)
		fputs("One sample each, so no interval (?). Ratios: this method ÷ read_write.",
		      note);
	if (marks->most > 1) {
		fputs(style == STYLE_MARKDOWN ? "Medians; in brackets the interval of the median"
					      : "Medians; ± is the further end of their interval",
		      note);
		/* the two nearest order statistics always cover a little more than was asked for */
		fprintf(note,
			" (%.3g%% or better%s). Ratios: this method ÷ read_write, round by round.",
			floor(fmin(marks->least_confidence, 0.95) * 1000) / 10,
			marks->least_confidence < 0.95 ? "; more rounds for 95%" : "");
	}
	if (marks->fewest == 1 && marks->most > 1)
		fputs(style == STYLE_MARKDOWN ? " (?): one sample, so no interval."
					      : " ±?: one sample, so no interval.",
		      note);
	if (marks->same)
		fputs(" ~ can't be told from 1.", note);
	if (marks->other_cache)
		fputs(" † against read_write from a cold cache.", note);
	if (marks->lent[0])
		fprintf(note, LENT_MARK " of what it sent by reference the kernel reported: %s.",
			marks->lent);
	if (marks->no_baseline)
		fputs(" " UNKNOWN " no read_write to divide by.", note);
	fclose(note);
	if (text && text[0])
		put_note(text, style, out);
	free(text);
}

static int family_main(const struct result *result, const struct family *family, enum style style,
		       FILE *out)
{
	static const char cpu[] = "CPU s/GB", ratio[] = "ratio to read_write";
	struct marks marks = { .least_confidence = 1, .fewest = SIZE_MAX };
	struct grid grid = { 0 };
	int err;

	put_title(family, &family->chunk, "", style, out);
	grid_column(&grid, "", "method", true);
	grid_column(&grid, "", "n", false);
	grid_column(&grid, "", "GB/s", false);
	grid_column(&grid, cpu, "sender", false);
	grid_column(&grid, cpu, "receiver", false);
	grid_column(&grid, cpu, "total", false);
	grid_column(&grid, ratio, "sender CPU", false);
	grid_column(&grid, ratio, "wall", false);
	for (size_t i = 0; i < family->count; i++) {
		const struct case_result *kase = family->cases[i];

		if (kase->chunk != family->chunk)
			continue;
		if (!case_measured(kase)) {
			/* Markdown can't join cells: there the reasons have a table of their own */
			if (style == STYLE_TEXT) {
				refused_row(&grid, kase);
			} else {
				grid_row(&grid);
				grid_cell(&grid, "%s", kase->method);
				grid_cell(&grid, "%s", status_text(kase));
			}
			continue;
		}
		err = main_row(&grid, result, kase, style, &marks);
		if (err)
			grid.out_of_memory = true;
	}
	err = grid_finish(&grid, style, out);
	if (!err)
		explain_main(&marks, style, out);
	putc('\n', out);
	return err;
}

typedef int family_table(const struct result *result, const struct family *family, enum style style,
			 FILE *out);

static int each_family(const struct result *result, family_table *table, enum style style,
		       FILE *out)
{
	struct families families;
	int err = families_find(result, &families);

	for (size_t i = 0; i < families.count && !err; i++)
		err = table(result, &families.list[i], style, out);
	families_free(&families);
	return err;
}

int table_main(const struct result *result, enum style style, FILE *out)
{
	return each_family(result, family_main, style, out);
}

double counted(const json_t *entry)
{
	static const char *const keys[] = { "value", "bytes" };

	if (json_is_number(entry))
		return json_number_value(entry);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const json_t *value = json_object_get(entry, keys[i]);

		if (json_is_number(value))
			return json_number_value(value);
	}
	return NAN;
}

static void beside_row(struct grid *grid, const struct case_result *kase,
		       const struct case_summary *s)
{
	double gb = (double)kase->payload / 1e9;
	char text[FORMAT_MAX];

	grid_row(grid);
	grid_cell(grid, "%s", kase->method);
	grid_cell(grid, "%s", format_count(s->field[SAMPLE_FAULTS_MINOR].median, text));
	grid_cell(grid, "%s", format_count(s->field[SAMPLE_FAULTS_MAJOR].median, text));
	grid_cell(grid, "%s", format_count(s->field[SAMPLE_SWITCHES_VOLUNTARY].median, text));
	grid_cell(grid, "%s", format_count(s->field[SAMPLE_SWITCHES_INVOLUNTARY].median, text));
	grid_cell(grid, "%s", format_number(s->field[SAMPLE_SETUP_CPU_S].median * 1e3, text));
	grid_cell(grid, "%s", format_number(s->field[SAMPLE_RELEASE_CPU_S].median * 1e3, text));
	grid_cell(grid, "%s",
		  format_number(gb > 0 ? s->field[SAMPLE_SYSTEM_CPU_S].median / gb : NAN, text));
}

static int family_beside(const struct result *result, const struct family *family, enum style style,
			 FILE *out)
{
	static const char faults[] = "page faults", switches[] = "switches";
	static const char outside[] = "sender CPU outside the clock";
	struct grid grid = { 0 };
	struct case_summary s;
	size_t rows = 0;
	int err;

	grid_column(&grid, "", "method", true);
	grid_column(&grid, faults, "minor", false);
	grid_column(&grid, faults, "major", false);
	grid_column(&grid, switches, "voluntary", false);
	grid_column(&grid, switches, "involuntary", false);
	grid_column(&grid, outside, "before, ms", false);
	grid_column(&grid, outside, "after, ms", false);
	grid_column(&grid, "", "all CPUs, s/GB", false);
	for (size_t i = 0; i < family->count; i++) {
		const struct case_result *kase = family->cases[i];

		if (kase->chunk != family->chunk || !case_measured(kase))
			continue;
		if (summarize(result, kase, &s))
			grid.out_of_memory = true;
		else
			beside_row(&grid, kase, &s);
		rows++;
	}
	if (!rows)
		return grid_finish(&grid, style, out);
	put_title(family, &family->chunk, "Beside the clock, per transfer: ", style, out);
	err = grid_finish(&grid, style, out);
	putc('\n', out);
	return err;
}

int table_beside(const struct result *result, enum style style, FILE *out)
{
	return each_family(result, family_beside, style, out);
}

static int sweep_cell(struct grid *grid, const struct result *result,
		      const struct case_result *kase, enum style style, double *least_confidence)
{
	char text[FORMAT_MAX];
	struct case_summary s;
	int err;

	if (!kase || !case_measured(kase)) {
		grid_cell(grid, "%s", kase ? status_text(kase) : UNKNOWN);
		return 0;
	}
	err = summarize(result, kase, &s);
	if (err)
		return err;
	if (s.sender_cpu_per_gb.n > 1 && s.sender_cpu_per_gb.confidence < *least_confidence)
		*least_confidence = s.sender_cpu_per_gb.confidence;
	grid_cell(grid, "%s",
		  style == STYLE_MARKDOWN ? format_range(&s.sender_cpu_per_gb, text)
					  : format_spread_short(&s.sender_cpu_per_gb, text));
	return 0;
}

static int family_sweep(const struct result *result, const struct family *family, enum style style,
			FILE *out)
{
	double least_confidence = SUMMARY_CONFIDENCE;
	struct grid grid = { 0 };
	char text[200];
	int err;

	if (family->chunk_count < 2)
		return 0;
	put_title(family, NULL, "Sender CPU s/GB by chunk: ", style, out);
	grid_column(&grid, "", "method", true);
	for (size_t c = 0; c < family->chunk_count; c++)
		grid_column(&grid, "", format_chunk(family->chunks[c], text), false);
	for (size_t i = 0; i < family->count; i++) {
		const char *method = family->cases[i]->method;

		if (!family_first_of_method(family, i))
			continue;
		grid_row(&grid);
		grid_cell(&grid, "%s", method);
		for (size_t c = 0; c < family->chunk_count; c++)
			if (sweep_cell(&grid, result,
				       family_case(family, method, family->chunks[c]), style,
				       &least_confidence))
				grid.out_of_memory = true;
	}
	err = grid_finish(&grid, style, out);
	if (!err && least_confidence < SUMMARY_CONFIDENCE) {
		snprintf(text, sizeof(text),
			 "Cells with the fewest samples: their interval covers the median with "
			 "%.0f%% only.",
			 floor(100 * least_confidence));
		put_note(text, style, out);
	}
	putc('\n', out);
	return err;
}

int table_sweep(const struct result *result, enum style style, FILE *out)
{
	return each_family(result, family_sweep, style, out);
}

static bool refused_before(const struct result *result, size_t index)
{
	const struct case_result *c = &result->cases[index];

	for (size_t i = 0; i < index; i++) {
		const struct case_result *o = &result->cases[i];

		if (o->status == c->status && !strcmp(o->method, c->method) &&
		    !strcmp(o->reason ? o->reason : "", c->reason ? c->reason : ""))
			return true;
	}
	return false;
}

/* The terminal's main table says why in its own row; what is refused at another chunk only is left. */
static bool refused_in_main(const struct families *families, const struct case_result *c)
{
	for (size_t i = 0; i < families->count; i++) {
		const struct family *family = &families->list[i];
		const struct case_result *main = family_case(family, c->method, family->chunk);

		if (main && main->status == c->status &&
		    !strcmp(main->reason ? main->reason : "", c->reason ? c->reason : ""))
			return true;
	}
	return false;
}

int table_refused(const struct result *result, enum style style, FILE *out)
{
	struct families families;
	struct grid grid = { 0 };
	int err = families_find(result, &families);

	grid_column(&grid, "", "method", true);
	grid_column(&grid, "", "why there is no number", true);
	for (size_t i = 0; i < result->case_count && !err; i++) {
		const struct case_result *c = &result->cases[i];

		if (c->status == CASE_OK || refused_before(result, i) ||
		    (style == STYLE_TEXT && refused_in_main(&families, c)))
			continue;
		refused_row(&grid, c);
	}
	families_free(&families);
	if (err)
		grid.out_of_memory = true;
	if (grid.row_count && style == STYLE_TEXT)
		fputs("At other chunks:\n", out);
	return grid_finish(&grid, style, out);
}

static int all_tables(const struct result *result, enum style style, FILE *out)
{
	const char *heading = style == STYLE_MARKDOWN ? "**What misleads here**\n\n"
						      : "What misleads here\n";
	int err = table_main(result, style, out);

	err = err ? err : table_refused(result, style, out);
	if (style == STYLE_MARKDOWN)
		putc('\n', out);
	err = err ? err : table_beside(result, style, out);
	err = err ? err : counted_write(result, style, out);
	err = err ? err : table_events(result, style, out);
	err = err ? err : table_sites(result, style, out);
	err = err ? err : table_sweep(result, style, out);
	if (err)
		return err;
	fputs(heading, out);
	return misleads_write(result, style, out);
}

int table_terminal(const struct result *result, FILE *out)
{
	return all_tables(result, STYLE_TEXT, out);
}

int table_markdown(const struct result *result, FILE *out)
{
	return all_tables(result, STYLE_MARKDOWN, out);
}
