// SPDX-License-Identifier: MIT
#include "analysis/fit_rows.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

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

int fit_rows_alloc(struct fit_rows *w, const struct fit_case *cases, size_t count)
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

void fit_rows_free(struct fit_rows *w)
{
	free(w->x);
	free(w->y);
	free(w->leverage);
	free(w->sample_x);
	free(w->sample_y);
	free(w->sample_sigma);
	free(w->start);
}

struct regression fit_rows_of_cases(const struct fit_case *cases, size_t count, const struct fit *fit,
				struct fit_rows *w)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < fit->term_count; k++)
			w->x[i * fit->term_count + k] = fit_quantity(&fit->terms[k], &cases[i]);
		w->y[i] = cases[i].cpu_s;
	}
	return (struct regression){ count, fit->term_count, w->x, w->y, fit->sigma };
}

struct regression fit_rows_of_samples(const struct fit_case *cases, size_t count,
					const struct fit *fit, struct fit_rows *w)
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
