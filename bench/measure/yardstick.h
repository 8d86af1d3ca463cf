/* SPDX-License-Identifier: MIT */
/*
 * The same small piece of work every time: how fast is this CPU now? On a shared host the answer changes
 * by a third within minutes, and every figure changes with it; this tells that apart from a change of
 * what is measured.
 */
#ifndef COPYTAX_MEASURE_YARDSTICK_H
#define COPYTAX_MEASURE_YARDSTICK_H

struct yardstick {
	char *from; /* YARDSTICK_BYTES, touched; NULL: not open */
};

/*
 * Gets the memory it copies from, in the process that will measure. Returns 0 or -errno.
 * yardstick_close() gives it back, also after an error.
 */
int yardstick_open(struct yardstick *y);
void yardstick_close(struct yardstick *y);

/*
 * CPU seconds that the work took just now, about a millisecond: arithmetic, copying and null system calls in
 * roughly equal parts. NaN when not open. The unit is this work's alone: only ratios mean something.
 */
double yardstick_read(const struct yardstick *y);

#endif
