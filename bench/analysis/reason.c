// SPDX-License-Identifier: MIT
#include "analysis/reason.h"

#include <string.h>

/* `len` bytes of `text`, cut where a character begins and marked when they are too many. */
static void copy(char out[static REASON_SHORT_MAX], const char *text, size_t len)
{
	static const char cut[] = "…";
	size_t most = REASON_SHORT_MAX - sizeof(cut);

	if (len <= most) {
		memcpy(out, text, len);
		out[len] = 0;
		return;
	}
	while (most && ((unsigned char)text[most] & 0xc0) == 0x80)
		most--;
	memcpy(out, text, most);
	memcpy(out + most, cut, sizeof(cut));
}

const char *reason_short(const char *reason, char out[static REASON_SHORT_MAX])
{
	static const char *const before[] = { " at load (", " at attach (" };
	size_t first;

	if (!reason || !reason[0])
		return strcpy(out, "not counted");
	first = strcspn(reason, ";");
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		const char *why = memmem(reason, first, before[i], strlen(before[i]));

		if (!why || reason[first - 1] != ')')
			continue;
		why += strlen(before[i]);
		copy(out, why, (size_t)(reason + first - 1 - why));
		return out;
	}
	copy(out, reason, first);
	return out;
}
