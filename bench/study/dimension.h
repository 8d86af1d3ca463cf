/* SPDX-License-Identifier: MIT */
/*
 * The conditions of a case, each a dimension: a name, how its values are read and written, and what holds
 * when nobody said. Options, plans, the result, tables and plots all go by this table, so that a condition
 * is added by a row here and by the code that brings it about.
 */
#ifndef COPYTAX_STUDY_DIMENSION_H
#define COPYTAX_STUDY_DIMENSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"
#include "transfer/link.h"

#define DIMENSION_VALUES_MAX 32
#define DIMENSION_TEXT_MAX 24
#define CONNECTIONS_MOST 4096
#define CHUNK_MIN 4096u
#define CHUNK_MAX (1u << 30)
#define CHUNK_DEFAULT (32u << 10)
#define PAYLOAD_DEFAULT 327680000u /* 10,000 chunks of 32 KiB */

/* In the order of cases: the first changes slowest. Beside them a case has its method. */
enum dimension {
	DIM_SIZE,
	DIM_LINK,
	DIM_CONNECTIONS,
	DIM_EACH,
	DIM_FILES,
	DIM_PLACEMENT,
	DIM_CONGESTION,
	DIM_SNDBUF,
	DIM_RCVBUF,
	DIM_NODELAY,
	DIM_LEAD,
	DIM_MTU,
	DIM_OFFLOAD,
	DIM_GATHER,
	DIM_CHUNK,
	DIM_CACHE,
	DIM_SINK,
	DIMENSIONS
};

/* What each connection sends. */
enum each { EACH_SHARE, EACH_WHOLE };

/* Where each connection reads. */
enum file_count { FILES_ONE, FILES_MANY };

/* A number, an enumeration's value, or a name. All bytes count: start from zero. */
union dimension_value {
	uint64_t number;
	char name[CONGESTION_NAME_MAX];
};

/* Are they the same value? */
bool dimension_equal(const union dimension_value *a, const union dimension_value *b);

struct dimension_list {
	union dimension_value value[DIMENSION_VALUES_MAX];
	size_t count;
};

struct dimension_info {
	const char *name; /* option and word of a plan: "chunk" */
	const char *key; /* in the result document: "congestion_control" */
	const char *plural; /* "chunk sizes" */
	const char *unit; /* of the axis: "chunk: the most one call may move, bytes" */
	bool doubles; /* values are spaced by factors: a log2 axis */
};

extern const struct dimension_info dimensions[DIMENSIONS];

/* By name or key; DIMENSIONS when there is none. */
enum dimension dimension_find(const char *name);

/* Takes a comma-separated list, replacing what was there. Returns 0 or -errno with `why`. */
int dimension_parse(enum dimension dimension, struct dimension_list *list, const char *text,
		    struct failure *why);

/* As dimension_parse() reads it. */
const char *dimension_format(enum dimension dimension, const union dimension_value *value,
			     char text[static DIMENSION_TEXT_MAX]);

/* As the result document has it: a number, a string, a boolean; null where it does not apply. */
json_t *dimension_json(enum dimension dimension, const union dimension_value *value);

union dimension_value dimension_default(enum dimension dimension);

/*
 * Conditions that mean nothing under others (an MTU on loopback, a congestion control without TCP) are set to one value,
 * which formats as "-", so that a product does not measure the same thing twice.
 */
void dimension_settle(union dimension_value at[static DIMENSIONS]);

#endif
