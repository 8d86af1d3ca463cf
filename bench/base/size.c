// SPDX-License-Identifier: MIT
#include "base/size.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char suffixes[] = "KMGT";
static const char *const suffix_texts[] = { "", "K", "M", "G", "T" };

int size_parse(const char *text, uint64_t *bytes)
{
	unsigned long long value;
	unsigned int shift = 0;
	const char *suffix;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno)
		return -ERANGE;
	if (*end) {
		suffix = strchr(suffixes, toupper((unsigned char)*end));
		if (!suffix)
			return -EINVAL;
		shift = 10 * ((unsigned int)(suffix - suffixes) + 1);
		end++;
		/* "32KiB" and "32KB" both mean what they mean everywhere else in this program */
		if (!strcmp(end, "iB") || !strcmp(end, "B"))
			end += strlen(end);
	}
	if (*end)
		return -EINVAL;
	if (value > (uint64_t)INT64_MAX >> shift)
		return -ERANGE;
	*bytes = (uint64_t)value << shift;
	return 0;
}

char *size_format(uint64_t bytes, char text[static SIZE_TEXT_MAX])
{
	size_t unit = 0;

	while (unit < strlen(suffixes) && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, SIZE_TEXT_MAX, "%" PRIu64 "%s", bytes, suffix_texts[unit]);
	return text;
}
