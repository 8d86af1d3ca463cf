/* SPDX-License-Identifier: MIT */
/*
 * A study: every case of a plan verified once, then measured in rounds. It fills a struct result, which
 * is whole at every moment: an interrupted study leaves what it measured.
 */
#ifndef COPYTAX_STUDY_STUDY_H
#define COPYTAX_STUDY_STUDY_H

#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/failure.h"
#include "result/result.h"
#include "study/plan.h"
#include "study/progress.h"
#include "transfer/link.h"

struct study_settings {
	const char *dir; /* where the result is saved from time to time */
	const char *payload; /* the source file of warm cases */
	const char *payload_cold; /* and of cold ones: dropping a cache rebuilds its folios another way */
	uint64_t size;
	struct link_settings link;
	int sender_cpu, receiver_cpu;
	unsigned int warmup;
	uint64_t seed;
	unsigned int time_limit_s; /* of one transfer */
	const char *events; /* as events_new() takes it; "none" for no such pass */
	bool profile; /* sample the sender's stacks */
	unsigned int watched; /* transfers of each case in the counting pass; 0: no such pass */
	const volatile sig_atomic_t *stop; /* set by signals that are blocked while the study runs */
};

struct study {
	const struct study_settings *settings;
	const struct plan_case *cases;
	size_t count;
	struct result *result; /* cases[i] belongs to the plan's case i */
	struct progress progress;
	uint64_t payload_hash;
	unsigned int evictions; /* warm transfers before which pages had to be read back */
	double *seconds; /* what a sample of case i took lately, for the estimate; 0: not known */
	/* by enum cache: the payloads as they were when their bytes were hashed */
	struct stat source[CACHES];
};

/*
 * Runs it. Cases that can't be done are skipped and cases that go wrong are failed, each with its reason
 * in the result; the others go on. Returns 0, -EINTR when stopped, or -errno with `why` when nothing
 * could go on.
 */
int study_run(const struct study_settings *settings, const struct plan_case *cases, size_t count,
	      bool quiet, struct result *result, struct failure *why);

#endif
