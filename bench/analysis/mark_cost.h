/* SPDX-License-Identifier: MIT */
/* What it cost a case that samples were taken under the circumstances that a mark stands for. */
#ifndef COPYTAX_ANALYSIS_MARK_COST_H
#define COPYTAX_ANALYSIS_MARK_COST_H

#include "result/result.h"

/* Timed samples of a case with that mark. */
size_t mark_count(const struct case_result *kase, enum sample_mark mark);

/* Median sender CPU of its samples with that mark ÷ of those that count. NaN when there are fewer than three of either. */
double mark_cost(const struct case_result *kase, enum sample_mark mark);

/* Cases without a sample that counts go by those with that mark, where they have any: MARK_SETTLED. Returns how many cases that are. */
size_t mark_settle(struct result *result, enum sample_mark mark);

/* {n, sender_cpu_ratio}, or null with a reason. `word` is what such a sample is: "apart". A new reference. */
json_t *mark_case_json(const struct case_result *kase, enum sample_mark mark, const char *word);

/*
 * Appends what they cost, of the first five cases of which that is known: "; it took read_write (32K, warm) 1.70, … times the
 * sender CPU". Nothing when it is known of none.
 */
void mark_name_costs(const struct result *result, enum sample_mark mark, char *text, size_t size);

#endif
