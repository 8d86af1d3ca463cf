// SPDX-License-Identifier: MIT
#include "analysis/fit.h"

#include <errno.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/nnls.h"

#define ERROR_FLOOR 0.002 /* no median is known better than to 0.2 % */
#define MODEL_ERROR_MAX 2.0
#define BISECTIONS 24
#define LEVERAGE_MAX 0.95
#define PART_MIN 0.2 /* of a combination of columns of length 1 */

double fit_quantity(const struct fit_term *t, const struct fit_case *c)
{
	double sum = c->count[t->term];

	for (size_t i = 0; i < t->with_count; i++)
		if (t->with[i].summed)
			sum += c->count[t->with[i].term];
	return sum;
}

double fit_predict(const struct fit *fit, const struct fit_case *c)
{
	double sum = 0;

	for (size_t i = 0; i < fit->term_count; i++)
		sum += fit->terms[i].price * fit_quantity(&fit->terms[i], c);
	return sum;
}

void fit_free(struct fit *fit)
{
	free(fit->sigma);
	free(fit->weight);
	free(fit->predicted);
	fit->sigma = fit->weight = fit->predicted = NULL;
}

/* Work arrays of one fit. */
struct work {
	double *x, *y, *leverage;
};

static int work_alloc(struct work *w, size_t rows)
{
	w->x = calloc(rows * TERMS, sizeof(double));
	w->y = calloc(rows, sizeof(double));
	w->leverage = calloc(rows, sizeof(double));
	return w->x && w->y && w->leverage ? 0 : -ENOMEM;
}

static void work_free(struct work *w)
{
	free(w->x);
	free(w->y);
	free(w->leverage);
}

static struct regression set_up(const struct fit_case *cases, size_t count, const struct fit *fit,
				struct work *w)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < fit->term_count; k++)
			w->x[i * fit->term_count + k] = fit_quantity(&fit->terms[k], &cases[i]);
		w->y[i] = cases[i].cpu_s;
	}
	return (struct regression){ count, fit->term_count, w->x, w->y, fit->sigma };
}

static void set_sigmas(const struct fit_case *cases, size_t count, double model_error,
		       double *sigma)
{
	for (size_t i = 0; i < count; i++) {
		double own = isfinite(cases[i].error_s) ? cases[i].error_s : 0;

		own = fmax(own, ERROR_FLOOR * cases[i].cpu_s);
		sigma[i] = hypot(own, model_error * cases[i].cpu_s);
		if (!(sigma[i] > 0))
			sigma[i] = 1e-9;
	}
}

/* Of one kind, so that their sum means something: bytes copied into and out of a buffer, or any way. a < b. */
static bool of_one_kind(enum term a, enum term b, enum fit_sums sums)
{
	if (a == TERM_FILE_TO_USER && b == TERM_USER_TO_SOCKET)
		return sums >= SUM_BY_BUFFER;
	return (a == TERM_FILE_TO_USER || a == TERM_USER_TO_SOCKET) && b == TERM_MAPPED_TO_SOCKET &&
	       sums >= SUM_COPIES;
}

/* Nothing but terms of its own kind in it. */
static bool pure(const struct fit_term *t)
{
	for (size_t i = 0; i < t->with_count; i++)
		if (!t->with[i].summed)
			return false;
	return true;
}

/* How many of `b` come with one of `a`: least squares through the origin, cases alike. */
static double ratio_of(const struct fit_case *cases, size_t count, const struct fit_term *a,
		       const struct fit_term *b)
{
	double ab = 0, aa = 0;

	for (size_t i = 0; i < count; i++) {
		ab += fit_quantity(a, &cases[i]) * fit_quantity(b, &cases[i]);
		aa += fit_quantity(a, &cases[i]) * fit_quantity(a, &cases[i]);
	}
	return aa > 0 ? ab / aa : 0;
}

/* Term `b` of the fit becomes part of term `a`, a < b. */
static void merge(const struct fit_case *cases, size_t count, struct fit *fit, size_t a, size_t b)
{
	struct fit_term *into = &fit->terms[a], *from = &fit->terms[b];
	bool sum = of_one_kind(into->term, from->term, SUM_COPIES) && pure(into) && pure(from);
	double ratio = sum ? 1 : ratio_of(cases, count, into, from);

	into->with[into->with_count].term = from->term;
	into->with[into->with_count].per_unit = ratio;
	into->with[into->with_count++].summed = sum;
	for (size_t i = 0; i < from->with_count; i++) {
		into->with[into->with_count] = from->with[i];
		/* a sum stays one only among its own kind */
		into->with[into->with_count].summed = sum;
		into->with[into->with_count++].per_unit *= ratio;
	}
	memmove(from, from + 1, (fit->term_count - b - 1) * sizeof(*from));
	fit->term_count--;
}

/* The two terms that have most to do with the combination of columns that is nearly nothing. */
static void two_largest(const double *weakest, size_t n, size_t *a, size_t *b)
{
	size_t first = 0, second = 1, swap;

	if (fabs(weakest[second]) > fabs(weakest[first])) {
		first = 1;
		second = 0;
	}
	for (size_t k = 2; k < n; k++) {
		if (fabs(weakest[k]) > fabs(weakest[first])) {
			second = first;
			first = k;
		} else if (fabs(weakest[k]) > fabs(weakest[second])) {
			second = k;
		}
	}
	if (first > second) {
		swap = first;
		first = second;
		second = swap;
	}
	*a = first;
	*b = second;
}

/*
 * Two of one kind go together before others do, if one of them has a part in it: their sum still means something. The
 * two ways into the socket first, then all copies.
 */
static void two_to_merge(const struct fit *fit, const double *weakest, size_t *a, size_t *b)
{
	for (enum fit_sums sums = SUM_BY_BUFFER; sums <= SUM_COPIES; sums++)
		for (*a = 0; *a < fit->term_count; (*a)++)
			for (*b = *a + 1; *b < fit->term_count; (*b)++)
				if (of_one_kind(fit->terms[*a].term, fit->terms[*b].term, sums) &&
				    pure(&fit->terms[*a]) && pure(&fit->terms[*b]) &&
				    fmax(fabs(weakest[*a]), fabs(weakest[*b])) > PART_MIN)
					return;
	two_largest(weakest, fit->term_count, a, b);
}

/* The first two terms of one kind; false when there are none. */
static bool find_kin(const struct fit *fit, enum fit_sums sums, size_t *a, size_t *b)
{
	for (*a = 0; *a < fit->term_count; (*a)++)
		for (*b = *a + 1; *b < fit->term_count; (*b)++)
			if (of_one_kind(fit->terms[*a].term, fit->terms[*b].term, sums))
				return true;
	return false;
}

static bool vague(const struct fit_term *t)
{
	return !(t->high - t->low < t->price);
}

enum fit_sums fit_is_vague(const struct fit *fit)
{
	for (enum fit_sums sums = SUM_BY_BUFFER; sums <= SUM_COPIES; sums++)
		for (size_t a = 0; a < fit->term_count; a++)
			for (size_t b = a + 1; b < fit->term_count; b++)
				if (of_one_kind(fit->terms[a].term, fit->terms[b].term, sums) &&
				    (vague(&fit->terms[a]) || vague(&fit->terms[b])))
					return sums;
	return SUM_NONE;
}

static int choose_terms(const struct fit_case *cases, size_t count, const bool left_out[TERMS],
			enum fit_sums sums, struct fit *fit, struct work *w)
{
	double inflation[NNLS_COLUMNS_MAX], weakest[NNLS_COLUMNS_MAX];
	struct regression r;
	size_t a, b;
	int err;

	fit->term_count = 0;
	for (int t = 0; t < TERMS; t++) {
		bool any = false;

		for (size_t i = 0; i < count; i++)
			any |= cases[i].count[t] > 0;
		if (any && !(left_out && left_out[t]))
			fit->terms[fit->term_count++] = (struct fit_term){ .term = (enum term)t };
	}
	while (find_kin(fit, sums, &a, &b))
		merge(cases, count, fit, a, b);
	for (;;) {
		if (!fit->term_count)
			return 0;
		r = set_up(cases, count, fit, w);
		err = regression_condition(&r, &fit->condition, inflation, weakest);
		if (err)
			return err;
		/* one case is left over to contradict */
		if (fit->condition <= FIT_CONDITION_MAX && fit->term_count < count)
			break;
		if (fit->term_count == 1) {
			fit->term_count = 0;
			return 0;
		}
		two_to_merge(fit, weakest, &a, &b);
		merge(cases, count, fit, a, b);
	}
	for (size_t k = 0; k < fit->term_count; k++)
		fit->terms[k].inflation = inflation[k];
	return 0;
}

static int fit_once(const struct fit_case *cases, size_t count, struct fit *fit, struct work *w,
		    double model_error, double *scale)
{
	double price[NNLS_COLUMNS_MAX];
	struct regression r;
	int err;

	set_sigmas(cases, count, model_error, fit->sigma);
	r = set_up(cases, count, fit, w);
	err = nnls_robust(&r, price, fit->weight, scale);
	for (size_t k = 0; k < fit->term_count && !err; k++)
		fit->terms[k].price = price[k];
	fit->model_error = model_error;
	return err;
}

/* The smallest model error with which residuals are no larger than their sigmas say. */
static int fit_model_error(const struct fit_case *cases, size_t count, struct fit *fit,
			   struct work *w)
{
	double low = 0, high = MODEL_ERROR_MAX, scale;
	int err = fit_once(cases, count, fit, w, 0, &scale);

	if (err || scale <= 1)
		return err;
	for (int i = 0; i < BISECTIONS && !err; i++) {
		double middle = (low + high) / 2;

		err = fit_once(cases, count, fit, w, middle, &scale);
		if (scale > 1)
			low = middle;
		else
			high = middle;
	}
	return err ? err : fit_once(cases, count, fit, w, high, &scale);
}

static double r_squared(const struct fit_case *cases, size_t count, const double *predicted)
{
	double mean = 0, about_mean = 0, left = 0;

	for (size_t i = 0; i < count; i++)
		mean += cases[i].cpu_s / (double)count;
	for (size_t i = 0; i < count; i++) {
		about_mean += pow(cases[i].cpu_s - mean, 2);
		left += pow(cases[i].cpu_s - predicted[i], 2);
	}
	return about_mean > 0 ? 1 - left / about_mean : NAN;
}

int fit_prices(const struct fit_case *cases, size_t count, const bool left_out[TERMS],
	       enum fit_sums sums, struct fit *fit)
{
	struct work w = { 0 };
	int err;

	memset(fit, 0, sizeof(*fit));
	fit->condition = fit->r_squared = NAN;
	if (!count)
		return 0;
	fit->sigma = calloc(count, sizeof(double));
	fit->weight = calloc(count, sizeof(double));
	fit->predicted = calloc(count, sizeof(double));
	err = work_alloc(&w, count);
	if (!fit->sigma || !fit->weight || !fit->predicted)
		err = -ENOMEM;
	if (!err) {
		set_sigmas(cases, count, 0.05, fit->sigma);
		err = choose_terms(cases, count, left_out, sums, fit, &w);
	}
	if (!err && fit->term_count) {
		err = fit_model_error(cases, count, fit, &w);
		for (size_t k = 0; k < fit->term_count; k++)
			fit->terms[k].low = fit->terms[k].high = NAN;
		for (size_t i = 0; i < count; i++)
			fit->predicted[i] = fit_predict(fit, &cases[i]);
		fit->r_squared = r_squared(cases, count, fit->predicted);
	}
	work_free(&w);
	return err;
}

/* The median of a case's samples drawn with replacement. `draws` are shared by cases of as many samples. */
static double redrawn_median(const struct fit_case *c, const double *draws, double *work)
{
	for (size_t j = 0; j < c->sample_count; j++)
		work[j] = c->samples[(size_t)(draws[j] * (double)c->sample_count)];
	gsl_sort(work, 1, c->sample_count);
	return gsl_stats_median_from_sorted_data(work, 1, c->sample_count);
}

/* The residual as it would be if the case had not pulled the fit, less the part that is its samples' scatter. */
static double model_residual(const struct fit_case *c, const struct fit *fit, size_t i,
			     double leverage)
{
	double variance = fit->sigma[i] * fit->sigma[i],
	       model = pow(fit->model_error * c->cpu_s, 2);

	return (c->cpu_s - fit->predicted[i]) / sqrt(1 - fmin(leverage, LEVERAGE_MAX)) *
	       sqrt(variance > 0 ? model / variance : 0);
}

/* What drawing samples anew takes. */
struct redraw {
	gsl_rng *rng;
	double *draws; /* one for each sample of the case that has most */
	size_t count;
	double *scratch; /* as many */
};

static int redraw_alloc(struct redraw *d, size_t longest, uint64_t seed)
{
	d->count = longest;
	d->draws = calloc(longest + 1, sizeof(double));
	d->scratch = calloc(longest + 1, sizeof(double));
	d->rng = gsl_rng_alloc(gsl_rng_mt19937);
	if (!d->draws || !d->scratch || !d->rng)
		return -ENOMEM;
	gsl_rng_set(d->rng, (unsigned long)seed);
	return 0;
}

static void redraw_free(struct redraw *d)
{
	free(d->draws);
	free(d->scratch);
	if (d->rng)
		gsl_rng_free(d->rng);
}

static int resample(const struct fit_case *cases, size_t count, const struct fit *fit,
		    struct work *w, const struct redraw *d, double *price)
{
	struct regression r = { count, fit->term_count, w->x, w->y, fit->sigma };

	for (size_t j = 0; j < d->count; j++)
		d->draws[j] = gsl_rng_uniform(d->rng);
	for (size_t i = 0; i < count; i++) {
		double sign = gsl_rng_uniform(d->rng) < 0.5 ? -1 : 1;

		w->y[i] = fit->predicted[i] +
			  (redrawn_median(&cases[i], d->draws, d->scratch) - cases[i].cpu_s) +
			  sign * model_residual(&cases[i], fit, i, w->leverage[i]);
	}
	return nnls(&r, fit->weight, price);
}

int fit_intervals(const struct fit_case *cases, size_t count, struct fit *fit, uint64_t seed,
		  unsigned int resamples, double confidence)
{
	size_t p = fit->term_count, longest = 0;
	double price[NNLS_COLUMNS_MAX], *all;
	struct redraw d = { 0 };
	struct regression r;
	struct work w = { 0 };
	int err, no_draws;

	if (!p)
		return 0;
	for (size_t i = 0; i < count; i++)
		if (cases[i].sample_count > longest)
			longest = cases[i].sample_count;
	all = calloc((size_t)resamples * p, sizeof(double));
	no_draws = redraw_alloc(&d, longest, seed);
	err = work_alloc(&w, count);
	if (!all || no_draws)
		err = -ENOMEM;
	if (!err) {
		r = set_up(cases, count, fit, &w);
		err = regression_leverage(&r, fit->weight, w.leverage);
	}
	for (unsigned int n = 0; n < resamples && !err; n++) {
		err = resample(cases, count, fit, &w, &d, price);
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
	work_free(&w);
	return err;
}
