/* SPDX-License-Identifier: MIT */
/*
 * What to measure: lines of conditions, each the product of its lists, expanded into cases.
 *
 * A plan file has one statement a line; '#' starts a comment:
 *     rounds 15                 timed rounds, the most that any case gets
 *     warmup 1                  rounds before them, kept but not summarised
 *     size 320000K              payload
 *     case chunk=32K cache=warm,cold methods=classic sink=drain rounds=5
 * Every condition of study/dimension.h can stand in a case line. What it leaves out is: the classic five methods, the
 * condition's default, the plan's rounds. A case line can ask for fewer rounds, not for more.
 */
#ifndef COPYTAX_STUDY_PLAN_H
#define COPYTAX_STUDY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"
#include "method/method.h"
#include "study/dimension.h"
#include "transfer/cache.h"
#include "transfer/placement.h"
#include "transfer/sink.h"
#include "transfer/veth.h"

#define PLAN_LINES_MAX 64
#define PLAN_ROUNDS_MAX 100000
#define PLAN_CASES_MAX 4096 /* a product larger than this is a slip of the pen */

/* One line. A zero mask, an empty list or no rounds mean "not said". Bits are indices of methods[]. */
struct plan_line {
	uint64_t methods;
	struct dimension_list conditions[DIMENSIONS];
	unsigned int rounds;
};

struct plan {
	struct plan_line lines[PLAN_LINES_MAX];
	size_t line_count;
	unsigned int rounds;
	int warmup; /* -1: not said */
	uint64_t size;
	bool size_given;
};

struct plan_case {
	const struct method *method;
	union dimension_value at[DIMENSIONS]; /* what tells cases apart; the rest says it in words */
	uint64_t chunk;
	enum cache cache;
	enum sink sink;
	unsigned int connections;
	enum each each;
	enum file_count files;
	uint64_t size; /* of the source file */
	enum placement placement;
	struct link_settings link; /* without what belongs to a run: port, veth */
	struct veth_settings veth; /* of LINK_VETH */
	unsigned int rounds;
};

/* Takes a comma-separated list into the line, replacing what was there. 0 or -errno with `why`. */
int plan_methods(struct plan_line *line, const char *list, struct failure *why);

/* The case that a line of single values describes, for one transfer. Returns 0 or -errno with `why`. */
int plan_single(const struct plan_line *line, const struct method *method, struct plan_case *out,
		struct failure *why);

/* Bytes that one connection sends, and all of them: the source's size, shared or each. */
uint64_t plan_share(const struct plan_case *c);
uint64_t plan_payload(const struct plan_case *c);

/* "1" … PLAN_ROUNDS_MAX; `least` is the smallest that makes sense. */
int plan_number(const char *text, const char *what, unsigned int least, unsigned int *out,
		struct failure *why);

/* Reads a plan file, or a built-in plan (study/plan_builtin.h). Returns 0 or -errno with `why` naming the line. */
int plan_load(struct plan *plan, const char *path, struct failure *why);

/*
 * The cases of a plan: products of the lines with `override` (its lists, not its rounds) laid over each, duplicates merged (the
 * larger number of rounds wins), in the order of the dimensions and methods[]. The caller frees *cases.
 */
int plan_expand(const struct plan *plan, const struct plan_line *override, struct plan_case **cases,
		size_t *count, struct failure *why);

#endif
