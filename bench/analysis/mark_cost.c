// SPDX-License-Identifier: MIT
#include "analysis/mark_cost.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"

#define SAMPLES_MIN 3 /* of either kind, for a ratio of their medians */
#define NAMED_MAX 5

static bool has(const struct samples *s, size_t i, enum sample_mark mark)
{
	return s->value[SAMPLE_WARMUP][i] == 0 && sample_mark(s, i) == mark;
}

size_t mark_count(const struct case_result *c, enum sample_mark mark)
{
	size_t n = 0;

	for (size_t i = 0; i < c->samples.count; i++)
		n += has(&c->samples, i, mark);
	return n;
}

size_t mark_settle(struct result *r, enum sample_mark mark)
{
	size_t cases = 0;

	for (size_t i = 0; i < r->case_count; i++) {
		struct samples *s = &r->cases[i].samples;
		bool counts = false;

		for (size_t k = 0; k < s->count; k++)
			counts |= sample_counts(s, k);
		if (counts || r->cases[i].status != CASE_OK || !mark_count(&r->cases[i], mark))
			continue;
		for (size_t k = 0; k < s->count; k++)
			if (sample_mark(s, k) == mark)
				s->value[SAMPLE_APART][k] = MARK_SETTLED;
		cases++;
	}
	return cases;
}

/* Of the marked samples, or of those that count. NaN when they are too few. `work` has room for all. */
static double median(const struct samples *s, bool marked, enum sample_mark mark, double *work)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++)
		if ((marked ? has(s, i, mark) : sample_counts(s, i)) &&
		    isfinite(s->value[SAMPLE_SENDER_CPU_S][i]))
			work[n++] = s->value[SAMPLE_SENDER_CPU_S][i];
	gsl_sort(work, 1, n);
	return n < SAMPLES_MIN ? NAN : gsl_stats_median_from_sorted_data(work, 1, n);
}

double mark_cost(const struct case_result *c, enum sample_mark mark)
{
	double *work = malloc((c->samples.count + 1) * sizeof(*work)), counts, marked;

	if (!work)
		return NAN;
	counts = median(&c->samples, false, mark, work);
	marked = median(&c->samples, true, mark, work);
	free(work);
	return counts > 0 ? marked / counts : NAN;
}

json_t *mark_case_json(const struct case_result *c, enum sample_mark mark, const char *word)
{
	json_int_t n = (json_int_t)mark_count(c, mark);
	double cost = mark_cost(c, mark);
	char reason[96];

	if (isfinite(cost))
		return json_pack("{s:I, s:f}", "n", n, "sender_cpu_ratio", cost);
	if (n)
		snprintf(reason, sizeof(reason), "fewer than three samples %s, or of the others",
			 word);
	else
		snprintf(reason, sizeof(reason), "no sample %s", word);
	return json_pack("{s:I, s:n, s:s}", "n", n, "sender_cpu_ratio", "reason", reason);
}

void mark_name_costs(const struct result *r, enum sample_mark mark, char *text, size_t size)
{
	size_t named = 0;

	for (size_t i = 0; i < r->case_count && named < NAMED_MAX; i++) {
		const struct case_result *c = &r->cases[i];
		double cost = mark_cost(c, mark);
		size_t used = strlen(text);
		char chunk[SIZE_TEXT_MAX];

		if (!isfinite(cost))
			continue;
		snprintf(text + used, size - used, "%s%.24s (%s, %.8s) %.2f",
			 named++ ? ", " : "; there it took ", c->method,
			 c->chunk ? size_format(c->chunk, chunk) : "whole", c->cache, cost);
	}
	if (named)
		snprintf(text + strlen(text), size - strlen(text), " times the sender CPU");
}
