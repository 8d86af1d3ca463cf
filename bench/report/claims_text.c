// SPDX-License-Identifier: MIT
#include "report/claims_text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/grid.h"

static const char *text_of(const json_t *claim, const char *key)
{
	const char *text = json_string_value(json_object_get(claim, key));

	return text ? text : "";
}

static const char *verdict_words(const char *verdict)
{
	if (!strcmp(verdict, "confirmed"))
		return "Confirmed";
	if (!strcmp(verdict, "corrected"))
		return "Corrected";
	return "Can't tell";
}

/* " Text.": a sentence, whichever way the document wrote it; nothing for nothing. */
static void put_sentence(const char *text, FILE *out)
{
	size_t len = strlen(text);

	if (!len)
		return;
	putc(' ', out);
	/* a method's name keeps its small letter */
	putc(memchr(text, '_', strcspn(text, " ")) ? text[0] : toupper((unsigned char)text[0]),
	     out);
	fputs(text + 1, out);
	if (!strchr(".!?", text[len - 1]))
		putc('.', out);
}

static int write_one(const json_t *claim, enum style style, FILE *out)
{
	char *text = NULL;
	size_t size = 0;
	FILE *line = open_memstream(&text, &size);

	if (!line)
		return -ENOMEM;
	fprintf(line, "%s: “%s”.", verdict_words(text_of(claim, "verdict")),
		text_of(claim, "claim"));
	put_sentence(text_of(claim, "measured"), line);
	put_sentence(text_of(claim, "why"), line);
	if (fclose(line)) {
		free(text);
		return -ENOMEM;
	}
	if (style == STYLE_MARKDOWN) {
		fputs("- ", out);
		put_markdown(out, text);
	} else {
		fputs("  • ", out);
		put_wrapped(out, text, 4, GRID_WIDTH - 4);
	}
	putc('\n', out);
	free(text);
	return 0;
}

int claims_write(const struct result *result, enum style style, FILE *out)
{
	json_t *claim;
	size_t i;
	int err = 0;

	json_array_foreach(result->claims, i, claim)
	{
		err = write_one(claim, style, out);
		if (err)
			break;
	}
	return err;
}
