/* SPDX-License-Identifier: MIT */
/*
 * The document of the direct measurements (measure/direct.h), which may have been taken in several sittings:
 *
 *   measurements: [{id, name, unit, how, value, low, high, confidence, n | value: null, reason,
 *                   sittings: [{samples: [number | null], yardstick_s, core_latency_s, reason}]}]
 *
 * `value` is the median of all sittings' samples, each as it was taken. `core_latency_s` is there in sittings of what needs
 * both CPUs, `reason` in those that found nothing. Results from before there were sittings have `yardstick_s` and
 * `core_latency_s` beside `value`; all functions take them, too.
 */
#ifndef COPYTAX_ANALYSIS_DIRECT_VALUES_H
#define COPYTAX_ANALYSIS_DIRECT_VALUES_H

#include <jansson.h>
#include <stddef.h>

/* Values, intervals and reasons from the sittings. */
void direct_summarise(json_t *direct);

/* Adds the sittings of `more`, another document of the same measurements, to `direct`, and summarises. */
void direct_add(json_t *direct, const json_t *more);

/* A direct measurement's value by id, NaN when there is none; low and high may be NULL. */
double direct_value(const json_t *direct, const char *id, double *low, double *high);

/*
 * The same of a surcharge, which is what something costs more than something else and may be nothing: 0 where it was measured, and
 * what was taken off was as much or more. NaN when it was not measured.
 */
double direct_surcharge(const json_t *direct, const char *id);

/*
 * The same measurements at another speed of the host: times divided by each sitting's own yardstick and multiplied by
 * `yardstick_s`. Those without one stay as they are, as all do when it is NaN. A new reference, or NULL.
 */
json_t *direct_at_speed(const json_t *direct, double yardstick_s);

/*
 * Takes out the sittings of what needs both CPUs that were at another distance of theirs than `latency_s`
 * (analysis/apart.h); where none is left, that is the measurement's reason.
 */
void direct_drop_apart(json_t *direct, double latency_s);

/*
 * How many sittings were taken at that distance of the CPUs, of the measurement that has fewest such; only those count of which sittings have a
 * distance. SIZE_MAX when there is none, or `latency_s` is NaN.
 */
size_t direct_sittings_at(const json_t *direct, double latency_s);

#endif
