// SPDX-License-Identifier: MIT
#include "analysis/pairs.h"

#include <errno.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/blocks.h"
#include "analysis/stats.h"

#define RESAMPLES 1000
#define SEED 20260101 /* of the blocks: the same two results always give the same verdict */

double metric_sample(const struct samples *s, enum metric m, size_t i)
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

/* Of the timed samples' yardsticks; NaN when one of them has none. */
struct speed {
	double median, least, most;
};

static int find_speed(const struct samples *s, struct speed *out)
{
	double *all = malloc((s->count + 1) * sizeof(*all));
	size_t n = 0, without = 0;

	*out = (struct speed){ NAN, NAN, NAN };
	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < s->count; i++) {
		double y = s->value[SAMPLE_YARDSTICK_S][i];

		if (!sample_counts(s, i))
			continue;
		if (isfinite(y) && y > 0)
			all[n++] = y;
		else
			without++;
	}
	if (n && !without)
		*out = (struct speed){ stats_median(all, n, 0.95).median, gsl_stats_min(all, 1, n),
				       gsl_stats_max(all, 1, n) };
	free(all);
	return 0;
}

/* `speed`: the yardstick that samples are brought to; NaN when they can't be, and then both ways are one. */
static int take_side(const struct samples *s, double speed, struct side *out)
{
	for (int m = 0; m < METRICS; m++) {
		size_t n = 0;

		for (int b = 0; b < BASES; b++) {
			out->value[b][m] = malloc((s->count + 1) * sizeof(double));
			if (!out->value[b][m])
				return -ENOMEM;
		}
		for (size_t i = 0; i < s->count; i++) {
			double v = metric_sample(s, (enum metric)m, i);

			if (!sample_counts(s, i) || !isfinite(v) || v <= 0)
				continue;
			out->value[AS_MEASURED][m][n] = v;
			out->value[AT_EQUAL_SPEED][m][n++] =
				isnan(speed) ? v : v * speed / s->value[SAMPLE_YARDSTICK_S][i];
		}
		out->n[m] = n;
	}
	return 0;
}

static int add_pair(struct pairs *all, const struct case_result *base,
		    const struct case_result *new)
{
	struct pair *p = &all->pair[all->count++];
	struct speed before, now;
	double speed;
	int err;

	*p = (struct pair) { .base = base, .new = new };
	err = find_speed(&base->samples, &before);
	if (!err)
		err = find_speed(&new->samples, &now);
	if (err)
		return err;
	p->slower = now.median / before.median;
	p->span = isnan(p->slower) ? NAN : fmax(now.most, before.most) / fmin(now.least, before.least);
	speed = isnan(p->slower) ? NAN : before.median;
	err = take_side(&base->samples, speed, &p->side[0]);
	return err ? err : take_side(&new->samples, speed, &p->side[1]);
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
const struct case_result *pairs_counterpart(const struct result *r, const struct case_result *c)
{
	bool lonely = only_one(r, c);

	for (size_t i = 0; i < r->case_count; i++)
		if (same_case(&r->cases[i], c) &&
		    (lonely || case_same_conditions(&r->cases[i], c, NULL, NULL)))
			return &r->cases[i];
	return NULL;
}

int pairs_make(const struct result *base, const struct result *new, struct pairs *out)
{
	int err = 0;

	memset(out, 0, sizeof(*out));
	out->pair = calloc(base->case_count + 1, sizeof(*out->pair));
	if (!out->pair)
		return -ENOMEM;
	for (size_t i = 0; i < base->case_count && !err; i++) {
		const struct case_result *c = &base->cases[i], *other = pairs_counterpart(new, c);

		if (c->status == CASE_OK && other && other->status == CASE_OK)
			err = add_pair(out, c, other);
	}
	return err;
}

void pairs_free(struct pairs *all)
{
	for (size_t i = 0; i < all->count; i++)
		for (int m = 0; m < METRICS; m++)
			for (int b = 0; b < BASES; b++) {
				free(all->pair[i].side[0].value[b][m]);
				free(all->pair[i].side[1].value[b][m]);
			}
	free(all->pair);
	all->pair = NULL;
	all->count = 0;
}

/* ---- the tests ---- */

static int inflate(struct pairs *all, enum basis b, enum metric m)
{
	const double **series = malloc((all->count + 1) * sizeof(*series));
	size_t *lengths = malloc((all->count + 1) * sizeof(*lengths));
	int err = series && lengths ? 0 : -ENOMEM;

	for (int side = 0; side < 2 && !err; side++) {
		for (size_t i = 0; i < all->count; i++) {
			series[i] = all->pair[i].side[side].value[b][m];
			lengths[i] = all->pair[i].side[side].n[m];
		}
		all->inflation[b][m][side] = serial_inflation(series, lengths, all->count);
	}
	free(series);
	free(lengths);
	return err;
}

static int rank_all(struct pairs *all, enum basis b, enum metric m, double alpha)
{
	int err = inflate(all, b, m);
	double inflation = (all->inflation[b][m][0] + all->inflation[b][m][1]) / 2;

	for (size_t i = 0; i < all->count && !err; i++) {
		struct pair *p = &all->pair[i];

		if (b == AT_EQUAL_SPEED && isnan(p->slower)) {
			p->test[b][m] = p->test[AS_MEASURED][m];
			continue;
		}
		err = rank_test(p->side[0].value[b][m], p->side[0].n[m], p->side[1].value[b][m],
				p->side[1].n[m], inflation, 1 - alpha, &p->test[b][m]);
	}
	return err;
}

static int adjust(struct pairs *all, enum metric m, double alpha)
{
	size_t n = all->count;
	double *p = malloc((n + 1) * sizeof(*p)), *least = malloc((n + 1) * sizeof(*least)),
	       *adjusted = malloc((n + 1) * sizeof(*adjusted));
	bool *able = malloc((n + 1) * sizeof(*able));
	int err = p && least && adjusted && able ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !err; i++) {
		p[i] = all->pair[i].p[m];
		least[i] = all->pair[i].test[AS_MEASURED][m].p_least;
	}
	if (!err)
		err = holm_of_able(p, least, n, alpha, adjusted, able);
	for (size_t i = 0; i < n && !err; i++) {
		all->pair[i].adjusted[m] = adjusted[i];
		all->pair[i].in_family[m] = able[i];
	}
	free(p);
	free(least);
	free(adjusted);
	free(able);
	return err;
}

static void widen(struct pair *p, enum metric m, double low, double high)
{
	p->low[m] = fmin(p->low[m], low);
	p->high[m] = fmax(p->high[m], high);
}

static bool excludes_1(const struct pair *p, enum metric m)
{
	return p->low[m] > 1 || p->high[m] < 1;
}

static int find_interval(struct pair *p, enum metric m, double alpha)
{
	const struct rank_test *raw = &p->test[AS_MEASURED][m],
			       *equal = &p->test[AT_EQUAL_SPEED][m];

	p->low[m] = raw->low;
	p->high[m] = raw->high;
	p->p[m] = fmax(raw->p, equal->p);
	widen(p, m, equal->low, equal->high);
	/* what is already not told from 1 is not told apart any less by looking closer */
	if (!excludes_1(p, m))
		return 0;
	if (!isnan(p->slower)) {
		double more = pow(p->slower, PAIRS_FEEL - 1);

		widen(p, m, equal->low / more, equal->high / more);
	}
	for (int b = 0; b < (isnan(p->slower) ? 1 : BASES) && excludes_1(p, m); b++) {
		struct block_interval blocks;
		const struct redraws how = { 1 - alpha, RESAMPLES, SEED };
		int err = block_ratio(p->side[0].value[b][m], p->side[0].n[m],
				      p->side[1].value[b][m], p->side[1].n[m], &how, &blocks);

		if (err)
			return err;
		widen(p, m, blocks.low, blocks.high);
	}
	return 0;
}

static bool has_gap(const struct pair *p, enum metric m)
{
	const struct side *a = &p->side[0], *b = &p->side[1];
	const double *x = a->value[AS_MEASURED][m], *y = b->value[AS_MEASURED][m];
	double gap;

	if (a->n[m] < PAIRS_GAP_SAMPLES || b->n[m] < PAIRS_GAP_SAMPLES || isnan(p->span))
		return false;
	gap = fmax(gsl_stats_min(y, 1, b->n[m]) / gsl_stats_max(x, 1, a->n[m]),
		   gsl_stats_min(x, 1, a->n[m]) / gsl_stats_max(y, 1, b->n[m]));
	return gap > fmax(PAIRS_GAP, pow(p->span, PAIRS_FEEL));
}

int pairs_test(struct pairs *all, enum metric m, double alpha)
{
	int err = 0;

	for (int b = 0; b < BASES && !err; b++)
		err = rank_all(all, (enum basis)b, m, alpha);
	for (size_t i = 0; i < all->count && !err; i++) {
		all->pair[i].gap[m] = has_gap(&all->pair[i], m);
		err = find_interval(&all->pair[i], m, alpha);
	}
	if (err)
		return err;
	return adjust(all, m, alpha);
}

bool pair_differs(const struct pair *p, enum metric m, double alpha)
{
	return p->gap[m] || (p->adjusted[m] < alpha && excludes_1(p, m)); /* false for NaN */
}

double pair_ratio_at_least(const struct pair *p, enum metric m)
{
	double raw = p->test[AS_MEASURED][m].ratio, equal = p->test[AT_EQUAL_SPEED][m].ratio;

	return fabs(log(equal)) < fabs(log(raw)) ? equal : raw;
}
