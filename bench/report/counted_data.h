/* SPDX-License-Identifier: MIT */
/* The counted numbers as tab-separated text, and what the pictures of them say. NaN is unknown, never 0. */
#ifndef COPYTAX_REPORT_COUNTED_DATA_H
#define COPYTAX_REPORT_COUNTED_DATA_H

#include <stdbool.h>
#include <stdio.h>

#include "report/families.h"
#include "result/result.h"

/* One row per case and number, parts and sources included. */
void counts_table(const struct result *result, FILE *out);

/* One row per bar of copies.gp and crossings.gp; `at` is its place on the axis. True when it shows a number. */
void copies_heading(FILE *out);
bool copies_bar(const struct case_result *kase, unsigned int at, const char *note, FILE *out);
void crossings_heading(FILE *out);
bool crossings_bar(const struct case_result *kase, unsigned int at, const char *note, FILE *out);

/* The notes below both pictures, as gnuplot variables. */
void counted_texts(const struct result *result, const struct family *main, FILE *out);

#endif
