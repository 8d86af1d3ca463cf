// SPDX-License-Identifier: MIT
#include "analysis/nnls.h"

#include <errno.h>
#include <gsl/gsl_blas.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define HUBER 1.345 /* 95 % as efficient as plain least squares on normal errors */
#define ROBUST_STEPS 30
#define TINY 1e-10
#define CHOLESKY_MIN 1e-5 /* of columns of length 1: squared, what is left of sixteen digits */

double regression_predict(const struct regression *r, const double *coefficient, size_t row)
{
	double sum = 0;

	for (size_t k = 0; k < r->columns; k++)
		sum += r->x[row * r->columns + k] * coefficient[k];
	return sum;
}

/* Rows ÷ sigma × √weight with columns of length 1: what makes tolerances mean the same for every unit. */
struct scaled {
	gsl_matrix *x;
	gsl_vector *y;
	double length[NNLS_COLUMNS_MAX];
};

static void scaled_free(struct scaled *s)
{
	if (s->x)
		gsl_matrix_free(s->x);
	if (s->y)
		gsl_vector_free(s->y);
}

static int scale_rows(const struct regression *r, const double *weight, struct scaled *s)
{
	s->x = gsl_matrix_alloc(r->rows, r->columns);
	s->y = gsl_vector_alloc(r->rows);
	if (!s->x || !s->y)
		return -ENOMEM;
	for (size_t k = 0; k < r->columns; k++)
		s->length[k] = 0;
	for (size_t i = 0; i < r->rows; i++) {
		double by = sqrt(weight ? weight[i] : 1) / r->sigma[i],
		       *row = gsl_matrix_ptr(s->x, i, 0);

		gsl_vector_set(s->y, i, r->y[i] * by);
		for (size_t k = 0; k < r->columns; k++) {
			row[k] = r->x[i * r->columns + k] * by;
			s->length[k] += row[k] * row[k];
		}
	}
	for (size_t k = 0; k < r->columns; k++)
		s->length[k] = sqrt(s->length[k]);
	for (size_t i = 0; i < r->rows; i++) {
		double *row = gsl_matrix_ptr(s->x, i, 0);

		for (size_t k = 0; k < r->columns; k++)
			row[k] /= s->length[k] > 0 ? s->length[k] : 1;
	}
	return 0;
}

/*
 * As many rows as columns that have the same sums of squares for every choice of coefficients, but for a constant: the Cholesky factor of x'x, and y
 * seen from there. With many rows that saves nearly all of the work. Left as it is where the factor can't be had (columns that are alike).
 */
static int compress(struct scaled *s)
{
	size_t p = s->x->size2;
	gsl_error_handler_t *before;
	gsl_matrix *square = gsl_matrix_alloc(p, p);
	gsl_vector *short_y = gsl_vector_alloc(p);
	int err = square && short_y ? 0 : -ENOMEM;
	bool good = false;

	if (!err) {
		gsl_blas_dsyrk(CblasLower, CblasTrans, 1, s->x, 0, square);
		gsl_blas_dgemv(CblasTrans, 1, s->x, s->y, 0, short_y);
		before = gsl_set_error_handler_off();
		good = gsl_linalg_cholesky_decomp1(square) == GSL_SUCCESS;
		gsl_set_error_handler(before);
		for (size_t k = 0; k < p && good; k++)
			good = gsl_matrix_get(square, k, k) > CHOLESKY_MIN;
	}
	if (good) {
		gsl_blas_dtrsv(CblasLower, CblasNoTrans, CblasNonUnit, square, short_y);
		gsl_matrix_free(s->x);
		gsl_vector_free(s->y);
		s->x = gsl_matrix_alloc(p, p);
		s->y = short_y;
		short_y = NULL;
		err = s->x ? 0 : -ENOMEM;
		for (size_t i = 0; i < p && !err; i++)
			for (size_t k = 0; k < p; k++)
				gsl_matrix_set(s->x, i, k, k < i ? 0 : gsl_matrix_get(square, k, i));
	}
	if (square)
		gsl_matrix_free(square);
	if (short_y)
		gsl_vector_free(short_y);
	return err;
}

/* Least squares over the columns that are free; false when they can't be told apart. */
static bool solve_free(const struct scaled *s, const bool *is_free, double *solution)
{
	size_t n = s->x->size1, p = s->x->size2, used = 0, column[NNLS_COLUMNS_MAX];
	gsl_matrix *a;
	gsl_vector *tau, *z, *residual;
	bool good = true;

	for (size_t k = 0; k < p; k++) {
		solution[k] = 0;
		if (is_free[k])
			column[used++] = k;
	}
	if (!used)
		return true;
	if (used > n)
		return false;
	a = gsl_matrix_alloc(n, used);
	tau = gsl_vector_alloc(used);
	z = gsl_vector_alloc(used);
	residual = gsl_vector_alloc(n);
	good = a && tau && z && residual;
	if (good) {
		for (size_t j = 0; j < used; j++)
			for (size_t i = 0; i < n; i++)
				gsl_matrix_set(a, i, j, gsl_matrix_get(s->x, i, column[j]));
		gsl_linalg_QR_decomp(a, tau);
		for (size_t j = 0; j < used; j++)
			good &= fabs(gsl_matrix_get(a, j, j)) > TINY;
	}
	if (good) {
		gsl_linalg_QR_lssolve(a, tau, s->y, z, residual);
		for (size_t j = 0; j < used; j++)
			solution[column[j]] = gsl_vector_get(z, j);
	}
	if (a)
		gsl_matrix_free(a);
	if (tau)
		gsl_vector_free(tau);
	if (z)
		gsl_vector_free(z);
	if (residual)
		gsl_vector_free(residual);
	return good;
}

/* The held column that would lower the sum of squares fastest, or -1. */
static long steepest(const struct scaled *s, const bool *is_free, const bool *barred,
		     const double *at)
{
	size_t n = s->x->size1, p = s->x->size2;
	double best = TINY;
	long found = -1;

	for (size_t k = 0; k < p; k++) {
		double slope = 0;

		if (is_free[k] || barred[k])
			continue;
		for (size_t i = 0; i < n; i++) {
			double residual = gsl_vector_get(s->y, i);

			for (size_t j = 0; j < p; j++)
				residual -= gsl_matrix_get(s->x, i, j) * at[j];
			slope += gsl_matrix_get(s->x, i, k) * residual;
		}
		if (slope > best) {
			best = slope;
			found = (long)k;
		}
	}
	return found;
}

/* Goes from `at` towards `to` until a coefficient reaches 0, and holds it there. */
static void step_to_bound(size_t p, bool *is_free, double *at, const double *to)
{
	double part = 1;

	for (size_t k = 0; k < p; k++)
		if (is_free[k] && to[k] <= 0)
			part = fmin(part, at[k] > 0 ? at[k] / (at[k] - to[k]) : 0);
	for (size_t k = 0; k < p; k++) {
		at[k] += part * (to[k] - at[k]);
		if (is_free[k] && at[k] <= TINY && to[k] <= 0) {
			at[k] = 0;
			is_free[k] = false;
		}
	}
}

static bool all_positive(size_t p, const bool *is_free, const double *at)
{
	for (size_t k = 0; k < p; k++)
		if (is_free[k] && at[k] <= 0)
			return false;
	return true;
}

static void active_set(const struct scaled *s, double *at)
{
	bool is_free[NNLS_COLUMNS_MAX] = { false }, barred[NNLS_COLUMNS_MAX] = { false };
	size_t p = s->x->size2;
	double to[NNLS_COLUMNS_MAX];
	long entering;

	for (size_t k = 0; k < p; k++)
		at[k] = 0;
	for (size_t round = 0; round < 10 * p; round++) {
		entering = steepest(s, is_free, barred, at);
		if (entering < 0)
			return;
		is_free[entering] = true;
		if (!solve_free(s, is_free, to)) {
			is_free[entering] = false;
			barred[entering] = true;
			continue;
		}
		/* one that is pushed straight back would be taken again for ever */
		barred[entering] = to[entering] <= 0;
		while (!all_positive(p, is_free, to)) {
			step_to_bound(p, is_free, at, to);
			if (!solve_free(s, is_free, to))
				return;
		}
		for (size_t k = 0; k < p; k++)
			at[k] = to[k];
	}
}

int nnls(const struct regression *r, const double *weight, double *coefficient)
{
	struct scaled s = { 0 };
	int err;

	if (!r->rows || !r->columns || r->columns > NNLS_COLUMNS_MAX)
		return -EINVAL;
	err = scale_rows(r, weight, &s);
	if (!err && r->rows > 2 * r->columns)
		err = compress(&s);
	if (!err) {
		active_set(&s, coefficient);
		for (size_t k = 0; k < r->columns; k++)
			coefficient[k] = s.length[k] > 0 ? coefficient[k] / s.length[k] : 0;
	}
	scaled_free(&s);
	return err;
}

static double residual(const struct regression *r, const double *coefficient, size_t row)
{
	return r->y[row] - regression_predict(r, coefficient, row);
}

/* The median of n values, which are put in order. */
static double median(double *values, size_t n)
{
	gsl_sort(values, 1, n);
	return gsl_stats_median_from_sorted_data(values, 1, n);
}

double group_residual(const struct regression *r, const struct row_groups *groups, size_t group,
		      const double *coefficient, double *work)
{
	size_t first = groups->start[group], n = groups->start[group + 1] - first;

	for (size_t i = 0; i < n; i++)
		work[i] = residual(r, coefficient, first + i);
	return median(work, n);
}

/* Arrays of one robust fit: the medians of the groups' residuals, and two to work in. */
struct robust {
	double *middle, *work, *sorted;
};

/*
 * 1.4826 × the median distance from 0, as a standard deviation would be on normal errors, and larger by
 * what fitting the coefficients took away.
 */
static double robust_scale(const struct regression *r, const struct row_groups *groups,
			   const double *coefficient, const struct robust *a)
{
	double n = (double)groups->count, left = n - (double)r->columns;

	for (size_t g = 0; g < groups->count; g++) {
		a->middle[g] = group_residual(r, groups, g, coefficient, a->sorted);
		a->work[g] = fabs(a->middle[g]) / groups->sigma[g];
	}
	return 1.4826 * median(a->work, groups->count) * sqrt(n / (left > 1 ? left : 1));
}

static double huber(double away)
{
	return away <= HUBER ? 1 : HUBER / away;
}

static void set_weights(const struct regression *r, const struct row_groups *groups,
			const double *coefficient, double scale, const struct robust *a,
			double *weight, double *group_weight)
{
	for (size_t g = 0; g < groups->count; g++) {
		size_t first = groups->start[g], n = groups->start[g + 1] - first;
		double scatter;

		group_weight[g] = huber(fabs(a->middle[g]) / (groups->sigma[g] * scale));
		for (size_t i = 0; i < n; i++)
			a->work[i] = a->sorted[i] =
				fabs(residual(r, coefficient, first + i) - a->middle[g]);
		scatter = 1.4826 * median(a->sorted, n);
		for (size_t i = 0; i < n; i++)
			weight[first + i] =
				group_weight[g] * (scatter > 0 ? huber(a->work[i] / scatter) : 1);
	}
}

int nnls_robust(const struct regression *r, const struct row_groups *groups, double *coefficient,
		double *weight, double *group_weight, double *scale)
{
	double *arrays = malloc(3 * (r->rows + 1) * sizeof(*arrays)), before = -1;
	struct robust a = { arrays, arrays + r->rows, arrays + 2 * r->rows };
	int err = arrays ? 0 : -ENOMEM;

	for (size_t i = 0; i < r->rows; i++)
		weight[i] = 1;
	for (size_t g = 0; g < groups->count; g++)
		group_weight[g] = 1;
	*scale = NAN;
	for (int step = 0; step < ROBUST_STEPS && !err; step++) {
		err = nnls(r, weight, coefficient);
		if (err)
			break;
		*scale = robust_scale(r, groups, coefficient, &a);
		/* an exact fit has nothing to be robust against */
		if (*scale <= TINY || fabs(*scale - before) < 1e-6 * *scale)
			break;
		before = *scale;
		set_weights(r, groups, coefficient, *scale, &a, weight, group_weight);
	}
	free(arrays);
	return err;
}

/* The singular value decomposition of scaled rows: `u` (rows or more × columns), `v`, `singular`. */
struct decomposition {
	gsl_matrix *u, *v;
	gsl_vector *singular, *work;
};

static int decompose(const struct regression *r, const double *weight, struct decomposition *d)
{
	size_t p = r->columns, n = r->rows;
	struct scaled s = { 0 };
	int err = scale_rows(r, weight, &s);

	/* fewer rows than columns: rows of zeros change nothing and keep GSL content */
	d->u = gsl_matrix_calloc(n > p ? n : p, p);
	d->v = gsl_matrix_alloc(p, p);
	d->singular = gsl_vector_alloc(p);
	d->work = gsl_vector_alloc(p);
	if (!d->u || !d->v || !d->singular || !d->work)
		err = -ENOMEM;
	if (!err) {
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < p; k++)
				gsl_matrix_set(d->u, i, k, gsl_matrix_get(s.x, i, k));
		gsl_linalg_SV_decomp(d->u, d->v, d->singular, d->work);
	}
	scaled_free(&s);
	return err;
}

static void decomposition_free(struct decomposition *d)
{
	if (d->u)
		gsl_matrix_free(d->u);
	if (d->v)
		gsl_matrix_free(d->v);
	if (d->singular)
		gsl_vector_free(d->singular);
	if (d->work)
		gsl_vector_free(d->work);
}

int regression_condition(const struct regression *r, double *condition, double *inflation,
			 double *weakest)
{
	size_t p = r->columns;
	struct decomposition d = { 0 };
	int err = decompose(r, NULL, &d);

	if (!err) {
		double last = gsl_vector_get(d.singular, p - 1);

		*condition = last > TINY ? gsl_vector_get(d.singular, 0) / last : INFINITY;
		for (size_t k = 0; k < p; k++) {
			weakest[k] = gsl_matrix_get(d.v, k, p - 1);
			inflation[k] = 0;
			for (size_t j = 0; j < p; j++) {
				double part = gsl_matrix_get(d.v, k, j),
				       size = gsl_vector_get(d.singular, j);

				if (fabs(part) > TINY)
					inflation[k] += size > TINY ? part * part / (size * size) :
								      INFINITY;
			}
		}
	}
	decomposition_free(&d);
	return err;
}

int regression_leverage(const struct regression *r, const double *weight, double *leverage)
{
	struct decomposition d = { 0 };
	int err = decompose(r, weight, &d);

	for (size_t i = 0; i < r->rows && !err; i++) {
		leverage[i] = 0;
		for (size_t k = 0; k < r->columns; k++)
			if (gsl_vector_get(d.singular, k) > TINY)
				leverage[i] += pow(gsl_matrix_get(d.u, i, k), 2);
	}
	decomposition_free(&d);
	return err;
}
