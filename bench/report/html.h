/* SPDX-License-Identifier: MIT */
/*
 * Markdown to one self-contained page: style sheet and pictures inside, nothing fetched, no script. Raw
 * HTML in the Markdown is dropped by cmark-gfm; its content policy lets the page load nothing.
 */
#ifndef COPYTAX_REPORT_HTML_H
#define COPYTAX_REPORT_HTML_H

#include <stdio.h>

#include "base/failure.h"

/*
 * Writes the page. Images named plots/NAME.svg, NAME one of plots[], are replaced by the SVG of that name in
 * `plots_dir` (NULL: none). Returns 0 or -errno with `why`.
 */
int html_page(const char *markdown, const char *title, const char *plots_dir, FILE *out,
	      struct failure *why);

#endif
