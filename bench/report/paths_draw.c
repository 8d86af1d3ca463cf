// SPDX-License-Identifier: MIT
#include "report/paths_draw.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "report/families.h"
#include "report/tool.h"

#define GREY "#6b6b6b"

const struct case_result *path_case(const struct result *result, const struct method *method)
{
	const struct case_result *c = NULL;
	struct families families;

	if (!families_find(result, &families)) {
		const struct family *main = families_main(&families);

		c = main ? family_case(main, method->name, main->chunk) : NULL;
	}
	families_free(&families);
	return c && case_measured(c) ? c : NULL;
}

/* How a step is drawn. Line and arrow tell the kinds apart without the colour. */
static const struct {
	const char *colour, *style, *head;
	double width;
} looks[] = {
	[PATH_COPY] = { "#b34700", "solid", "normal", 3 },
	[PATH_REFERENCE] = { "#005f99", "dashed", "vee", 1.6 },
	[PATH_DMA] = { "#333333", "dotted", "empty", 1.8 },
};

static const struct {
	const char *id, *shape, *style, *fill, *where;
} places[PATH_PLACES] = {
	[PATH_DISK] = { "disk", "cylinder", "filled", "#ffffff", "device" },
	[PATH_CACHE] = { "cache", "box", "filled", "#eeeeea", "kernel" },
	[PATH_KERNEL] = { "kernel", "box", "filled", "#eeeeea", "kernel" },
	[PATH_USER] = { "user", "box", "filled,rounded", "#dcebf7", "user memory" },
	[PATH_SOCKET] = { "socket", "box", "filled", "#eeeeea", "kernel" },
	[PATH_WIRE] = { "wire", "hexagon", "filled", "#ffffff", "device" },
	[PATH_RECEIVER] = { "receiver", "box", "filled,rounded", "#dcebf7", "user memory" },
};

static bool passed(const struct path *path, enum path_place place)
{
	/* the places of the texts are always there, touched or not */
	if (place != PATH_KERNEL)
		return true;
	for (size_t i = 0; i < path->count; i++)
		if (path->step[i].from == place || path->step[i].to == place)
			return true;
	return false;
}

static bool untouched(const struct path *path, enum path_place place)
{
	for (size_t i = 0; i < path->count; i++)
		if ((path->step[i].from == place || path->step[i].to == place) &&
		    !(path->step[i].bytes == 0))
			return false;
	return true;
}

static void put_place(const struct path *path, enum path_place place, FILE *out)
{
	bool grey = untouched(path, place);

	fprintf(out,
		"\t%s [shape=%s, style=\"%s%s\", fillcolor=\"%s\", color=\"%s\", fontcolor=\"%s\", "
		"label=<",
		places[place].id, places[place].shape, places[place].style, grey ? ",dashed" : "",
		places[place].fill, grey ? "#999999" : "#333333", grey ? GREY : "#111111");
	put_html(out, path_place_name(path, place));
	fprintf(out, "<br/><font point-size=\"10\" color=\"" GREY "\">%s%s</font>>];\n",
		places[place].where, grey ? "<br/>not passed" : "");
}

static void put_step(const struct path_step *s, FILE *out)
{
	char bytes[FORMAT_MAX];
	bool zero = s->bytes == 0, loop = s->from == s->to;

	fprintf(out, "\t%s -> %s [style=\"%s\", arrowhead=%s, penwidth=%g, color=\"%s\", label=<",
		places[s->from].id, places[s->to].id, looks[s->kind].style, looks[s->kind].head,
		zero ? 0.8 : looks[s->kind].width, zero ? "#999999" : looks[s->kind].colour);
	if (zero)
		fprintf(out, "<font color=\"" GREY "\">%s<br/>0 B</font>",
			path_kind_names[s->kind]);
	else
		fprintf(out, "<font color=\"%s\"><b>%s%s</b></font><br/>%s",
			looks[s->kind].colour,
			loop ? "late " : "", path_kind_names[s->kind],
			path_bytes(s->bytes, bytes));
	if (s->texts[0])
		fprintf(out, "<br/><font point-size=\"10\" color=\"" GREY "\">texts: %s</font>",
			s->texts);
	/* room between the last line and a thick arrow */
	fputs("<br/><font point-size=\"4\"> </font>>];\n", out);
}

/* The places of the texts stand in one line though a step goes past one. */
static void keep_order(const struct path *path, FILE *out)
{
	static const enum path_place line[] = { PATH_DISK,   PATH_CACHE, PATH_USER,
						PATH_SOCKET, PATH_WIRE,	 PATH_RECEIVER };

	for (size_t i = 0; i + 1 < sizeof(line) / sizeof(line[0]); i++) {
		bool joined = false;

		for (size_t k = 0; k < path->count; k++)
			joined |= path->step[k].from == line[i] && path->step[k].to == line[i + 1];
		if (!joined)
			fprintf(out, "\t%s -> %s [style=invis, weight=10];\n", places[line[i]].id,
				places[line[i + 1]].id);
	}
}

void path_dot(const struct method *method, const struct path *path, FILE *out)
{
	char figures[400];

	fprintf(out,
		"digraph path {\n"
		"\trankdir=LR; bgcolor=\"transparent\"; nodesep=0.35; ranksep=0.25; labelloc=t;\n"
		"\tgraph [fontname=\"DejaVu Sans\", fontsize=13];\n"
		"\tnode [fontname=\"DejaVu Sans\", fontsize=13, margin=\"0.09,0.06\"];\n"
		"\tedge [fontname=\"DejaVu Sans\", fontsize=12];\n"
		"\tlabel=<<b>%s</b><br/>",
		method->name);
	put_html(out, path_figures(path, figures, sizeof(figures)));
	fputs(">;\n", out);
	for (int i = 0; i < PATH_PLACES; i++)
		if (passed(path, (enum path_place)i))
			put_place(path, (enum path_place)i, out);
	keep_order(path, out);
	for (size_t i = 0; i < path->count; i++)
		put_step(&path->step[i], out);
	fputs("}\n", out);
}

static int draw_one(const struct method *m, const struct case_result *c, const char *dir,
		    struct failure *why)
{
	char dot[PATH_MAX], svg[PATH_MAX];
	const char *const argv[] = { "dot", "-Tsvg", "-o", svg, dot, NULL };
	const struct tool tool = { "dot", "graphviz", m->name, argv, NULL, svg, NULL };
	struct path path;
	FILE *file;

	if (snprintf(dot, sizeof(dot), "%s/%s.dot", dir, m->name) >= (int)sizeof(dot) ||
	    snprintf(svg, sizeof(svg), "%s/%s.svg", dir, m->name) >= (int)sizeof(svg))
		return fail(why, EXIT_WRONG_USE, ENAMETOOLONG, "the path %.80s… is too long", dir);
	/* a picture of an earlier result must not pass for this one's */
	if ((unlink(dot) && errno != ENOENT) || (unlink(svg) && errno != ENOENT))
		return fail(why, EXIT_MACHINE_CANT, errno, "can't replace %s: %s", svg,
			    strerror(errno));
	if (!c)
		return 0;
	file = fopen(dot, "we");
	if (!file)
		return fail(why, EXIT_MACHINE_CANT, errno, "can't write %s: %s", dot,
			    strerror(errno));
	path_find(m, c, &path);
	path_dot(m, &path, file);
	if (fclose(file))
		return fail(why, EXIT_MACHINE_CANT, errno, "can't write %s: %s", dot,
			    strerror(errno));
	return tool_run(&tool, why);
}

int paths_draw(const struct result *result, const char *dir, struct failure *why)
{
	int err = 0, missing = 0;

	/* the sources of all of them, though the first should find no graphviz */
	for (size_t i = 0; methods[i] && !err; i++) {
		err = draw_one(methods[i], path_case(result, methods[i]), dir, why);
		if (err == -ENOENT) {
			missing = err;
			err = 0;
		}
	}
	return err ? err : missing;
}
