/* SPDX-License-Identifier: MIT */
/*
 * A flame graph: one HTML page that needs nothing else, for a browser of any kind. A frame's width is its share of
 * the samples, its colour the site that analysis/sites.h gives it. A click zooms, the search marks, the pointer tells.
 * Without scripts the graph and the table of sites are there all the same.
 */
#ifndef COPYTAX_REPORT_FLAME_H
#define COPYTAX_REPORT_FLAME_H

#include <stdio.h>

#include "analysis/folded.h"

struct flame_text {
	const char *title; /* "sendfile, 32 KiB chunks, warm" */
	const char *note; /* what was sampled and what it can't see */
	double cpu_s; /* the worker's CPU seconds of one transfer of `payload` bytes; NaN: no prices in the table */
	uint64_t payload;
};

/* Returns 0, -ENODATA for no samples, -ENOMEM, or the -errno of writing. */
int flame_write(const struct folded *stacks, const struct flame_text *text, FILE *file);

#endif
