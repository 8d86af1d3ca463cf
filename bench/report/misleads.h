/* SPDX-License-Identifier: MIT */
/*
 * What misleads in this result: the warnings that the run wrote, and those that follow from what is in
 * it. One list for the terminal, the report and --json.
 */
#ifndef COPYTAX_REPORT_MISLEADS_H
#define COPYTAX_REPORT_MISLEADS_H

#include "report/format.h"
#include "result/result.h"

/* A new array of {code, text, effect}; NULL when out of memory. */
json_t *misleads_find(const struct result *result);
/* As a list, one item each. Returns 0 or -ENOMEM. */
int misleads_write(const struct result *result, enum style style, FILE *out);

#endif
