// SPDX-License-Identifier: MIT
#include "report/families.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "method/method.h"
#include "report/format.h"
#include "study/dimension.h"

static bool same_family(const struct case_result *a, const struct case_result *b)
{
	return case_same_conditions(a, b, "chunk", NULL);
}

static int add_chunk(struct family *family, uint64_t chunk)
{
	uint64_t *chunks;
	size_t at = 0;

	for (size_t i = 0; i < family->chunk_count; i++)
		if (family->chunks[i] == chunk)
			return 0;
	chunks = realloc(family->chunks, (family->chunk_count + 1) * sizeof(*chunks));
	if (!chunks)
		return -ENOMEM;
	family->chunks = chunks;
	/* chunk - 1 puts "whole" (0) behind every size */
	while (at < family->chunk_count && chunks[at] - 1 < chunk - 1)
		at++;
	memmove(chunks + at + 1, chunks + at, (family->chunk_count - at) * sizeof(*chunks));
	chunks[at] = chunk;
	family->chunk_count++;
	return 0;
}

static int add_case(struct families *all, const struct case_result *kase)
{
	struct family *family = NULL, *list;
	const struct case_result **cases;

	for (size_t i = 0; i < all->count && !family; i++)
		if (same_family(all->list[i].conditions, kase))
			family = &all->list[i];
	if (!family) {
		list = realloc(all->list, (all->count + 1) * sizeof(*list));
		if (!list)
			return -ENOMEM;
		all->list = list;
		family = &list[all->count++];
		*family = (struct family) { .conditions = kase };
	}
	cases = realloc(family->cases, (family->count + 1) * sizeof(const struct case_result *));
	if (!cases)
		return -ENOMEM;
	family->cases = cases;
	cases[family->count++] = kase;
	return add_chunk(family, kase->chunk);
}

/* The run's own default where the family has it, else the chunk that most methods were measured at. */
static void choose_chunk(const struct result *result, struct family *family)
{
	json_t *wanted = json_object_get(result->settings, "chunk_default");
	size_t most = 0;

	family->chunk = family->chunks[0];
	for (size_t i = 0; i < family->chunk_count; i++) {
		size_t n = 0;

		if (json_is_integer(wanted) &&
		    family->chunks[i] == (uint64_t)json_integer_value(wanted)) {
			family->chunk = family->chunks[i];
			return;
		}
		for (size_t k = 0; k < family->count; k++)
			n += family->cases[k]->chunk == family->chunks[i] &&
			     case_measured(family->cases[k]);
		if (n > most) {
			most = n;
			family->chunk = family->chunks[i];
		}
	}
}

int families_find(const struct result *result, struct families *out)
{
	int err = 0;

	*out = (struct families) { 0 };
	for (size_t i = 0; i < result->case_count && !err; i++)
		err = add_case(out, &result->cases[i]);
	for (size_t i = 0; i < out->count && !err; i++)
		choose_chunk(result, &out->list[i]);
	return err;
}

void families_free(struct families *families)
{
	for (size_t i = 0; i < families->count; i++) {
		free(families->list[i].cases);
		free(families->list[i].chunks);
	}
	free(families->list);
	*families = (struct families) { 0 };
}

const struct case_result *family_case(const struct family *family, const char *method,
				      uint64_t chunk)
{
	for (size_t i = 0; i < family->count; i++)
		if (family->cases[i]->chunk == chunk && !strcmp(family->cases[i]->method, method))
			return family->cases[i];
	return NULL;
}

bool family_first_of_method(const struct family *family, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (!strcmp(family->cases[i]->method, family->cases[index]->method))
			return false;
	return true;
}

bool case_measured(const struct case_result *kase)
{
	const struct samples *s = &kase->samples;

	if (kase->status != CASE_OK)
		return false;
	for (size_t i = 0; i < s->count; i++)
		if (sample_counts(s, i) && isfinite(s->value[SAMPLE_WALL_S][i]))
			return true;
	return false;
}

bool case_direct(const struct case_result *kase)
{
	const struct method *method = method_find(kase->method);

	return method && method->flags & METHOD_BYPASSES_PAGE_CACHE;
}

bool case_lends(const struct case_result *kase)
{
	const struct method *method = method_find(kase->method);

	return method && method->flags & METHOD_ZEROCOPY;
}

double case_copied_share(const struct case_result *kase)
{
	const json_t *figure = json_object_get(kase->method_figures, "copied_share");
	const json_t *value = json_object_get(figure, "value");

	return json_is_number(value) ? json_number_value(value) : NAN;
}

const char *case_copied_text(const struct case_result *kase, char *out, size_t size)
{
	double share = case_copied_share(kase);

	out[0] = '\0';
	if (!case_lends(kase))
		return out;
	if (isnan(share))
		snprintf(out, size, "copied or not: unknown");
	else /* neither a few copied nor a few lent are rounded away */
		snprintf(out, size, "%s%.0f%% copied", share > 0 && share < 0.005 ? "<" : "",
			 share > 0 && share < 0.005 ? 1 : share < 1 ? fmin(round(100 * share), 99) : 100);
	return out;
}

bool case_competes(const struct family *family, const struct case_result *kase)
{
	return case_measured(kase) &&
	       (!case_direct(kase) || !strcmp(family->conditions->cache, "cold"));
}

const struct family *families_main(const struct families *all)
{
	const struct family *best = NULL;
	int most = -1;

	for (size_t i = 0; i < all->count; i++) {
		const struct family *family = &all->list[i];
		const struct case_result *base =
			family_case(family, BASELINE_METHOD, family->chunk);
		int points = 0;

		for (size_t k = 0; k < family->count; k++)
			if (family->cases[k]->chunk == family->chunk &&
			    case_competes(family, family->cases[k]))
				points = 1;
		if (!points)
			continue;
		points += base && case_measured(base) ? 8 : 0;
		points += !strcmp(family->conditions->sink, "drain") ? 4 : 0;
		points += !strcmp(family->conditions->cache, "warm") ? 2 : 0;
		if (points > most) {
			most = points;
			best = family;
		}
	}
	return best;
}

/* Conditions that are not what nobody asked for, but for those that the title names anyway. */
static void say_unusual(const struct case_result *c, char *out, size_t size)
{
	static const enum dimension named[] = { DIM_SIZE, DIM_LINK,  DIM_CONNECTIONS,
						DIM_CHUNK, DIM_CACHE, DIM_SINK };
	const char *key;
	json_t *value;

	out[0] = '\0';
	json_object_foreach(c->conditions, key, value) {
		enum dimension d = dimension_find(key);
		union dimension_value usual;
		bool skip = d == DIMENSIONS || json_is_null(value);
		char bytes[SIZE_TEXT_MAX];
		json_t *expected;

		for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
			skip |= d == named[i];
		if (skip)
			continue;
		usual = dimension_default(d);
		expected = dimension_json(d, &usual);
		if (!json_equal(value, expected))
			snprintf(out + strlen(out), size - strlen(out), ", %s %s", dimensions[d].name,
				 json_is_boolean(value) ? (json_is_true(value) ? "on" : "off") :
				 json_is_string(value)  ? json_string_value(value) :
							  size_format((uint64_t)json_integer_value(value),
								      bytes));
		json_decref(expected);
	}
}

const char *family_title(const struct family *family, const uint64_t *chunk, char *out, size_t size)
{
	const struct case_result *c = family->conditions;
	char bytes[FORMAT_MAX], piece[FORMAT_MAX] = "", connections[48] = "", unusual[160];

	if (c->connections > 1)
		snprintf(connections, sizeof(connections), ", %u connections", c->connections);
	if (chunk && *chunk)
		format_chunk(*chunk, piece);
	say_unusual(c, unusual, sizeof(unusual));
	snprintf(out, size, "%.40s cache, %.40s sink, %.40s%s, %s%s%s%s bytes%s%s", c->cache, c->sink,
		 c->link, strcmp(c->link, "tcp") ? "" : " over loopback",
		 !chunk	   ? ""
		 : !*chunk ? "the whole payload in one call, "
			   : "chunks of ",
		 piece, piece[0] ? ", " : "", format_count((double)c->payload, bytes), connections,
		 unusual);
	return out;
}

int paired_ratio(const struct case_result *a, const struct case_result *b, enum sample_field field,
		 struct interval *out)
{
	const struct samples *x = &a->samples, *y = &b->samples;
	double *ratios = malloc((x->count + 1) * sizeof(*ratios));
	size_t n = 0;

	if (!ratios)
		return -ENOMEM;
	for (size_t i = 0; i < x->count; i++) {
		if (!sample_counts(x, i))
			continue;
		for (size_t k = 0; k < y->count; k++) {
			if (!sample_counts(y, k) ||
			    y->value[SAMPLE_ROUND][k] != x->value[SAMPLE_ROUND][i])
				continue;
			if (y->value[field][k] != 0)
				ratios[n++] = x->value[field][i] / y->value[field][k];
			break;
		}
	}
	*out = stats_median(ratios, n, SUMMARY_CONFIDENCE);
	free(ratios);
	return 0;
}

enum telling ratio_tells(const struct interval *ratio)
{
	if (!ratio->n || !(ratio->low > 1 || ratio->high < 1))
		return CANT_TELL;
	return ratio->confidence < SUMMARY_CONFIDENCE ? TOO_FEW : TOLD_APART;
}
