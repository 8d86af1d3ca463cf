/* SPDX-License-Identifier: MIT */
/* Where the sender's CPU time goes: shares of the profile pass by part of the kernel. */
#ifndef COPYTAX_REPORT_WHERE_H
#define COPYTAX_REPORT_WHERE_H

#include "report/format.h"
#include "result/result.h"

/* A table per family that was profiled, or one sentence why there is none. Returns 0 or -ENOMEM. */
int where_write(const struct result *result, enum style style, FILE *out);

#endif
