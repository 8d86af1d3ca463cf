/* SPDX-License-Identifier: MIT */
/* Fitted prices beside direct measurements of the same things. */
#ifndef COPYTAX_ANALYSIS_PRICE_CHECKS_H
#define COPYTAX_ANALYSIS_PRICE_CHECKS_H

#include <jansson.h>
#include <stdbool.h>

#include "analysis/terms.h"

/* The direct measurement that can stand in for a price nobody else pays; NaN, or *from says what it is. */
double direct_price(const json_t *direct, enum term term, const char **from);

/* Was that measured while it sent the bytes, so that what carrying them costs (TERM_CARRIED) is in it? `from` as of direct_price(); NULL: no. */
bool direct_carries(const char *from);

/* What the terms of a document have for carrying a GB, where nothing else is in that price; otherwise 0. low and high may be NULL. */
double carried_price(const json_t *terms, double *low, double *high);

/*
 * The same for a case's own chunk in bytes (0: whole), where the direct measurement was taken at several sizes, as that of read() is: between two of them by a
 * line over the logarithm of the size, beyond them what the outermost have. Otherwise direct_price()'s.
 */
double direct_price_at(const json_t *direct, enum term term, double chunk);

/*
 * [{id, direct_id, price, low, high, direct, direct_low, direct_high, ratio, tolerance, near,
 * intervals_overlap, agrees, why}] for each fitted term that something direct can be set beside: near is within
 * the tolerance, agrees is near or overlapping; `why` says what makes the two differ when they aren't near. Where the direct figure was measured
 * while it sent the bytes, with_carried is true, and what the fit has for carrying them is added to the price.
 */
json_t *price_checks(const json_t *terms, const json_t *direct);

#endif
