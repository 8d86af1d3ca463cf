// SPDX-License-Identifier: MIT
#include "report/html.h"

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "report/format.h"
#include "report/plots.h"

#define OPTIONS (CMARK_OPT_VALIDATE_UTF8 | CMARK_OPT_TABLE_PREFER_STYLE_ATTRIBUTES)
#define SVG_MAX_BYTES (16 << 20)

static const char style_sheet[] =
	":root{color-scheme:light dark;--ink:#1b1b1b;--dim:#5a5a5a;--paper:#fdfdfc;--rule:#d9d9d6;"
	"--shade:#f2f2ef;--link:#0a5a9c}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6e6e3;--dim:#a9a9a5;--paper:#17181a;"
	"--rule:#3a3c40;--shade:#222428;--link:#7db8ea}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 "
	"system-ui,sans-serif}\n"
	"main{max-width:66rem;margin:0 auto;padding:1.5rem 1rem 4rem;overflow-wrap:break-word}\n"
	"h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0 1rem}\n"
	"h2{font-size:1.25rem;margin:2.4rem 0 .8rem;padding-top:.5rem;border-top:1px solid "
	"var(--rule)}\n"
	"a{color:var(--link)}\n"
	"blockquote{margin:1rem 0;padding:.6rem 1rem;border-left:.3rem solid #d55e00;"
	"background:var(--shade)}\n"
	"blockquote p{margin:0}\n"
	"li{margin:.3rem 0}\n"
	".wide{overflow-x:auto;margin:.8rem 0}\n"
	"table{border-collapse:collapse;font-size:.78rem;font-variant-numeric:tabular-nums}\n"
	"th,td{padding:.3rem .4rem;border-bottom:1px solid var(--rule);vertical-align:top}\n"
	"th{background:var(--shade);font-weight:600;vertical-align:bottom}\n"
	"td[style*=right]{white-space:nowrap}\n"
	"td:first-child{font-weight:600}\n"
	"td:first-child,th:first-child{position:sticky;left:0;background:var(--paper)}\n"
	"th:first-child{background:var(--shade)}\n"
	"pre{background:var(--shade);padding:.8rem 1rem;overflow-x:auto;white-space:pre-wrap}\n"
	"code{font:.9em/1.4 ui-monospace,monospace}\n"
	".plot{display:block;background:#fff;border:1px solid var(--rule);border-radius:.4rem;"
	"padding:.3rem;margin:1rem 0}\n"
	".plot svg{display:block;width:100%;height:auto}\n"
	"@media print{:root{--ink:#000;--dim:#333;--paper:#fff;--rule:#bbb;--shade:#eee}"
	"body{font-size:10pt}main{max-width:none;padding:0}table{font-size:7.5pt}"
	"th,td{padding:.15rem .35rem}td[style*=right]{white-space:normal}.wide{overflow:visible}"
	".plot,table,blockquote{break-inside:avoid}h2{break-after:avoid}}\n"
	"@media(max-width:40rem){body{font-size:15px}main{padding:.8rem .7rem 3rem}"
	".plot{overflow-x:auto}.plot svg{min-width:34rem}}\n";

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

/* Cuts <tag>…</tag> out of `svg`: gnuplot's own title would pop up as a hint over the picture. */
static void cut_element(char *svg, const char *open, const char *close)
{
	char *from = strstr(svg, open), *to = from ? strstr(from, close) : NULL;

	if (to)
		memmove(from, to + strlen(close), strlen(to + strlen(close)) + 1);
}

static char *picture(const struct plot *plot, const char *plots_dir)
{
	char path[PATH_MAX], *svg, *start, *text = NULL;
	size_t size = 0;
	FILE *out;

	if (snprintf(path, sizeof(path), "%s/%s.svg", plots_dir, plot->name) >= (int)sizeof(path))
		return NULL;
	svg = read_file(path);
	start = svg ? strstr(svg, "<svg") : NULL;
	out = start && !strstr(start, "<script") ? open_memstream(&text, &size) : NULL;
	if (out) {
		cut_element(start, "<title>", "</title>");
		cut_element(start, "<desc>", "</desc>");
		fputs("<span class=\"plot\" role=\"img\" aria-label=\"", out);
		put_html(out, plot->title);
		fputs(": ", out);
		put_html(out, plot->alt);
		fputs("\">", out);
		put_prefixed(out, start, plot->name);
		fputs("</span>", out);
		if (fclose(out)) {
			free(text);
			text = NULL;
		}
	}
	free(svg);
	return text;
}

static const struct plot *plot_by_url(const char *url)
{
	char expected[64];

	for (const struct plot *p = plots; p->name; p++) {
		snprintf(expected, sizeof(expected), "plots/%s.svg", p->name);
		if (url && !strcmp(url, expected))
			return p;
	}
	return NULL;
}

/* Puts `node` in the place of an image. */
static void replace_image(cmark_node *image, const char *html)
{
	cmark_node *node = cmark_node_new(CMARK_NODE_CUSTOM_INLINE);

	if (!node)
		return;
	cmark_node_set_on_enter(node, html);
	if (cmark_node_replace(image, node))
		cmark_node_free(image);
	else
		cmark_node_free(node);
}

/* A table that is wider than a phone scrolls in its own box, which the keyboard reaches too. */
static void box_table(cmark_node *table)
{
	cmark_node *box = cmark_node_new(CMARK_NODE_CUSTOM_BLOCK);

	if (!box)
		return;
	cmark_node_set_on_enter(
		box, "<div class=\"wide\" role=\"region\" aria-label=\"table\" tabindex=\"0\">");
	cmark_node_set_on_exit(box, "</div>");
	if (!cmark_node_insert_before(table, box)) {
		cmark_node_free(box);
		return;
	}
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

static void dress(cmark_node *document, const char *plots_dir)
{
	cmark_node *nodes[256];
	size_t count = collect(document, true, nodes, sizeof(nodes) / sizeof(nodes[0]));

	for (size_t i = 0; i < count; i++)
		box_table(nodes[i]);
	count = collect(document, false, nodes, sizeof(nodes) / sizeof(nodes[0]));
	for (size_t i = 0; i < count; i++) {
		const struct plot *plot = plot_by_url(cmark_node_get_url(nodes[i]));
		char *html = plot && plots_dir ? picture(plot, plots_dir) : NULL;

		/* without the picture the page keeps its description, never a broken reference */
		replace_image(nodes[i], html ? html : "<em>(picture missing)</em>");
		free(html);
	}
}

int html_page(const char *markdown, const char *title, const char *plots_dir, FILE *out,
	      struct failure *why)
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
		dress(document, plots_dir);
		body = cmark_render_html(document, OPTIONS,
					 cmark_parser_get_syntax_extensions(parser));
	}
	if (body) {
		fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		      "style-src 'unsafe-inline'\">\n"
		      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		      "<title>",
		      out);
		put_html(out, title);
		fprintf(out,
			"</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n%s</main>\n</"
			"body>\n</html>\n",
			style_sheet, body);
	}
	free(body);
	if (document)
		cmark_node_free(document);
	cmark_parser_free(parser);
	return body ? 0 : fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory for the page");
}
