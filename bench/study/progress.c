// SPDX-License-Identifier: MIT
#include "study/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "measure/clock.h"

#define TERMINAL_EVERY_S 0.1

struct progress progress_start(bool quiet)
{
	return (struct progress){ .quiet = quiet, .terminal = isatty(STDERR_FILENO) };
}

void progress_show(struct progress *p, bool milestone, double seconds_left, const char *format, ...)
{
	double now = clock_wall();
	va_list args;
	int left = (int)(seconds_left + 0.5);

	if (p->quiet || (p->terminal ? now - p->last < TERMINAL_EVERY_S : !milestone))
		return;
	p->last = now;
	if (p->terminal)
		fputs("\r\033[K", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	if (seconds_left >= 0)
		fprintf(stderr, ", %d:%02d left", left / 60, left % 60);
	if (!p->terminal)
		fputc('\n', stderr);
	fflush(stderr);
}

void progress_end(struct progress *p)
{
	if (!p->quiet && p->terminal)
		fputs("\r\033[K", stderr);
}
