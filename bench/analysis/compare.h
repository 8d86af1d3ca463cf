/* SPDX-License-Identifier: MIT */
/*
 * Two results set beside each other, case by case. A case is called different when ranks say so (Mann and
 * Whitney), after Holm's correction over all cases, and by more than the margin. What drags along from
 * round to round in either run widens everything; few samples are never enough to call anything. And it must
 * be different both as measured and at equal speed of the host, by the yardstick of both runs (analysis/pairs.h).
 * Without any of that it is called different when its samples are further apart than a host can make them (PAIRS_GAP).
 */
#ifndef COPYTAX_ANALYSIS_COMPARE_H
#define COPYTAX_ANALYSIS_COMPARE_H

#include <stdbool.h>

#include "base/failure.h"
#include "result/result.h"

#define COMPARE_ALPHA 0.05
/* Two runs of one build differ by as much: memory is laid out anew, the machine is not the same twice. */
#define COMPARE_MARGIN 0.02
/* "same": the whole interval is as near to 1 as this. */
#define COMPARE_SAME_WITHIN 0.05
#define COMPARE_GATES_MAX 8

enum metric { METRIC_SENDER_CPU, METRIC_RECEIVER_CPU, METRIC_TOTAL_CPU, METRIC_WALL, METRICS };

extern const char *const metric_names[METRICS]; /* "sender_cpu", … */

/* --fail-if: a metric that must not grow by more than `above` (0.05 for 5 %). */
struct gate {
	enum metric metric;
	double above;
};

/* Parses "sender_cpu>5%,wall>10%". Returns how many, or -EINVAL with `why`. */
int gates_parse(const char *text, struct gate gates[COMPARE_GATES_MAX], struct failure *why);

/*
 *   {base: {id, started, version}, new: {…}, comparable, because: [name], differences: [differences.h],
 *    alpha, margin, serial_inflation: {metric: {base, new}},      (analysis/ranks.h)
 *    host_speed: {base, new: analysis/host_speed.h, slower},      slower: 1.1 for 10 %; null: not known
 *    cases: [{method, chunk, cache, sink, link, connections, payload,
 *             metrics: {sender_cpu: {base, new (medians), n_base, n_new, ratio,
 *                                    at_equal_speed: {ratio, low, high} or null, ratio_at_least,
 *                                    low, high, p, p_adjusted, verdict, why}, …}}],
 *    missing: [{method, chunk, cache, sink, in: "base" | "new", reason}],
 *    gates: [{metric, above, failed, cases: [index]}], failed}
 *
 * ratio is as measured; low and high are all intervals together; ratio_at_least the ratio nearer to 1.
 * verdict: worse, better, same (the whole interval within 5 %, or different by less than the
 * margin), cant_tell. A gate fails on a case that is worse, and by more than the gate allows in
 * ratio_at_least. A new reference, or NULL when out of memory.
 */
json_t *compare_results(const struct result *base, const struct result *new, double margin,
			const struct gate *gates, size_t gate_count);

/* Parts that analysis/turns.h shares. */

/* Who both are, what differs and what only one has, into `out`. 0 or -ENOMEM. */
int compare_frame(const struct result *base, const struct result *new, double margin, json_t *out);

/* What names a case. A new reference. */
json_t *compare_identity(const struct case_result *kase);

/* The document's "gates" for its "cases"; *failed when one did. A new reference. */
json_t *compare_gates(const json_t *cases, const struct gate *gates, size_t count, bool *failed);

#endif
