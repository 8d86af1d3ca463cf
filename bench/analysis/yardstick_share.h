/* SPDX-License-Identifier: MIT */
/*
 * How much of what the yardstick (measure/yardstick.h) shows a method's transfers show, too. The yardstick beside a sample scatters by itself, and memory, waits and
 * arithmetic do not slow down alike: dividing by all of it adds more than it takes away (docs/decisions/0023). The share is a property of a run's method, so it is
 * estimated from that.
 */
#ifndef COPYTAX_ANALYSIS_YARDSTICK_SHARE_H
#define COPYTAX_ANALYSIS_YARDSTICK_SHARE_H

#include "result/result.h"

/* Fewer samples of a method than these tell nothing: the share is 0. */
#define YARDSTICK_SHARE_LEAST 12

/*
 * b of log(sender CPU) = b × log(yardstick) + what a case's samples have in common, over the samples of a method that count: cases brought to
 * their medians, a robust regression (bisquare) through zero; at least 0 and at most 1. 0 where the yardstick does not change. NaN: out of memory.
 */
double yardstick_share(const struct result *result, const char *method);

#endif
