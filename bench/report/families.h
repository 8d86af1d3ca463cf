/* SPDX-License-Identifier: MIT */
/*
 * Which cases belong together: a family is all cases under the same conditions, so only method and
 * chunk differ inside it. Everything points into the result.
 */
#ifndef COPYTAX_REPORT_FAMILIES_H
#define COPYTAX_REPORT_FAMILIES_H

#include "analysis/summary.h"
#include "result/result.h"

struct family {
	const struct case_result
		*conditions; /* any of its cases, read for cache, sink, link … only */
	const struct case_result **cases; /* in the document's order */
	size_t count;
	uint64_t *chunks; /* ascending, "whole" (0) last */
	size_t chunk_count;
	uint64_t chunk; /* the one its table and verdict are about */
};

struct families {
	struct family *list; /* in order of first appearance */
	size_t count;
};

/* Returns 0 or -ENOMEM; `out` must be freed either way. */
int families_find(const struct result *result, struct families *out);
void families_free(struct families *families);

/* NULL when there is none. */
const struct case_result *family_case(const struct family *family, const char *method,
				      uint64_t chunk);
/* The first case of its method in the family: visiting the cases with this visits every method once. */
bool family_first_of_method(const struct family *family, size_t index);

/* Measured, with at least one timed sample. */
bool case_measured(const struct case_result *kase);
/* Its method reads past the page cache. */
bool case_direct(const struct case_result *kase);

/* Its method lends user memory to the socket, which the kernel may copy after all. */
bool case_lends(const struct case_result *kase);
/* The share of its sends by reference that came back copied; NaN when the kernel did not say. */
double case_copied_share(const struct case_result *kase);
/* "100% copied", "copied or not: unknown"; "" for a method that lends nothing. */
const char *case_copied_text(const struct case_result *kase, char *out, size_t size);

/* May it be called the cheapest? Direct I/O reads the disk: it meets only others that did. */
bool case_competes(const struct family *family, const struct case_result *kase);

/*
 * The family the answer and the plots are about: one with read_write in it, drained, warm, as far as there
 * is such. NULL when nothing was measured.
 */
const struct family *families_main(const struct families *families);

/* "warm cache, drain sink, tcp, chunks of 32K, 327,680,000 bytes"; `chunk` NULL leaves the chunk out. */
const char *family_title(const struct family *family, const uint64_t *chunk, char *out,
			 size_t size);

/* a ÷ b round by round over the rounds that both have a timed sample of, for one column */
int paired_ratio(const struct case_result *a, const struct case_result *b, enum sample_field field,
		 struct interval *out);

/* What an interval of a ratio allows to be said. */
enum telling { TOLD_APART, CANT_TELL, TOO_FEW };
enum telling ratio_tells(const struct interval *ratio);

#endif
