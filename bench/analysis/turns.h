/* SPDX-License-Identifier: MIT */
/*
 * Two builds that were run in turns: base, new, base, new, … Two runs one after the other see nearly the same host, so
 * what the host does to both falls out of their ratio, and many short pairs tell apart what two long runs never will.
 */
#ifndef COPYTAX_ANALYSIS_TURNS_H
#define COPYTAX_ANALYSIS_TURNS_H

#include "analysis/compare.h"

/*
 * `results`: base and new by turns, `count` of them (even), in the order of the pairs; their marks (analysis/apart.h) are
 * set anew, pair by pair. For each case and metric: the ratio new ÷ base of the medians of each pair, on a logarithmic
 * scale; Wilcoxon's signed ranks over the pairs (analysis/signed_rank.h); Holm's correction over the cases.
 *
 * The document is compare_results()'s, with "turns": {pairs, apart}: how many, and in how many of them the CPUs were
 * never at one distance, so that they say nothing. n_base and n_new are pairs; there is nothing at equal speed and no serial
 * inflation. A new reference, or NULL when out of memory.
 */
json_t *turns_compare(struct result *const *results, size_t count, double margin,
		      const struct gate *gates, size_t gate_count);

#endif
