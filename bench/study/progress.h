/* SPDX-License-Identifier: MIT */
/* How far a long job is: one line that rewrites itself on a terminal, plain lines elsewhere; on stderr. */
#ifndef COPYTAX_STUDY_PROGRESS_H
#define COPYTAX_STUDY_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct progress {
	bool quiet, terminal;
	double last; /* CLOCK_MONOTONIC of the last line */
};

struct progress progress_start(bool quiet);

/* Seconds left < 0: not known. `milestone`: worth a line of its own where there is no terminal. */
void progress_show(struct progress *p, bool milestone, double seconds_left, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Clears the line on a terminal. */
void progress_end(struct progress *p);

#endif
