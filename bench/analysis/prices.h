/* SPDX-License-Identifier: MIT */
/*
 * The price of a copy on this machine: sender CPU seconds = Σ price × count, fitted over the cases of a
 * run. Setup and release are outside of it, as they are outside of the clock.
 *
 * What the fit can and can't do is part of its result: terms that this run's cases can't tell apart are
 * merged and named, every price has an interval, every case its residual, every method is predicted
 * from the others, and direct measurements of the same things stand beside the prices.
 */
#ifndef COPYTAX_ANALYSIS_PRICES_H
#define COPYTAX_ANALYSIS_PRICES_H

#include "result/result.h"

/*
 * The document's "prices" object; a new reference, or NULL when out of memory. The same result and seed
 * give the same prices. Direct measurements (measure/direct.h) are taken from result->prices
 * "direct" if they are there, and handed on:
 *
 *   {model, seed, resamples, confidence,
 *    terms: [{id, name, unit, price, low, high, inflation, with: [{id, per_unit}], source}] | null,
 *    reason (when terms is null),
 *    absent: [{id, reason}],              terms that no case has any of
 *    not_used: [{method, chunk, cache, reason}],
 *    cases: [{method, chunk, cache, measured_s, predicted_s, residual_s, weight}],
 *    at_yardstick_s,                      the host's speed that all of this is at (measure/yardstick.h); null: as it was
 *    r_squared, model_error, condition,
 *    predicted_from_others: [{method, borrowed: [{id, price, from}], reason | cases: [{chunk,
 *                            cache, measured_s, predicted_s, error_s, error_ratio}], worst_ratio,
 *                            worst_s, good}],
 *    checks: [{id, direct_id, price, low, high, direct, direct_low, direct_high, ratio, tolerance, near,
 *              intervals_overlap, agrees, why}],
 *    direct}
 */
json_t *prices_fit(const struct result *result, uint64_t seed);

/*
 * A document of an older version has prices of that version's model, whose terms count other things: its result->prices are replaced by what this
 * one makes of its samples, with the seed that it has, and have {anew: true}. Those of this model, and a result that was not priced, stay as
 * they are. 0 or -ENOMEM.
 */
int prices_of_this_model(struct result *result);

/* A term's object of a document's "prices", borrowed; NULL when it has none of its own. */
const json_t *prices_term(const json_t *prices, const char *id);

#endif
