/* SPDX-License-Identifier: MIT */
/* One method: the textbook's numbers beside the measured ones. */
#ifndef COPYTAX_REPORT_EXPLAIN_H
#define COPYTAX_REPORT_EXPLAIN_H

#include <stdio.h>

#include "method/method.h"
#include "result/result.h"

/* `result` may be NULL: then only what the texts say. */
void explain_print(const struct method *method, const struct result *result, FILE *out);

#endif
