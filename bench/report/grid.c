// SPDX-License-Identifier: MIT
#include "report/grid.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2

static void *grown(void *array, size_t count, size_t size)
{
	return realloc(array, (count + 1) * size);
}

void grid_column(struct grid *grid, const char *over, const char *name, bool left)
{
	struct grid_column *columns = grown(grid->columns, grid->column_count, sizeof(*columns));
	struct grid_column *column;

	if (!columns) {
		grid->out_of_memory = true;
		return;
	}
	grid->columns = columns;
	column = &columns[grid->column_count++];
	column->over = strdup(over);
	column->name = strdup(name);
	column->left = left;
	if (!column->over || !column->name)
		grid->out_of_memory = true;
}

void grid_row(struct grid *grid)
{
	struct grid_row *rows = grown(grid->rows, grid->row_count, sizeof(*rows));

	if (!rows) {
		grid->out_of_memory = true;
		return;
	}
	grid->rows = rows;
	rows[grid->row_count++] = (struct grid_row) { 0 };
}

static void add_cell(struct grid *grid, char *text)
{
	struct grid_row *row = grid->row_count ? &grid->rows[grid->row_count - 1] : NULL;
	char **cells = row && text ? grown(row->cells, row->count, sizeof(*cells)) : NULL;

	if (!cells) {
		grid->out_of_memory = true;
		free(text);
		return;
	}
	row->cells = cells;
	cells[row->count++] = text;
}

void grid_cell(struct grid *grid, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	add_cell(grid, text);
}

void grid_span(struct grid *grid, const char *text)
{
	add_cell(grid, strdup(text));
	if (grid->row_count)
		grid->rows[grid->row_count - 1].span = true;
}

static void grid_clear(struct grid *grid)
{
	for (size_t i = 0; i < grid->column_count; i++) {
		free(grid->columns[i].over);
		free(grid->columns[i].name);
	}
	for (size_t i = 0; i < grid->row_count; i++) {
		for (size_t k = 0; k < grid->rows[i].count; k++)
			free(grid->rows[i].cells[k]);
		free(grid->rows[i].cells);
	}
	free(grid->columns);
	free(grid->rows);
	*grid = (struct grid) { 0 };
}

static const char *cell_at(const struct grid_row *row, size_t column)
{
	return column < row->count ? row->cells[column] : "";
}

static size_t column_width(const struct grid *grid, size_t column)
{
	size_t width = text_width(grid->columns[column].name);

	for (size_t i = 0; i < grid->row_count; i++) {
		size_t wide = text_width(cell_at(&grid->rows[i], column));

		if (!(grid->rows[i].span && column) && wide > width)
			width = wide;
	}
	return width;
}

static void put_padded(FILE *out, const char *text, size_t width, bool left)
{
	size_t wide = text_width(text);
	int pad = (int)(width > wide ? width - wide : 0);

	if (!left)
		fprintf(out, "%*s", pad, "");
	put_plain(out, text);
	if (left)
		fprintf(out, "%*s", pad, "");
}

/* The shared headings of columns from … to - 1; the first column of the table stands left of them. */
static void put_over(const struct grid *grid, const size_t *widths, size_t from, size_t to,
		     FILE *out)
{
	size_t at = widths[0], i = from;
	bool any = false;

	for (size_t k = from; k < to; k++)
		any |= grid->columns[k].over[0] != 0;
	if (!any)
		return;
	fprintf(out, "%*s", (int)at, "");
	while (i < to) {
		const char *over = grid->columns[i].over;
		size_t width = 0, wide = text_width(over);

		do
			width += GAP + widths[i++];
		while (i < to && !strcmp(grid->columns[i].over, over));
		width -= GAP;
		fprintf(out, "%*s", GAP, "");
		if (over[0] && wide + 2 <= width) {
			/* ── text ── over the columns that share it */
			size_t rest = width - wide - 2;

			for (size_t k = 0; k < rest / 2; k++)
				fputs("─", out);
			fprintf(out, " %s ", over);
			for (size_t k = 0; k < rest - rest / 2; k++)
				fputs("─", out);
		} else {
			put_padded(out, over, width, false);
		}
	}
	putc('\n', out);
}

static void put_block(const struct grid *grid, const size_t *widths, size_t from, size_t to,
		      FILE *out)
{
	put_over(grid, widths, from, to, out);
	put_padded(out, grid->columns[0].name, widths[0], grid->columns[0].left);
	for (size_t c = from; c < to; c++) {
		fprintf(out, "%*s", GAP, "");
		put_padded(out, grid->columns[c].name, widths[c], grid->columns[c].left);
	}
	putc('\n', out);
	for (size_t r = 0; r < grid->row_count; r++) {
		const struct grid_row *row = &grid->rows[r];

		if (row->span && from > 1)
			continue;
		put_padded(out, cell_at(row, 0), widths[0], grid->columns[0].left);
		if (row->span) {
			fprintf(out, "%*s", GAP, "");
			put_wrapped(out, cell_at(row, 1), widths[0] + GAP, GRID_WIDTH);
			putc('\n', out);
			continue;
		}
		for (size_t c = from; c < to; c++) {
			fprintf(out, "%*s", GAP, "");
			put_padded(out, cell_at(row, c), widths[c], grid->columns[c].left);
		}
		putc('\n', out);
	}
}

static void put_terminal(const struct grid *grid, const size_t *widths, FILE *out)
{
	size_t from = 1;

	do {
		size_t to = from, width = widths[0];

		while (to < grid->column_count &&
		       (to == from || width + GAP + widths[to] <= GRID_WIDTH))
			width += GAP + widths[to++];
		if (from > 1)
			putc('\n', out);
		put_block(grid, widths, from, to, out);
		from = to;
	} while (from < grid->column_count);
}

static void put_pipes(const struct grid *grid, FILE *out)
{
	for (size_t c = 0; c < grid->column_count; c++) {
		const struct grid_column *column = &grid->columns[c];

		fputs(c ? " | " : "| ", out);
		put_markdown(out, column->over);
		fputs(column->over[0] ? " " : "", out);
		put_markdown(out, column->name);
	}
	fputs(" |\n", out);
	for (size_t c = 0; c < grid->column_count; c++)
		fputs(grid->columns[c].left ? "| :-- " : "| --: ", out);
	fputs("|\n", out);
	for (size_t r = 0; r < grid->row_count; r++) {
		for (size_t c = 0; c < grid->column_count; c++) {
			fputs(c ? " | " : "| ", out);
			put_markdown(out, cell_at(&grid->rows[r], c));
		}
		fputs(" |\n", out);
	}
}

int grid_finish(struct grid *grid, enum style style, FILE *out)
{
	size_t *widths = calloc(grid->column_count + 1, sizeof(*widths));
	int err = grid->out_of_memory || !widths ? -ENOMEM : 0;

	if (!err && grid->row_count) {
		for (size_t c = 0; c < grid->column_count; c++)
			widths[c] = column_width(grid, c);
		if (style == STYLE_MARKDOWN)
			put_pipes(grid, out);
		else
			put_terminal(grid, widths, out);
	}
	free(widths);
	grid_clear(grid);
	return err;
}
