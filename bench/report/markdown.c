// SPDX-License-Identifier: MIT
#include "report/markdown.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/claims_text.h"
#include "report/counted.h"
#include "report/events_text.h"
#include "report/families.h"
#include "report/grid.h"
#include "report/machine.h"
#include "report/misleads.h"
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

static void put_plots(const struct report_parts *parts, FILE *out)
{
	if (parts->no_plots) {
		fputs("No pictures: ", out);
		put_markdown(out, parts->no_plots);
		fputs("\n\n", out);
		return;
	}
	for (const struct plot *p = plots; p->name; p++) {
		const char *absence = plot_absence(p, &parts->drawable);

		if (plot_drawable(p, &parts->drawable))
			fprintf(out, "![%s: %s](plots/%s.svg)\n\n", p->title, p->alt, p->name);
		if (!absence)
			continue;
		fprintf(out, "> **No picture of “%s”**: ", p->title);
		put_markdown(out, absence);
		fputs(".\n\n", out);
	}
	if (!parts->drawable.bars)
		fputs("No case was measured, so there is nothing to draw.\n\n", out);
}

/* Writes a section with `write`, or nothing at all when it has nothing to say. */
static int section(const char *heading, const char *lead,
		   int (*write)(const struct result *, enum style, FILE *),
		   const struct result *result, FILE *out)
{
	char *text = NULL;
	size_t size = 0;
	FILE *body = open_memstream(&text, &size);
	int err = body ? write(result, STYLE_MARKDOWN, body) : -ENOMEM;

	if (body && fclose(body))
		err = err ? err : -ENOMEM;
	if (!err && size)
		fprintf(out, "## %s\n\n%s%s\n", heading, lead, text);
	free(text);
	return err;
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

static int put_method(const struct result *result, FILE *out)
{
	int err;

	fputs("## How it was measured\n\n"
	      "Wall time and CPU time run from the first transfer call to the receiver's word that "
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

static void put_repeat(const struct result *result, FILE *out)
{
	char *command = machine_command(result);

	fputs("## How to repeat it\n\n", out);
	if (command)
		put_code(command, out);
	else
		fputs("The result does not say how copytax was called.\n\n", out);
	free(command);
}

static int put_hyperfine(const struct report_parts *parts, FILE *out)
{
	int err;

	fputs("## hyperfine's second opinion\n\n", out);
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

int markdown_report(const struct result *result, const struct report_parts *parts, FILE *out)
{
	int err;

	put_head(result, out);
	err = section("The answer", "", verdict_write, result, out);
	err = err ? err : section("The table", "", table_main, result, out);
	err = err ? err : section("What misleads here", "", misleads_write, result, out);
	fputs("## Pictures\n\n", out);
	put_plots(parts, out);
	err = err ? err : section("Chunk sizes", "", table_sweep, result, out);
	err = err ? err : section("Beside the clock", "", table_beside, result, out);
	err = err ? err
		  : section("Crossings, switches and copies",
			    "From a pass of its own, with probes attached: the clock ran in "
			    "transfers "
			    "without any. A case is counted a few times and the one with the "
			    "middle "
			    "CPU time is shown; the last column, the sender's CPU with the probes "
			    "÷ without them, says what they cost.\n\n",
			    counted_write, result, out);
	err = err ? err
		  : section("Events of CPU and kernel",
			    "From another pass of their own. In user and kernel mode apart; a value that is "
			    "missing has its reason below.\n\n",
			    table_events, result, out);
	err = err ? err : section("Where the time goes", "", table_sites, result, out);
	if (!err && parts->profiles)
		sites_links(result, out);
	err = err ? err : section("What the classic texts claim", "", claims_write, result, out);
	err = err ? err : section("Without a number", "", table_refused, result, out);
	err = err ? err : put_hyperfine(parts, out);
	if (err)
		return err;
	fputs("## The machine\n\n", out);
	err = machine_facts(result->host, STYLE_MARKDOWN, out);
	putc('\n', out);
	err = err ? err : put_method(result, out);
	err = err ? err
		  : section("How each number was counted",
			    "Each by the best probe that this kernel lets attach; a system call's "
			    "result by "
			    "file type (the ledger) is the second opinion where there is one.\n\n",
			    counted_how, result, out);
	put_repeat(result, out);
	return err;
}
