// SPDX-License-Identifier: MIT
#include "report/plots.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/tool.h"

/* One source draws them all. */
#define SWEPT(word, dimension, what)                                                               \
	{                                                                                          \
		"sweep-" word, "Cost over " what,                                                  \
			"Two line charts over " what                                               \
			": CPU seconds per gigabyte of the sender, and throughput, a line per "    \
			"method. The numbers are in data/cases.tsv.",                              \
			NEEDS_DIMENSION, dimension                                                 \
	}

const struct plot plots[] = {
	{ "throughput", "Throughput by method",
	  "Bar chart: gigabytes per second of each method, with the interval of the median and "
	  "every sample as a dot. The same numbers are in the table of the answer.",
	  NEEDS_BARS, 0 },
	{ "cpu", "CPU seconds per GB",
	  "Stacked bar chart: CPU seconds per gigabyte of sender and receiver for each method, "
	  "with the interval of their sum. The same numbers are in the table of the answer.",
	  NEEDS_BARS, 0 },
	{ "copies", "Copies of every payload byte",
	  "Stacked bar chart: bytes that the CPU copied per payload byte for each method, by the "
	  "place of the copy, the receiver's copy beside them, and a diamond where the classic "
	  "texts put the sender. The same numbers are in the table of megabytes per transfer.",
	  NEEDS_COPIES, 0 },
	{ "crossings", "User/kernel crossings and context switches",
	  "Bar chart on a log scale: user/kernel crossings of the sender per transfer for each "
	  "method, a diamond where the classic texts put them, and a dot for the context switches. "
	  "The same numbers are in the table of crossings.",
	  NEEDS_CROSSINGS, 0 },
	{ "bill", "The bill of each method",
	  "Waterfall chart, one panel per method: milliseconds of sender CPU per transfer, line by "
	  "line, calls, copies, faults, switches, the stack and what is unexplained, up to the bar of "
	  "what was measured. The same numbers are in the table of the bill.",
	  NEEDS_BILL, 0 },
	{ "chunk", "Chunk size and CPU seconds per GB",
	  "Two line charts over the chunk size: CPU seconds per gigabyte of the sender, and of "
	  "sender and receiver together, a line per method. The sender's numbers are in the table "
	  "of the chunk sizes.",
	  NEEDS_SWEEP, 0 },
	{ "cycles", "CPU cycles and copies of every byte",
	  "Two bar charts with a bar per method: CPU cycles of the sender per payload byte, user and "
	  "kernel mode stacked, and beside it the bytes that it copied per payload byte. The same "
	  "numbers are in the tables of events and of megabytes per transfer.",
	  NEEDS_CYCLES, 0 },
	{ "sites", "Where the sender's CPU time goes",
	  "Two stacked bar charts with a bar per method: nanoseconds of sender CPU per KiB of payload by the "
	  "part of the kernel that its stacks were sampled in, and the same in per cent. The same numbers are in the table of sites.",
	  NEEDS_SITES, 0 },
	SWEPT("size", DIM_SIZE, "the payload size"),
	SWEPT("link", DIM_LINK, "the link"),
	SWEPT("connections", DIM_CONNECTIONS, "the number of connections"),
	SWEPT("each", DIM_EACH, "what each connection sends"),
	SWEPT("files", DIM_FILES, "one file or many"),
	SWEPT("placement", DIM_PLACEMENT, "the placement"),
	SWEPT("cc", DIM_CONGESTION, "the congestion control"),
	SWEPT("sndbuf", DIM_SNDBUF, "the send buffer"),
	SWEPT("rcvbuf", DIM_RCVBUF, "the receive buffer"),
	SWEPT("nodelay", DIM_NODELAY, "TCP_NODELAY"),
	SWEPT("lead", DIM_LEAD, "the lead"),
	SWEPT("mtu", DIM_MTU, "the MTU"),
	SWEPT("offload", DIM_OFFLOAD, "segmentation offload"),
	SWEPT("scatter-gather", DIM_GATHER, "scatter-gather"),
	SWEPT("cache", DIM_CACHE, "the state of the page cache"),
	SWEPT("sink", DIM_SINK, "the sink"),
	{ 0 },
};

bool plot_drawable(const struct plot *plot, const struct drawable *drawable)
{
	switch (plot->need) {
	case NEEDS_COPIES:
		return drawable->copies;
	case NEEDS_CROSSINGS:
		return drawable->crossings;
	case NEEDS_BILL:
		return drawable->bill;
	case NEEDS_SWEEP:
		return drawable->sweep;
	case NEEDS_CYCLES:
		return drawable->cycles;
	case NEEDS_SITES:
		return drawable->sites;
	case NEEDS_DIMENSION:
		return drawable->swept >> plot->dimension & 1;
	case NEEDS_BARS:
		break;
	}
	return drawable->bars;
}

const char *plot_absence(const struct plot *plot, const struct drawable *drawable)
{
	const char *why = plot->need == NEEDS_CYCLES ? drawable->no_cycles
			  : plot->need == NEEDS_SITES ? drawable->no_sites
						      : "";

	return plot_drawable(plot, drawable) || !why[0] ? NULL : why;
}

static bool has_sources(const char *dir)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/page.gp", dir);
	return !access(path, R_OK);
}

int plots_sources(char *out, size_t size, struct failure *why)
{
	static const char *const beside[] = { "../share/copytax/plots", "../scripts/plots" };
	const char *share = getenv("COPYTAX_SHARE");
	char program[PATH_MAX];
	ssize_t len;

	if (share && share[0]) {
		snprintf(out, size, "%s/plots", share);
		if (has_sources(out))
			return 0;
		return fail(why, EXIT_MACHINE_CANT, ENOENT,
			    "no gnuplot sources in %.400s (COPYTAX_SHARE names its parent folder)",
			    out);
	}
	len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (len > 0) {
		program[len] = 0;
		*strrchr(program, '/') = 0;
		for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
			snprintf(out, size, "%s/%s", program, beside[i]);
			if (has_sources(out))
				return 0;
		}
	}
	return fail(why, EXIT_MACHINE_CANT, ENOENT,
		    "the gnuplot sources are not beside the program; set COPYTAX_SHARE to the "
		    "folder that "
		    "holds plots/");
}

static int run_gnuplot(const char *sources, const char *script, const char *data,
		       const char *picture, struct failure *why)
{
	/* -d: no start-up files of the user's */
	const char *const argv[] = { "gnuplot", "-d", "-c", script, data, picture, NULL };
	/* a series of which nothing is known is not drawn: the data says so, and the plot's notes */
	const struct tool tool = { "gnuplot", "gnuplot-nox", script, argv, sources, picture,
				   "Skipping data file with no valid points" };

	return tool_run(&tool, why);
}

int plots_draw(const char *data_dir, const char *plots_dir, const struct drawable *drawable,
	       struct failure *why)
{
	static const char *const endings[] = { "svg", "png" };
	char sources[PATH_MAX], script[64], picture[PATH_MAX + 64];
	char *data = realpath(data_dir, NULL), *target = realpath(plots_dir, NULL);
	int err = 0;

	if (!data || !target)
		err = fail(why, EXIT_MACHINE_CANT, errno, "no folder %s: %s",
			   data ? plots_dir : data_dir, strerror(errno));
	err = err ? err : plots_sources(sources, sizeof(sources), why);
	for (const struct plot *p = plots; p->name && !err; p++) {
		snprintf(script, sizeof(script), "%s.gp",
			 p->need == NEEDS_DIMENSION ? "sweep" : p->name);
		for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]) && !err; i++) {
			snprintf(picture, sizeof(picture), "%s/%s.%s", target, p->name, endings[i]);
			/* a picture of an earlier result must not pass for this one's */
			if (unlink(picture) && errno != ENOENT)
				err = fail(why, EXIT_MACHINE_CANT, errno, "can't replace %s: %s",
					   picture, strerror(errno));
			else if (plot_drawable(p, drawable))
				err = run_gnuplot(sources, script, data, picture, why);
		}
	}
	free(data);
	free(target);
	return err;
}
