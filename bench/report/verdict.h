/* SPDX-License-Identifier: MIT */
/*
 * The answer in three sentences: cheapest by the sender's CPU, fastest by wall time, what would change
 * that. No ranking is assumed; methods that the samples can't tell apart are named together.
 */
#ifndef COPYTAX_REPORT_VERDICT_H
#define COPYTAX_REPORT_VERDICT_H

#include "report/format.h"
#include "result/result.h"

/*
 * A new object {conditions, sentences: [sender_cpu, wall, change]} of plain text; NULL when out of memory.
 * With nothing measured there is one sentence that says so.
 */
json_t *verdict_find(const struct result *result);
/* Returns 0 or -ENOMEM. */
int verdict_write(const struct result *result, enum style style, FILE *out);

#endif
