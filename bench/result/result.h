/* SPDX-License-Identifier: MIT */
/*
 * The result document, schema "copytax.result/1": the only source of every table, picture and verdict.
 *
 * The study fills a struct result and saves it; everything downstream loads one. What has a fixed shape
 * (cases, samples) is C; what is a collection of facts (host, settings, counts) is JSON as it will be
 * written. A struct result owns everything it points to.
 *
 * A number that could not be measured is NaN here and null, with a reason beside it, in the document.
 */
#ifndef COPYTAX_RESULT_RESULT_H
#define COPYTAX_RESULT_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

#define RESULT_SCHEMA "copytax.result/1"
#define RESULT_FILE "result.json"

/* The columns of a case's sample table; result.c names each as the document does. */
enum sample_field {
	SAMPLE_WALL_S, /* first transfer call → the receiver's word that all arrived */
	SAMPLE_SENDER_CPU_S, /* the worker's process CPU clock over the same span */
	SAMPLE_RECEIVER_CPU_S,
	SAMPLE_SYSTEM_CPU_S, /* all CPUs, busy time of /proc/stat: steps of one USER_HZ tick per CPU */
	SAMPLE_STEAL_S, /* taken by the hypervisor, all CPUs, same steps */
	SAMPLE_SETUP_CPU_S, /* the worker's CPU before the clock: open, map, allocate */
	SAMPLE_RELEASE_CPU_S, /* after it: unmap, close */
	SAMPLE_YARDSTICK_S, /* the same piece of work each time, on the worker's CPU: its speed just then */
	SAMPLE_CORE_LATENCY_S, /* round trip of a cache line between sender's and receiver's CPU, before */
	SAMPLE_CORE_LATENCY_AFTER_S, /* and after */
	SAMPLE_SHARE_MIN, /* slowest connection ÷ mean rate; these three with several connections only */
	SAMPLE_SHARE_MAX, /* fastest connection ÷ mean rate */
	SAMPLE_SHARE_JAIN, /* Jain's index of their rates: 1 when all are alike, 1/n when one has all */
	SAMPLE_FAULTS_MINOR, /* getrusage of the worker over the span, as are the next three */
	SAMPLE_FAULTS_MAJOR,
	SAMPLE_SWITCHES_VOLUNTARY,
	SAMPLE_SWITCHES_INVOLUNTARY,
	SAMPLE_RECEIVER_SWITCHES_VOLUNTARY, /* getrusage of the receiver: each is a sleep that the next bytes ended */
	SAMPLE_DELIVERIES, /* NET_RX of /proc/softirqs on the sender's CPU, from "go" until both are done */
	SAMPLE_ROUND, /* 0-based; warm-up rounds come first */
	SAMPLE_POSITION, /* 0-based place in its round's shuffled order */
	SAMPLE_WARMUP, /* 1 for a warm-up sample: kept, left out of every summary */
	SAMPLE_APART, /* enum sample_mark */
	SAMPLE_GATHER_S, /* how long it was tried before to have the host bring the two CPUs together (measure/core_gather.h); NaN: not wanted */
	SAMPLE_FIELDS
};

/* Why a sample is summarised apart; as SAMPLE_APART has it in the document. All are kept. */
enum sample_mark {
	MARK_NONE, /* it counts */
	MARK_APART, /* the CPUs were at another distance than the run's (analysis/apart.h) */
	MARK_SETTLED, /* one of the others, but it counts for want of better ones (analysis/marks.h) */
	MARK_SLOWED, /* the sender's CPU was slower than usual (analysis/slowed.h) */
	MARK_STOLEN /* the hypervisor took CPU time meanwhile (analysis/stolen.h) */
};

struct samples {
	size_t count;
	size_t capacity;
	double *value[SAMPLE_FIELDS];
};

enum case_status { CASE_OK, CASE_SKIPPED, CASE_FAILED };

struct case_result {
	char *method;
	char *cache; /* "warm", "cold", "half" */
	char *sink; /* "drain", "truncate", "splice", "verify" */
	char *link; /* "tcp", "unix", "veth", "remote" */
	json_t *conditions; /* object: what else was set, by the keys of study/dimension.h; empty in older documents */
	json_t *link_actual; /* object: read back from the sockets; empty when no transfer went well */
	uint64_t chunk; /* bytes; 0 is "whole" */
	uint64_t payload; /* bytes */
	unsigned int connections;

	enum case_status status;
	char *reason; /* NULL when ok */
	struct samples samples;
	json_t *method_figures; /* object: {name: {value, low, high}}, what only the method knows, over all transfers */
	json_t *notes; /* array of strings from the method ("pipe 64K"), never NULL */
	json_t *counts; /* objects by the schema, never NULL; {name: {value, source} | {value: null, reason}} */
	json_t *copies;
	json_t *events; /* array */
	json_t *figures; /* object, derived from the events; empty when there are none */
	json_t *energy; /* object, by domain; empty when the study did not come that far */
	json_t *profile; /* object; empty when no stacks were sampled */
	json_t *verified; /* {bytes, hash, ok} or {…: null, reason} */
};

struct result {
	json_t *tool, *run, *host, *settings; /* objects */
	json_t *warnings, *probes, *claims; /* arrays */
	json_t *prices; /* object */
	struct case_result *cases;
	size_t case_count;
};

/* All parts empty. Returns NULL when out of memory. */
struct result *result_new(void);
void result_free(struct result *result);

/* Appends a case with empty parts; the pointer is valid until the next call. NULL: out of memory. */
struct case_result *result_add_case(struct result *result);

/* The value of a condition, by its key ("chunk", "payload", "mtu"): a new reference, null when it has none. */
json_t *case_condition(const struct case_result *c, const char *key);

/*
 * Were both measured under the same conditions, the methods aside? `but` and `nor` are conditions that may
 * differ, and with them what follows from them; NULL: none.
 */
bool case_same_conditions(const struct case_result *a, const struct case_result *b, const char *but,
			  const char *nor);

/* Appends a row with every column NaN; returns its index or -ENOMEM. */
long samples_add(struct samples *samples);

/* A row's SAMPLE_APART; MARK_NONE for a value that is no mark, as in results of before there were any. */
static inline enum sample_mark sample_mark(const struct samples *samples, size_t i)
{
	double value = samples->value[SAMPLE_APART][i];

	return value == MARK_APART || value == MARK_SETTLED || value == MARK_SLOWED ||
			       value == MARK_STOLEN ?
		       (enum sample_mark)(int)value :
		       MARK_NONE;
}

/* Is a sample one of those that figures are made of: no warm-up, and not summarised apart? */
static inline bool sample_counts(const struct samples *samples, size_t i)
{
	enum sample_mark mark = sample_mark(samples, i);

	return samples->value[SAMPLE_WARMUP][i] == 0 && (mark == MARK_NONE || mark == MARK_SETTLED);
}

/* Name of a column in the document. */
const char *sample_field_name(enum sample_field field);

/* Adds {code, text, effect}. A code already there is not added twice. */
void result_warn(struct result *result, const char *code, const char *text, const char *effect);

/* {"value": v, "source": s} and {"value": null, "reason": r}: the two shapes of every count. */
json_t *measured(double value, const char *source);
json_t *unmeasured(const char *reason);

/*
 * Writes DIR/result.json by way of a temporary file and rename(2): a reader sees the old document or the
 * new one, never a part. Summaries are computed here from the samples. Returns 0 or -errno with `why`.
 */
int result_save(const struct result *result, const char *dir, struct failure *why);

/*
 * Loads a document from a file, or from DIR/result.json. Checks schema and shape: on success every
 * part is there and of its type. Returns 0 or -errno with `why` (exit code 2).
 */
int result_load(const char *path, struct result **out, struct failure *why);

#endif
