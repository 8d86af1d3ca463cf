// SPDX-License-Identifier: MIT
#include "analysis/turns.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/apart.h"
#include "analysis/marks.h"
#include "analysis/differences.h"
#include "analysis/pairs.h"
#include "analysis/ranks.h"
#include "analysis/signed_rank.h"
#include "analysis/stats.h"

/* One case in one metric, over all pairs. */
struct track {
	double base, new; /* medians over the pairs of each run's own */
	struct signed_rank test;
	double adjusted;
	bool in_family;
};

struct series {
	struct result *const *results;
	size_t pairs, apart;
	size_t cases;	     /* of the first base */
	bool *together;	     /* pair i: at one distance */
	struct track *track; /* case × metric */
};

static double median_of(const struct case_result *c, enum metric m)
{
	double *values = malloc((c->samples.count + 1) * sizeof(*values)), median;
	size_t n = 0;

	if (!values)
		return NAN;
	for (size_t i = 0; i < c->samples.count; i++)
		if (sample_counts(&c->samples, i))
			values[n++] = metric_sample(&c->samples, m, i);
	median = n ? stats_median(values, n, 0.95).median : NAN;
	free(values);
	return median;
}

/* A case of pair `p`, in the base or the new; NULL when it was not measured there. */
static const struct case_result *case_in(const struct series *s, size_t p, int side,
					 const struct case_result *like)
{
	const struct case_result *c = pairs_counterpart(s->results[2 * p + (size_t)side], like);

	return c && c->status == CASE_OK ? c : NULL;
}

static int follow(const struct series *s, size_t index, enum metric m, struct track *out)
{
	const struct case_result *like = &s->results[0]->cases[index];
	double *of[2], *ratio = malloc((s->pairs + 1) * sizeof(*ratio));
	size_t n = 0;
	int err = -ENOMEM;

	of[0] = malloc((s->pairs + 1) * sizeof(double));
	of[1] = malloc((s->pairs + 1) * sizeof(double));
	for (size_t p = 0; p < s->pairs && ratio && of[0] && of[1]; p++) {
		double value[2];

		for (int side = 0; side < 2; side++) {
			const struct case_result *c = case_in(s, p, side, like);

			value[side] = c && s->together[p] ? median_of(c, m) : NAN;
		}
		if (!(value[0] > 0) || !(value[1] > 0))
			continue;
		of[0][n] = value[0];
		of[1][n] = value[1];
		ratio[n++] = log(value[1] / value[0]);
	}
	if (ratio && of[0] && of[1]) {
		out->base = n ? stats_median(of[0], n, 0.95).median : NAN;
		out->new = n ? stats_median(of[1], n, 0.95).median : NAN;
		err = signed_rank(ratio, n, 1 - COMPARE_ALPHA, &out->test);
	}
	free(of[0]);
	free(of[1]);
	free(ratio);
	return err;
}

static struct track *track_of(const struct series *s, size_t index, int metric)
{
	return &s->track[index * METRICS + (size_t)metric];
}

static int correct(const struct series *s, int m)
{
	size_t n = s->cases;
	double *p = malloc((n + 1) * sizeof(*p)), *least = malloc((n + 1) * sizeof(*least)),
	       *adjusted = malloc((n + 1) * sizeof(*adjusted));
	bool *able = malloc((n + 1) * sizeof(*able));
	int err = p && least && adjusted && able ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !err; i++) {
		p[i] = track_of(s, i, m)->test.p;
		least[i] = track_of(s, i, m)->test.p_least;
	}
	if (!err)
		err = holm_of_able(p, least, n, COMPARE_ALPHA, adjusted, able);
	for (size_t i = 0; i < n && !err; i++) {
		track_of(s, i, m)->adjusted = adjusted[i];
		track_of(s, i, m)->in_family = able[i];
	}
	free(p);
	free(least);
	free(adjusted);
	free(able);
	return err;
}

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static const char *judge(const struct track *t, double margin, char *why, size_t size)
{
	double low = exp(t->test.low), high = exp(t->test.high);

	why[0] = '\0';
	if (!t->test.n) {
		snprintf(why, size, "no pair of runs has it at one distance of the CPUs");
		return "cant_tell";
	}
	if (t->adjusted < COMPARE_ALPHA) {
		if (fabs(exp(t->test.shift) - 1) > margin)
			return t->test.shift > 0 ? "worse" : "better";
		snprintf(why, size,
			 "different, but by less than %.3g %%, which two runs of one build may be "
			 "apart",
			 margin * 100);
		return "same";
	}
	if (low >= 1 - COMPARE_SAME_WITHIN && high <= 1 + COMPARE_SAME_WITHIN)
		return "same";
	if (!t->in_family)
		snprintf(why, size,
			 "%zu pairs are too few: no difference could be told from chance",
			 t->test.n);
	else if (low > 1 || high < 1)
		snprintf(why, size,
			 "apart on its own, but not after correcting for the number of cases");
	else
		snprintf(why, size, "the interval contains 1 and is wider than ±%.0f %%",
			 COMPARE_SAME_WITHIN * 100);
	return "cant_tell";
}

static json_t *metric_json(const struct track *t, double margin)
{
	json_t *out = json_object();
	char why[160];

	json_object_set_new(out, "base", number(t->base));
	json_object_set_new(out, "new", number(t->new));
	json_object_set_new(out, "n_base", json_integer((json_int_t)t->test.n));
	json_object_set_new(out, "n_new", json_integer((json_int_t)t->test.n));
	json_object_set_new(out, "ratio", number(exp(t->test.shift)));
	json_object_set_new(out, "at_equal_speed", json_null());
	json_object_set_new(out, "ratio_at_least", number(exp(t->test.shift)));
	json_object_set_new(out, "low", number(exp(t->test.low)));
	json_object_set_new(out, "high", number(exp(t->test.high)));
	json_object_set_new(out, "p", number(t->test.p));
	json_object_set_new(out, "p_adjusted", number(t->adjusted));
	json_object_set_new(out, "verdict", json_string(judge(t, margin, why, sizeof(why))));
	json_object_set_new(out, "why", why[0] ? json_string(why) : json_null());
	return out;
}

static json_t *cases_json(const struct series *s, double margin)
{
	json_t *out = json_array();

	for (size_t i = 0; i < s->cases; i++) {
		const struct case_result *c = &s->results[0]->cases[i];
		json_t *one, *metrics;

		if (c->status != CASE_OK || !pairs_counterpart(s->results[1], c))
			continue;
		one = compare_identity(c);
		metrics = json_object();
		for (int m = 0; m < METRICS; m++)
			json_object_set_new(metrics, metric_names[m],
					    metric_json(track_of(s, i, m), margin));
		json_object_set_new(one, "metrics", metrics);
		json_array_append_new(out, one);
	}
	return out;
}

json_t *turns_compare(struct result *const *results, size_t count, double margin,
		      const struct gate *gates, size_t gate_count)
{
	struct series s = { .results = results,
			    .pairs = count / 2,
			    .cases = results[0]->case_count };
	json_t *out = json_object(), *cases;
	bool failed = false;
	size_t first = 0;
	int err = 0;

	s.together = calloc(s.pairs + 1, sizeof(*s.together));
	s.track = calloc(s.cases * METRICS + 1, sizeof(*s.track));
	if (!out || !s.together || !s.track)
		err = -ENOMEM;
	for (size_t p = 0; p < s.pairs && !err; p++) {
		s.together[p] = apart_align(results[2 * p], results[2 * p + 1]);
		s.apart += !s.together[p];
		if (marks_set_aligned(results[2 * p]) || marks_set_aligned(results[2 * p + 1]))
			err = -ENOMEM;
	}
	/* settings are the same in all pairs; what differs in the first that can be compared is said */
	while (!err && first + 1 < s.pairs && !s.together[first])
		first++;
	for (int m = 0; m < METRICS && !err; m++) {
		for (size_t i = 0; i < s.cases && !err; i++)
			err = follow(&s, i, (enum metric)m, track_of(&s, i, m));
		err = err ? err : correct(&s, m);
	}
	if (!err) {
		err = compare_frame(results[2 * first], results[2 * first + 1], margin, out);
	}
	if (!err) {
		cases = cases_json(&s, margin);
		json_object_set_new(out, "turns",
				    json_pack("{s:I, s:I}", "pairs", (json_int_t)s.pairs, "apart",
					      (json_int_t)s.apart));
		json_object_set_new(out, "gates", compare_gates(cases, gates, gate_count, &failed));
		json_object_set_new(out, "cases", cases);
		json_object_set_new(out, "failed", json_boolean(failed));
	}
	free(s.together);
	free(s.track);
	if (!err)
		return out;
	json_decref(out);
	return NULL;
}
