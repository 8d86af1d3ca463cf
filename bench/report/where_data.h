/* SPDX-License-Identifier: MIT */
/*
 * The data behind the pictures of cycles and of kernel sites, both with a bar per method of the main family, and
 * every event of the result as a table.
 */
#ifndef COPYTAX_REPORT_WHERE_DATA_H
#define COPYTAX_REPORT_WHERE_DATA_H

#include <stdbool.h>
#include <stdio.h>

#include "report/families.h"

#define WHERE_REASON_MAX 240

/*
 * Rows of cycles.tsv and sites.tsv with their heading, and the texts of the picture for labels.gp. Return whether
 * there is anything to draw; if not, `reason` says why, for the picture's place.
 */
bool cycles_data(const struct family *family, FILE *out, FILE *labels,
		 char reason[static WHERE_REASON_MAX]);
bool sites_data(const struct family *family, FILE *out, FILE *labels,
		char reason[static WHERE_REASON_MAX]);

/* events.tsv: a row per case and event, with its heading. */
void events_data(const struct result *result, FILE *out);

#endif
