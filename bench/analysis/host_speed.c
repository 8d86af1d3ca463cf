// SPDX-License-Identifier: MIT
#include "analysis/host_speed.h"

#include <errno.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

static size_t collect(const struct result *result, bool all, double *out)
{
	size_t n = 0;

	for (size_t i = 0; i < result->case_count; i++) {
		const struct samples *s = &result->cases[i].samples;

		for (size_t k = 0; k < s->count; k++) {
			double value = s->value[SAMPLE_YARDSTICK_S][k];

			if (s->value[SAMPLE_WARMUP][k] > 0 || !isfinite(value) || value <= 0 ||
			    !(all || sample_counts(s, k)))
				continue;
			if (out)
				out[n] = value;
			n++;
		}
	}
	return n;
}

int host_speed(const struct result *result, struct host_speed *out)
{
	double *all;
	size_t counting;

	*out = (struct host_speed) { collect(result, true, NULL), NAN, NAN, NAN, NAN };
	if (!out->n)
		return 0;
	all = malloc(out->n * sizeof(*all));
	if (!all)
		return -ENOMEM;
	counting = collect(result, false, all);
	gsl_sort(all, 1, counting);
	if (counting)
		out->counting_s = gsl_stats_median_from_sorted_data(all, 1, counting);
	collect(result, true, all);
	gsl_sort(all, 1, out->n);
	out->median_s = gsl_stats_median_from_sorted_data(all, 1, out->n);
	out->low_s = gsl_stats_quantile_from_sorted_data(all, 1, out->n, 0.1);
	out->high_s = gsl_stats_quantile_from_sorted_data(all, 1, out->n, 0.9);
	free(all);
	return 0;
}

json_t *host_speed_json(const struct host_speed *speed)
{
	if (!speed->n)
		return json_pack("{s:n, s:s}", "median_s", "reason",
				 "no sample of this result has a yardstick");
	return json_pack("{s:f, s:f, s:f, s:I}", "median_s", speed->median_s, "low_s", speed->low_s,
			 "high_s", speed->high_s, "n", (json_int_t)speed->n);
}
