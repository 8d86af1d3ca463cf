/* SPDX-License-Identifier: MIT */
/*
 * A program that draws a picture, run without a shell: whatever it says on its standard error is an error of the
 * picture, and a stuck one is ended.
 */
#ifndef COPYTAX_REPORT_TOOL_H
#define COPYTAX_REPORT_TOOL_H

#include "base/failure.h"

struct tool {
	const char *program, *package; /* "dot", "graphviz" on Debian */
	const char *subject; /* what it draws, for the message */
	const char *const *argv;
	const char *folder; /* to run in; NULL: here */
	const char *picture; /* what it writes; removed when it failed */
	const char *harmless; /* a line of its complaints with these words is none; NULL: all count */
};

/* Returns 0, -ENOENT with `why` when it is not installed, another -errno with `why` and its own words. */
int tool_run(const struct tool *tool, struct failure *why);

#endif
