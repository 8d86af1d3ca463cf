/* SPDX-License-Identifier: MIT */
/* What a KiB that a case's sender copied costs by the run's prices. */
#ifndef COPYTAX_ANALYSIS_COPY_PRICE_H
#define COPYTAX_ANALYSIS_COPY_PRICE_H

#include "result/result.h"

/*
 * ns per copied KiB, out of the page cache and into the socket weighed by the case's own bytes. By the fitted prices
 * (result->prices), and for a direction that has none of its own there by direct measurement, if the run has one;
 * *source says which. NaN with *reason when a direction that the case copies in has no price. Both live as long as
 * the program.
 */
double copy_price(const struct result *result, const struct case_result *kase, const char **source,
		  const char **reason);

/* The same by direct measurements alone; NaN without. */
double copy_price_direct(const struct result *result, const struct case_result *kase);

#endif
