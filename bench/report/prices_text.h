/* SPDX-License-Identifier: MIT */
/* The prices of a result and the three ways they were checked, as tables. */
#ifndef COPYTAX_REPORT_PRICES_TEXT_H
#define COPYTAX_REPORT_PRICES_TEXT_H

#include "report/format.h"
#include "result/result.h"

/* Returns 0 or -ENOMEM; without prices one sentence that says why. */
int prices_write(const struct result *result, enum style style, FILE *out);

#endif
