// SPDX-License-Identifier: MIT
#include "analysis/fit.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/fit_rows.h"

#define ERROR_FLOOR 0.002 /* no median is known better than to 0.2 % */
#define MODEL_ERROR_MAX 2.0
#define BISECTIONS 24
#define PART_MIN 0.2 /* of a combination of columns of length 1 */

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

/*
 * Waits for room come with large pieces, a few hundred in each, and cost next to nothing beside them. Merged with what such pieces cost anyway they
 * would be a price of neither, and what a GB costs to carry can be told without them. False when they have no part in it.
 */
static bool drop_room_waits(struct fit *fit, const double *weakest)
{
	for (size_t k = 0; k < fit->term_count; k++) {
		struct fit_term *t = &fit->terms[k];

		if (t->term != TERM_ROOM_WAITS || !(fabs(weakest[k]) > PART_MIN))
			continue;
		memmove(t, t + 1, (fit->term_count - k - 1) * sizeof(*t));
		fit->term_count--;
		fit->dropped[TERM_ROOM_WAITS] = true;
		return true;
	}
	return false;
}

static int choose_terms(const struct fit_case *cases, size_t count, const bool left_out[TERMS],
			enum fit_sums sums, struct fit *fit, struct fit_rows *w)
{
	double inflation[NNLS_COLUMNS_MAX], weakest[NNLS_COLUMNS_MAX];
	struct regression r;
	size_t a, b;
	int err;

	fit->term_count = 0;
	memset(fit->dropped, 0, sizeof(fit->dropped));
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
		r = fit_rows_of_cases(cases, count, fit, w);
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
		if (drop_room_waits(fit, weakest))
			continue;
		two_to_merge(fit, weakest, &a, &b);
		merge(cases, count, fit, a, b);
	}
	for (size_t k = 0; k < fit->term_count; k++)
		fit->terms[k].inflation = inflation[k];
	return 0;
}

static int fit_once(const struct fit_case *cases, size_t count, struct fit *fit, struct fit_rows *w,
		    double model_error, double *scale)
{
	const struct row_groups groups = { count, w->start, fit->sigma };
	double price[NNLS_COLUMNS_MAX];
	struct regression r;
	int err;

	set_sigmas(cases, count, model_error, fit->sigma);
	r = fit_rows_of_samples(cases, count, fit, w);
	err = nnls_robust(&r, &groups, price, fit->sample_weight, fit->weight, scale);
	for (size_t k = 0; k < fit->term_count && !err; k++)
		fit->terms[k].price = price[k];
	fit->model_error = model_error;
	return err;
}

/* The smallest model error with which residuals are no larger than their sigmas say. */
static int fit_model_error(const struct fit_case *cases, size_t count, struct fit *fit,
			   struct fit_rows *w)
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
	struct fit_rows w = { 0 };
	int err;

	memset(fit, 0, sizeof(*fit));
	fit->condition = fit->r_squared = NAN;
	if (!count)
		return 0;
	fit->sigma = calloc(count, sizeof(double));
	fit->weight = calloc(count, sizeof(double));
	fit->predicted = calloc(count, sizeof(double));
	err = fit_rows_alloc(&w, cases, count);
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
	fit_rows_free(&w);
	return err;
}
