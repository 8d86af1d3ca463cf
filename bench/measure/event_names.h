/* SPDX-License-Identifier: MIT */
/*
 * From names to encodings. Software events are the kernel's own few and come from a table here (libpfm4
 * doesn't know all of them); every other name, with its modifiers, is libpfm4's to understand.
 */
#ifndef COPYTAX_MEASURE_EVENT_NAMES_H
#define COPYTAX_MEASURE_EVENT_NAMES_H

#include "base/failure.h"
#include "measure/pmu.h"

#define EVENT_NAME_MAX 96

/* Where an event is counted. */
enum event_scope { EVENT_USER, EVENT_KERNEL, EVENT_ALL, EVENT_SCOPES };

extern const char *const event_scope_names[EVENT_SCOPES]; /* "user", "kernel", "all" */

/* An event in one scope: one counter. */
struct event_code {
	char name[EVENT_NAME_MAX]; /* as it was asked for, without u and k */
	enum event_scope scope;
	struct perf_event_attr attr;
	char source[160]; /* what libpfm4 made of the name, for the result */
	char reason[PMU_REASON_MAX]; /* why it can't be counted; empty: try it */
};

struct event_codes {
	struct event_code *code;
	size_t count;
};

/* The hardware events that are counted when nobody asks for others, as an --events list. */
extern const char event_defaults[];

struct software_event {
	const char *name;
	uint64_t config;
	bool split; /* user and kernel can be told apart */
	const char *unit; /* NULL: a count */
};

/* Ends with one without a name. */
extern const struct software_event software_events[];

/*
 * The software events, always, then those of `list`, each in the scopes that its modifiers leave: names with
 * commas between, of which "default" stands for event_defaults, as NULL does, and "none" for nothing. A name
 * that nobody knows is kept, with the reason. Free with event_codes_free(). Returns 0, or -EINVAL with `why` for a list that isn't
 * one, -ENOMEM.
 */
int event_codes_of(const char *list, const struct pmu_machine *machine, struct event_codes *out,
		   struct failure *why);
void event_codes_free(struct event_codes *codes);

#endif
