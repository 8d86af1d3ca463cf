// SPDX-License-Identifier: MIT
#include "report/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static void put_array(FILE *out, const char *key, const json_t *array)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		json_t *item = json_array_get(array, i);
		char *dumped = NULL;

		fputs(i ? ", " : "", out);
		if (!json_is_object(item) && !json_is_array(item)) {
			put_value(out, key, item);
			continue;
		}
		dumped = json_dumps(item, JSON_COMPACT);
		fputs(dumped ? dumped : UNKNOWN, out);
		free(dumped);
	}
	if (!json_array_size(array))
		fputs("none", out);
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
	if (json_is_array(value))
		put_array(out, key, value);
	else
		put_value(out, key, value);
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

	json_object_foreach((json_t *)facts, key, value) {
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
	if (!grid.row_count)
		grid.column_count = 0;
	return grid_finish(&grid, style, out);
}

/* The first of several names that an object has. */
static const json_t *first_of(const json_t *object, const char *const *keys)
{
	for (; *keys; keys++) {
		const json_t *value = json_object_get(object, *keys);

		if (json_is_object(value) && json_object_get(value, "value"))
			value = json_object_get(value, "value");
		if (value && !json_is_null(value) && !json_is_object(value))
			return value;
	}
	return NULL;
}

char *machine_line(const struct result *result)
{
	static const char *const cpu[] = { "cpu_model", "cpu", "model", NULL };
	static const char *const cpus[] = { "cpus", "cpus_online", "cpu_count", "online_cpus", NULL };
	static const char *const kernel[] = { "kernel", "kernel_release", "release", NULL };
	static const char *const virt[] = { "virtualisation", "virtualization", "hypervisor", NULL };
	static const char *const control[] = { "congestion_control", NULL };
	static const char *const version[] = { "version", NULL };
	static const char *const started[] = { "started", NULL };
	const struct part {
		const json_t *object;
		const char *const *keys;
		const char *before, *after;
	} parts[] = {
		{ result->host, cpu, "", "" },
		{ result->host, cpus, "", " CPUs" },
		{ result->host, kernel, "Linux ", "" },
		{ result->host, virt, "on ", "" },
		{ result->settings, control, "", "" },
		{ result->tool, version, "copytax ", "" },
		{ result->run, started, "", "" },
	};
	const char *comma = "";
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const json_t *value = first_of(parts[i].object, parts[i].keys);
		const char *word = json_string_value(value), *before = parts[i].before;

		if (!value || (word && (!word[0] || !strcmp(word, "none"))))
			continue;
		/* some kernels' own name says so already */
		if (word && before[0] && !strncmp(word, before, strlen(before)))
			before = "";
		fprintf(out, "%s%s", comma, before);
		put_value(out, parts[i].keys[0], value);
		fputs(parts[i].after, out);
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
	json_array_foreach(argv, i, word) {
		if (i)
			putc(' ', out);
		put_quoted(out, json_is_string(word) ? json_string_value(word) : "?");
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
