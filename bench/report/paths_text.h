/* SPDX-License-Identifier: MIT */
/* The report's section on the path of the bytes: a diagram per method, or the same in words. */
#ifndef COPYTAX_REPORT_PATHS_TEXT_H
#define COPYTAX_REPORT_PATHS_TEXT_H

#include "report/markdown.h"

#define paths_lead                                                                                \
	"Where the payload went, per transfer, by the counts above. A **copy** by the CPU is a "   \
	"thick solid arrow, handing over **by reference** a dashed one, a device's own transfer "  \
	"(**DMA**) a dotted one; in grey what the classic texts say.\n\n"

/* Returns 0 or -ENOMEM. */
int paths_compose(const struct result *result, const struct report_parts *parts, FILE *out);

#endif
