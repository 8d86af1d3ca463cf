/* SPDX-License-Identifier: MIT */
/*
 * What to measure: lines of conditions, each the product of its lists, expanded into cases.
 *
 * A plan file has one statement a line; '#' starts a comment:
 *     rounds 15                 timed rounds, the most that any case gets
 *     warmup 1                  rounds before them, kept but not summarised
 *     size 320000K              payload
 *     case chunk=32K cache=warm,cold methods=all sink=drain rounds=5
 * What a case line leaves out is: every method, 32K, warm, drain, the plan's rounds. A case line can ask
 * for fewer rounds, not for more.
 */
#ifndef COPYTAX_STUDY_PLAN_H
#define COPYTAX_STUDY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"
#include "method/method.h"
#include "transfer/cache.h"
#include "transfer/sink.h"

#define PLAN_CHUNKS_MAX 32
#define PLAN_LINES_MAX 64
#define PLAN_ROUNDS_MAX 100000
#define CHUNK_MIN 4096u
#define CHUNK_MAX (1u << 30)
#define CHUNK_DEFAULT (32u << 10)
#define PAYLOAD_DEFAULT 327680000u /* 10,000 chunks of 32 KiB */

/* One line. A zero mask, count or rounds means "not said". Bits are indices of methods[], enum cache, enum sink. */
struct plan_line {
	uint64_t methods;
	unsigned int caches, sinks;
	uint64_t chunks[PLAN_CHUNKS_MAX]; /* 0: whole */
	size_t chunk_count;
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
	uint64_t chunk;
	enum cache cache;
	enum sink sink;
	unsigned int rounds;
};

/* Each takes a comma-separated list into the line, replacing what was there. 0 or -errno with `why`. */
int plan_methods(struct plan_line *line, const char *list, struct failure *why);
int plan_chunks(struct plan_line *line, const char *list, struct failure *why);
int plan_caches(struct plan_line *line, const char *list, struct failure *why);
int plan_sinks(struct plan_line *line, const char *list, struct failure *why);

/* "1" … PLAN_ROUNDS_MAX; `least` is the smallest that makes sense. */
int plan_number(const char *text, const char *what, unsigned int least, unsigned int *out,
		struct failure *why);

/* A chunk size: 4K … 1G, or "whole" (0). */
int plan_chunk(const char *text, uint64_t *chunk, struct failure *why);

/* Reads a plan file, or a built-in plan (study/plan_builtin.h). Returns 0 or -errno with `why` naming the line. */
int plan_load(struct plan *plan, const char *path, struct failure *why);

/*
 * The cases of a plan: products of the lines with `override` (its lists, not its rounds) laid over each, duplicates merged (the
 * larger number of rounds wins), in the order of chunk, cache, sink and methods[]. The caller frees *cases.
 */
int plan_expand(const struct plan *plan, const struct plan_line *override, struct plan_case **cases,
		size_t *count, struct failure *why);

#endif
