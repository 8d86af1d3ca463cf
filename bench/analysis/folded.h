/* SPDX-License-Identifier: MIT */
/*
 * Folded stacks, the common exchange format of profilers: one line per stack, its frames from the outermost to the
 * innermost with ';' between, a blank and how many samples had it. A frame of the kernel ends in "_[k]".
 */
#ifndef COPYTAX_ANALYSIS_FOLDED_H
#define COPYTAX_ANALYSIS_FOLDED_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FOLDED_KERNEL "_[k]"
#define FOLDED_LINE_MAX 16384

struct folded_line {
	char *stack;
	uint64_t count;
};

/* All 0 is an empty one. Owns its lines. */
struct folded {
	struct folded_line *line;
	size_t count, capacity;
	uint64_t samples; /* of all lines */
};

/* Adds samples of a stack. Returns 0 or -ENOMEM. */
int folded_add(struct folded *folded, const char *stack, uint64_t count);

/* Sorts the lines by stack and makes one of equal ones. */
void folded_merge(struct folded *folded);

/* Reads lines until the end of the file. Returns 0, -EINVAL for a line that isn't one, -ENOMEM. */
int folded_read(struct folded *folded, FILE *file);

/* Returns 0 or -errno. */
int folded_write(const struct folded *folded, FILE *file);

void folded_free(struct folded *folded);

#endif
