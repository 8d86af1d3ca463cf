// SPDX-License-Identifier: MIT
#include "report/markdown.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/bill_text.h"
#include "report/claims_text.h"
#include "report/counted.h"
#include "report/events_text.h"
#include "report/families.h"
#include "report/grid.h"
#include "report/machine.h"
#include "report/misleads.h"
#include "report/paths_text.h"
#include "report/prices_text.h"
#include "report/sites_text.h"
#include "report/table.h"
#include "report/verdict.h"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : UNKNOWN;
}

static void put_head(const struct result *result, FILE *out)
{
	fputs("# What moving this file cost\n\n", out);
	if (json_is_true(json_object_get(result->run, "interrupted")))
		fputs("> **This run was interrupted.** Cases may lack rounds or be missing; what "
		      "is here was "
		      "measured, and no more.\n\n",
		      out);
	fputs("Measured ", out);
	put_markdown(out, text_of(result->run, "started"));
	fputs(" to ", out);
	put_markdown(out, text_of(result->run, "finished"));
	fputs(" by copytax ", out);
	put_markdown(out, text_of(result->tool, "version"));
	fputs(" (", out);
	put_markdown(out, text_of(result->tool, "commit"));
	fputs("). GB are 10^9 bytes; every number comes from result.json and is also in "
	      "[data/](data/) as tab-separated text.\n\n",
	      out);
}

/* A section's pictures, by name; a name that no plot has is not drawn. */
static void put_plots(const struct report_parts *parts, const char *const *names, FILE *out)
{
	for (; *names; names++)
		for (const struct plot *p = plots; p->name; p++) {
			const char *absence = plot_absence(p, &parts->drawable);

			if (strcmp(p->name, *names))
				continue;
			if (plot_drawable(p, &parts->drawable))
				fprintf(out, "![%s: %s](plots/%s.svg)\n\n", p->title, p->alt,
					p->name);
			if (!absence || parts->no_plots)
				continue;
			fprintf(out, "> **No picture of “%s”**: ", p->title);
			put_markdown(out, absence);
			fputs(".\n\n", out);
		}
}

static void put_notes(const struct result *result, FILE *out)
{
	json_t *said = json_object();

	for (size_t i = 0; i < result->case_count; i++) {
		const struct case_result *c = &result->cases[i];
		json_t *note;
		size_t k;

		json_array_foreach(c->notes, k, note)
		{
			char *line = NULL;

			if (!json_is_string(note) ||
			    asprintf(&line, "%s: %s", c->method, json_string_value(note)) < 0)
				continue;
			if (!json_object_get(said, line)) {
				fputs("- ", out);
				put_markdown(out, line);
				putc('\n', out);
				json_object_set_new(said, line, json_true());
			}
			free(line);
		}
	}
	if (json_object_size(said))
		putc('\n', out);
	json_decref(said);
}

/* Of how many cases the bytes that arrived were checked, and what came of it. */
static void put_verified(const struct result *result, FILE *out)
{
	size_t good = 0, bad = 0, unknown = 0;

	for (size_t i = 0; i < result->case_count; i++) {
		const json_t *ok = json_object_get(result->cases[i].verified, "ok");

		if (result->cases[i].status != CASE_OK)
			continue;
		good += json_is_true(ok);
		bad += json_is_false(ok);
		unknown += !json_is_boolean(ok);
	}
	fprintf(out,
		"What arrived was compared with the file by hash, outside the clock: %zu of %zu "
		"measured "
		"cases equal, %zu different, %zu not checked.\n\n",
		good, good + bad + unknown, bad, unknown);
}

static int put_method(const struct result *result, const struct report_parts *parts, FILE *out)
{
	int err;

	(void)parts;
	fputs("Wall time and CPU time run from the first transfer call to the receiver's word that "
	      "every byte "
	      "arrived. Each sample is a fresh process; every round takes all cases once in a new "
	      "random order; "
	      "warm-up rounds are kept in the result and left out here; no sample was dropped. "
	      "Medians and "
	      "their intervals come from order statistics, ratios from pairs of the same "
	      "round.\n\n",
	      out);
	put_verified(result, out);
	put_notes(result, out);
	err = machine_facts(result->settings, STYLE_MARKDOWN, out);
	putc('\n', out);
	return err;
}

/* A fence longer than any run of backticks inside. */
static void put_code(const char *text, FILE *out)
{
	size_t longest = 2, run = 0;

	for (const char *p = text; *p; p++) {
		run = *p == '`' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	for (size_t i = 0; i <= longest; i++)
		putc('`', out);
	fputs("sh\n", out);
	/* on one line: a line break of the document's could end the block */
	put_plain(out, text);
	putc('\n', out);
	for (size_t i = 0; i <= longest; i++)
		putc('`', out);
	fputs("\n\n", out);
}

static int put_repeat(const struct result *result, const struct report_parts *parts, FILE *out)
{
	char *command = machine_command(result);

	(void)parts;
	if (command)
		put_code(command, out);
	else
		fputs("The result does not say how copytax was called.\n\n", out);
	free(command);
	return 0;
}

static int put_machine(const struct result *result, const struct report_parts *parts, FILE *out)
{
	int err = machine_facts(result->host, STYLE_MARKDOWN, out);

	(void)parts;
	putc('\n', out);
	return err;
}

static int put_hyperfine(const struct result *result, const struct report_parts *parts, FILE *out)
{
	int err;

	(void)result;
	if (!parts->hyperfine) {
		put_markdown(out, parts->no_hyperfine
					  ? parts->no_hyperfine
					  : "None: there is no hyperfine.json beside this result "
					    "(scripts/hyperfine.sh makes one).");
		fputs("\n\n", out);
		return 0;
	}
	fputs("Whole processes, timed from outside: `copytax send` per method, one method after "
	      "the other.\n\n",
	      out);
	err = hyperfine_write(parts->hyperfine, STYLE_MARKDOWN, out);
	putc('\n', out);
	return err;
}

static int put_sites(const struct result *result, const struct report_parts *parts, FILE *out)
{
	int err = table_sites(result, STYLE_MARKDOWN, out);

	if (!err && parts->profiles)
		sites_links(result, out);
	return err;
}

/* The pictures of the conditions that varied. */
static int put_swept(const struct result *result, const struct report_parts *parts, FILE *out)
{
	(void)result;
	for (const struct plot *p = plots; p->name && !parts->no_plots; p++)
		if (p->need == NEEDS_DIMENSION && plot_drawable(p, &parts->drawable))
			fprintf(out, "![%s: %s](plots/%s.svg)\n\n", p->title, p->alt, p->name);
	return 0;
}

/*
 * The report, in order. A section's text is made by `write` from the result alone, or by `compose` from what
 * lies beside it too; its pictures come between the lead and the text. One that has neither is left out.
 */
static const struct section {
	const char *heading, *lead;
	int (*write)(const struct result *, enum style, FILE *);
	int (*compose)(const struct result *, const struct report_parts *, FILE *);
	const char *plots[3];
} sections[] = {
	{ "The answer", "", verdict_write, NULL, { NULL } },
	{ "The table", "", table_main, NULL, { NULL } },
	{ "What misleads here", "", misleads_write, NULL, { NULL } },
	{ "Time",
	  "The first picture is wall time turned round, the second CPU time; below them what the "
	  "clock did not see.\n\n",
	  table_beside, NULL, { "throughput", "cpu" } },
	{ "Crossings, switches and copies",
	  "From a pass of its own, with probes attached: the clock ran in transfers without any. A "
	  "case is counted a few times and the one with the middle CPU time is shown; the last "
	  "column, the sender's CPU with the probes ÷ without them, says what they cost.\n\n",
	  counted_write, NULL, { "copies", "crossings" } },
	{ "The path of the bytes", paths_lead, NULL, paths_compose, { NULL } },
	{ "Where the time goes",
	  "Shares of the sender's CPU time by part of the kernel, from sampled stacks of a pass of "
	  "its own.\n\n",
	  NULL, put_sites, { "sites" } },
	{ "Events of CPU and kernel",
	  "From another pass of their own. In user and kernel mode apart; a value that is missing has "
	  "its reason below.\n\n",
	  table_events, NULL, { "cycles" } },
	{ "The bill",
	  "Where each method's CPU time goes by the prices of the next section: count × price, line "
	  "by line. What the prices can't explain is a line of its own, so the lines add up to what "
	  "was measured.\n\n",
	  bill_write, NULL, { "bill" } },
	{ "Prices, and their checks", "", prices_write, NULL, { NULL } },
	{ "Chunk sizes", "", table_sweep, NULL, { "chunk" } },
	{ "Other conditions",
	  "Each condition that took several values, with the others as in the caption.\n\n", NULL,
	  put_swept, { NULL } },
	{ "What the classic texts claim", "", claims_write, NULL, { NULL } },
	{ "hyperfine's second opinion", "", NULL, put_hyperfine, { NULL } },
	{ "Without a number", "", table_refused, NULL, { NULL } },
	{ "The machine", "", NULL, put_machine, { NULL } },
	{ "How it was measured", "", NULL, put_method, { NULL } },
	{ "How each number was counted",
	  "Each by the best probe that this kernel lets attach; a system call's result by file type "
	  "(the ledger) is the second opinion where there is one.\n\n",
	  counted_how, NULL, { NULL } },
	{ "How to repeat it", "", NULL, put_repeat, { NULL } },
};

static int put_section(const struct section *s, const struct result *result,
		       const struct report_parts *parts, FILE *out)
{
	char *pictures = NULL, *text = NULL;
	size_t drawn = 0, size = 0;
	FILE *body = open_memstream(&pictures, &drawn);
	int err = 0;

	if (!body)
		return -ENOMEM;
	put_plots(parts, s->plots, body);
	if (fclose(body))
		err = -ENOMEM;
	body = err ? NULL : open_memstream(&text, &size);
	if (body) {
		err = s->write ? s->write(result, STYLE_MARKDOWN, body) :
				 s->compose(result, parts, body);
		if (fclose(body))
			err = err ? err : -ENOMEM;
	} else {
		err = -ENOMEM;
	}
	/* an empty line between a section's text and the next heading, and no more */
	while (!err && size && text[size - 1] == '\n')
		text[--size] = 0;
	if (!err && (drawn || size))
		fprintf(out, "## %s\n\n%s%s%s%s", s->heading, s->lead, pictures, text,
			size ? "\n\n" : "");
	free(pictures);
	free(text);
	return err;
}

int markdown_report(const struct result *result, const struct report_parts *parts, FILE *out)
{
	int err = 0;

	put_head(result, out);
	if (parts->no_plots) {
		fputs("No pictures: ", out);
		put_markdown(out, parts->no_plots);
		fputs("\n\n", out);
	} else if (!parts->drawable.bars) {
		fputs("No case was measured, so there is nothing to draw.\n\n", out);
	}
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]) && !err; i++)
		err = put_section(&sections[i], result, parts, out);
	return err;
}
