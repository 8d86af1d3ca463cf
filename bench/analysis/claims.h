/* SPDX-License-Identifier: MIT */
/* What the classic texts claim, each with a test against what was counted on this machine. */
#ifndef COPYTAX_ANALYSIS_CLAIMS_H
#define COPYTAX_ANALYSIS_CLAIMS_H

#include <stdio.h>

#include "result/result.h"

/*
 * [{id, claim, verdict: "confirmed" | "corrected" | "cant_tell", measured, why}] from the counts of a
 * result; a new reference, or NULL when out of memory.
 */
json_t *claims_test(const struct result *result);

#endif
