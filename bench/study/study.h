/* SPDX-License-Identifier: MIT */
/*
 * A study: every case of a plan verified once, then measured in rounds. It fills a struct result, which
 * is whole at every moment: an interrupted study leaves what it measured.
 */
#ifndef COPYTAX_STUDY_STUDY_H
#define COPYTAX_STUDY_STUDY_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/failure.h"
#include "measure/direct.h"
#include "result/result.h"
#include "study/distance.h"
#include "study/feasible.h"
#include "study/plan.h"
#include "study/progress.h"
#include "transfer/link.h"
#include "transfer/placement.h"

#define STUDY_CASE_TEXT_MAX 160

struct study_settings {
	const char *dir; /* where the result is saved from time to time */
	const char *payload; /* the source file of warm cases */
	const char *payload_cold; /* and of the others: dropping a cache rebuilds its folios another way */
	const char *payload_many; /* what the names of folders with a file for each connection begin with */
	uint16_t port; /* of links that have one; 0: any free one */
	struct veth *veth; /* of LINK_VETH; may be NULL */
	struct remote *remote; /* LINK_REMOTE: the session, open; may be NULL */
	struct refusals refused; /* what cases ask for and could not be had: they are skipped */
	int sender_cpu, receiver_cpu; /* of the first placement */
	const struct placement_choice *places; /* by enum placement; those that the cases ask for are chosen */
	unsigned int warmup;
	uint64_t seed;
	unsigned int time_limit_s; /* of one transfer */
	const char *events; /* as events_new() takes it; "none" for no such pass */
	bool profile; /* sample the sender's stacks */
	double precision; /* rounds are added until medians are known to this share of them; 0: the plan's and no more */
	double precision_time_s; /* but not for longer than this, from the first timed sample on */
	double catch_up; /* for samples that were taken apart (analysis/apart.h), as a share of the planned rounds' time */
	const struct direct_settings *direct; /* measured in sittings between the rounds; samples and stop are the study's. NULL: not */
	unsigned int watched; /* transfers of each case in the counting pass; 0: no such pass */
	const volatile sig_atomic_t *stop; /* set by signals that are blocked while the study runs */
};

struct study {
	const struct study_settings *settings;
	const struct plan_case *cases;
	size_t count;
	struct result *result; /* cases[i] belongs to the plan's case i */
	struct progress progress;
	struct payload_hashes { /* of the payload's first `size` bytes */
		uint64_t size, hash;
	} *hashes;
	size_t hash_count;
	bool resumed; /* the result's cases hold what an earlier, interrupted study measured */
	unsigned int sittings; /* of the direct measurements, taken so far */
	unsigned int evictions; /* warm transfers before which pages had to be read back */
	double *seconds; /* what a sample of case i took lately, for the estimate; 0: not known */
	struct distance distance; /* of the CPUs, and what is done about it */
	struct backing *backing; /* for the transfer that is prepared */
	struct stat *sources; /* of case i: its payload as it was when the bytes were verified; st_ino 0: not yet */
};

/*
 * Runs it. A result that has cases already is gone on with: they are the plan's, in its order, and what they
 * hold is not measured again. Cases that can't be done are skipped and cases that go wrong are failed, each with its reason
 * in the result; the others go on. Returns 0, -EINTR when stopped, or -errno with `why` when nothing
 * could go on.
 */
int study_run(const struct study_settings *settings, const struct plan_case *cases, size_t count,
	      bool quiet, struct result *result, struct failure *why);

/*
 * Seconds that a study of these cases takes, by assumed rates: before anything is measured. `longest` is
 * its longest transfer.
 */
double study_guess(const struct plan_case *cases, size_t count, unsigned int warmup,
		   unsigned int watched, double *longest);

/* What is told of a case while it runs: method, chunk, cache and whatever is not as nobody asked for. */
void study_case_text(const struct plan_case *c, char *text, size_t size);

/* Has somebody asked for it to end? */
bool study_stopped(const struct study *s);

/* The folder of a case whose connections have a file each. */
void study_files(const char *beginning, const struct plan_case *c, char *path, size_t size);

#endif
