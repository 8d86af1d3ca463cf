/* SPDX-License-Identifier: MIT */
/*
 * What the counting pass brought: calls, crossings, switches, interrupts and the bytes of every copy site,
 * per transfer and per family, and how each of them was counted.
 */
#ifndef COPYTAX_REPORT_COUNTED_H
#define COPYTAX_REPORT_COUNTED_H

#include "report/families.h"
#include "report/format.h"
#include "result/result.h"

/* A copy site or another place that payload bytes pass, in the order of tables and plots. */
struct site_name {
	const char *key;  /* in case->copies */
	const char *name; /* "file→user" */
};

/* Ends with one without a key. The first SENDER_SITES are the sender's copies. */
#define SENDER_SITES 4
extern const struct site_name site_names[];

/* Bytes that the sender is known to have copied ÷ payload; `*whole` is false when a site is unknown, so that
 * the figure is a lower bound. NaN when no site is known. */
double known_factor(const struct case_result *kase, bool *whole);

/* Did the counting pass leave a number in the case? */
bool counted_case(const struct case_result *kase);

/* All return 0 or -ENOMEM and write nothing when there is nothing. */

/* Two tables per family: crossings and switches; bytes by site, and what the counting cost. */
int counted_write(const struct result *result, enum style style, FILE *out);
/* Each number, the probe behind it, and what was tried in vain. */
int counted_how(const struct result *result, enum style style, FILE *out);

#endif
