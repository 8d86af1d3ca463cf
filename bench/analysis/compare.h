/* SPDX-License-Identifier: MIT */
/*
 * Two results set beside each other, case by case. A case is called different when ranks say so (Mann and
 * Whitney), after Holm's correction over all cases, and by more than the margin. What drags along from
 * round to round in either run widens everything; few samples are never enough to call anything.
 */
#ifndef COPYTAX_ANALYSIS_COMPARE_H
#define COPYTAX_ANALYSIS_COMPARE_H

#include "base/failure.h"
#include "result/result.h"

#define COMPARE_ALPHA 0.05
/* Two runs of one build differ by as much: memory is laid out anew, the machine is not the same twice. */
#define COMPARE_MARGIN 0.02
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
 *    cases: [{method, chunk, cache, sink, link, connections, payload,
 *             metrics: {sender_cpu: {base, new (medians), n_base, n_new, ratio, low, high, p,
 *                                    p_adjusted, verdict, why}, …}}],
 *    missing: [{method, chunk, cache, sink, in: "base" | "new", reason}],
 *    gates: [{metric, above, failed, cases: [index]}], failed}
 *
 * verdict: worse, better, same (the whole interval within 5 %, or different by less than the
 * margin), cant_tell. A gate fails on a case that is worse, and by more than the gate allows at the
 * median. A new reference, or NULL when out of memory.
 */
json_t *compare_results(const struct result *base, const struct result *new, double margin,
			const struct gate *gates, size_t gate_count);

#endif
