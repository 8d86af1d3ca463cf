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
	char known[768] = "";

	for (size_t i = 0; methods[i]; i++) {
		bool of_set = !strcmp(name, "all") ||
			      (!strcmp(name, "classic") && methods[i]->flags & METHOD_CLASSIC);

		if (of_set || !strcmp(name, methods[i]->name))
			line->methods |= (uint64_t)1 << i;
		if (!strcmp(name, methods[i]->name))
			return 0;
		snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s", i ? ", " : "",
			 methods[i]->name);
	}
	if (!strcmp(name, "all") || !strcmp(name, "classic"))
		return 0;
	return fail(why, EXIT_WRONG_USE, EINVAL,
		    "there is no method '%s'; there are: %s, and 'classic' for the first five, 'all' for all",
		    name, known);
}

int plan_methods(struct plan_line *line, const char *list, struct failure *why)
{
	line->methods = 0;
	return each_item(line, list, "methods", take_method, why);
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

	char known[256] = "";
	enum dimension d;

	if (value) {
		*value++ = '\0';
		if (!strcmp(word, "methods") || !strcmp(word, "method"))
			return plan_methods(line, value, why);
		if (!strcmp(word, "rounds"))
			return plan_number(value, "rounds", 1, &line->rounds, why);
		d = dimension_find(word);
		if (d < DIMENSIONS)
			return dimension_parse(d, &line->conditions[d], value, why);
	}
	for (d = 0; d < DIMENSIONS; d++)
		snprintf(known + strlen(known), sizeof(known) - strlen(known), ", %s=",
			 dimensions[d].name);
	return fail(why, EXIT_WRONG_USE, EINVAL,
		    "'%s' is no condition of a case: use methods=, rounds=%s", word, known);
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

static uint64_t classic_methods(void)
{
	uint64_t mask = 0;

	for (size_t i = 0; methods[i]; i++)
		if (methods[i]->flags & METHOD_CLASSIC)
			mask |= (uint64_t)1 << i;
	return mask;
}

static void lay_over(struct plan_line *line, const struct plan *plan,
		     const struct plan_line *override)
{
	if (override->methods)
		line->methods = override->methods;
	if (!line->methods)
		line->methods = classic_methods();
	for (enum dimension d = 0; d < DIMENSIONS; d++) {
		struct dimension_list *list = &line->conditions[d];

		if (override->conditions[d].count)
			*list = override->conditions[d];
		if (list->count)
			continue;
		/* what nobody said */
		list->value[0] = dimension_default(d);
		if (d == DIM_SIZE && plan->size_given)
			list->value[0].number = plan->size;
		list->count = 1;
	}
}

/* What the values say, in the words of those who do it. */
static void spell_out(struct plan_case *c)
{
	const union dimension_value *at = c->at;

	c->size = at[DIM_SIZE].number;
	c->chunk = at[DIM_CHUNK].number;
	c->cache = (enum cache)at[DIM_CACHE].number;
	c->sink = (enum sink)at[DIM_SINK].number;
	c->connections = (unsigned int)at[DIM_CONNECTIONS].number;
	c->each = at[DIM_EACH].number == EACH_WHOLE ? EACH_WHOLE : EACH_SHARE;
	c->files = at[DIM_FILES].number == FILES_MANY ? FILES_MANY : FILES_ONE;
	c->placement = (enum placement)at[DIM_PLACEMENT].number;
	c->link = (struct link_settings){ .kind = (enum link_kind)at[DIM_LINK].number,
					  .send_buffer = (uint32_t)at[DIM_SNDBUF].number,
					  .receive_buffer = (uint32_t)at[DIM_RCVBUF].number,
					  .nodelay = at[DIM_NODELAY].number == 1 };
	if (c->link.kind == LINK_TCP || c->link.kind == LINK_VETH)
		c->link.lead = (uint32_t)at[DIM_LEAD].number;
	if (link_is_tcp(c->link.kind))
		memcpy(c->link.congestion, at[DIM_CONGESTION].name, sizeof(c->link.congestion));
	if (c->link.kind == LINK_VETH)
		c->veth = (struct veth_settings){ .mtu = (uint32_t)at[DIM_MTU].number,
						  .offload = at[DIM_OFFLOAD].number,
						  .scatter_gather = at[DIM_GATHER].number };
}

uint64_t plan_share(const struct plan_case *c)
{
	return c->each == EACH_WHOLE ? c->size : c->size / c->connections;
}

uint64_t plan_payload(const struct plan_case *c)
{
	return plan_share(c) * c->connections;
}

static bool same_values(const union dimension_value a[static DIMENSIONS],
			const union dimension_value b[static DIMENSIONS])
{
	for (enum dimension d = 0; d < DIMENSIONS; d++)
		if (!dimension_equal(&a[d], &b[d]))
			return false;
	return true;
}

static int add_case(struct plan_case **cases, size_t *count, const struct plan_case *wanted)
{
	struct plan_case *grown;

	for (size_t i = 0; i < *count; i++) {
		struct plan_case *c = &(*cases)[i];

		if (c->method == wanted->method && same_values(c->at, wanted->at)) {
			if (c->rounds < wanted->rounds)
				c->rounds = wanted->rounds;
			return 0;
		}
	}
	if (*count == PLAN_CASES_MAX)
		return -E2BIG;
	grown = realloc(*cases, (*count + 1) * sizeof(**cases));
	if (!grown)
		return -ENOMEM;
	grown[(*count)++] = *wanted;
	*cases = grown;
	return 0;
}

/* The next place of an odometer whose last wheel turns fastest; false when all have come round. */
static bool turn(size_t place[static DIMENSIONS], const struct plan_line *line)
{
	for (int d = DIMENSIONS - 1; d >= 0; d--) {
		if (++place[d] < line->conditions[d].count)
			return true;
		place[d] = 0;
	}
	return false;
}

static int expand_line(const struct plan *plan, const struct plan_line *line,
		       struct plan_case **cases, size_t *count)
{
	unsigned int rounds = line->rounds && line->rounds < plan->rounds ? line->rounds :
									    plan->rounds;
	size_t place[DIMENSIONS] = { 0 };
	int err = 0;

	do {
		struct plan_case c;

		memset(&c, 0, sizeof(c));
		c.rounds = rounds;
		for (enum dimension d = 0; d < DIMENSIONS; d++)
			c.at[d] = line->conditions[d].value[place[d]];
		dimension_settle(c.at);
		spell_out(&c);
		for (size_t m = 0; methods[m] && !err; m++) {
			c.method = methods[m];
			if (line->methods >> m & 1)
				err = add_case(cases, count, &c);
		}
	} while (!err && turn(place, line));
	return err;
}

int plan_single(const struct plan_line *said, const struct method *method, struct plan_case *out,
		struct failure *why)
{
	const struct plan plan = { .rounds = 1 };
	struct plan_line *line = malloc(sizeof(*line));
	struct plan_case *cases = NULL;
	size_t count = 0;
	int err = line ? 0 : -ENOMEM;

	if (!err) {
		*line = *said;
		lay_over(line, &plan, said);
		err = expand_line(&plan, line, &cases, &count);
	}
	free(line);
	if (err)
		err = fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	for (enum dimension d = 0; d < DIMENSIONS && !err; d++)
		if (said->conditions[d].count > 1)
			err = fail(why, EXIT_WRONG_USE, EINVAL,
				   "--%s takes one value here; 'copytax run' takes lists",
				   dimensions[d].name);
	if (!err) {
		*out = cases[0];
		out->method = method;
	}
	free(cases);
	return err;
}

int plan_expand(const struct plan *plan, const struct plan_line *override, struct plan_case **cases,
		size_t *count, struct failure *why)
{
	size_t lines = plan->line_count ? plan->line_count : 1;
	struct plan_line *line = malloc(sizeof(*line));
	int err = line ? 0 : -ENOMEM;

	*cases = NULL;
	*count = 0;
	for (size_t i = 0; i < lines && !err; i++) {
		if (plan->line_count)
			*line = plan->lines[i];
		else
			memset(line, 0, sizeof(*line));
		lay_over(line, plan, override);
		err = expand_line(plan, line, cases, count);
	}
	free(line);
	if (!err)
		return 0;
	free(*cases);
	*cases = NULL;
	if (err == -E2BIG)
		return fail(why, EXIT_WRONG_USE, E2BIG,
			    "the product of the lists is more than %d cases; leave some values out",
			    PLAN_CASES_MAX);
	return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory for the plan");
}
