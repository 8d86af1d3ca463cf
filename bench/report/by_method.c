// SPDX-License-Identifier: MIT
#include "report/by_method.h"

#include <errno.h>
#include <stdlib.h>

int by_method_find(const struct family *family, bool (*wanted)(const struct case_result *kase),
		   struct by_method *out)
{
	*out = (struct by_method){ .cases = calloc(family->count + 1, sizeof(*out->cases)) };
	if (!out->cases)
		return -ENOMEM;
	for (size_t i = 0; i < family->count; i++) {
		const struct case_result *kase = family->cases[i];

		if (kase->chunk == family->chunk && kase->status == CASE_OK && wanted(kase))
			out->cases[out->count++] = kase;
	}
	return 0;
}

void by_method_free(struct by_method *by_method)
{
	free(by_method->cases);
	*by_method = (struct by_method){ 0 };
}

void by_method_title(const struct family *family, const char *what, enum style style, FILE *out)
{
	char title[400];

	family_title(family, &family->chunk, title, sizeof(title));
	fputs(style == STYLE_MARKDOWN ? "**" : "", out);
	put_text(out, style, what);
	put_text(out, style, title);
	fputs(style == STYLE_MARKDOWN ? "**\n\n" : "\n", out);
}

void by_method_columns(struct grid *grid, const struct by_method *by_method, const char *first)
{
	grid_column(grid, "", first, true);
	for (size_t i = 0; i < by_method->count; i++)
		grid_column(grid, "", by_method->cases[i]->method, false);
}

void by_method_note(const char *text, enum style style, FILE *out)
{
	if (style == STYLE_MARKDOWN) {
		putc('\n', out);
		put_markdown(out, text);
	} else {
		put_wrapped(out, text, 0, GRID_WIDTH);
	}
	putc('\n', out);
}
