/* SPDX-License-Identifier: MIT */
/* The source files of a study: made, found, and removed again. */
#ifndef COPYTAX_CMD_SOURCES_H
#define COPYTAX_CMD_SOURCES_H

#include <limits.h>
#include <signal.h>

#include "study/plan.h"

struct sources_wanted {
	const char *dir; /* of the result */
	const char *file; /* the user's own; NULL: make them */
	uint64_t seed;
	bool sparse; /* holes instead of bytes */
	bool again; /* files that an interrupted run of this study left are replaced */
	bool quiet;
	const volatile sig_atomic_t *stop;
};

/* Where the payloads are, and which of them are ours to remove. */
struct sources {
	char warm[PATH_MAX], cold[PATH_MAX];
	char many[PATH_MAX]; /* what the names of folders with a file per connection begin with */
	bool made_warm, made_cold;
	size_t folders; /* made, of the cases that want one */
	uint64_t size; /* of the largest payload */
};

/*
 * One file serves all sizes: smaller payloads are its beginning. Cases that don't start from a warm cache have
 * a file of their own. Returns 0 or -errno with `why`; sources_remove() also after a failure.
 */
int sources_make(const struct sources_wanted *wanted, const struct plan_case *cases, size_t count,
		 struct sources *sources, struct failure *why);
void sources_remove(const struct sources *sources, const struct plan_case *cases, size_t count, bool keep);

#endif
