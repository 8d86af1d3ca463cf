/* SPDX-License-Identifier: MIT */
/* The plans of bench/plans/, inside the program, so that it needs no file beside it. */
#ifndef COPYTAX_STUDY_PLAN_BUILTIN_H
#define COPYTAX_STUDY_PLAN_BUILTIN_H

#include <stdio.h>

/*
 * The plan file `name`, or, when there is none of that name, the built-in plan called so ("bench", "quick").
 * NULL with errno.
 */
FILE *plan_open(const char *name);

/* Their names in a row, for messages. */
const char *plan_builtin_names(void);

#endif
