// SPDX-License-Identifier: MIT
#include "report/paths_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/paths_draw.h"

/* "page cache to user buffer, copy 327.7 MB; …": what the diagram shows, for those who can't see it. */
static void put_words(const struct path *path, FILE *out)
{
	char bytes[FORMAT_MAX];

	for (size_t i = 0; i < path->count; i++) {
		const struct path_step *s = &path->step[i];

		fprintf(out, "%s", i ? "; " : "");
		put_markdown(out, path_place_name(path, s->from));
		fputs(" to ", out);
		put_markdown(out, path_place_name(path, s->to));
		fprintf(out, " %s %s", path_kind_names[s->kind], path_bytes(s->bytes, bytes));
		if (s->texts[0])
			fprintf(out, " (texts: %s)", s->texts);
	}
	fputs(".", out);
}

static void put_unknown(const struct path *path, FILE *out)
{
	const char *before = "?: ";

	for (size_t i = 0; i < path->count; i++) {
		const struct path_step *s = &path->step[i];

		if (!s->reason[0])
			continue;
		fputs(before, out);
		put_markdown(out, path_place_name(path, s->from));
		fputs(" to ", out);
		put_markdown(out, path_place_name(path, s->to));
		fputs(", ", out);
		put_markdown(out, s->reason);
		before = "; ";
	}
	if (before[0] == ';')
		fputs(".\n\n", out);
}

static void put_method(const struct method *m, const struct case_result *c, bool drawn, FILE *out)
{
	struct path path;

	path_find(m, c, &path);
	fprintf(out, "### %s\n\n", m->name);
	if (drawn)
		fprintf(out, "![Data path of %s: ", m->name);
	put_words(&path, out);
	if (drawn)
		fprintf(out, "](paths/%s.svg)", m->name);
	fputs("\n\n", out);
	put_unknown(&path, out);
}

int paths_compose(const struct result *result, const struct report_parts *parts, FILE *out)
{
	bool any = false;

	for (size_t i = 0; methods[i]; i++) {
		const struct case_result *c = path_case(result, methods[i]);

		if (!c)
			continue;
		if (!any && parts->no_paths) {
			fputs("In words, without diagrams: ", out);
			put_markdown(out, parts->no_paths);
			fputs("\n\n", out);
		}
		any = true;
		put_method(methods[i], c, !parts->no_paths, out);
	}
	return 0;
}
