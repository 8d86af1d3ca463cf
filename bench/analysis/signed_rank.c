// SPDX-License-Identifier: MIT
#include "analysis/signed_rank.h"

#include <errno.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

struct work {
	double *values, *sizes, *averages, *below;
	size_t n, pairs;
};

/* P(W <= w), w = 0 … n (n + 1) ÷ 2: each rank is in the sum or not, with the same chance. */
static void distribution(struct work *w)
{
	double sum = 0;

	for (size_t i = 0; i <= w->pairs; i++)
		w->below[i] = i == 0;
	/* halved at each step: 2^n would not hold 1,000 of them */
	for (size_t rank = 1; rank <= w->n; rank++)
		for (size_t i = w->pairs + 1; i-- > 0;)
			w->below[i] = (w->below[i] + (i >= rank ? w->below[i - rank] : 0)) / 2;
	for (size_t i = 0; i <= w->pairs; i++) {
		sum += w->below[i];
		w->below[i] = fmin(sum, 1);
	}
}

/* Of the absolute value among all of them; equal ones have the middle of theirs. */
static double rank_of(const struct work *w, double size)
{
	size_t below = 0, equal = 0;

	for (size_t i = 0; i < w->n; i++) {
		below += w->sizes[i] < size;
		equal += w->sizes[i] == size;
	}
	return (double)below + ((double)equal + 1) / 2;
}

/* The smaller of the two sums of ranks. */
static double rank_sum(const struct work *w)
{
	double above = 0, all = (double)w->pairs;

	for (size_t i = 0; i < w->n; i++)
		if (w->values[i] >= 0)
			above += rank_of(w, w->sizes[i]) * (w->values[i] > 0 ? 1 : 0.5);
	return fmin(above, all - above);
}

static void average_all(struct work *w)
{
	size_t at = 0;

	for (size_t i = 0; i < w->n; i++)
		for (size_t k = i; k < w->n; k++)
			w->averages[at++] = (w->values[i] + w->values[k]) / 2;
	gsl_sort(w->averages, 1, w->pairs);
}

static void conclude(const struct work *w, double confidence, struct signed_rank *out)
{
	long cut = -1;

	out->shift = gsl_stats_median_from_sorted_data(w->averages, 1, w->pairs);
	/* rounded up: never smaller than it is */
	out->p = fmin(1, 2 * w->below[(size_t)ceil(rank_sum(w))]);
	out->p_least = fmin(1, 2 * w->below[0]);
	while ((size_t)(cut + 1) * 2 < w->pairs && 1 - 2 * w->below[cut + 1] >= confidence)
		cut++;
	out->low = cut < 0 ? -INFINITY : w->averages[cut];
	out->high = cut < 0 ? INFINITY : w->averages[w->pairs - 1 - (size_t)cut];
}

int signed_rank(const double *differences, size_t count, double confidence, struct signed_rank *out)
{
	struct work w = { 0 };
	int err = 0;

	*out = (struct signed_rank) { 0, NAN, NAN, NAN, NAN, NAN };
	w.values = malloc((count + 1) * sizeof(double));
	w.sizes = malloc((count + 1) * sizeof(double));
	if (!w.values || !w.sizes) {
		err = -ENOMEM;
		goto out;
	}
	for (size_t i = 0; i < count && w.n < SIGNED_RANK_MAX; i++)
		if (isfinite(differences[i])) {
			w.sizes[w.n] = fabs(differences[i]);
			w.values[w.n++] = differences[i];
		}
	w.pairs = w.n * (w.n + 1) / 2;
	out->n = w.n;
	if (!w.n)
		goto out;
	w.averages = malloc(w.pairs * sizeof(double));
	w.below = malloc((w.pairs + 1) * sizeof(double));
	if (!w.averages || !w.below) {
		err = -ENOMEM;
		goto out;
	}
	distribution(&w);
	average_all(&w);
	conclude(&w, confidence, out);
out:
	free(w.values);
	free(w.sizes);
	free(w.averages);
	free(w.below);
	return err;
}
