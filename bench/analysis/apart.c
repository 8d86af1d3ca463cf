// SPDX-License-Identifier: MIT
#include "analysis/apart.h"

#include <errno.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/mark_cost.h"
#include "analysis/stretch.h"

static bool timed(const struct samples *s, size_t i)
{
	return s->value[SAMPLE_WARMUP][i] == 0;
}

/* The larger of before and after; NaN when one of them is missing. */
static double latency(const struct samples *s, size_t i)
{
	double before = s->value[SAMPLE_CORE_LATENCY_S][i],
	       after = s->value[SAMPLE_CORE_LATENCY_AFTER_S][i];

	return before > 0 && after > 0 ? fmax(before, after) : NAN;
}

const char *apart_placement(const struct case_result *c)
{
	const char *name = json_string_value(json_object_get(c->conditions, "placement"));

	return name ? name : "";
}

bool apart_is_of(const struct case_result *c, const char *placement)
{
	return !strcmp(apart_placement(c), placement);
}

bool apart_first_of_placement(const struct result *r, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (apart_is_of(&r->cases[k], apart_placement(&r->cases[i])))
			return false;
	return true;
}

enum which { STEADY, AT_THE_DISTANCE, THAT_COUNT };

/* STEADY: the host let the CPUs be meanwhile; one that moved them is of no distance. */
static bool is_one(const struct samples *s, size_t i, enum which which)
{
	if (!timed(s, i) || !isfinite(latency(s, i)))
		return false;
	switch (which) {
	case STEADY:
		return apart_near(s->value[SAMPLE_CORE_LATENCY_S][i],
				  s->value[SAMPLE_CORE_LATENCY_AFTER_S][i]);
	case AT_THE_DISTANCE:
		return sample_mark(s, i) != MARK_APART && sample_mark(s, i) != MARK_SETTLED;
	case THAT_COUNT:
		break;
	}
	return sample_counts(s, i);
}

/* Latencies of a placement's timed samples. Returns how many. */
static size_t collect(const struct result *r, const char *placement, enum which which, double *out)
{
	size_t n = 0;

	for (size_t i = 0; i < r->case_count; i++) {
		const struct samples *s = &r->cases[i].samples;

		for (size_t k = 0; k < s->count && apart_is_of(&r->cases[i], placement); k++) {
			if (!is_one(s, k, which))
				continue;
			if (out)
				out[n] = latency(s, k);
			n++;
		}
	}
	return n;
}

static double median_of(const struct result *r, const char *placement)
{
	/* none at the distance: every case was settled for what it had */
	enum which which = collect(r, placement, AT_THE_DISTANCE, NULL) ? AT_THE_DISTANCE : THAT_COUNT;
	size_t n = collect(r, placement, which, NULL);
	double *all = malloc((n + 1) * sizeof(*all)), median = NAN;

	if (all && n) {
		collect(r, placement, which, all);
		gsl_sort(all, 1, n);
		median = gsl_stats_median_from_sorted_data(all, 1, n);
	}
	free(all);
	return median;
}

double apart_distance(const struct result *r, const struct case_result *c)
{
	return median_of(r, apart_placement(c));
}

/* See apart_mark(). */
double apart_usual(const double *sorted, size_t n, double share)
{
	struct stretch nearer;
	double distance = stretch_middle(sorted, stretch_fullest(sorted, n, APART_FACTOR));
	size_t below = 0;

	while (below < n && sorted[below] * APART_FAR <= distance)
		below++;
	nearer = stretch_fullest(sorted, below, APART_FACTOR);
	return nearer.n && (double)nearer.n >= share * (double)n ? stretch_middle(sorted, nearer)
								  : distance;
}

bool apart_near(double latency_s, double distance_s)
{
	return !(latency_s > distance_s * APART_FACTOR) && !(latency_s < distance_s / APART_FACTOR);
}

bool apart_stayed(double before_s, double after_s, double distance_s)
{
	double longer = fmax(before_s, after_s), shorter = fmin(before_s, after_s);

	return apart_near(longer, distance_s) &&
	       (apart_near(shorter, distance_s) || shorter * APART_WANDER >= longer);
}

static void mark_at(struct result *r, const char *placement, double latency_s)
{
	for (size_t i = 0; i < r->case_count; i++) {
		struct samples *s = &r->cases[i].samples;

		for (size_t k = 0; k < s->count && apart_is_of(&r->cases[i], placement); k++)
			s->value[SAMPLE_APART][k] =
				!apart_stayed(s->value[SAMPLE_CORE_LATENCY_S][k],
					      s->value[SAMPLE_CORE_LATENCY_AFTER_S][k], latency_s);
	}
}

/* The share of the samples that a shorter distance needs, by how often it came about when it was tried for. */
static double share_needed(const struct result *r, const char *placement, double nearer_s)
{
	size_t tried = 0, reached = 0;

	for (size_t i = 0; i < r->case_count; i++) {
		const struct samples *s = &r->cases[i].samples;

		for (size_t k = 0; k < s->count && apart_is_of(&r->cases[i], placement); k++) {
			if (s->value[SAMPLE_WARMUP][k] != 0 || !(s->value[SAMPLE_GATHER_S][k] > 0))
				continue;
			tried++;
			reached += !(s->value[SAMPLE_CORE_LATENCY_S][k] > nearer_s * APART_FACTOR);
		}
	}
	return tried >= APART_TRIED_MIN && (double)reached < APART_REACHED_SHARE * (double)tried ?
		       APART_NEARER_SHARE_BY_CHANCE :
		       APART_NEARER_SHARE;
}

static int mark_usual(struct result *r, const char *placement)
{
	size_t n = collect(r, placement, STEADY, NULL);
	double *all, nearer;

	if (!n) {
		mark_at(r, placement, NAN);
		return 0;
	}
	all = malloc(n * sizeof(*all));
	if (!all)
		return -ENOMEM;
	collect(r, placement, STEADY, all);
	gsl_sort(all, 1, n);
	nearer = apart_usual(all, n, APART_NEARER_SHARE);
	mark_at(r, placement, apart_usual(all, n, share_needed(r, placement, nearer)));
	free(all);
	return 0;
}

int apart_mark(struct result *r)
{
	int err = 0;

	for (size_t i = 0; i < r->case_count && !err; i++)
		if (apart_first_of_placement(r, i))
			err = mark_usual(r, apart_placement(&r->cases[i]));
	return err;
}

static void widen(struct apart *a, double latency_s, double distance_s)
{
	if (apart_near(latency_s, distance_s))
		return;
	a->apart_low_s = fmin(a->apart_low_s, latency_s);
	a->apart_high_s = fmax(a->apart_high_s, latency_s);
}

static void count_case(const struct case_result *c, double distance_s, struct apart *out)
{
	const struct samples *s = &c->samples;

	for (size_t k = 0; k < s->count; k++) {
		if (!timed(s, k))
			continue;
		if (sample_mark(s, k) == MARK_APART) {
			out->apart++;
			widen(out, s->value[SAMPLE_CORE_LATENCY_S][k], distance_s);
			widen(out, s->value[SAMPLE_CORE_LATENCY_AFTER_S][k], distance_s);
		} else if (isfinite(latency(s, k))) {
			out->n++;
		} else {
			out->unknown++;
		}
	}
}

void apart_count(const struct result *r, struct apart *out)
{
	*out = (struct apart) { .median_s = NAN, .apart_low_s = NAN, .apart_high_s = NAN };
	for (size_t i = 0; i < r->case_count; i++) {
		const char *placement = apart_placement(&r->cases[i]);
		double distance;

		if (!apart_first_of_placement(r, i))
			continue;
		distance = median_of(r, placement);
		if (isnan(out->median_s))
			out->median_s = distance;
		for (size_t k = i; k < r->case_count; k++)
			if (apart_is_of(&r->cases[k], placement))
				count_case(&r->cases[k], distance, out);
	}
}

json_t *apart_json(const struct apart *a)
{
	json_t *out;

	if (!isfinite(a->median_s))
		return json_pack("{s:n, s:s}", "median_s", "reason",
				 "sender and receiver are not on two CPUs of this machine that "
				 "they are pinned to");
	out = json_pack("{s:f, s:I, s:I, s:I}", "median_s", a->median_s, "n", (json_int_t)a->n,
			"apart", (json_int_t)a->apart, "unknown", (json_int_t)a->unknown);
	if (out && isfinite(a->apart_low_s)) {
		json_object_set_new(out, "apart_low_s", json_real(a->apart_low_s));
		json_object_set_new(out, "apart_high_s", json_real(a->apart_high_s));
	}
	return out;
}

static size_t common(struct result *a, struct result *b, const char *placement, double latency_s)
{
	size_t in_a, in_b;

	mark_at(a, placement, latency_s);
	mark_at(b, placement, latency_s);
	in_a = collect(a, placement, AT_THE_DISTANCE, NULL);
	in_b = collect(b, placement, AT_THE_DISTANCE, NULL);
	return in_a < in_b ? in_a : in_b;
}

/* True also where one of them has none. */
static bool align(struct result *a, struct result *b, const char *placement)
{
	double of_a = median_of(a, placement), of_b = median_of(b, placement);
	size_t at_a, at_b;

	if (isnan(of_a) || isnan(of_b) || apart_near(of_b, of_a))
		return true;
	at_a = common(a, b, placement, of_a);
	at_b = common(a, b, placement, of_b);
	if (at_a || at_b) {
		(void)common(a, b, placement, at_a >= at_b ? of_a : of_b);
		return true;
	}
	mark_at(a, placement, of_a);
	mark_at(b, placement, of_b);
	return false;
}

bool apart_align(struct result *a, struct result *b)
{
	bool all = true;

	if (apart_mark(a) || apart_mark(b))
		return false;
	for (size_t i = 0; i < a->case_count; i++)
		if (apart_first_of_placement(a, i))
			all &= align(a, b, apart_placement(&a->cases[i]));
	return all;
}

json_t *apart_case_json(const struct case_result *c)
{
	return mark_case_json(c, MARK_APART, "apart");
}

void apart_warn(struct result *r)
{
	struct apart a;
	char text[560];

	apart_count(r, &a);
	if (!a.apart)
		return;
	snprintf(text, sizeof(text),
		 "%zu of %zu samples were taken while the two CPUs were at another distance than "
		 "the run's: a cache line took %.0f to %.0f ns there and back instead of %.0f",
		 a.apart, a.apart + a.n + a.unknown, a.apart_low_s * 1e9,
		 a.apart_high_s * 1e9, a.median_s * 1e9);
	mark_name_costs(r, MARK_APART, text, sizeof(text));
	result_warn(r, "cpus_apart", text,
		    "the host moves virtual CPUs between its cores; figures are of the samples at "
		    "the run's distance, the others are in the document");
}
