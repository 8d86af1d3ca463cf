/* SPDX-License-Identifier: MIT */
/*
 * The path of the payload, place by place, as a case's counts have it: which bytes were copied, which were
 * handed over by reference, which a device moved, and what the classic texts say of each step.
 */
#ifndef COPYTAX_REPORT_PATHS_H
#define COPYTAX_REPORT_PATHS_H

#include <stdio.h>

#include "analysis/reason.h"
#include "method/method.h"
#include "report/format.h"
#include "result/result.h"

enum path_place {
	PATH_DISK,
	PATH_CACHE,
	PATH_KERNEL, /* private pages of the kernel, filled from the page cache */
	PATH_USER, /* user memory: a buffer, or the mapped file */
	PATH_SOCKET,
	PATH_WIRE,
	PATH_RECEIVER,
	PATH_PLACES
};

enum path_kind { PATH_COPY, PATH_REFERENCE, PATH_DMA };

struct path_step {
	enum path_place from, to;
	enum path_kind kind;
	double bytes; /* NaN: not known, see reason */
	char texts[64]; /* what the texts say of this step: "copy 327.7 MB"; "" when nothing */
	char reason[REASON_SHORT_MAX];
};

#define PATH_STEPS_MAX 12

struct path {
	struct path_step step[PATH_STEPS_MAX];
	size_t count;
	const char *user_name; /* "user buffer", "mapped file" */
	char wire_name[32];
	/* per chunk; NaN when not known */
	double calls, crossings, switches;
	double texts_calls;
};

/* The path of `c`, a case of `m`. */
void path_find(const struct method *m, const struct case_result *c, struct path *out);

const char *path_place_name(const struct path *path, enum path_place place);
extern const char *const path_kind_names[]; /* "copy", "by reference", "DMA" */

/* "327.7 MB"; "?" for NaN */
const char *path_bytes(double bytes, char out[static FORMAT_MAX]);
/* "per chunk: system calls 2.00 (texts 2), crossings 4.00 (texts 4), context switches 0.0007" */
const char *path_figures(const struct path *path, char *out, size_t size);

/* One line per step, for a terminal. */
void path_print(const struct path *path, FILE *out);

#endif
