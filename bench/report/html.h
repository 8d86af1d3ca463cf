/* SPDX-License-Identifier: MIT */
/*
 * Markdown to one self-contained page: style sheet and pictures inside, nothing fetched, no script. Raw
 * HTML in the Markdown is dropped by cmark-gfm; its content policy lets the page load nothing.
 */
#ifndef COPYTAX_REPORT_HTML_H
#define COPYTAX_REPORT_HTML_H

#include <stdio.h>

#include "base/failure.h"

struct page {
	const char *title;
	const char *lang; /* "en" */
	const char *contents; /* what the list of the sections is called: "Contents" */
	const char *dir; /* the folder that holds plots/ and paths/; NULL: no pictures */
};

/*
 * Writes the page. An image that is one of the report's own, plots/NAME.svg or paths/METHOD.svg, is put into the
 * page; any other is left out. Returns 0 or -errno with `why`.
 */
int html_page(const char *markdown, const struct page *page, FILE *out, struct failure *why);

#endif
