/* SPDX-License-Identifier: MIT */
/* What the profile pass brought: CPU time by kernel site, and how it agrees with the counted copies. */
#ifndef COPYTAX_REPORT_SITES_TEXT_H
#define COPYTAX_REPORT_SITES_TEXT_H

#include "report/format.h"
#include "result/result.h"

/*
 * A table per family with a line per site and a column per method, in ns per KiB of payload; below it what a copied
 * KiB costs by the profile and by the prices, and what no rule knows. Writes nothing when no stacks were sampled.
 * Returns 0 or -ENOMEM.
 */
int table_sites(const struct result *result, enum style style, FILE *out);

/* Links to the flame graphs and folded stacks that lie in profile/ beside the report, for Markdown. */
void sites_links(const struct result *result, FILE *out);

#endif
