/* SPDX-License-Identifier: MIT */
/* The report as one GitHub Markdown document: report.md, and what report.html is made from. */
#ifndef COPYTAX_REPORT_MARKDOWN_H
#define COPYTAX_REPORT_MARKDOWN_H

#include <stdbool.h>
#include <stdio.h>

#include "report/hyperfine.h"
#include "report/plots.h"
#include "result/result.h"

/* What beside the result goes in, and if something doesn't, why. */
struct report_parts {
	struct drawable drawable;
	const char *no_plots;		   /* NULL: they are drawn and lie in plots/ */
	const char *no_paths;		   /* the same of the diagrams in paths/ */
	const struct hyperfine *hyperfine; /* NULL: none */
	bool profiles; /* profile/ lies beside the report, as beside the result */
	const char *no_hyperfine; /* why, when there is a file that can't be used; else NULL */
};

/* Returns 0 or -ENOMEM. */
int markdown_report(const struct result *result, const struct report_parts *parts, FILE *out);

#endif
