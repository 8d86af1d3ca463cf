/* SPDX-License-Identifier: MIT */
/* What a writer of the report wrote, and what must stand in it. Include after cmocka.h. */
#ifndef COPYTAX_TESTS_WRITTEN_H
#define COPYTAX_TESTS_WRITTEN_H

#include <stdio.h>
#include <string.h>

#include "report/format.h"
#include "result/result.h"

typedef int writer(const struct result *result, enum style style, FILE *out);

/* The caller frees it. */
static inline char *written(writer *write, const struct result *r, enum style style)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(write(r, style, out), 0);
	fclose(out);
	return text;
}

static inline void holds(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("not found: \"%s\" in:\n%s", part, text);
}

static inline void lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("found: \"%s\" in:\n%s", part, text);
}

#endif
