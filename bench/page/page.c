// SPDX-License-Identifier: MIT
/* Turns a Markdown file into a page of the report's looks: page LANG CONTENTS-WORD FILE.md > FILE.html */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"

/* The text of the first heading, for the title. */
static void title_of(const char *markdown, char *title, size_t size)
{
	const char *heading = strncmp(markdown, "# ", 2) ? strstr(markdown, "\n# ") : markdown;

	heading = heading ? strchr(heading, '#') + 2 : "copytax";
	snprintf(title, size, "%.*s", (int)strcspn(heading, "\n"), heading);
}

static char *read_all(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (!file)
		return NULL;
	if (getdelim(&text, &room, 0, file) < 0) {
		free(text);
		text = NULL;
	}
	fclose(file);
	return text;
}

int main(int argc, char **argv)
{
	struct failure why = { 0 };
	char title[200], *markdown = argc == 4 ? read_all(argv[3]) : NULL;
	int err;

	if (!markdown) {
		fprintf(stderr, "usage: page LANG CONTENTS FILE.md%s%s\n",
			argc == 4 ? ": can't read " : "", argc == 4 ? argv[3] : "");
		return EXIT_WRONG_USE;
	}
	title_of(markdown, title, sizeof(title));
	err = html_page(markdown, &(struct page){ title, argv[1], argv[2], NULL }, stdout, &why);
	free(markdown);
	if (!err && fflush(stdout))
		err = fail(&why, EXIT_MACHINE_CANT, errno, "can't write the page: %s",
			   strerror(errno));
	if (err)
		fprintf(stderr, "page: %s\n", why.text);
	return err ? (int)why.exit_code : 0;
}
