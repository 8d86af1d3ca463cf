// SPDX-License-Identifier: MIT
#include "analysis/steadiness.h"

#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MODE_LEAST 3 /* samples of a mode */
#define MODE_SHARE 0.2

static void find_outliers(const double *x, size_t n, double median, double *work,
			  struct steadiness *out)
{
	double mad;

	for (size_t i = 0; i < n; i++)
		work[i] = fabs(x[i] - median);
	gsl_sort(work, 1, n);
	mad = gsl_stats_median_from_sorted_data(work, 1, n);
	if (n < 3 || !(mad > 0))
		return;
	for (size_t i = 0; i < n; i++) {
		double z = 0.6745 * (x[i] - median) / mad;

		out->outliers += fabs(z) > OUTLIER_Z;
		if (!(fabs(z) <= fabs(out->largest_z))) { /* the first, too: NaN */
			out->largest_z = z;
			out->largest_at = i;
		}
	}
}

double steadiness_rank_trend(const double *values, size_t n, double *p)
{
	double *work = malloc((3 * n + 1) * sizeof(*work)), rho, t;

	*p = NAN;
	if (!work || n < 3) {
		free(work);
		return NAN;
	}
	for (size_t i = 0; i < n; i++)
		work[i] = (double)i;
	rho = gsl_stats_spearman(work, 1, values, 1, n, work + n);
	free(work);
	if (isnan(rho)) /* all alike */
		return NAN;
	t = fabs(rho) * sqrt((double)(n - 2) / fmax(1e-300, 1 - rho * rho));
	*p = 2 * gsl_cdf_tdist_Q(t, (double)(n - 2));
	return rho;
}

/* The median of the slopes between all pairs. */
static double median_slope(const double *x, size_t n)
{
	double *slopes = malloc((n * (n - 1) / 2 + 1) * sizeof(*slopes)), slope = NAN;
	size_t count = 0;

	if (!slopes)
		return NAN;
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			slopes[count++] = (x[k] - x[i]) / (double)(k - i);
	if (count) {
		gsl_sort(slopes, 1, count);
		slope = gsl_stats_median_from_sorted_data(slopes, 1, count);
	}
	free(slopes);
	return slope;
}

static void find_drift(const double *x, size_t n, double median, struct steadiness *out)
{
	out->rho = steadiness_rank_trend(x, n, &out->drift_p);
	/* n² slopes: more rounds than this have no need of all of them */
	if (n >= DRIFT_LEAST && n <= 2000 && median > 0)
		out->drift_share = median_slope(x, n) * (double)(n - 1) / median;
	out->drifts = n >= DRIFT_LEAST && out->drift_p < DRIFT_P;
}

/*
 * One mode cut in two looks separated, too, and the more so the fewer the samples: of normal ones fewer than 1 in
 * 100 reach this (tests/unit/steadiness_test.c tries).
 */
static double separation_limit(size_t n)
{
	return 4.0 + 40.0 / (double)n;
}

static void try_cut(const double *sorted, size_t n, size_t cut, double *best,
		    struct steadiness *out)
{
	double low = gsl_stats_mean(sorted, 1, cut),
	       high = gsl_stats_mean(sorted + cut, 1, n - cut);
	double inside = gsl_stats_tss_m(sorted, 1, cut, low) +
			gsl_stats_tss_m(sorted + cut, 1, n - cut, high);
	double sd = sqrt((gsl_stats_variance_m(sorted, 1, cut, low) +
			  gsl_stats_variance_m(sorted + cut, 1, n - cut, high)) /
			 2);

	if (!(inside < *best))
		return;
	*best = inside;
	out->low_mode = low;
	out->high_mode = high;
	out->high_share = (double)(n - cut) / (double)n;
	out->separation = sd > 0 ? (high - low) / sd : INFINITY;
}

static void find_modes(const double *sorted, size_t n, struct steadiness *out)
{
	size_t least = (size_t)ceil(MODE_SHARE * (double)n);
	double best = INFINITY;

	if (n < MODES_LEAST || !(sorted[n - 1] > sorted[0]))
		return;
	if (least < MODE_LEAST)
		least = MODE_LEAST;
	for (size_t cut = least; cut + least <= n; cut++)
		try_cut(sorted, n, cut, &best, out);
	out->two_modes = out->separation > separation_limit(n);
}

int steadiness_of(const double *values, size_t n, struct steadiness *out)
{
	double *sorted = malloc((2 * n + 1) * sizeof(*sorted)), median;

	*out = (struct steadiness) { .n = n,
				     .largest_z = NAN,
				     .rho = NAN,
				     .drift_p = NAN,
				     .drift_share = NAN,
				     .low_mode = NAN,
				     .high_mode = NAN,
				     .separation = NAN,
				     .high_share = NAN };
	if (!sorted)
		return -ENOMEM;
	if (n) {
		memcpy(sorted, values, n * sizeof(*sorted));
		gsl_sort(sorted, 1, n);
		median = gsl_stats_median_from_sorted_data(sorted, 1, n);
		find_outliers(values, n, median, sorted + n, out);
		find_drift(values, n, median, out);
		find_modes(sorted, n, out);
	}
	free(sorted);
	return 0;
}

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

/* A part that so few samples can't give says so. */
static json_t *part(bool known, size_t least)
{
	json_t *out = json_object();

	if (!known)
		json_object_set_new(out, "reason",
				    json_sprintf("fewer than %zu different samples", least));
	return out;
}

json_t *steadiness_json(const struct steadiness *s)
{
	json_t *out = json_object(), *outliers = part(isfinite(s->largest_z), 3),
	       *drift = part(s->n >= DRIFT_LEAST && isfinite(s->rho), DRIFT_LEAST),
	       *modes = part(isfinite(s->low_mode), MODES_LEAST);

	json_object_set_new(outliers, "count",
			    isfinite(s->largest_z) ? json_integer((json_int_t)s->outliers)
						   : json_null());
	json_object_set_new(outliers, "largest_z", number(s->largest_z));
	json_object_set_new(outliers, "limit", json_real(OUTLIER_Z));
	json_object_set_new(drift, "found",
			    s->n >= DRIFT_LEAST && isfinite(s->rho) ? json_boolean(s->drifts)
								    : json_null());
	json_object_set_new(drift, "rho", number(s->rho));
	json_object_set_new(drift, "p", number(s->drift_p));
	json_object_set_new(drift, "share", number(s->drift_share));
	json_object_set_new(modes, "found",
			    isfinite(s->low_mode) ? json_boolean(s->two_modes) : json_null());
	json_object_set_new(modes, "low", number(s->low_mode));
	json_object_set_new(modes, "high", number(s->high_mode));
	json_object_set_new(modes, "high_share", number(s->high_share));
	json_object_set_new(modes, "separation", number(s->separation));
	json_object_set_new(out, "of", json_string("sender_cpu_s"));
	json_object_set_new(out, "n", json_integer((json_int_t)s->n));
	json_object_set_new(out, "outliers", outliers);
	json_object_set_new(out, "drift", drift);
	json_object_set_new(out, "modes", modes);
	return out;
}
