/* SPDX-License-Identifier: MIT */
/*
 * What the facts of measure/host.h mean for a measurement: what misleads, and how to mend it.
 * Judged from the facts alone; nothing is read, tried or changed here.
 */
#ifndef COPYTAX_MEASURE_FINDINGS_H
#define COPYTAX_MEASURE_FINDINGS_H

#include <jansson.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include "result/result.h"

#define FINDINGS_MAX 40

enum finding_level {
	FINDING_OK,
	FINDING_NOTE,	 /* belongs beside the numbers; comparisons within one run hold */
	FINDING_WARN,	 /* misleads, or stops a part of the study */
	FINDING_UNKNOWN, /* the fact is not known: neither good nor bad */
};

struct finding {
	const char *code;  /* "congestion_control": stable, as in warnings[] */
	const char *title; /* "congestion control" */
	enum finding_level level;
	char what[320];	    /* the value, or why it isn't known */
	const char *effect; /* what it does to the numbers; "" when nothing */
	char change[320];   /* how to change it, by a command if possible; "" when nothing is to
			       change */
};

struct findings {
	size_t count;
	struct finding item[FINDINGS_MAX];
};

/* What the measurement is going to be. */
struct findings_plan {
	uint64_t payload_bytes;
	/* all that will be written if the payload isn't there yet; 0: the payload, once */
	uint64_t disk_bytes;
	/* what will be set on both sockets, overriding the system's default; NULL: nothing */
	const char *congestion_control;
	/* what will be asked for with SO_SNDBUF and SO_RCVBUF; 0: left to autotuning */
	uint32_t send_buffer, receive_buffer;
	bool remote; /* loopback carries none of it */
};

/* Judges by every rule, in the order of the table in findings.c. */
void findings_judge(const json_t *host, const struct findings_plan *plan,
		    struct findings *findings);

/* "ok", "note", "warn", "unknown". */
const char *finding_level_name(enum finding_level level);

/* [{code, title, level, what, effect, change}]; a new reference. */
json_t *findings_json(const struct findings *findings);

/* Those at level warn become warnings of the result. */
void findings_warn(struct result *result, const struct findings *findings);

#endif
