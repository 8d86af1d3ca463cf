/* SPDX-License-Identifier: MIT */
/* What a case's samples say: medians with intervals, per GB, and as a ratio to read_write. */
#ifndef COPYTAX_ANALYSIS_SUMMARY_H
#define COPYTAX_ANALYSIS_SUMMARY_H

#include "analysis/stats.h"
#include "analysis/steadiness.h"
#include "result/result.h"

#define SUMMARY_CONFIDENCE 0.95
#define BASELINE_METHOD "read_write"

struct case_summary {
	/* one per column of the sample table, over the samples that count (sample_counts()) */
	struct interval field[SAMPLE_FIELDS];
	struct interval throughput; /* payload bytes per second of wall time */
	/* CPU seconds per 10^9 payload bytes; total is sender + receiver */
	struct interval sender_cpu_per_gb, receiver_cpu_per_gb, total_cpu_per_gb;
	/*
	 * The case this one is divided by: read_write under the same conditions; for a method that
	 * reads past the page cache, read_write from a cold cache. NULL when the result has none.
	 */
	const struct case_result *baseline;
	/* this case ÷ baseline, median of the ratios of the rounds both took part in */
	struct interval wall_ratio, sender_cpu_ratio, total_cpu_ratio;
	struct steadiness steadiness; /* of sender CPU, in the order of rounds */
};

/* Returns 0 or -ENOMEM. `summary` points into `result` and holds nothing to free. */
int summarize(const struct result *result, const struct case_result *kase,
	      struct case_summary *summary);

/* The case that this one is divided by, as above; NULL when the result has none. */
const struct case_result *summary_baseline(const struct result *result,
					   const struct case_result *kase);

/* The document's "summary" object for a case (a new reference), or NULL when out of memory. */
json_t *summary_json(const struct result *result, const struct case_result *kase);

#endif
