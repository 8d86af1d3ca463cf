/* SPDX-License-Identifier: MIT */
/*
 * Numbers and foreign text as a person reads them. Everything in this folder builds plain text first;
 * the put_ functions below are the only way it reaches a terminal, Markdown, HTML or gnuplot, so what a
 * hostile document holds is escaped in one place.
 */
#ifndef COPYTAX_REPORT_FORMAT_H
#define COPYTAX_REPORT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "analysis/stats.h"

#define FORMAT_MAX 96
/* What stands for a number that was not measured. Never 0. */
#define UNKNOWN "–"

enum style { STYLE_TEXT, STYLE_MARKDOWN };

/* Three significant digits, whole numbers from 1,000 on; NaN is UNKNOWN. All return `out`. */
const char *format_number(double value, char out[static FORMAT_MAX]);
/* A whole number with thousands separated. */
const char *format_count(double value, char out[static FORMAT_MAX]);
/* "0.275 ±1.4%": the end of the interval further from the median, in per cent of it, rounded up. */
const char *format_spread(const struct interval *i, char out[static FORMAT_MAX]);
/* "0.275±2%", for the narrow columns of a sweep */
const char *format_spread_short(const struct interval *i, char out[static FORMAT_MAX]);
/* "0.275 (0.271–0.279)" */
const char *format_range(const struct interval *i, char out[static FORMAT_MAX]);
/* "0.271–0.279" with the digits that the median is shown with */
const char *format_ends(const struct interval *i, char out[static FORMAT_MAX]);
/* 32768 → "32K"; 0 → "whole" */
const char *format_chunk(uint64_t chunk, char out[static FORMAT_MAX]);

struct interval interval_times(struct interval i, double factor);

/* Columns that `text` takes on a terminal (code points; nothing here is wider). */
size_t text_width(const char *text);

/* Control characters become '?': a document can't drive the terminal that shows it. */
void put_plain(FILE *out, const char *text);
/* As text inside a paragraph, list item or table cell of GitHub Markdown. */
void put_markdown(FILE *out, const char *text);
void put_html(FILE *out, const char *text);
/* Between single quotes of a gnuplot script, quotes included. */
void put_gnuplot(FILE *out, const char *text);
/* One field of a TSV file. */
void put_tsv(FILE *out, const char *text);
/* A column behind the first: a tab and the text (NULL: empty), or the number (NaN for what is not known). */
void put_tsv_field(FILE *out, const char *text);
void put_tsv_number(FILE *out, double value);

/* A line for gnuplot: NAME = 'TEXT'. */
void put_label(FILE *out, const char *name, const char *text);
/* put_plain or put_markdown */
void put_text(FILE *out, enum style style, const char *text);
/* put_plain, broken at blanks before `width`; later lines start with `indent` blanks */
void put_wrapped(FILE *out, const char *text, size_t indent, size_t width);

#endif
