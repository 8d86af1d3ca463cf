// SPDX-License-Identifier: MIT
#include "base/failure.h"

#include <stdarg.h>
#include <stdio.h>

int fail(struct failure *why, enum exit_code code, int err, const char *format, ...)
{
	va_list args;

	if (why && !why->text[0]) {
		why->exit_code = code;
		va_start(args, format);
		vsnprintf(why->text, sizeof(why->text), format, args);
		va_end(args);
	}
	return -err;
}
