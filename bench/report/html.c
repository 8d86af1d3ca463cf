// SPDX-License-Identifier: MIT
#include "report/html.h"

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "method/method.h"
#include "report/format.h"
#include "report/plots.h"
#include "report/style.h"

#define OPTIONS (CMARK_OPT_VALIDATE_UTF8 | CMARK_OPT_TABLE_PREFER_STYLE_ATTRIBUTES)
#define SVG_MAX_BYTES (16 << 20)

/* The whole of a regular file of sensible size; the caller frees it. */
static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	struct stat st;

	if (!file)
		return NULL;
	if (fstat(fileno(file), &st) || !S_ISREG(st.st_mode) || st.st_size > SVG_MAX_BYTES) {
		fclose(file);
		return NULL;
	}
	text = malloc((size_t)st.st_size + 1);
	if (text)
		text[fread(text, 1, (size_t)st.st_size, file)] = 0;
	fclose(file);
	return text;
}

/* Several pictures on one page must not share names: every id and every reference gets a prefix. */
static void put_prefixed(FILE *out, const char *svg, const char *prefix)
{
	static const char *const before[] = { " id='", " id=\"", "href='#", "href=\"#", "url(#" };

	while (*svg) {
		size_t len = 0;

		for (size_t i = 0; i < sizeof(before) / sizeof(before[0]) && !len; i++)
			if (!strncmp(svg, before[i], strlen(before[i])))
				len = strlen(before[i]);
		if (len)
			fprintf(out, "%.*s%s-", (int)len, svg, prefix);
		else
			putc(*svg, out);
		svg += len ? len : 1;
	}
}

/* Cuts every <tag>…</tag> out of `svg`: the drawing programs' own titles would pop up as hints over the picture. */
static void cut_elements(char *svg, const char *open, const char *close)
{
	char *from = svg, *to;

	while ((from = strstr(from, open)) && (to = strstr(from, close)))
		memmove(from, to + strlen(close), strlen(to + strlen(close)) + 1);
}

/* A picture of the report: which file, under which name in the page. */
struct picture {
	char file[64], id[64];
	bool path; /* a diagram, and not a plot */
};

/* Only what copytax itself draws is ever read: the plots by their table, the paths by the methods'. */
static bool picture_by_url(const char *url, struct picture *out)
{
	for (const struct plot *p = plots; p->name && url; p++) {
		snprintf(out->file, sizeof(out->file), "plots/%s.svg", p->name);
		snprintf(out->id, sizeof(out->id), "plot-%s", p->name);
		out->path = false;
		if (!strcmp(url, out->file))
			return true;
	}
	for (size_t i = 0; methods[i] && url; i++) {
		snprintf(out->file, sizeof(out->file), "paths/%s.svg", methods[i]->name);
		snprintf(out->id, sizeof(out->id), "path-%s", methods[i]->name);
		out->path = true;
		if (!strcmp(url, out->file))
			return true;
	}
	return false;
}

/* The figure with the picture inside and `caption` under it; the caller frees it. NULL: it can't be had. */
static char *figure(const struct picture *picture, const char *caption, const char *dir)
{
	char path[PATH_MAX], *svg, *start, *text = NULL;
	size_t size = 0;
	FILE *out;

	if (snprintf(path, sizeof(path), "%s/%s", dir, picture->file) >= (int)sizeof(path))
		return NULL;
	svg = read_file(path);
	start = svg ? strstr(svg, "<svg") : NULL;
	out = start && !strstr(start, "<script") ? open_memstream(&text, &size) : NULL;
	if (out) {
		cut_elements(start, "<title>", "</title>");
		cut_elements(start, "<desc>", "</desc>");
		cut_elements(start, "<!--", "-->");
		fprintf(out, "<figure id=\"%s\"%s><div class=\"plot\" role=\"img\" tabindex=\"0\" "
			     "aria-labelledby=\"%s-text\">",
			picture->id, picture->path ? " class=\"path\"" : "", picture->id);
		put_prefixed(out, start, picture->id);
		fprintf(out, "</div><figcaption id=\"%s-text\">", picture->id);
		put_html(out, caption);
		fputs("</figcaption></figure>\n", out);
		if (fclose(out)) {
			free(text);
			text = NULL;
		}
	}
	free(svg);
	return text;
}

/* The text of a node's children, markup dropped, into `out`. */
static void plain_text(cmark_node *node, char *out, size_t size)
{
	cmark_iter *iter = cmark_iter_new(node);
	cmark_event_type event;
	size_t len = 0;

	out[0] = 0;
	while (iter && (event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
		const char *literal = cmark_node_get_literal(cmark_iter_get_node(iter));

		if (event == CMARK_EVENT_ENTER && literal && len < size)
			len += (size_t)snprintf(out + len, size - len, "%s", literal);
	}
	if (iter)
		cmark_iter_free(iter);
}

/* Puts `html` in the place of a node. */
static void replace_node(cmark_node *old, cmark_node_type type, const char *html)
{
	cmark_node *node = cmark_node_new(type);

	if (!node)
		return;
	cmark_node_set_on_enter(node, html);
	if (cmark_node_replace(old, node))
		cmark_node_free(old);
	else
		cmark_node_free(node);
}

/* An image that stands alone in its paragraph becomes a figure; another one, or one that is missing, its own text. */
static void dress_image(cmark_node *image, const char *dir)
{
	cmark_node *paragraph = cmark_node_parent(image);
	bool alone = cmark_node_get_type(paragraph) == CMARK_NODE_PARAGRAPH &&
		     cmark_node_first_child(paragraph) == image && !cmark_node_next(image);
	struct picture picture;
	char caption[1500], *html = NULL;

	plain_text(image, caption, sizeof(caption));
	if (alone && dir && picture_by_url(cmark_node_get_url(image), &picture))
		html = figure(&picture, caption, dir);
	if (html)
		replace_node(paragraph, CMARK_NODE_CUSTOM_BLOCK, html);
	else
		/* without the picture the page keeps its place, never a broken reference */
		replace_node(image, CMARK_NODE_CUSTOM_INLINE, "<em>(picture missing)</em>");
	free(html);
}

/* "The answer" → "the-answer"; letters of other scripts stay as they are */
static void slug(const char *text, char *out, size_t size)
{
	size_t len = 0;

	for (; *text && len + 1 < size; text++) {
		unsigned char c = (unsigned char)*text;

		if (isalnum(c) || c >= 0x80)
			out[len++] = (char)tolower(c);
		else if ((c == ' ' || c == '-') && len && out[len - 1] != '-')
			out[len++] = '-';
	}
	while (len && out[len - 1] == '-')
		len--;
	out[len] = 0;
}

static bool is_heading(cmark_node *node, int level)
{
	return cmark_node_get_type(node) == CMARK_NODE_HEADING &&
	       cmark_node_get_heading_level(node) <= level;
}

/* Everything from a second-level heading to the next into a section that links can name. */
static void wrap_section(cmark_node *heading, const char *id)
{
	cmark_node *section = cmark_node_new(CMARK_NODE_CUSTOM_BLOCK), *next, *node = heading;
	char tag[300];

	if (!section)
		return;
	snprintf(tag, sizeof(tag), "<section id=\"%s\">", id);
	cmark_node_set_on_enter(section, tag);
	cmark_node_set_on_exit(section, "</section>");
	if (!cmark_node_insert_before(heading, section)) {
		cmark_node_free(section);
		return;
	}
	do {
		next = cmark_node_next(node);
		cmark_node_unlink(node);
		if (!cmark_node_append_child(section, node))
			cmark_node_free(node);
		node = next;
	} while (node && !is_heading(node, 2));
}

/* A section for each second-level heading, and links to them all in front of the first. */
static void make_sections(cmark_node *document, const char *contents)
{
	cmark_node *node = cmark_node_first_child(document), *next, *first = NULL;
	char text[200], id[200], *html = NULL;
	size_t size = 0;
	FILE *nav = open_memstream(&html, &size);

	if (!nav)
		return;
	fputs("<nav aria-label=\"", nav);
	put_html(nav, contents);
	fputs("\"><ul>", nav);
	for (; node; node = next) {
		next = cmark_node_next(node);
		while (next && !is_heading(next, 2))
			next = cmark_node_next(next);
		if (!is_heading(node, 2) || cmark_node_get_heading_level(node) != 2)
			continue;
		plain_text(node, text, sizeof(text));
		slug(text, id, sizeof(id));
		fprintf(nav, "<li><a href=\"#%s\">", id);
		put_html(nav, text);
		fputs("</a></li>\n", nav);
		wrap_section(node, id);
		if (!first)
			first = cmark_node_first_child(document);
	}
	fputs("</ul></nav>\n", nav);
	if (fclose(nav) || !first) {
		free(html);
		return;
	}
	while (first && cmark_node_get_type(first) != CMARK_NODE_CUSTOM_BLOCK)
		first = cmark_node_next(first);
	node = first ? cmark_node_new(CMARK_NODE_CUSTOM_BLOCK) : NULL;
	if (node) {
		cmark_node_set_on_enter(node, html);
		if (!cmark_node_insert_before(first, node))
			cmark_node_free(node);
	}
	free(html);
}

/* The heading that a node stands under, for the name of its box. */
static void heading_of(cmark_node *node, char *out, size_t size)
{
	snprintf(out, size, "table");
	for (; node; node = cmark_node_previous(node)) {
		if (!is_heading(node, 6))
			continue;
		plain_text(node, out, size);
		return;
	}
}

/* A table that is wider than a phone scrolls in its own box, which the keyboard reaches too. */
static void box_table(cmark_node *table, size_t number)
{
	cmark_node *box = cmark_node_new(CMARK_NODE_CUSTOM_BLOCK);
	char name[200], *html = NULL;
	size_t size = 0;
	FILE *out = box ? open_memstream(&html, &size) : NULL;

	if (!out) {
		if (box)
			cmark_node_free(box);
		return;
	}
	heading_of(table, name, sizeof(name));
	fputs("<div class=\"wide\" role=\"region\" aria-label=\"", out);
	put_html(out, name);
	fprintf(out, ", %zu\" tabindex=\"0\">", number);
	if (fclose(out) || !cmark_node_set_on_enter(box, html) ||
	    !cmark_node_set_on_exit(box, "</div>") || !cmark_node_insert_before(table, box)) {
		free(html);
		cmark_node_free(box);
		return;
	}
	free(html);
	cmark_node_unlink(table);
	if (!cmark_node_append_child(box, table))
		cmark_node_insert_after(box, table);
}

/* The nodes of one type, collected first because the walk must not see the changes. */
static size_t collect(cmark_node *document, bool tables, cmark_node **nodes, size_t room)
{
	cmark_iter *iter = cmark_iter_new(document);
	cmark_event_type event;
	size_t count = 0;

	if (!iter)
		return 0;
	while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
		cmark_node *node = cmark_iter_get_node(iter);
		bool wanted = tables ? !strcmp(cmark_node_get_type_string(node), "table")
				     : cmark_node_get_type(node) == CMARK_NODE_IMAGE;

		if (event == CMARK_EVENT_ENTER && wanted && count < room)
			nodes[count++] = node;
	}
	cmark_iter_free(iter);
	return count;
}

static void dress(cmark_node *document, const char *dir)
{
	cmark_node *nodes[256];
	size_t count = collect(document, true, nodes, sizeof(nodes) / sizeof(nodes[0]));

	for (size_t i = 0; i < count; i++)
		box_table(nodes[i], i + 1);
	count = collect(document, false, nodes, sizeof(nodes) / sizeof(nodes[0]));
	for (size_t i = 0; i < count; i++)
		dress_image(nodes[i], dir);
}

static bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/*
 * What cmark-gfm's tables lack: scopes, and a heading for each row, which is its first cell. Whatever a document
 * holds was escaped by then, so these tags are cmark-gfm's own.
 */
static void put_body(const char *body, FILE *out)
{
	bool row_heading = false;

	while (*body) {
		if (starts(body, "<th>") || starts(body, "<th ")) {
			fputs("<th scope=\"col\"", out);
			body += 3;
		} else if (starts(body, "<tr>\n<td>") || starts(body, "<tr>\n<td ")) {
			fputs("<tr>\n<th scope=\"row\"", out);
			row_heading = true;
			body += 8;
		} else if (row_heading && starts(body, "</td>")) {
			fputs("</th>", out);
			row_heading = false;
			body += 5;
		} else {
			putc(*body++, out);
		}
	}
}

int html_page(const char *markdown, const struct page *page, FILE *out, struct failure *why)
{
	cmark_syntax_extension *table;
	cmark_parser *parser;
	cmark_node *document = NULL;
	char *body = NULL;

	cmark_gfm_core_extensions_ensure_registered();
	table = cmark_find_syntax_extension("table");
	parser = cmark_parser_new(OPTIONS);
	if (!table || !parser || !cmark_parser_attach_syntax_extension(parser, table)) {
		if (parser)
			cmark_parser_free(parser);
		return fail(why, EXIT_MACHINE_CANT, ENOTSUP,
			    "this cmark-gfm library has no table extension");
	}
	cmark_parser_feed(parser, markdown, strlen(markdown));
	document = cmark_parser_finish(parser);
	if (document) {
		dress(document, page->dir);
		make_sections(document, page->contents);
		body = cmark_render_html(document, OPTIONS,
					 cmark_parser_get_syntax_extensions(parser));
	}
	if (body) {
		fprintf(out,
			"<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
			"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
			"'none'; style-src 'unsafe-inline'\">\n"
			"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
			"<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
			page->lang);
		put_html(out, page->title);
		fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n",
			style_sheet);
		put_body(body, out);
		fputs("</main>\n</body>\n</html>\n", out);
	}
	free(body);
	if (document)
		cmark_node_free(document);
	cmark_parser_free(parser);
	return body ? 0 : fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory for the page");
}
