/* SPDX-License-Identifier: MIT */
/* The bill of every method at its main chunk: a table, the same as sentences, and the rows of its picture. */
#ifndef COPYTAX_REPORT_BILL_TEXT_H
#define COPYTAX_REPORT_BILL_TEXT_H

#include "report/families.h"
#include "report/format.h"
#include "result/result.h"

/* Returns 0 or -ENOMEM; without prices one sentence that says why. */
int bill_write(const struct result *result, enum style style, FILE *out);

/*
 * What going over from this case's method to each other of its family would change, a list item each; nothing
 * without a bill. Returns 0 or -ENOMEM.
 */
int bill_switching(const struct result *result, const struct case_result *kase, enum style style,
		   FILE *out);

/* More methods than this have no picture: nobody could read it, and the drawing libraries give up. */
#define BILL_PANELS_MAX 40

/*
 * data/bill.tsv: a row per line of each method's bill, from start to end of its bar in ms; and the places of
 * the panels into `labels`. Sets *any when there is a bill. Returns 0 or -ENOMEM.
 */
int bill_data(const struct result *result, const struct family *family, FILE *out, FILE *labels,
	      bool *any);

#endif
