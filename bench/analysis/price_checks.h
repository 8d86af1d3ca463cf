/* SPDX-License-Identifier: MIT */
/* Fitted prices beside direct measurements of the same things. */
#ifndef COPYTAX_ANALYSIS_PRICE_CHECKS_H
#define COPYTAX_ANALYSIS_PRICE_CHECKS_H

#include <jansson.h>

#include "analysis/terms.h"

/*
 * The same measurements at another speed of the host: times divided by each one's own yardstick and multiplied by
 * `yardstick_s`. Those without one stay as they are, as all do when it is NaN. A new reference, or NULL.
 */
json_t *direct_at_speed(const json_t *direct, double yardstick_s);

/* A direct measurement's value by id, NaN when there is none; low and high may be NULL. */
double direct_value(const json_t *direct, const char *id, double *low, double *high);

/* The direct measurement that can stand in for a price nobody else pays; NaN, or *from says what it is. */
double direct_price(const json_t *direct, enum term term, const char **from);

/*
 * [{id, direct_id, price, low, high, direct, direct_low, direct_high, ratio, tolerance, near,
 * intervals_overlap, agrees, why}] for each fitted term that something direct can be set beside: near is within
 * the tolerance, agrees is near or overlapping; `why` says what makes the two differ when they aren't near.
 */
json_t *price_checks(const json_t *terms, const json_t *direct);

/*
 * Takes the value from those that need both CPUs and were measured at another distance of theirs than `latency_s`
 * (analysis/apart.h), and gives them that reason.
 */
void direct_drop_apart(json_t *direct, double latency_s);

#endif
