// SPDX-License-Identifier: MIT
#include "analysis/compare.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/differences.h"
#include "analysis/host_speed.h"
#include "analysis/pairs.h"
#include "analysis/stats.h"

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

/* ---- the document ---- */

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

/* The verdict; `why` is written when it needs a word. */
static const char *judge(const struct pair *p, enum metric m, double margin, char *why, size_t size)
{
	const struct rank_test *t = &p->test[AS_MEASURED][m];
	bool within = p->low[m] >= 1 - COMPARE_SAME_WITHIN && p->high[m] <= 1 + COMPARE_SAME_WITHIN;

	why[0] = '\0';
	if (!t->n) {
		snprintf(why, size, "no samples on one side");
		return "cant_tell";
	}
	if (pair_differs(p, m, COMPARE_ALPHA)) {
		if (p->gap[m] && !(p->adjusted[m] < COMPARE_ALPHA))
			snprintf(why, size, "too few to tell by ranks, but no two samples are as near as the host's own speed can bring them");
		if (fabs(pair_ratio_at_least(p, m) - 1) > margin)
			return pair_ratio_at_least(p, m) > 1 ? "worse" : "better";
		snprintf(why, size, "different, but by less than %.3g %%, which two runs of one build may be apart",
			 margin * 100);
		return "same";
	}
	if (within)
		return "same";
	if (!p->in_family[m])
		snprintf(why, size, "%zu and %zu samples are too few: no difference could be told from chance",
			 t->n, t->m);
	else if (p->low[m] > 1 || p->high[m] < 1)
		snprintf(why, size, "apart on its own, but not after correcting for the number of cases");
	else if (!isnan(p->slower) && (t->low > 1 || t->high < 1))
		snprintf(why, size, "apart as measured, but no more than the host's own speed can make it");
	else if (t->low > 1 || t->high < 1)
		snprintf(why, size, "apart if rounds were independent; in blocks of neighbouring rounds they are not");
	else
		snprintf(why, size, "the interval contains 1 and is wider than ±%.0f %%",
			 COMPARE_SAME_WITHIN * 100);
	return "cant_tell";
}

static json_t *at_equal_speed(const struct pair *p, enum metric m)
{
	const struct rank_test *t = &p->test[AT_EQUAL_SPEED][m];
	json_t *out;

	if (isnan(p->slower))
		return json_null();
	out = json_object();
	json_object_set_new(out, "ratio", number(t->ratio));
	json_object_set_new(out, "low", number(t->low));
	json_object_set_new(out, "high", number(t->high));
	return out;
}

static json_t *metric_json(const struct pair *p, enum metric m, double margin)
{
	const struct side *a = &p->side[0], *b = &p->side[1];
	json_t *out = json_object();
	char why[160];

	json_object_set_new(out, "base", number(stats_median(a->value[AS_MEASURED][m], a->n[m], 0.95).median));
	json_object_set_new(out, "new", number(stats_median(b->value[AS_MEASURED][m], b->n[m], 0.95).median));
	json_object_set_new(out, "n_base", json_integer((json_int_t)a->n[m]));
	json_object_set_new(out, "n_new", json_integer((json_int_t)b->n[m]));
	json_object_set_new(out, "ratio", number(p->test[AS_MEASURED][m].ratio));
	json_object_set_new(out, "at_equal_speed", at_equal_speed(p, m));
	json_object_set_new(out, "ratio_at_least", number(pair_ratio_at_least(p, m)));
	json_object_set_new(out, "low", number(p->low[m]));
	json_object_set_new(out, "high", number(p->high[m]));
	json_object_set_new(out, "p", number(p->p[m]));
	json_object_set_new(out, "p_adjusted", number(p->adjusted[m]));
	json_object_set_new(out, "verdict", json_string(judge(p, m, margin, why, sizeof(why))));
	json_object_set_new(out, "why", why[0] ? json_string(why) : json_null());
	return out;
}

json_t *compare_identity(const struct case_result *c)
{
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:i, s:I}", "method", c->method, "chunk",
			 (json_int_t)c->chunk, "cache", c->cache, "sink", c->sink, "link", c->link,
			 "connections", (int)c->connections, "payload", (json_int_t)c->payload);
}

static json_t *cases_json(const struct pairs *all, double margin)
{
	json_t *out = json_array();

	for (size_t i = 0; i < all->count; i++) {
		json_t *one = compare_identity(all->pair[i].base), *metrics = json_object();

		for (int m = 0; m < METRICS; m++)
			json_object_set_new(metrics, metric_names[m],
					    metric_json(&all->pair[i], (enum metric)m, margin));
		json_object_set_new(one, "metrics", metrics);
		json_array_append_new(out, one);
	}
	return out;
}

static void add_missing(json_t *list, const struct case_result *c, const char *where,
			const struct case_result *other)
{
	json_t *one = compare_identity(c);

	json_object_set_new(one, "in", json_string(where));
	json_object_set_new(one, "reason",
			    json_string(!other		? "the other result does not have it" :
					other->reason	? other->reason :
							  "it was not measured in the other result"));
	json_array_append_new(list, one);
}

json_t *compare_gates(const json_t *cases, const struct gate *gates, size_t count, bool *failed)
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
			    json_number_value(json_object_get(m, "ratio_at_least")) >
				    1 + gates[g].above)
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

/* Those that only one side measured. */
static void find_missing(const struct result *base, const struct result *new, json_t *missing)
{
	const struct result *const sides[] = { base, new };
	static const char *const names[] = { "base", "new" };

	for (int side = 0; side < 2; side++)
		for (size_t i = 0; i < sides[side]->case_count; i++) {
			const struct case_result *c = &sides[side]->cases[i],
						 *other = pairs_counterpart(sides[!side], c);

			if (c->status == CASE_OK && (!other || other->status != CASE_OK))
				add_missing(missing, c, names[side], other);
		}
}

/* {base, new: host_speed.h, slower} */
static json_t *speeds_json(const struct result *base, const struct result *new)
{
	struct host_speed a, b;
	json_t *out;

	if (host_speed(base, &a) || host_speed(new, &b))
		return NULL;
	out = json_object();
	json_object_set_new(out, "base", host_speed_json(&a));
	json_object_set_new(out, "new", host_speed_json(&b));
	json_object_set_new(out, "slower", number(b.median_s / a.median_s));
	return out;
}

static json_t *serial_json(const struct pairs *all)
{
	json_t *out = json_object();

	for (int m = 0; m < METRICS; m++) {
		const double *side = all->inflation[AS_MEASURED][m];

		json_object_set_new(out, metric_names[m],
				    json_pack("{s:f, s:f}", "base", side[0], "new", side[1]));
	}
	return out;
}

int compare_frame(const struct result *base, const struct result *new, double margin, json_t *out)
{
	json_t *missing = json_array(), *speeds = speeds_json(base, new), *because,
	       *differences = differences_between(base, new);

	if (!missing || !speeds || !differences) {
		json_decref(missing);
		json_decref(speeds);
		json_decref(differences);
		return -ENOMEM;
	}
	find_missing(base, new, missing);
	because = because_of(differences);
	json_object_set_new(out, "base", whose(base));
	json_object_set_new(out, "new", whose(new));
	json_object_set_new(out, "comparable", json_boolean(!json_array_size(because)));
	json_object_set_new(out, "because", because);
	json_object_set_new(out, "differences", differences);
	json_object_set_new(out, "alpha", json_real(COMPARE_ALPHA));
	json_object_set_new(out, "margin", json_real(margin));
	json_object_set_new(out, "host_speed", speeds);
	json_object_set_new(out, "missing", missing);
	return 0;
}

json_t *compare_results(const struct result *base, const struct result *new, double margin,
			const struct gate *gates, size_t gate_count)
{
	json_t *out = json_object(), *cases;
	struct pairs all = { 0 };
	int err = out ? compare_frame(base, new, margin, out) : -ENOMEM;
	bool failed = false;

	err = err ? err : pairs_make(base, new, &all);
	for (int m = 0; m < METRICS && !err; m++)
		err = pairs_test(&all, (enum metric)m, COMPARE_ALPHA);
	if (!err) {
		cases = cases_json(&all, margin);
		json_object_set_new(out, "serial_inflation", serial_json(&all));
		json_object_set_new(out, "gates", compare_gates(cases, gates, gate_count, &failed));
		json_object_set_new(out, "cases", cases);
		json_object_set_new(out, "failed", json_boolean(failed));
	}
	pairs_free(&all);
	if (!err)
		return out;
	json_decref(out);
	return NULL;
}
