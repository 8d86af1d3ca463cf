/* SPDX-License-Identifier: MIT */
/*
 * Passes after the timing: each case once more with something attached, one kind of it at a time, so
 * that no two disturb each other. What they share of the study.
 */
#ifndef COPYTAX_STUDY_PASS_H
#define COPYTAX_STUDY_PASS_H

#include <limits.h>

#include "study/study.h"
#include "transfer/transfer.h"

/* Calls `one` for every case that went well so far. Returns 0 or the first -errno, with `why`. */
int pass_each(struct study *s, const char *doing,
	      int (*one)(struct study *s, size_t index, void *arg, struct failure *why), void *arg,
	      struct failure *why);

/*
 * One transfer of a case with `hooks`, its cache state set and verified before. Returns 0, 1 when the
 * case can't go on (its status says why), or -errno with `why` when the study can't.
 */
int pass_transfer(struct study *s, size_t index, const struct transfer_hooks *hooks,
		  struct transfer_outcome *out, struct failure *why);

/* The transfer as the timed pass does it; `path` is room for a name that it may point to. */
struct transfer_spec pass_spec(const struct study *s, size_t index, char path[static PATH_MAX]);

/* Brings about the case's cache state and the link's devices; 0, or 1 with the case's status set. */
int pass_prepare(struct study *s, size_t index);

/* Notes a failed transfer in its case: 1; or -errno with `why` when it was an interruption. */
int pass_failed(struct study *s, size_t index, const struct failure *inner, struct failure *why);

/* `reason` is copied. */
void pass_set_status(struct case_result *c, enum case_status status, const char *reason);

/* Keeps what only the method knows: the last transfer's value, and the least and greatest of all. */
void pass_figures(struct case_result *c, const struct method_figure *figures);

/* Events (measure/events.h) of every case into its `events` and `figures`. */
int pass_events(struct study *s, struct failure *why);

/* Stacks (measure/profile.h) of the cases with the main chunk and a warm cache, or whatever the plan has instead:
 * DIR/profile/, case `profile`. */
int pass_profile(struct study *s, struct failure *why);

#endif
