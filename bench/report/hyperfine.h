/* SPDX-License-Identifier: MIT */
/*
 * The second opinion: whole-process wall times of `copytax send` by hyperfine (scripts/hyperfine.sh), as
 * ratios to read_write after the base (the same command on an empty file) is taken off, beside ours.
 */
#ifndef COPYTAX_REPORT_HYPERFINE_H
#define COPYTAX_REPORT_HYPERFINE_H

#include "analysis/stats.h"
#include "base/failure.h"
#include "report/format.h"
#include "result/result.h"

#define HYPERFINE_FILE "hyperfine.json"

struct opinion {
	char method[64];
	uint64_t chunk;		    /* from its command line */
	struct interval net_s;	    /* t - base */
	struct interval ratio;	    /* (t - base) ÷ (t of read_write - base) */
	struct interval ours;	    /* wall ratio of the result's case; n = 0 when there is none */
	struct interval ours_whole; /* the same with the CPU before and after the clock added */
	enum agreement { AGREES, AGREES_WHOLE, DIFFERS, TOO_NOISY, NO_PEER } agreement;
};

struct hyperfine {
	struct opinion *opinions;
	size_t count;
	struct interval base_s;
};

/* Loads `path` and compares. -ENOENT when there is no such file (why untouched); other -errno with `why`. */
int hyperfine_load(const char *path, const struct result *result, struct hyperfine *out,
		   struct failure *why);
void hyperfine_free(struct hyperfine *hyperfine);

/* The table and the sentence that says whether the two agree, and if not, the likely reason. 0 or -ENOMEM. */
int hyperfine_write(const struct hyperfine *hyperfine, enum style style, FILE *out);

#endif
