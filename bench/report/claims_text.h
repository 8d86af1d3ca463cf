/* SPDX-License-Identifier: MIT */
/* The claims of the classic texts and what became of them, as a list. */
#ifndef COPYTAX_REPORT_CLAIMS_TEXT_H
#define COPYTAX_REPORT_CLAIMS_TEXT_H

#include "report/format.h"
#include "result/result.h"

/* Nothing when the result tested none. Returns 0 or -ENOMEM. */
int claims_write(const struct result *result, enum style style, FILE *out);

#endif
