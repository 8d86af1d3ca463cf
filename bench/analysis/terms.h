/* SPDX-License-Identifier: MIT */
/* What a price is asked for: the things that a transfer does so and so often, as counted for a case. */
#ifndef COPYTAX_ANALYSIS_TERMS_H
#define COPYTAX_ANALYSIS_TERMS_H

#include "result/result.h"

enum term {
	TERM_CARRIED, /* GB of payload: the stack's own work, copied or not */
	TERM_CALLS, /* system calls */
	TERM_SENDS, /* hand-overs of bytes to the socket: what one costs beyond its call and its bytes */
	TERM_LENDS, /* hand-overs of page references, the same: into a pipe, and from it to the socket (within sendfile, too) */
	TERM_DELIVERIES, /* soft interrupts on the sender's bill: over loopback each takes segments to the receiver's socket */
	TERM_WAKES, /* sleeps of the receiver: whoever delivers the next bytes wakes it, which on an idle CPU takes an interrupt */
	TERM_FILE_TO_USER, /* GB copied out of the page cache (into private kernel pages, too) */
	TERM_USER_TO_SOCKET, /* GB copied into the socket from a buffer that was just filled (late copies of lent pages, too) */
	TERM_MAPPED_TO_SOCKET, /* GB copied into the socket from a mapping of the file: nothing brought them nearer before */
	TERM_FAULTS, /* page faults */
	TERM_WAITS, /* voluntary context switches of a transfer that reads the disk, each with the request that it waits for */
	TERM_ROOM_WAITS, /* those of one that does not: until the receiver made room in the socket, and has woken the sender */
	TERM_DELIVERED_WAITS, /* waits with a delivery since the one before: in a guest they cost more */
	TERM_DISK_TO_CACHE, /* GB that the disk brought into the page cache */
	TERM_DISK_TO_USER, /* GB that the disk brought past it */
	TERMS
};

struct term_text {
	const char *id; /* in the document */
	const char *name; /* of many: "system calls" */
	const char *unit; /* of its price: "s per call" */
	const char *quantity; /* what its count is in: "calls", "GB" */
	const char *source; /* where counts come from */
};

extern const struct term_text term_texts[TERMS];

/*
 * Terms that only some kernels let one count: when a case lacks one, prices do without it, and its cost is in
 * theirs. The others a case can't do without.
 */
bool term_optional(enum term term);

/*
 * How often a transfer of the case did it, in the term's quantity (GB are 10^9 bytes). NaN when that was
 * not counted: then *reason, if asked for, says why.
 */
double term_count(const struct result *result, const struct case_result *kase, enum term term,
		  const char **reason);

/*
 * The same of one timed sample, where all samples of the result counted it themselves; NaN for what only the counting pass counts.
 */
double term_sample_count(const struct result *result, const struct case_result *kase, enum term term,
			 size_t sample);

/* By id; TERMS when there is none. */
enum term term_find(const char *id);

#endif
