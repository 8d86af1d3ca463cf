/* SPDX-License-Identifier: MIT */
/* The paths as diagrams: one .dot file per method, rendered to SVG by graphviz. */
#ifndef COPYTAX_REPORT_PATHS_DRAW_H
#define COPYTAX_REPORT_PATHS_DRAW_H

#include "base/failure.h"
#include "report/paths.h"
#include "result/result.h"

/* The case whose path is drawn for a method: of the main family, at its chunk. NULL: there is none. */
const struct case_result *path_case(const struct result *result, const struct method *method);

/* The diagram as graphviz reads it. */
void path_dot(const struct method *method, const struct path *path, FILE *out);

/*
 * Writes METHOD.dot and METHOD.svg for every known method that was measured into `dir`, which exists. Returns 0,
 * -ENOENT with `why` when graphviz is not installed (the .dot files are there; a report goes on without
 * pictures), another -errno with `why`.
 */
int paths_draw(const struct result *result, const char *dir, struct failure *why);

#endif
