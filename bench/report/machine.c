// SPDX-License-Identifier: MIT
#include "report/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "measure/fact.h"
#include "report/grid.h"

/* A document can nest without end; facts don't. */
#define DEPTH_MAX 6

static bool any_of(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (strstr(text, *list))
			return true;
	return false;
}

/* A number as its key means it: bytes and other counts with thousands, the rest as they are. */
static void put_value(FILE *out, const char *key, const json_t *value)
{
	static const char *const plain[] = { "seed", "cpu_list", "port", "id", NULL };
	char text[FORMAT_MAX];

	if (json_is_string(value))
		fputs(json_string_value(value), out);
	else if (json_is_true(value))
		fputs("yes", out);
	else if (json_is_false(value))
		fputs("no", out);
	else if (json_is_integer(value) && any_of(key, plain))
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_integer(value))
		fputs(format_count((double)json_integer_value(value), text), out);
	else if (json_is_real(value))
		fputs(format_number(json_real_value(value), text), out);
	else
		fputs(UNKNOWN, out);
}

/* "reno, cubic" and "a b, c d": lists of words, and of objects whose values say enough without their keys. */
static void put_any(FILE *out, const char *key, const json_t *value, int depth)
{
	const char *name, *comma = "";
	json_t *item;
	size_t i;

	if (depth > DEPTH_MAX) {
		fputs("…", out);
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, item)
		{
			fputs(i ? ", " : "", out);
			put_any(out, key, item, depth + 1);
		}
		if (!json_array_size(value))
			fputs("none", out);
	} else if (json_is_object(value)) {
		json_object_foreach((json_t *)value, name, item)
		{
			fprintf(out, "%s%s ", comma, name);
			put_any(out, name, item, depth + 1);
			comma = depth ? " " : "; ";
		}
	} else {
		put_value(out, key, value);
	}
}

static void fact_row(struct grid *grid, const char *key, const json_t *value, const char *reason)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		grid->out_of_memory = true;
		return;
	}
	put_any(out, key, value, 0);
	if (reason)
		fprintf(out, " (%s)", reason);
	fclose(out);
	grid_row(grid);
	grid_cell(grid, "%s", key);
	grid_span(grid, text ? text : "");
	free(text);
}

static void add_facts(struct grid *grid, const json_t *facts, const char *prefix, int depth)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)facts, key, value)
	{
		const json_t *inner = json_object_get(value, "value");
		char *name = NULL;

		if (asprintf(&name, "%s%s%s", prefix, prefix[0] ? "." : "", key) < 0) {
			grid->out_of_memory = true;
			return;
		}
		/* {value, reason}: the schema's way to say that a fact could not be had */
		if (inner)
			fact_row(grid, name, inner,
				 json_string_value(json_object_get(value, "reason")));
		else if (json_is_object(value) && depth < DEPTH_MAX)
			add_facts(grid, value, name, depth + 1);
		else
			fact_row(grid, name, value, NULL);
		free(name);
	}
}

int machine_facts(const json_t *facts, enum style style, FILE *out)
{
	struct grid grid = { 0 };

	grid_column(&grid, "", "fact", true);
	grid_column(&grid, "", "value", true);
	add_facts(&grid, facts, "", 0);
	return grid_finish(&grid, style, out);
}

/* One clause of the caption: where the fact is, and the words around it. */
struct clause {
	const json_t *fact;
	const char *before, *after;
};

char *machine_line(const struct result *result)
{
	const struct clause clauses[] = {
		{ fact_value(result->host, "cpu.model"), "", "" },
		{ fact_value(result->host, "cpu.usable"), "", " CPUs" },
		{ fact_value(result->host, "cpu.hypervisor"), "under ", "" },
		{ fact_value(result->host, "kernel.release"), "Linux ", "" },
		{ json_object_get(result->settings, "congestion_control"), "", "" },
		{ json_object_get(result->tool, "version"), "copytax ", "" },
		{ json_object_get(result->run, "started"), "", "" },
	};
	const char *comma = "";
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < sizeof(clauses) / sizeof(clauses[0]); i++) {
		const json_t *fact = clauses[i].fact;
		const char *word = json_string_value(fact);

		if (!json_is_number(fact) && (!word || !word[0] || !strcmp(word, "none")))
			continue;
		fprintf(out, "%s%s", comma, clauses[i].before);
		put_value(out, "", fact);
		fputs(clauses[i].after, out);
		comma = ", ";
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static void put_quoted(FILE *out, const char *word)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "_-./=,:@%+";

	if (word[0] && strspn(word, safe) == strlen(word)) {
		fputs(word, out);
		return;
	}
	putc('\'', out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			putc(*word, out);
	}
	putc('\'', out);
}

char *machine_command(const struct result *result)
{
	json_t *argv = json_object_get(result->run, "argv"), *word;
	char *text = NULL;
	size_t size = 0, i;
	FILE *out;

	if (!json_array_size(argv))
		return NULL;
	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	json_array_foreach(argv, i, word)
	{
		const char *text_of = json_is_string(word) ? json_string_value(word) : "?";

		if (i)
			putc(' ', out);
		/* the program's own name for a subcommand is two words already */
		if (!i && !strcmp(text_of, "copytax run"))
			fputs(text_of, out);
		else
			put_quoted(out, text_of);
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
