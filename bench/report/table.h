/* SPDX-License-Identifier: MIT */
/*
 * The tables: one set of functions for the terminal and for Markdown. All read a result, loaded or just
 * measured, and return 0 or -ENOMEM.
 */
#ifndef COPYTAX_REPORT_TABLE_H
#define COPYTAX_REPORT_TABLE_H

#include "report/format.h"
#include "result/result.h"

/* Per family, at its main chunk: throughput, CPU per GB, ratio to read_write; skipped and failed rows. */
int table_main(const struct result *result, enum style style, FILE *out);
/* Per transfer, of the timed samples: faults, switches, CPU outside the clock. */
int table_beside(const struct result *result, enum style style, FILE *out);
/* Sender CPU per GB by method and chunk, for families with more than one chunk. */
int table_sweep(const struct result *result, enum style style, FILE *out);
/* Every skipped or failed method with its reason, each pair once; nothing when there is none. */
int table_refused(const struct result *result, enum style style, FILE *out);

/* What `copytax run` prints: all of the above, and what misleads under it. */
int table_terminal(const struct result *result, FILE *out);
/* The same as Markdown, for a comment or a forge. */
int table_markdown(const struct result *result, FILE *out);

/* A count or copy as the schema has it: {value}, {bytes} or a plain number; NaN when null or missing. */
double counted(const json_t *entry);

#endif
