/* SPDX-License-Identifier: MIT */
/*
 * Tables with a column for every method of a family and a line for every figure: for figures that are many, or not
 * the same in every result.
 */
#ifndef COPYTAX_REPORT_BY_METHOD_H
#define COPYTAX_REPORT_BY_METHOD_H

#include <stdbool.h>

#include "report/families.h"
#include "report/grid.h"

/* The cases that are shown: at the family's main chunk, and went well. Points into the result. */
struct by_method {
	const struct case_result **cases;
	size_t count;
};

/* Takes those that are `wanted`. Returns 0 or -ENOMEM; free with by_method_free() either way. */
int by_method_find(const struct family *family, bool (*wanted)(const struct case_result *kase),
		   struct by_method *out);
void by_method_free(struct by_method *by_method);

/* "what" and the family's conditions, over a table. */
void by_method_title(const struct family *family, const char *what, enum style style, FILE *out);
/* The columns: `first` over the lines' names, then the methods. */
void by_method_columns(struct grid *grid, const struct by_method *by_method, const char *first);
/* A paragraph under a table. */
void by_method_note(const char *text, enum style style, FILE *out);

#endif
