// SPDX-License-Identifier: MIT
#include "analysis/compare.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/differences.h"
#include "analysis/ranks.h"
#include "analysis/stats.h"

#define SAME_WITHIN 0.05

const char *const metric_names[METRICS] = { "sender_cpu", "receiver_cpu", "total_cpu", "wall" };

int gates_parse(const char *text, struct gate gates[COMPARE_GATES_MAX], struct failure *why)
{
	int count = 0;

	for (const char *at = text;; at++) {
		size_t name = strcspn(at, ">"), length = strcspn(at, ",");
		int metric = 0;
		char *end;

		while (metric < METRICS && (strlen(metric_names[metric]) != name ||
					    strncmp(at, metric_names[metric], name) != 0))
			metric++;
		if (metric == METRICS || name >= length || count == COMPARE_GATES_MAX)
			break;
		gates[count].metric = (enum metric)metric;
		gates[count].above = strtod(at + name + 1, &end) / 100;
		if (at[name + 1] < '0' || at[name + 1] > '9' || *end != '%' || end + 1 != at + length ||
		    !isfinite(gates[count].above))
			break;
		count++;
		at += length;
		if (!*at)
			return count;
	}
	return fail(why, EXIT_WRONG_USE, EINVAL,
		    "'%s' is no condition: use METRIC>NUMBER%%, comma-separated, such as sender_cpu>5%%; the metrics are sender_cpu, receiver_cpu, total_cpu, wall",
		    text);
}

/* ---- the samples ---- */

/* A case that both results have. */
struct pair {
	const struct case_result *base, *new;
	double *a[METRICS], *b[METRICS]; /* timed samples in the order of rounds */
	size_t n[METRICS], m[METRICS]; /* how many */
	struct rank_test test[METRICS];
	double adjusted[METRICS];
	bool in_family[METRICS]; /* could reach significance at all */
};

struct comparison {
	struct pair *pairs;
	size_t count;
	double inflation[METRICS][2];
};

static double sample_of(const struct samples *s, enum metric m, size_t i)
{
	switch (m) {
	case METRIC_SENDER_CPU:
		return s->value[SAMPLE_SENDER_CPU_S][i];
	case METRIC_RECEIVER_CPU:
		return s->value[SAMPLE_RECEIVER_CPU_S][i];
	case METRIC_TOTAL_CPU:
		return s->value[SAMPLE_SENDER_CPU_S][i] + s->value[SAMPLE_RECEIVER_CPU_S][i];
	default:
		return s->value[SAMPLE_WALL_S][i];
	}
}

static size_t take_samples(const struct samples *s, enum metric m, double *out)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++) {
		double v = sample_of(s, m, i);

		if (s->value[SAMPLE_WARMUP][i] == 0 && isfinite(v) && v > 0)
			out[n++] = v;
	}
	return n;
}

static bool same_case(const struct case_result *a, const struct case_result *b)
{
	return a->chunk == b->chunk && a->payload == b->payload &&
	       a->connections == b->connections && !strcmp(a->method, b->method) &&
	       !strcmp(a->cache, b->cache) && !strcmp(a->sink, b->sink) &&
	       !strcmp(a->link, b->link);
}

/* Is `c` the only case of a result that looks like it before one asks for the other conditions? */
static bool only_one(const struct result *r, const struct case_result *c)
{
	size_t n = 0;

	for (size_t i = 0; i < r->case_count; i++)
		n += same_case(&r->cases[i], c);
	return n == 1;
}

/*
 * Buffers, placement and their like may differ between two runs, which the comparison says; but where one
 * run has several cases that differ in nothing else, they have to be the same.
 */
static const struct case_result *counterpart(const struct result *r, const struct case_result *c)
{
	bool lonely = only_one(r, c);

	for (size_t i = 0; i < r->case_count; i++)
		if (same_case(&r->cases[i], c) &&
		    (lonely || case_same_conditions(&r->cases[i], c, NULL, NULL)))
			return &r->cases[i];
	return NULL;
}

static int add_pair(struct comparison *all, const struct case_result *base,
		    const struct case_result *new)
{
	struct pair *p = &all->pairs[all->count];
	int err = 0;

	*p = (struct pair){ .base = base, .new = new };
	for (int m = 0; m < METRICS; m++) {
		p->a[m] = malloc((base->samples.count + 1) * sizeof(double));
		p->b[m] = malloc((new->samples.count + 1) * sizeof(double));
		if (!p->a[m] || !p->b[m]) {
			err = -ENOMEM;
			continue;
		}
		p->n[m] = take_samples(&base->samples, (enum metric)m, p->a[m]);
		p->m[m] = take_samples(&new->samples, (enum metric)m, p->b[m]);
	}
	all->count++;
	return err;
}

static void comparison_free(struct comparison *all)
{
	for (size_t i = 0; i < all->count; i++)
		for (int m = 0; m < METRICS; m++) {
			free(all->pairs[i].a[m]);
			free(all->pairs[i].b[m]);
		}
	free(all->pairs);
}

/* ---- the tests ---- */

static int inflate(struct comparison *all, enum metric m)
{
	const double **series = malloc((all->count + 1) * sizeof(*series));
	size_t *lengths = malloc((all->count + 1) * sizeof(*lengths));
	int err = series && lengths ? 0 : -ENOMEM;

	for (int side = 0; side < 2 && !err; side++) {
		for (size_t i = 0; i < all->count; i++) {
			series[i] = side ? all->pairs[i].b[m] : all->pairs[i].a[m];
			lengths[i] = side ? all->pairs[i].m[m] : all->pairs[i].n[m];
		}
		all->inflation[m][side] = serial_inflation(series, lengths, all->count);
	}
	free(series);
	free(lengths);
	return err;
}

/*
 * Cases with too few samples to be called different whatever they show need no share of alpha (Tarone, 1990):
 * the family is as large as the smallest k with no more than k cases that could reach alpha ÷ k.
 */
static void choose_family(struct comparison *all, enum metric m)
{
	size_t k = 1;

	for (;; k++) {
		size_t able = 0;

		for (size_t i = 0; i < all->count; i++)
			able += all->pairs[i].test[m].p_least <= COMPARE_ALPHA / (double)k;
		if (able <= k)
			break;
	}
	for (size_t i = 0; i < all->count; i++)
		all->pairs[i].in_family[m] =
			all->pairs[i].test[m].p_least <= COMPARE_ALPHA / (double)k;
}

static int test_metric(struct comparison *all, enum metric m)
{
	double inflation, *p = malloc((all->count + 1) * sizeof(*p)),
			     *adjusted = malloc((all->count + 1) * sizeof(*adjusted));
	int err = p && adjusted ? inflate(all, m) : -ENOMEM;

	if (!err) {
		inflation = (all->inflation[m][0] + all->inflation[m][1]) / 2;
		for (size_t i = 0; i < all->count && !err; i++) {
			struct pair *pair = &all->pairs[i];

			err = rank_test(pair->a[m], pair->n[m], pair->b[m], pair->m[m], inflation,
					1 - COMPARE_ALPHA, &pair->test[m]);
		}
	}
	if (!err) {
		choose_family(all, m);
		for (size_t i = 0; i < all->count; i++)
			p[i] = all->pairs[i].in_family[m] ? all->pairs[i].test[m].p : NAN;
		err = holm(p, all->count, adjusted);
		for (size_t i = 0; i < all->count && !err; i++)
			all->pairs[i].adjusted[m] = adjusted[i];
	}
	free(p);
	free(adjusted);
	return err;
}

/* ---- the document ---- */

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

/* The verdict; `why` is written when it needs a word. */
static const char *judge(const struct pair *p, enum metric m, double margin, char *why, size_t size)
{
	const struct rank_test *t = &p->test[m];
	bool within = t->low >= 1 - SAME_WITHIN && t->high <= 1 + SAME_WITHIN;

	why[0] = '\0';
	if (!t->n) {
		snprintf(why, size, "no samples on one side");
		return "cant_tell";
	}
	if (p->adjusted[m] < COMPARE_ALPHA) { /* false for NaN */
		if (fabs(t->ratio - 1) > margin)
			return t->ratio > 1 ? "worse" : "better";
		snprintf(why, size, "different, but by less than %.3g %%, which two runs of one build may be apart",
			 margin * 100);
		return "same";
	}
	if (within)
		return "same";
	if (!p->in_family[m])
		snprintf(why, size, "%zu and %zu samples are too few: no difference could be told from chance",
			 t->n, t->m);
	else if (t->low > 1 || t->high < 1)
		snprintf(why, size, "apart on its own, but not after correcting for the number of cases");
	else
		snprintf(why, size, "the interval contains 1 and is wider than ±%.0f %%",
			 SAME_WITHIN * 100);
	return "cant_tell";
}

static json_t *metric_json(const struct pair *p, enum metric m, double margin)
{
	const struct rank_test *t = &p->test[m];
	json_t *out = json_object();
	char why[160];

	json_object_set_new(out, "base", number(stats_median(p->a[m], p->n[m], 0.95).median));
	json_object_set_new(out, "new", number(stats_median(p->b[m], p->m[m], 0.95).median));
	json_object_set_new(out, "n_base", json_integer((json_int_t)p->n[m]));
	json_object_set_new(out, "n_new", json_integer((json_int_t)p->m[m]));
	json_object_set_new(out, "ratio", number(t->ratio));
	json_object_set_new(out, "low", number(t->low));
	json_object_set_new(out, "high", number(t->high));
	json_object_set_new(out, "p", number(t->p));
	json_object_set_new(out, "p_adjusted", number(p->adjusted[m]));
	json_object_set_new(out, "verdict", json_string(judge(p, m, margin, why, sizeof(why))));
	json_object_set_new(out, "why", why[0] ? json_string(why) : json_null());
	return out;
}

static json_t *identity(const struct case_result *c)
{
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:i, s:I}", "method", c->method, "chunk",
			 (json_int_t)c->chunk, "cache", c->cache, "sink", c->sink, "link", c->link,
			 "connections", (int)c->connections, "payload", (json_int_t)c->payload);
}

static json_t *cases_json(const struct comparison *all, double margin)
{
	json_t *out = json_array();

	for (size_t i = 0; i < all->count; i++) {
		json_t *one = identity(all->pairs[i].base), *metrics = json_object();

		for (int m = 0; m < METRICS; m++)
			json_object_set_new(metrics, metric_names[m],
					    metric_json(&all->pairs[i], (enum metric)m, margin));
		json_object_set_new(one, "metrics", metrics);
		json_array_append_new(out, one);
	}
	return out;
}

static void add_missing(json_t *list, const struct case_result *c, const char *where,
			const struct case_result *other)
{
	json_t *one = identity(c);

	json_object_set_new(one, "in", json_string(where));
	json_object_set_new(one, "reason",
			    json_string(!other		? "the other result does not have it" :
					other->reason	? other->reason :
							  "it was not measured in the other result"));
	json_array_append_new(list, one);
}

static json_t *gates_json(const json_t *cases, const struct gate *gates, size_t count, bool *failed)
{
	json_t *out = json_array();

	*failed = false;
	for (size_t g = 0; g < count; g++) {
		json_t *hit = json_array();

		for (size_t i = 0; i < json_array_size(cases); i++) {
			const json_t *m = json_object_get(
				json_object_get(json_array_get(cases, i), "metrics"),
				metric_names[gates[g].metric]);
			const char *verdict = json_string_value(json_object_get(m, "verdict"));

			if (!strcmp(verdict, "worse") &&
			    json_number_value(json_object_get(m, "ratio")) > 1 + gates[g].above)
				json_array_append_new(hit, json_integer((json_int_t)i));
		}
		*failed |= json_array_size(hit) > 0;
		json_array_append_new(out, json_pack("{s:s, s:f, s:b, s:o}", "metric",
						     metric_names[gates[g].metric], "above",
						     gates[g].above, "failed",
						     json_array_size(hit) > 0, "cases", hit));
	}
	return out;
}

static json_t *whose(const struct result *r)
{
	json_t *out = json_object();
	json_t *id = json_object_get(r->run, "id"), *started = json_object_get(r->run, "started"),
	       *version = json_object_get(r->tool, "version");

	json_object_set(out, "id", id ? id : json_null());
	json_object_set(out, "started", started ? started : json_null());
	json_object_set(out, "version", version ? version : json_null());
	return out;
}

static json_t *because_of(const json_t *differences)
{
	json_t *out = json_array();

	for (size_t i = 0; i < json_array_size(differences); i++) {
		const json_t *one = json_array_get(differences, i);

		if (json_is_true(json_object_get(one, "breaks")))
			json_array_append(out, json_object_get(one, "name"));
	}
	return out;
}

/* Pairs up the cases; those that only one side measured go to `missing`. */
static int pair_up(const struct result *base, const struct result *new, struct comparison *all,
		   json_t *missing)
{
	int err = 0;

	all->pairs = calloc(base->case_count + 1, sizeof(*all->pairs));
	if (!all->pairs)
		return -ENOMEM;
	for (size_t i = 0; i < base->case_count && !err; i++) {
		const struct case_result *c = &base->cases[i], *other = counterpart(new, c);

		if (c->status == CASE_OK && other && other->status == CASE_OK)
			err = add_pair(all, c, other);
		else if (c->status == CASE_OK)
			add_missing(missing, c, "base", other);
	}
	for (size_t i = 0; i < new->case_count; i++) {
		const struct case_result *c = &new->cases[i], *other = counterpart(base, c);

		if (c->status == CASE_OK && (!other || other->status != CASE_OK))
			add_missing(missing, c, "new", other);
	}
	return err;
}

json_t *compare_results(const struct result *base, const struct result *new, double margin,
			const struct gate *gates, size_t gate_count)
{
	json_t *out = json_object(), *missing = json_array(), *serial = json_object(), *because,
	       *cases, *differences = differences_between(base, new);
	struct comparison all = { 0 };
	int err = differences ? pair_up(base, new, &all, missing) : -ENOMEM;
	bool failed = false;

	for (int m = 0; m < METRICS && !err; m++) {
		err = test_metric(&all, (enum metric)m);
		json_object_set_new(serial, metric_names[m],
				    json_pack("{s:f, s:f}", "base", all.inflation[m][0], "new", all.inflation[m][1]));
	}
	because = because_of(differences);
	cases = cases_json(&all, margin);
	json_object_set_new(out, "base", whose(base));
	json_object_set_new(out, "new", whose(new));
	json_object_set_new(out, "comparable", json_boolean(!json_array_size(because)));
	json_object_set_new(out, "because", because);
	json_object_set_new(out, "differences", differences);
	json_object_set_new(out, "alpha", json_real(COMPARE_ALPHA));
	json_object_set_new(out, "margin", json_real(margin));
	json_object_set_new(out, "serial_inflation", serial);
	json_object_set_new(out, "gates", gates_json(cases, gates, gate_count, &failed));
	json_object_set_new(out, "cases", cases);
	json_object_set_new(out, "missing", missing);
	json_object_set_new(out, "failed", json_boolean(failed));
	comparison_free(&all);
	if (err) {
		json_decref(out);
		return NULL;
	}
	return out;
}
