// SPDX-License-Identifier: MIT
#include "study/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "study/plan_builtin.h"

#define LINE_MAX_BYTES 1024

typedef int (*item_fn)(struct plan_line *line, const char *item, struct failure *why);

static int each_item(struct plan_line *line, const char *list, const char *what, item_fn take,
		     struct failure *why)
{
	char copy[LINE_MAX_BYTES], *rest = copy, *item;
	int err = 0;

	if (strlen(list) >= sizeof(copy))
		return fail(why, EXIT_WRONG_USE, EINVAL, "the list of %s is too long", what);
	strcpy(copy, list);
	while (!err && (item = strsep(&rest, ","))) {
		if (!*item)
			return fail(why, EXIT_WRONG_USE, EINVAL,
				    "the list of %s '%s' has an empty item", what, list);
		err = take(line, item, why);
	}
	return err;
}

static int take_method(struct plan_line *line, const char *name, struct failure *why)
{
	char known[512] = "";

	for (size_t i = 0; methods[i]; i++) {
		if (!strcmp(name, "all") || !strcmp(name, methods[i]->name))
			line->methods |= (uint64_t)1 << i;
		if (!strcmp(name, methods[i]->name))
			return 0;
		snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s", i ? ", " : "",
			 methods[i]->name);
	}
	if (!strcmp(name, "all"))
		return 0;
	return fail(why, EXIT_WRONG_USE, EINVAL, "there is no method '%s'; there are: %s, all", name,
		    known);
}

int plan_methods(struct plan_line *line, const char *list, struct failure *why)
{
	line->methods = 0;
	return each_item(line, list, "methods", take_method, why);
}

int plan_chunk(const char *text, uint64_t *chunk, struct failure *why)
{
	if (!strcmp(text, "whole")) {
		*chunk = 0;
		return 0;
	}
	if (!size_parse(text, chunk) && *chunk >= CHUNK_MIN && *chunk <= CHUNK_MAX)
		return 0;
	return fail(why, EXIT_WRONG_USE, EINVAL,
		    "'%s' is no chunk size: use 4K to 1G (K, M, G are powers of 1024), or 'whole'",
		    text);
}

static int take_chunk(struct plan_line *line, const char *text, struct failure *why)
{
	uint64_t chunk;
	int err = plan_chunk(text, &chunk, why);

	if (err)
		return err;
	if (line->chunk_count == PLAN_CHUNKS_MAX)
		return fail(why, EXIT_WRONG_USE, EINVAL, "more than %d chunk sizes",
			    PLAN_CHUNKS_MAX);
	line->chunks[line->chunk_count++] = chunk;
	return 0;
}

int plan_chunks(struct plan_line *line, const char *list, struct failure *why)
{
	line->chunk_count = 0;
	return each_item(line, list, "chunk sizes", take_chunk, why);
}

static int take_cache(struct plan_line *line, const char *name, struct failure *why)
{
	enum cache cache;

	if (cache_parse(name, &cache))
		return fail(why, EXIT_WRONG_USE, EINVAL,
			    "there is no cache state '%s'; there are: warm, cold", name);
	line->caches |= 1u << cache;
	return 0;
}

int plan_caches(struct plan_line *line, const char *list, struct failure *why)
{
	line->caches = 0;
	return each_item(line, list, "cache states", take_cache, why);
}

static int take_sink(struct plan_line *line, const char *name, struct failure *why)
{
	enum sink sink;

	if (sink_parse(name, &sink))
		return fail(why, EXIT_WRONG_USE, EINVAL,
			    "there is no sink '%s'; there are: drain, truncate, splice, verify",
			    name);
	line->sinks |= 1u << sink;
	return 0;
}

int plan_sinks(struct plan_line *line, const char *list, struct failure *why)
{
	line->sinks = 0;
	return each_item(line, list, "sinks", take_sink, why);
}

int plan_number(const char *text, const char *what, unsigned int least, unsigned int *out,
		struct failure *why)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || value < least ||
	    value > PLAN_ROUNDS_MAX)
		return fail(why, EXIT_WRONG_USE, EINVAL, "'%s' is no number of %s: use %u to %d", text,
			    what, least, PLAN_ROUNDS_MAX);
	*out = (unsigned int)value;
	return 0;
}

static int case_word(struct plan_line *line, char *word, struct failure *why)
{
	char *value = strchr(word, '=');

	if (value) {
		*value++ = '\0';
		if (!strcmp(word, "methods") || !strcmp(word, "method"))
			return plan_methods(line, value, why);
		if (!strcmp(word, "chunk"))
			return plan_chunks(line, value, why);
		if (!strcmp(word, "cache"))
			return plan_caches(line, value, why);
		if (!strcmp(word, "sink"))
			return plan_sinks(line, value, why);
		if (!strcmp(word, "rounds"))
			return plan_number(value, "rounds", 1, &line->rounds, why);
	}
	return fail(why, EXIT_WRONG_USE, EINVAL,
		    "'%s' is no condition of a case: use methods=, chunk=, cache=, sink=, rounds=",
		    word);
}

static int statement(struct plan *plan, char *text, struct failure *why)
{
	char *save = NULL, *word = strtok_r(text, " \t\n", &save), *value;
	unsigned int number = 0;
	int err = 0;

	if (!word)
		return 0;
	if (!strcmp(word, "case")) {
		struct plan_line *line = &plan->lines[plan->line_count];

		if (plan->line_count == PLAN_LINES_MAX)
			return fail(why, EXIT_WRONG_USE, EINVAL, "more than %d case lines",
				    PLAN_LINES_MAX);
		plan->line_count++;
		while (!err && (word = strtok_r(NULL, " \t\n", &save)))
			err = case_word(line, word, why);
		return err;
	}
	value = strtok_r(NULL, " \t\n", &save);
	if (!value || strtok_r(NULL, " \t\n", &save))
		return fail(why, EXIT_WRONG_USE, EINVAL, "'%s' takes one value", word);
	if (!strcmp(word, "rounds"))
		return plan_number(value, "rounds", 1, &plan->rounds, why);
	if (!strcmp(word, "warmup")) {
		err = plan_number(value, "warm-up rounds", 0, &number, why);
		plan->warmup = err ? -1 : (int)number;
		return err;
	}
	if (!strcmp(word, "size")) {
		plan->size_given = true;
		return size_parse(value, &plan->size) ?
			       fail(why, EXIT_WRONG_USE, EINVAL, "'%s' is no size", value) :
			       0;
	}
	return fail(why, EXIT_WRONG_USE, EINVAL,
		    "'%s' is no statement of a plan: use rounds, warmup, size, case", word);
}

int plan_load(struct plan *plan, const char *path, struct failure *why)
{
	FILE *file = plan_open(path);
	char line[LINE_MAX_BYTES], *comment;
	struct failure inner;
	unsigned int number = 0;
	int err = 0;

	if (!file)
		return fail(why, EXIT_WRONG_USE, errno, "can't read the plan %s: %s (built in: %s)",
			    path, strerror(errno), plan_builtin_names());
	while (!err && fgets(line, sizeof(line), file)) {
		memset(&inner, 0, sizeof(inner));
		number++;
		if (strlen(line) == sizeof(line) - 1) {
			err = fail(&inner, EXIT_WRONG_USE, EINVAL, "the line is too long");
		} else {
			comment = strchr(line, '#');
			if (comment)
				*comment = '\0';
			err = statement(plan, line, &inner);
		}
		if (err)
			fail(why, EXIT_WRONG_USE, -err, "%s line %u: %s", path, number, inner.text);
	}
	if (!err && ferror(file))
		err = fail(why, EXIT_WRONG_USE, errno, "can't read the plan %s: %s", path,
			   strerror(errno));
	fclose(file);
	if (!err && !plan->line_count)
		err = fail(why, EXIT_WRONG_USE, EINVAL, "the plan %s has no case line", path);
	return err;
}

static struct plan_line laid_over(const struct plan_line *line, const struct plan_line *override)
{
	struct plan_line out = *line;

	if (override->methods)
		out.methods = override->methods;
	if (override->caches)
		out.caches = override->caches;
	if (override->sinks)
		out.sinks = override->sinks;
	if (override->chunk_count) {
		memcpy(out.chunks, override->chunks, sizeof(out.chunks));
		out.chunk_count = override->chunk_count;
	}
	/* what nobody said */
	if (!out.methods)
		out.methods = ~(uint64_t)0;
	if (!out.caches)
		out.caches = 1u << CACHE_WARM;
	if (!out.sinks)
		out.sinks = 1u << SINK_DRAIN;
	if (!out.chunk_count)
		out.chunks[out.chunk_count++] = CHUNK_DEFAULT;
	return out;
}

static int add_case(struct plan_case **cases, size_t *count, struct plan_case wanted)
{
	struct plan_case *grown;

	for (size_t i = 0; i < *count; i++) {
		struct plan_case *c = &(*cases)[i];

		if (c->method == wanted.method && c->chunk == wanted.chunk &&
		    c->cache == wanted.cache && c->sink == wanted.sink) {
			if (c->rounds < wanted.rounds)
				c->rounds = wanted.rounds;
			return 0;
		}
	}
	grown = realloc(*cases, (*count + 1) * sizeof(**cases));
	if (!grown)
		return -ENOMEM;
	grown[(*count)++] = wanted;
	*cases = grown;
	return 0;
}

static int expand_line(const struct plan *plan, const struct plan_line *line,
		       struct plan_case **cases, size_t *count)
{
	unsigned int rounds = line->rounds && line->rounds < plan->rounds ? line->rounds :
									    plan->rounds;
	int err = 0;

	for (size_t k = 0; k < line->chunk_count; k++)
		for (int cache = 0; cache < CACHES; cache++)
			for (int sink = 0; sink < SINKS; sink++)
				for (size_t m = 0; methods[m] && !err; m++) {
					struct plan_case c = { methods[m], line->chunks[k],
							       (enum cache)cache, (enum sink)sink,
							       rounds };

					if (line->methods >> m & 1 && line->caches >> cache & 1 &&
					    line->sinks >> sink & 1)
						err = add_case(cases, count, c);
				}
	return err;
}

int plan_expand(const struct plan *plan, const struct plan_line *override, struct plan_case **cases,
		size_t *count, struct failure *why)
{
	static const struct plan_line nothing_said;
	size_t lines = plan->line_count ? plan->line_count : 1;
	int err = 0;

	*cases = NULL;
	*count = 0;
	for (size_t i = 0; i < lines && !err; i++) {
		struct plan_line line = laid_over(
			plan->line_count ? &plan->lines[i] : &nothing_said, override);

		err = expand_line(plan, &line, cases, count);
	}
	if (!err)
		return 0;
	free(*cases);
	*cases = NULL;
	return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory for the plan");
}
