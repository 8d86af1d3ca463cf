/* SPDX-License-Identifier: MIT */
/*
 * Pictures by gnuplot from the files that data_write made. gnuplot runs without a shell, and whatever it
 * says on its standard error is an error of the plot.
 */
#ifndef COPYTAX_REPORT_PLOTS_H
#define COPYTAX_REPORT_PLOTS_H

#include "base/failure.h"
#include "report/data.h"

struct plot {
	const char *name; /* NAME.gp, NAME.svg, NAME.png */
	const char *title;
	const char *alt; /* what it shows, for those who can't see it */
	enum plot_need { NEEDS_BARS, NEEDS_COPIES, NEEDS_CROSSINGS, NEEDS_BILL, NEEDS_SWEEP,
			 NEEDS_CYCLES, NEEDS_SITES, NEEDS_DIMENSION } need;
	enum dimension dimension; /* of NEEDS_DIMENSION: drawn by sweep.gp */
};

/* Ends with one without a name. */
extern const struct plot plots[];

/* Does the result have what this plot draws? */
bool plot_drawable(const struct plot *plot, const struct drawable *drawable);

/* Why it can't be drawn, where its place in the report says so; NULL: it is left out without a word. */
const char *plot_absence(const struct plot *plot, const struct drawable *drawable);

/*
 * Draws every drawable plot into `plots_dir`, which exists. Returns 0, -ENOENT with `why` when gnuplot or the
 * plot sources are not installed (a report goes on without), another -errno with `why` and gnuplot's words.
 */
int plots_draw(const char *data_dir, const char *plots_dir, const struct drawable *drawable,
	       struct failure *why);

/* Where the gnuplot sources are: $COPYTAX_SHARE/plots, beside the installed program, or in the source tree. */
int plots_sources(char *out, size_t size, struct failure *why);

#endif
