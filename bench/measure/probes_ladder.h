/* SPDX-License-Identifier: MIT */
/*
 * The ladder: every hook there is, whether this kernel takes it, and which ones are chosen. Nothing is
 * predicted from versions or configuration; a hook counts as working once it was loaded and attached.
 */
#ifndef COPYTAX_MEASURE_PROBES_LADDER_H
#define COPYTAX_MEASURE_PROBES_LADDER_H

#include <bpf/btf.h>
#include <stdbool.h>

#include "measure/probes.h"
#include "measure/probes_objects.h"

#define HOOKS_MAX 64
#define HOOK_PROGRAMS 2

/* Hooks are chosen by groups: one program may count for two sites, and some sites take several. */
enum hook_group {
	GROUP_SYSCALLS,
	GROUP_FAULTS,
	GROUP_INTERRUPTS,
	GROUP_SOFTIRQS,
	GROUP_SWITCHES,
	GROUP_FILE_READ,
	GROUP_SEND,
	GROUP_DEFERRED,
	GROUP_RECEIVE,
	GROUP_SPLICE_COPY,
	GROUP_DISK,
	GROUP_PAGES_ADDED,
	GROUP_PAGES_TOUCHED,
	GROUP_LINEARIZED,
	GROUP_URING,
	GROUPS
};

enum hook_need {
	NEED_MUST,	 /* the rung is nothing without it */
	NEED_ONE_OF,	 /* at least one of these */
	NEED_IF_PRESENT, /* kernels without it don't need it */
};

struct hook {
	enum hook_group group;
	enum probe_rung rung;
	enum hook_need need;
	enum probe_object object;
	const char *how;		     /* "fexit", "tp_btf", "raw_tp", "kretprobe" */
	const char *target;		     /* function or tracepoint */
	const char *programs[HOOK_PROGRAMS]; /* the second may be NULL */
	const char *since; /* for the reason when it is absent; NULL: nothing to add */
};

enum hook_stage {
	STAGE_UNTRIED,
	STAGE_ABSENT,
	STAGE_AVOIDED,
	STAGE_LOAD,
	STAGE_ATTACH,
	STAGE_WORKS
};

struct hook_state {
	enum hook_stage stage; /* where it failed, or STAGE_WORKS */
	int err;	       /* positive errno */
	bool chosen;
};

struct ladder {
	struct hook_state states[HOOKS_MAX];
	enum probe_rung rungs[GROUPS];
};

extern const struct hook hooks[];
extern const size_t hook_count;

/* Is there such a function or tracepoint in the kernel's types? */
bool hook_present(const struct btf *btf, const struct hook *hook);

/* Tries every hook by itself with an empty program. Cheap: no object is opened. */
void ladder_try(struct ladder *ladder, const struct btf *btf, unsigned int avoid);

/* Chooses the best rung of every group from what still works. */
void ladder_choose(struct ladder *ladder);

void ladder_rows(const struct ladder *ladder, struct probe_row rows[PROBE_SUBJECTS]);

enum hook_group subject_group(enum probe_subject subject);

#endif
