// SPDX-License-Identifier: MIT
#include "analysis/ranks.h"

#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_MAX 50
#define PHI_MAX 0.85
#define R1_CLEAR 0.25
#define PAIRS_MAX (1ul << 26) /* half a GiB of them */
#define INFLATION_MAX 12
#define LAGGED_MIN 6	/* samples of a series that has anything to say */
#define LAGGED_MAX 4096 /* more rounds than this say it no better, and take long */

/*
 * P(U <= u) for all u when both sets come from one distribution: out[u], u = 0 … n m. The number of
 * arrangements with a given U, one sample of `a` at a time: the coefficients of the Gaussian binomial.
 */
static int exact_distribution(size_t n, size_t m, double **out)
{
	size_t top = n * m;
	double *f = calloc(top + 1, sizeof(*f)), sum = 0;

	*out = f;
	if (!f)
		return -ENOMEM;
	f[0] = 1;
	for (size_t i = 1; i <= n; i++) {
		/* × (1 - q^(m + i)) ÷ (1 - q^i) */
		for (size_t u = top + 1; u-- > m + i;)
			f[u] -= f[u - (m + i)];
		for (size_t u = i; u <= top; u++)
			f[u] += f[u - i];
	}
	for (size_t u = 0; u <= top; u++)
		sum += f[u];
	for (size_t u = 0; u <= top; u++)
		f[u] = f[u] / sum + (u ? f[u - 1] : 0);
	return 0;
}

static size_t clean(const double *from, size_t count, double *to)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (isfinite(from[i]) && from[i] > 0)
			to[n++] = from[i];
	return n;
}

/* Σ (t³ - t) over groups of equal values among both sets. */
static double ties(const double *a, size_t n, const double *b, size_t m, double *work)
{
	double sum = 0;
	size_t run = 1;

	memcpy(work, a, n * sizeof(*a));
	memcpy(work + n, b, m * sizeof(*b));
	gsl_sort(work, 1, n + m);
	for (size_t i = 1; i <= n + m; i++) {
		if (i < n + m && work[i] == work[i - 1]) {
			run++;
			continue;
		}
		sum += (double)run * (double)run * (double)run - (double)run;
		run = 1;
	}
	return sum;
}

/* The largest number of pairs to cut off each end so that at least `confidence` is left; -1: none will do. */
static long cut_exact(const double *below, size_t pairs, double confidence)
{
	long k = -1;

	/* from the (k + 1)th pair to the (k + 1)th from the end it covers with 1 - 2 P(U <= k) */
	while ((size_t)(k + 1) * 2 < pairs && 1 - 2 * below[k + 1] >= confidence)
		k++;
	return k;
}

struct pairs {
	double *ratios; /* b ÷ a, sorted */
	size_t count;
	double u; /* pairs where b > a, halves for equal ones */
};

static void compare_pairs(const double *a, size_t n, const double *b, size_t m, struct pairs *p)
{
	p->count = 0;
	p->u = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < m; k++) {
			p->ratios[p->count++] = b[k] / a[i];
			p->u += b[k] > a[i] ? 1 : b[k] == a[i] ? 0.5 : 0;
		}
	gsl_sort(p->ratios, 1, p->count);
}

static int test_exactly(const struct pairs *p, double confidence, struct rank_test *out)
{
	double *below;
	double least = fmin(p->u, (double)p->count - p->u);
	int err = exact_distribution(out->n, out->m, &below);
	long k;

	if (err)
		return err;
	out->p = fmin(1, 2 * below[(size_t)least]);
	out->p_least = fmin(1, 2 * below[0]);
	k = cut_exact(below, p->count, confidence);
	/* too few samples for the confidence: no end to the interval */
	out->low = k < 0 ? 0 : p->ratios[k];
	out->high = k < 0 ? INFINITY : p->ratios[p->count - 1 - (size_t)k];
	free(below);
	return 0;
}

static void test_normally(const struct pairs *p, double tied, double inflation, double confidence,
			  struct rank_test *out)
{
	double n = (double)out->n, m = (double)out->m, all = n + m;
	double variance = n * m / 12 * (all + 1 - tied / (all * (all - 1))) * inflation;
	double sd = sqrt(variance), middle = n * m / 2;
	double z = fmax(0, fabs(p->u - middle) - 0.5) / sd;
	double cut = middle - 0.5 - gsl_cdf_ugaussian_Pinv((1 + confidence) / 2) * sd;

	if (!(sd > 0)) { /* all samples are one value */
		out->p = out->p_least = 1;
		out->low = out->high = out->ratio;
		return;
	}
	out->p = fmin(1, 2 * gsl_cdf_ugaussian_Q(z));
	out->p_least = fmin(1, 2 * gsl_cdf_ugaussian_Q((middle - 0.5) / sd));
	out->low = cut < 0 ? 0 : p->ratios[(size_t)cut];
	out->high = cut < 0 ? INFINITY : p->ratios[p->count - 1 - (size_t)cut];
}

int rank_test(const double *a, size_t n, const double *b, size_t m, double inflation,
	      double confidence, struct rank_test *out)
{
	double *x = malloc((n + 1) * sizeof(*x)), *y = malloc((m + 1) * sizeof(*y)),
	       *work = malloc((n + m + 1) * sizeof(*work));
	struct pairs p = { .ratios = NULL };
	double tied;
	int err = 0;

	*out = (struct rank_test) {
		.ratio = NAN, .low = NAN, .high = NAN, .p = NAN, .p_least = NAN
	};
	if (!x || !y || !work) {
		err = -ENOMEM;
		goto out;
	}
	out->n = clean(a, n, x);
	out->m = clean(b, m, y);
	if (!out->n || !out->m) {
		out->n = out->m = 0;
		goto out;
	}
	if (out->n <= PAIRS_MAX / out->m)
		p.ratios = malloc(out->n * out->m * sizeof(double));
	if (!p.ratios) {
		err = -ENOMEM;
		goto out;
	}
	compare_pairs(x, out->n, y, out->m, &p);
	out->ratio = gsl_stats_median_from_sorted_data(p.ratios, 1, p.count);
	tied = ties(x, out->n, y, out->m, work);
	if (tied == 0 && inflation <= 1 && out->n <= EXACT_MAX && out->m <= EXACT_MAX)
		err = test_exactly(&p, confidence, out);
	else
		test_normally(&p, tied, fmax(1, inflation), confidence, out);
out:
	free(x);
	free(y);
	free(work);
	free(p.ratios);
	return err;
}

int holm(const double *p, size_t count, double *adjusted)
{
	size_t *order = malloc((count + 1) * sizeof(*order)), known = 0;
	double floor = 0;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (isfinite(p[i]))
			order[known++] = i;
		else
			adjusted[i] = NAN;
	/* few, so by insertion */
	for (size_t i = 1; i < known; i++)
		for (size_t k = i; k && p[order[k]] < p[order[k - 1]]; k--) {
			size_t swap = order[k];

			order[k] = order[k - 1];
			order[k - 1] = swap;
		}
	for (size_t i = 0; i < known; i++) {
		floor = fmax(floor, fmin(1, (double)(known - i) * p[order[i]]));
		adjusted[order[i]] = floor;
	}
	free(order);
	return 0;
}

int holm_of_able(const double *p, const double *p_least, size_t count, double alpha,
		 double *adjusted, bool *able)
{
	double *family = malloc((count + 1) * sizeof(*family));
	size_t k = 1;
	int err;

	if (!family)
		return -ENOMEM;
	for (;; k++) {
		size_t n = 0;

		for (size_t i = 0; i < count; i++)
			n += p_least[i] <= alpha / (double)k;
		if (n <= k)
			break;
	}
	for (size_t i = 0; i < count; i++) {
		able[i] = p_least[i] <= alpha / (double)k;
		family[i] = able[i] ? p[i] : NAN;
	}
	err = holm(family, count, adjusted);
	free(family);
	return err;
}

/* Ranks from 0 to n - 1, less their mean, as share of n: series of any length and unit weigh alike. */
static void centred_ranks(const double *x, size_t n, double *rank)
{
	for (size_t i = 0; i < n; i++) {
		double below = 0;

		for (size_t k = 0; k < n; k++)
			below += x[k] < x[i] ? 1 : x[k] == x[i] && k != i ? 0.5 : 0;
		rank[i] = (below - (double)(n - 1) / 2) / (double)n;
	}
}

/* Sums over all series: of squares, of products of neighbours at a distance of 1 and 2, and of samples. */
struct lagged {
	double squares, products[2], samples, series;
};

static void add_series(const double *x, size_t n, struct lagged *sum)
{
	double *rank = malloc((n + 1) * sizeof(*rank));

	if (!rank)
		return;
	centred_ranks(x, n, rank);
	for (size_t i = 0; i < n; i++)
		sum->squares += rank[i] * rank[i];
	for (size_t lag = 1; lag <= 2; lag++)
		for (size_t i = 0; i + lag < n; i++)
			sum->products[lag - 1] += rank[i] * rank[i + lag];
	sum->samples += (double)n;
	sum->series++;
	free(rank);
}

/*
 * A part that decays by phi from round to round on top of one that is new in each: correlations are
 * r1 and r2 = phi r1, and the variance of a mean grows by 1 + 2 r1 / (1 - phi).
 */
static double inflation_of(double r1, double r2)
{
	/* of a small r1 the second is mostly chance: then all of it is taken to decay by r1 itself */
	double phi = r1 > R1_CLEAR ? fmin(PHI_MAX, fmax(r1, r2 / r1)) : fmax(r1, 0);

	return r1 > 0 ? 1 + 2 * r1 / (1 - phi) : 1;
}

double serial_inflation(const double *const *series, const size_t *lengths, size_t count)
{
	struct lagged sum = { 0 };
	double n, inflation = 1;

	for (size_t s = 0; s < count; s++)
		if (lengths[s] >= LAGGED_MIN)
			add_series(series[s], lengths[s] < LAGGED_MAX ? lengths[s] : LAGGED_MAX,
				   &sum);
	if (!(sum.squares > 0))
		return 1;
	n = sum.samples / sum.series;
	/* taking off each series' own mean takes off correlation too, the more the more there is of it */
	for (int step = 0; step < 5; step++) {
		double lost = fmin(inflation / n, 0.5), r[2];

		for (int lag = 1; lag <= 2; lag++)
			r[lag - 1] = (sum.products[lag - 1] / sum.squares * (1 - lost) + lost) /
				     (1 - (double)lag / n);
		inflation = inflation_of(r[0], r[1]);
	}
	return fmin(inflation, INFLATION_MAX);
}
