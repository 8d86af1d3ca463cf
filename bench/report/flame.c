// SPDX-License-Identifier: MIT
#include "report/flame.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/sites.h"
#include "report/flame_page.h"

struct node {
	char *name;
	uint64_t samples;
	enum cpu_site site;
	struct node *child, *next; /* siblings are sorted by name */
};

static void node_free(struct node *node)
{
	while (node) {
		struct node *next = node->next;

		node_free(node->child);
		free(node->name);
		free(node);
		node = next;
	}
}

/* The child of that name, made when it isn't there. `path`: the stack up to and with it. */
static struct node *child_of(struct node *parent, const char *name, size_t len, const char *path,
			     size_t path_len)
{
	struct node **at = &parent->child, *node;
	char *upto;

	while (*at && (strncmp((*at)->name, name, len) < 0 ||
		       (!strncmp((*at)->name, name, len) && strlen((*at)->name) < len)))
		at = &(*at)->next;
	if (*at && !strncmp((*at)->name, name, len) && !(*at)->name[len])
		return *at;
	node = calloc(1, sizeof(*node));
	upto = strndup(path, path_len);
	if (node)
		node->name = strndup(name, len);
	if (!node || !upto || !node->name) {
		free(upto);
		node_free(node);
		return NULL;
	}
	node->site = site_of_stack(upto);
	free(upto);
	node->next = *at;
	*at = node;
	return node;
}

static int grow(struct node *root, const struct folded *stacks)
{
	for (size_t i = 0; i < stacks->count; i++) {
		const char *stack = stacks->line[i].stack;
		struct node *node = root;

		root->samples += stacks->line[i].count;
		for (const char *name = stack; *name;) {
			size_t len = strcspn(name, ";");

			node = child_of(node, name, len, stack, (size_t)(name - stack) + len);
			if (!node)
				return -ENOMEM;
			node->samples += stacks->line[i].count;
			name += len + (name[len] == ';');
		}
	}
	return 0;
}

static size_t depth_of(const struct node *node)
{
	size_t deepest = 0;

	for (const struct node *c = node->child; c; c = c->next) {
		size_t depth = depth_of(c);

		deepest = depth > deepest ? depth : deepest;
	}
	return deepest + 1;
}

static void put_text(const char *text, FILE *file)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", file);
			break;
		case '<':
			fputs("&lt;", file);
			break;
		case '>':
			fputs("&gt;", file);
			break;
		case '"':
			fputs("&quot;", file);
			break;
		default:
			putc(*text, file);
			break;
		}
	}
}

/* The kernel's mark is for programs; people see the kernel by its colours. */
static void put_name(const char *name, FILE *file)
{
	size_t len = strlen(name), mark = sizeof(FOLDED_KERNEL) - 1;
	char shown[256];

	snprintf(shown, sizeof(shown), "%s", name);
	if (len > mark && len < sizeof(shown) && !strcmp(name + len - mark, FOLDED_KERNEL))
		shown[len - mark] = '\0';
	put_text(shown, file);
}

static void put_nodes(const struct node *node, uint64_t x, size_t depth, uint64_t total, FILE *file)
{
	fprintf(file,
		"<div%s data-x=\"%" PRIu64 "\" data-n=\"%" PRIu64
		"\" data-d=\"%zu\" data-s=\"%d\" style=\"left:%.3f%%;width:%.3f%%;bottom:%zupx;background:%s\">",
		/* white on the two dark colours */
		node->site == CPU_LOOPBACK || node->site == CPU_OTHER ? " class=\"w\"" : "", x,
		node->samples, depth, (int)node->site, 100 * (double)x / (double)total,
		100 * (double)node->samples / (double)total, depth * FLAME_ROW_PIXELS,
		cpu_site_colours[node->site]);
	put_name(node->name, file);
	fputs("</div>\n", file);
	for (const struct node *c = node->child; c; c = c->next) {
		put_nodes(c, x, depth + 1, total, file);
		x += c->samples;
	}
}

static void put_sites(const struct folded *stacks, const struct flame_text *text, FILE *file)
{
	double kib = (double)text->payload / 1024;
	bool priced = isfinite(text->cpu_s) && text->payload;
	struct site_shares shares;

	sites_count(stacks, &shares);
	fprintf(file, "<table><thead><tr><th>Site</th><th class=\"n\">samples</th>"
		      "<th class=\"n\">share</th>%s</tr></thead><tbody>\n",
		priced ? "<th class=\"n\">ns per KiB</th>" : "");
	for (enum cpu_site site = 0; site < CPU_SITES; site++) {
		double share = (double)shares.samples[site] / (double)shares.all;

		fprintf(file,
			"<tr data-s=\"%d\" data-title=\"%s\" data-share=\"%.1f %%\"><td>"
			"<i style=\"background:%s\"></i>%s</td><td class=\"n\">%" PRIu64
			"</td><td class=\"n\">%.1f %%</td>",
			(int)site, cpu_site_titles[site], 100 * share, cpu_site_colours[site],
			cpu_site_titles[site], shares.samples[site], 100 * share);
		if (priced)
			fprintf(file, "<td class=\"n\">%.1f</td>", share * text->cpu_s * 1e9 / kib);
		fputs("</tr>\n", file);
	}
	fputs("</tbody></table>\n", file);
}

static void put_page(const struct node *root, const struct folded *stacks,
		     const struct flame_text *text, FILE *file)
{
	size_t depth = depth_of(root);

	fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>",
	      file);
	put_text(text->title, file);
	fprintf(file, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>", flame_style);
	put_text(text->title, file);
	fprintf(file, "</h1>\n<p>%" PRIu64 " samples. ", root->samples);
	put_text(text->note, file);
	fputs("</p>\n<div class=\"tools\" hidden><label>Search "
	      "<input id=\"find\" type=\"search\" placeholder=\"part of a function's name\"></label>"
	      "<button id=\"reset\" type=\"button\">Whole graph</button>"
	      "<span id=\"found\" class=\"dim\" role=\"status\"></span></div>\n",
	      file);
	fprintf(file,
		"<div id=\"graph\" tabindex=\"0\" role=\"group\" aria-label=\"Flame graph: arrow keys move, Enter "
		"zooms in, Escape goes back\" style=\"height:%zupx\">\n",
		depth * FLAME_ROW_PIXELS + 2);
	put_nodes(root, 0, 0, root->samples, file);
	fputs("</div>\n<p class=\"dim\">Wide is much; above is called by below. A click zooms in, Escape goes "
	      "back; a click on a site below shows where it is.</p>\n",
	      file);
	put_sites(stacks, text, file);
	fprintf(file, "<div id=\"tip\" role=\"tooltip\" hidden></div>\n<script>\n%s</script>\n</body>\n</html>\n",
		flame_script);
}

int flame_write(const struct folded *stacks, const struct flame_text *text, FILE *file)
{
	struct node root = { .name = (char[]){ "all" }, .site = CPU_USER };
	int err = stacks->samples ? grow(&root, stacks) : -ENODATA;

	if (!err) {
		/* one outermost function needs no frame around it */
		const struct node *top = root.child && !root.child->next ? root.child : &root;

		put_page(top, stacks, text, file);
		err = ferror(file) ? -EIO : 0;
	}
	node_free(root.child);
	return err;
}
