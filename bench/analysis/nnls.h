/* SPDX-License-Identifier: MIT */
/*
 * Least squares with coefficients that can't be negative (a price below zero has no meaning), made
 * robust: a case that the model does not fit pulls less the further it is away.
 */
#ifndef COPYTAX_ANALYSIS_NNLS_H
#define COPYTAX_ANALYSIS_NNLS_H

#include <stddef.h>

#define NNLS_COLUMNS_MAX 16

/* `x` is row by row, rows × columns; every residual is divided by its row's sigma (> 0). */
struct regression {
	size_t rows, columns;
	const double *x, *y, *sigma;
};

/*
 * Minimises the sum of weight × (residual ÷ sigma)² over coefficients >= 0 (Lawson and Hanson's active
 * set). `weight` may be NULL for all 1. Returns 0, -EINVAL for no rows or too many columns, or -ENOMEM.
 */
int nnls(const struct regression *r, const double *weight, double *coefficient);

/* Rows that belong together, as the samples of a case do: those of group g are start[g] … start[g + 1] - 1, at least one. */
struct row_groups {
	size_t count;
	const size_t *start; /* count + 1 */
	const double *sigma; /* of a group's median, > 0 */
};

/*
 * The same with Huber's weights, iterated, on two levels: a group's is 1 while the median of its residuals is within 1.345 robust standard deviations of
 * nothing, a row's while its own is within 1.345 of that median, by the scatter of its group; beyond, they fall with the distance. Both are multiplied. So
 * neither a wild group nor a wild row pulls far. `weight` (rows) gets the products, `group_weight` (groups) those of the groups; `scale` the robust standard
 * deviation of the groups' medians ÷ their sigmas, which is 1 when those are right. Returns as nnls().
 */
int nnls_robust(const struct regression *r, const struct row_groups *groups, double *coefficient,
		double *weight, double *group_weight, double *scale);

/* The median of a group's residuals; `work` holds as many as its rows. */
double group_residual(const struct regression *r, const struct row_groups *groups, size_t group,
		      const double *coefficient, double *work);

/* Row i's predicted value. */
double regression_predict(const struct regression *r, const double *coefficient, size_t row);

/*
 * Can the columns be told apart? The condition number of the rows ÷ sigma with columns scaled to length 1
 * (Belsley, Kuh and Welsch: above 30 they can't), the variance inflation of each, and the combination
 * of columns that is closest to nothing (`weakest`, columns long). Returns 0 or -ENOMEM.
 */
int regression_condition(const struct regression *r, double *condition, double *inflation,
			 double *weakest);

/* How far each row's prediction follows its own value, 0 … 1 (diagonal of the hat matrix). 0 or -ENOMEM. */
int regression_leverage(const struct regression *r, const double *weight, double *leverage);

#endif
