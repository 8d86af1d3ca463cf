/* SPDX-License-Identifier: MIT */
/*
 * A table of plain text that can be written for a terminal or as Markdown. Errors of memory are kept
 * inside and come out once, from the function that writes.
 */
#ifndef COPYTAX_REPORT_GRID_H
#define COPYTAX_REPORT_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "report/format.h"

#define GRID_WIDTH 110

struct grid_column {
	char *over; /* heading shared with neighbours of the same text; "" for none */
	char *name;
	bool left; /* alignment; numbers stand right */
};

struct grid_row {
	char **cells;
	size_t count;
	bool span; /* cells[1] runs over all the other columns */
};

struct grid {
	struct grid_column *columns;
	size_t column_count;
	struct grid_row *rows;
	size_t row_count;
	bool out_of_memory;
};

void grid_column(struct grid *grid, const char *over, const char *name, bool left);
void grid_row(struct grid *grid);
/* The next cell of the last row. */
void grid_cell(struct grid *grid, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The last cell of a row that has its first: a sentence in place of numbers. */
void grid_span(struct grid *grid, const char *text);

/* Writes the table, if it has a row, and empties it. A terminal gets columns that don't fit in a second block. 0 or -ENOMEM. */
int grid_finish(struct grid *grid, enum style style, FILE *out);

#endif
