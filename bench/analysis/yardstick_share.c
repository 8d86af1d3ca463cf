// SPDX-License-Identifier: MIT
#include "analysis/yardstick_share.h"

#include <gsl/gsl_multifit.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CASE_SAMPLES_MIN 3 /* with fewer, a median is one of them and its distance from itself no news */
#define ALIKE 1e-9 /* logarithms closer than that are one speed */

struct pairs {
	size_t n;
	double *yardstick, *cpu; /* logarithms, less their case's median */
	double *work;
};

static bool usable(const struct samples *s, size_t k)
{
	return sample_counts(s, k) && s->value[SAMPLE_YARDSTICK_S][k] > 0 &&
	       isfinite(s->value[SAMPLE_YARDSTICK_S][k]) && s->value[SAMPLE_SENDER_CPU_S][k] > 0 &&
	       isfinite(s->value[SAMPLE_SENDER_CPU_S][k]);
}

static void centre(double *values, size_t n, double *work)
{
	double median;

	memcpy(work, values, n * sizeof(*work));
	gsl_sort(work, 1, n);
	median = gsl_stats_median_from_sorted_data(work, 1, n);
	for (size_t i = 0; i < n; i++)
		values[i] -= median;
}

static void add_case(const struct samples *s, struct pairs *p)
{
	size_t n = 0;

	for (size_t k = 0; k < s->count; k++) {
		if (!usable(s, k))
			continue;
		p->yardstick[p->n + n] = log(s->value[SAMPLE_YARDSTICK_S][k]);
		p->cpu[p->n + n] = log(s->value[SAMPLE_SENDER_CPU_S][k]);
		n++;
	}
	if (n < CASE_SAMPLES_MIN)
		return;
	centre(&p->yardstick[p->n], n, p->work);
	centre(&p->cpu[p->n], n, p->work);
	p->n += n;
}

static bool changes(const struct pairs *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (fabs(p->yardstick[i]) > ALIKE)
			return true;
	return false;
}

/* NaN: out of memory. */
static double slope(const struct pairs *p)
{
	gsl_multifit_robust_workspace *work;
	double b = NAN, variance;

	if (p->n < YARDSTICK_SHARE_LEAST || !changes(p))
		return 0;
	work = gsl_multifit_robust_alloc(gsl_multifit_robust_bisquare, p->n, 1);
	if (work) {
		gsl_matrix_const_view x = gsl_matrix_const_view_array(p->yardstick, p->n, 1);
		gsl_vector_const_view y = gsl_vector_const_view_array(p->cpu, p->n);
		gsl_vector_view of_b = gsl_vector_view_array(&b, 1);
		gsl_matrix_view of_variance = gsl_matrix_view_array(&variance, 1, 1);

		/* one that has not settled within its iterations has come close */
		(void)gsl_multifit_robust(&x.matrix, &y.vector, &of_b.vector, &of_variance.matrix, work);
		gsl_multifit_robust_free(work);
		b = isfinite(b) ? fmin(fmax(b, 0), 1) : 0;
	}
	return b;
}

double yardstick_share(const struct result *r, const char *method)
{
	struct pairs p = { 0 };
	size_t room = 1;
	double b = NAN;

	for (size_t i = 0; i < r->case_count; i++)
		room += r->cases[i].samples.count;
	p.yardstick = calloc(room, sizeof(double));
	p.cpu = calloc(room, sizeof(double));
	p.work = calloc(room, sizeof(double));
	if (p.yardstick && p.cpu && p.work) {
		for (size_t i = 0; i < r->case_count; i++)
			if (!strcmp(r->cases[i].method, method) && r->cases[i].status == CASE_OK)
				add_case(&r->cases[i].samples, &p);
		b = slope(&p);
	}
	free(p.yardstick);
	free(p.cpu);
	free(p.work);
	return b;
}
