// SPDX-License-Identifier: MIT
#include "study/plan_builtin.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* { "bench", "text" }, … and PLAN_NAMES, made by the Makefile from bench/plans/ */
#include "plans.h"

FILE *plan_open(const char *name)
{
	FILE *file = fopen(name, "re");

	if (file || errno != ENOENT)
		return file;
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
		if (!strcmp(plans[i].name, name))
			/* opened for reading only: the text is not written to */
			return fmemopen((void *)(uintptr_t)plans[i].text, strlen(plans[i].text), "r");
	errno = ENOENT;
	return NULL;
}

const char *plan_builtin_names(void)
{
	return PLAN_NAMES;
}
