/* SPDX-License-Identifier: MIT */
/*
 * Rounds until medians are known well enough: `--precision`. More rounds can't help against a host that changes its
 * mind for minutes, so there is an end to it, and then the result says which cases never were.
 */
#ifndef COPYTAX_STUDY_PRECISION_H
#define COPYTAX_STUDY_PRECISION_H

#include <stdbool.h>

#include "result/result.h"

/* Rounds are added so many at a time, and not more than these all in all. */
#define PRECISION_STEP 5
#define PRECISION_ROUNDS_MAX 500
#define PRECISION_TIME_S 600 /* unless --precision-time says otherwise */

/*
 * How far the 95 % interval of the median sender CPU reaches from it at most, as a share of it; infinity as long as
 * there are too few samples for such an interval.
 */
double precision_of(const struct case_result *kase);

/* "2%" → 0.02. Returns 0 or -EINVAL with `why`. */
int precision_parse(const char *text, double *share, struct failure *why);

/* Warns which cases are known no better than to what, if any. `limit` says why it ended: "500 rounds", "600 s". */
void precision_conclude(struct result *result, double share, const char *limit);

#endif
