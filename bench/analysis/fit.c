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

static double quantity(const struct fit_term *t, const double *count)
{
	double sum = count[t->term];

	for (size_t i = 0; i < t->with_count; i++)
		if (t->with[i].summed)
			sum += count[t->with[i].term];
	return sum;
}

double fit_quantity(const struct fit_term *t, const struct fit_case *c)
{
	return quantity(t, c->count);
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
	free(fit->sample_weight);
	fit->sigma = fit->weight = fit->predicted = fit->sample_weight = NULL;
}

/* Work arrays of one fit: cases by their medians, and their samples, a row each. */
struct work {
	double *x, *y, *leverage; /* cases */
	size_t rows; /* samples */
	double *sample_x, *sample_y, *sample_sigma;
	size_t *start; /* of a case's samples; one more for the end */
};

static int work_alloc(struct work *w, const struct fit_case *cases, size_t count)
{
	w->start = calloc(count + 1, sizeof(*w->start));
	if (!w->start)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		w->start[i + 1] = w->rows += cases[i].sample_count;
	w->x = calloc(count * TERMS, sizeof(double));
	w->y = calloc(count, sizeof(double));
	w->leverage = calloc(count, sizeof(double));
	w->sample_x = calloc(w->rows * TERMS, sizeof(double));
	w->sample_y = calloc(w->rows, sizeof(double));
	w->sample_sigma = calloc(w->rows, sizeof(double));
	return w->x && w->y && w->leverage && w->sample_x && w->sample_y && w->sample_sigma ?
		       0 :
		       -ENOMEM;
}

static void work_free(struct work *w)
{
	free(w->x);
	free(w->y);
	free(w->leverage);
	free(w->sample_x);
	free(w->sample_y);
	free(w->sample_sigma);
	free(w->start);
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

/* A case's samples together weigh what its median would. */
static struct regression set_up_samples(const struct fit_case *cases, size_t count,
					const struct fit *fit, struct work *w)
{
	size_t row = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < cases[i].sample_count; j++, row++) {
			for (size_t k = 0; k < fit->term_count; k++)
				w->sample_x[row * fit->term_count + k] =
					quantity(&fit->terms[k], &cases[i].counts[j * TERMS]);
			w->sample_y[row] = cases[i].samples[j];
			w->sample_sigma[row] = fit->sigma[i] * sqrt((double)cases[i].sample_count);
		}
	return (struct regression){ w->rows, fit->term_count, w->sample_x, w->sample_y,
				    w->sample_sigma };
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
	const struct row_groups groups = { count, w->start, fit->sigma };
	double price[NNLS_COLUMNS_MAX];
	struct regression r;
	int err;

	set_sigmas(cases, count, model_error, fit->sigma);
	r = set_up_samples(cases, count, fit, w);
	err = nnls_robust(&r, &groups, price, fit->sample_weight, fit->weight, scale);
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
	err = work_alloc(&w, cases, count);
	fit->sample_weight = calloc(w.rows + 1, sizeof(double));
	if (!fit->sigma || !fit->weight || !fit->predicted || !fit->sample_weight)
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
	double *middle; /* the median of each case's residuals */
	double wider; /* for what far cases weigh less */
	double *x, *y, *weight; /* the samples drawn */
};

static int redraw_alloc(struct redraw *d, const struct fit_case *cases, size_t count, size_t rows,
			uint64_t seed)
{
	for (size_t i = 0; i < count; i++)
		if (cases[i].sample_count > d->count)
			d->count = cases[i].sample_count;
	d->draws = calloc(d->count + 1, sizeof(double));
	d->middle = calloc(count, sizeof(double));
	d->x = calloc(rows * TERMS, sizeof(double));
	d->y = calloc(rows, sizeof(double));
	d->weight = calloc(rows, sizeof(double));
	d->rng = gsl_rng_alloc(gsl_rng_mt19937);
	if (!d->draws || !d->middle || !d->x || !d->y || !d->weight || !d->rng)
		return -ENOMEM;
	gsl_rng_set(d->rng, (unsigned long)seed);
	return 0;
}

static void redraw_free(struct redraw *d)
{
	free(d->draws);
	free(d->middle);
	free(d->x);
	free(d->y);
	free(d->weight);
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

/* How far a sample is from the middle of its case, as far as it counts. */
static double apart_from(const struct regression *r, const struct fit *fit, const double *price,
			 size_t row, double case_weight, double middle)
{
	return (r->y[row] - regression_predict(r, price, row) - middle) *
	       fit->sample_weight[row] / case_weight;
}

/* A case's samples with replacement, each with its counts and its distance from the others; `model` is what the case is off by. */
static void redraw_case(const struct regression *r, const struct fit *fit, const double *price,
			size_t first, size_t n, double case_weight, double middle, double model,
			struct redraw *d)
{
	/* around their own mean values scatter less than around the true one */
	double wider = made_good(&fit->sample_weight[first], n, case_weight) *
		       sqrt(n > 1 ? (double)n / (double)(n - 1) : 1),
	       mean = 0;

	/* or all draws would be off to the same side */
	for (size_t j = 0; j < n; j++)
		mean += apart_from(r, fit, price, first + j, case_weight, middle) / (double)n;
	for (size_t j = 0; j < n; j++) {
		size_t from = first + (size_t)(d->draws[j] * (double)n), to = first + j;

		memcpy(&d->x[to * r->columns], &r->x[from * r->columns],
		       r->columns * sizeof(double));
		d->y[to] = regression_predict(r, price, from) +
			   d->wider * case_weight *
				   (model + wider * (apart_from(r, fit, price, from, case_weight,
							       middle) -
						     mean));
		d->weight[to] = 1;
	}
}

static int resample(const struct fit_case *cases, size_t count, const struct fit *fit,
		    const struct regression *r, const struct work *w, struct redraw *d,
		    double *price)
{
	struct regression drawn = { r->rows, r->columns, d->x, d->y, r->sigma };
	double own[NNLS_COLUMNS_MAX];

	for (size_t k = 0; k < fit->term_count; k++)
		own[k] = fit->terms[k].price;
	for (size_t j = 0; j < d->count; j++)
		d->draws[j] = gsl_rng_uniform(d->rng);
	for (size_t i = 0; i < count; i++) {
		double sign = gsl_rng_uniform(d->rng) < 0.5 ? -1 : 1;

		redraw_case(r, fit, own, w->start[i], cases[i].sample_count, fit->weight[i], d->middle[i],
			    sign * model_residual(&cases[i], fit, i, d->middle[i], w->leverage[i]), d);
	}
	return nnls(&drawn, d->weight, price);
}

static void set_middles(const struct regression *r, const struct work *w, const struct fit *fit,
			size_t count, struct redraw *d)
{
	const struct row_groups groups = { count, w->start, fit->sigma };
	double own[NNLS_COLUMNS_MAX];

	for (size_t k = 0; k < fit->term_count; k++)
		own[k] = fit->terms[k].price;
	/* y is not needed before the first draw */
	for (size_t i = 0; i < count; i++)
		d->middle[i] = group_residual(r, &groups, i, own, d->y);
	d->wider = made_good(fit->weight, count, 1);
}

int fit_intervals(const struct fit_case *cases, size_t count, struct fit *fit, uint64_t seed,
		  unsigned int resamples, double confidence)
{
	size_t p = fit->term_count;
	double price[NNLS_COLUMNS_MAX], *all;
	struct redraw d = { 0 };
	struct regression r;
	struct work w = { 0 };
	int err, no_draws;

	if (!p)
		return 0;
	all = calloc((size_t)resamples * p, sizeof(double));
	err = work_alloc(&w, cases, count);
	no_draws = redraw_alloc(&d, cases, count, w.rows, seed);
	if (!all || no_draws)
		err = -ENOMEM;
	if (!err) {
		r = set_up(cases, count, fit, &w);
		err = regression_leverage(&r, fit->weight, w.leverage);
	}
	if (!err) {
		r = set_up_samples(cases, count, fit, &w);
		set_middles(&r, &w, fit, count, &d);
	}
	for (unsigned int n = 0; n < resamples && !err; n++) {
		err = resample(cases, count, fit, &r, &w, &d, price);
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
