/* SPDX-License-Identifier: MIT */
/* How steady the machine itself was during a run, by the yardstick of its samples (measure/yardstick.h). */
#ifndef COPYTAX_ANALYSIS_HOST_SPEED_H
#define COPYTAX_ANALYSIS_HOST_SPEED_H

#include "result/result.h"

/* Above this, low to high, the machine's speed is named among what misled the run. */
#define HOST_SPEED_STEADY 1.10

struct host_speed {
	size_t n; /* samples with a yardstick; 0: the rest is NaN */
	double median_s;
	double counting_s; /* the median of the samples that figures are made of; NaN when none of them has one */
	double low_s,
		high_s; /* 10th and 90th percentile: the usual range, without single hiccups */
};

/* Over every sample of the result that is not warm-up. Returns 0 or -ENOMEM. */
int host_speed(const struct result *result, struct host_speed *out);

/* {median_s, low_s, high_s, n}, or {median_s: null, reason}; a new reference, NULL when out of memory. */
json_t *host_speed_json(const struct host_speed *speed);

#endif
