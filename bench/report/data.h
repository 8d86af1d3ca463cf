/* SPDX-License-Identifier: MIT */
/*
 * The numbers behind every table and picture as tab-separated files with a heading line, NaN where
 * nothing was measured:
 *
 *   cases.tsv, samples.tsv           all of the result, one row per case and per sample
 *   counts.tsv                       what the counting pass found, one row per case and number, with its source
 *   throughput.tsv, throughput_samples.tsv, cpu.tsv, copies.tsv, crossings.tsv, bill.tsv, chunk.tsv
 *                                    what the gnuplot sources in scripts/plots draw
 *   events.tsv                       what the events pass counted, one row per case, event and mode
 *   cycles.tsv, sites.tsv            what cycles.gp and sites.gp draw
 *   sweep-NAME.tsv, sweep-NAME.gp   the same for each condition that took several values
 *   labels.gp                        the texts in the pictures, as gnuplot variables
 */
#ifndef COPYTAX_REPORT_DATA_H
#define COPYTAX_REPORT_DATA_H

#include <stdbool.h>

#include "base/failure.h"
#include "result/result.h"
#include "study/dimension.h"

/* Which pictures have anything to show. */
struct drawable {
	bool bars;		/* throughput and cpu */
	bool sweep;		/* chunk: more than one chunk measured */
	bool bill;		/* prices, and a method that they explain */
	unsigned int swept; /* a bit for each enum dimension that took several values */
	bool copies, crossings; /* counted in one of the cases that the bars show */
	bool cycles, sites;	/* counted, or sampled, in one of the main family's cases */
	char no_cycles[240], no_sites[240]; /* else why, for the picture's place */
};

/* Writes into the folder `dir`, which exists. Returns 0 or -errno with `why`. */
int data_write(const struct result *result, const char *dir, struct drawable *drawable,
	       struct failure *why);

#endif
