// SPDX-License-Identifier: MIT
/* How sure the prices are: the fit again and again, to samples drawn anew. */
#include <errno.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/fit_rows.h"

#define LEVERAGE_MAX 0.95

/* The residual as it would be if the case had not pulled the fit, less the part that is its samples' scatter. */
static double model_residual(const struct fit_case *c, const struct fit *fit, size_t i,
			     double residual, double leverage)
{
	double variance = fit->sigma[i] * fit->sigma[i],
	       model = pow(fit->model_error * c->cpu_s, 2);

	return residual / sqrt(1 - fmin(leverage, LEVERAGE_MAX)) *
	       sqrt(variance > 0 ? model / variance : 0);
}

/* What drawing samples anew takes. */
struct redraw {
	gsl_rng *rng;
	double *draws; /* one for each sample of the case that has most */
	size_t count;
	const struct fit *fit;
	const struct regression *from; /* the samples as they were measured */
	double price[NNLS_COLUMNS_MAX]; /* the fit's */
	double *middle; /* the median of each case's residuals */
	double *predicted, *apart; /* of each sample: by the fit, and how far it is from the middle of its case, as far as it counts */
	double wider; /* for what far cases weigh less */
	double *x, *y; /* the samples drawn */
};

static int redraw_alloc(struct redraw *d, const struct fit_case *cases, size_t count, size_t rows,
			uint64_t seed)
{
	for (size_t i = 0; i < count; i++)
		if (cases[i].sample_count > d->count)
			d->count = cases[i].sample_count;
	d->draws = calloc(d->count + 1, sizeof(double));
	d->middle = calloc(count, sizeof(double));
	d->predicted = calloc(rows, sizeof(double));
	d->apart = calloc(rows, sizeof(double));
	d->x = calloc(rows * TERMS, sizeof(double));
	d->y = calloc(rows, sizeof(double));
	d->rng = gsl_rng_alloc(gsl_rng_mt19937);
	if (!d->draws || !d->middle || !d->predicted || !d->apart || !d->x || !d->y || !d->rng)
		return -ENOMEM;
	gsl_rng_set(d->rng, (unsigned long)seed);
	return 0;
}

static void redraw_free(struct redraw *d)
{
	free(d->draws);
	free(d->middle);
	free(d->predicted);
	free(d->apart);
	free(d->x);
	free(d->y);
	if (d->rng)
		gsl_rng_free(d->rng);
}

/*
 * What far values weigh less, the others must make good for: the inverse of the share of those that weigh `full`. So the scatter of what is drawn is that
 * of an M-estimator (Huber, Robust Statistics, 1981, section 3.2).
 */
static double made_good(const double *weight, size_t n, double full)
{
	size_t near = 0;

	for (size_t j = 0; j < n; j++)
		near += weight[j] >= full;
	return (double)n / fmax((double)near, (double)n / 2);
}

/* How far the samples of case `i` are apart, around their mean: or all draws would be off to the same side. */
static void set_apart(struct redraw *d, size_t i, size_t first, size_t n)
{
	double mean = 0, wider;

	for (size_t row = first; row < first + n; row++) {
		d->predicted[row] = regression_predict(d->from, d->price, row);
		d->apart[row] = (d->from->y[row] - d->predicted[row] - d->middle[i]) *
				d->fit->sample_weight[row] / d->fit->weight[i];
		mean += d->apart[row] / (double)n;
	}
	/* around their own mean values scatter less than around the true one */
	wider = made_good(&d->fit->sample_weight[first], n, d->fit->weight[i]) *
		sqrt(n > 1 ? (double)n / (double)(n - 1) : 1);
	for (size_t row = first; row < first + n; row++)
		d->apart[row] = wider * (d->apart[row] - mean);
}

static void redraw_from(struct redraw *d, const struct regression *r, const struct fit *fit,
			const struct row_groups *groups)
{
	d->from = r;
	d->fit = fit;
	d->wider = made_good(fit->weight, groups->count, 1);
	for (size_t k = 0; k < fit->term_count; k++)
		d->price[k] = fit->terms[k].price;
	for (size_t i = 0; i < groups->count; i++) {
		/* y is not needed before the first draw */
		d->middle[i] = group_residual(r, groups, i, d->price, d->y);
		set_apart(d, i, groups->start[i], groups->start[i + 1] - groups->start[i]);
	}
}

/* Samples of case `i` with replacement, each with its counts and its distance from the others; `model` is what the case is off by. */
static void redraw_case(struct redraw *d, size_t i, size_t first, size_t n, double model)
{
	size_t columns = d->from->columns;

	for (size_t j = 0; j < n; j++) {
		size_t from = first + (size_t)(d->draws[j] * (double)n), to = first + j;

		memcpy(&d->x[to * columns], &d->from->x[from * columns], columns * sizeof(double));
		d->y[to] = d->predicted[from] +
			   d->wider * d->fit->weight[i] * (model + d->apart[from]);
	}
}

static int resample(const struct fit_case *cases, size_t count, const struct fit_rows *w,
		    struct redraw *d, double *price)
{
	struct regression drawn = { d->from->rows, d->from->columns, d->x, d->y, d->from->sigma };

	for (size_t j = 0; j < d->count; j++)
		d->draws[j] = gsl_rng_uniform(d->rng);
	for (size_t i = 0; i < count; i++) {
		double sign = gsl_rng_uniform(d->rng) < 0.5 ? -1 : 1;

		redraw_case(d, i, w->start[i], cases[i].sample_count,
			    sign * model_residual(&cases[i], d->fit, i, d->middle[i], w->leverage[i]));
	}
	return nnls(&drawn, NULL, price);
}

int fit_intervals(const struct fit_case *cases, size_t count, struct fit *fit, uint64_t seed,
		  unsigned int resamples, double confidence)
{
	size_t p = fit->term_count;
	double price[NNLS_COLUMNS_MAX], *all;
	struct row_groups groups = { count, NULL, fit->sigma };
	struct redraw d = { 0 };
	struct regression r;
	struct fit_rows w = { 0 };
	int err, no_draws;

	if (!p)
		return 0;
	all = calloc((size_t)resamples * p, sizeof(double));
	err = fit_rows_alloc(&w, cases, count);
	no_draws = redraw_alloc(&d, cases, count, w.rows, seed);
	if (!all || no_draws)
		err = -ENOMEM;
	if (!err) {
		r = fit_rows_of_cases(cases, count, fit, &w);
		err = regression_leverage(&r, fit->weight, w.leverage);
	}
	if (!err) {
		r = fit_rows_of_samples(cases, count, fit, &w);
		groups.start = w.start;
		redraw_from(&d, &r, fit, &groups);
	}
	for (unsigned int n = 0; n < resamples && !err; n++) {
		err = resample(cases, count, &w, &d, price);
		for (size_t k = 0; k < p && !err; k++)
			all[k * resamples + n] = price[k];
	}
	for (size_t k = 0; k < p && !err; k++) {
		gsl_sort(all + k * resamples, 1, resamples);
		fit->terms[k].low = gsl_stats_quantile_from_sorted_data(
			all + k * resamples, 1, resamples, (1 - confidence) / 2);
		fit->terms[k].high = gsl_stats_quantile_from_sorted_data(
			all + k * resamples, 1, resamples, (1 + confidence) / 2);
	}
	free(all);
	redraw_free(&d);
	fit_rows_free(&w);
	return err;
}
