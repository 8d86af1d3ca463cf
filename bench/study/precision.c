// SPDX-License-Identifier: MIT
#include "study/precision.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/summary.h"
#include "base/size.h"

double precision_of(const struct case_result *kase)
{
	const struct samples *s = &kase->samples;
	double *values = malloc((s->count + 1) * sizeof(*values));
	struct interval i;
	size_t n = 0;

	if (!values)
		return INFINITY;
	for (size_t k = 0; k < s->count; k++)
		if (sample_counts(s, k))
			values[n++] = s->value[SAMPLE_SENDER_CPU_S][k];
	i = stats_median(values, n, SUMMARY_CONFIDENCE);
	free(values);
	if (!i.n || !(i.confidence >= SUMMARY_CONFIDENCE) || !(i.median > 0))
		return INFINITY;
	return fmax(i.high - i.median, i.median - i.low) / i.median;
}

int precision_parse(const char *text, double *share, struct failure *why)
{
	char *end;
	double value = strtod(text, &end);

	/* a digit first: strtod takes "inf" and "0x" as well */
	if (text[0] < '0' || text[0] > '9' || strcmp(end, "%") != 0 ||
	    !(value >= 0.01 && value < 100))
		return fail(why, EXIT_WRONG_USE, EINVAL,
			    "'%s' is no precision: use 2%%, or 0.01%% to 99%%", text);
	*share = value / 100;
	return 0;
}

void precision_conclude(struct result *result, double share, const char *limit)
{
	char list[400] = "", text[640], chunk[SIZE_TEXT_MAX];
	size_t wide = 0;

	for (size_t i = 0; i < result->case_count; i++) {
		const struct case_result *c = &result->cases[i];
		double reached = c->status == CASE_OK && c->samples.count ? precision_of(c) : 0;
		size_t len = strlen(list);

		if (!(reached > share))
			continue;
		wide++;
		if (len + 80 > sizeof(list))
			continue; /* counted, not named */
		if (isinf(reached))
			snprintf(list + len, sizeof(list) - len,
				 "%s%.24s %s %.8s (too few samples)", len ? ", " : "", c->method,
				 c->chunk ? size_format(c->chunk, chunk) : "whole", c->cache);
		else
			snprintf(list + len, sizeof(list) - len, "%s%.24s %s %.8s ±%.1f%%",
				 len ? ", " : "", c->method,
				 c->chunk ? size_format(c->chunk, chunk) : "whole", c->cache,
				 reached * 100);
	}
	if (!wide)
		return;
	snprintf(text, sizeof(text),
		 "after %s the sender CPU of %zu cases was not known to %.3g%%, and never was: %s",
		 limit, wide, share * 100, list);
	result_warn(result, "precision_not_reached", text,
		    "their intervals are wider than asked for; a quieter machine would help more "
		    "than more rounds");
}
