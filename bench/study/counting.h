/* SPDX-License-Identifier: MIT */
/*
 * The counting pass: each case once more, watched by probes, after all timing is done. It fills the
 * case's counts and copies. The timed pass runs while no BPF object of ours exists.
 */
#ifndef COPYTAX_STUDY_COUNTING_H
#define COPYTAX_STUDY_COUNTING_H

#include <stdbool.h>

#include "base/failure.h"
#include "result/result.h"
#include "transfer/transfer.h"

struct counting;

/*
 * Loads the probes, holds them against known transfers in `dir`, and records in result->probes what each site's ladder chose. Where nothing can be
 * counted *out is NULL, the reason is in the result, and 0 is returned: everything else goes on.
 */
int counting_open(struct counting **out, const char *dir, struct result *result, struct failure *why);
void counting_close(struct counting *counting);

/* So often is a transfer counted anew, the first time included. */
#define COUNTING_TRIES 8

/* The transfers from here on are another case's; those of one that came to no end are forgotten. */
void counting_begin(struct counting *counting);

/*
 * One watched transfer of a case whose cache state was just set; may be called again for more, which counting_store() sums up.
 * `warm`: its payload was in the page cache whole. `try` is the first, 1, to COUNTING_TRIES. Returns 0 or -errno with `why`, as
 * transfer_run() does; 1, in all but the last try, when another one is due: the kernel left out a probe, or somebody took pages of
 * the warm payload away meanwhile. When all tries lack something, the one that lacks least is taken, and what it lacks is not known.
 */
int counting_transfer(struct counting *counting, const struct transfer_spec *spec, bool warm, unsigned int try,
		      struct failure *why);

/*
 * Writes what the transfers since the last call counted into the case: the counts of the one whose
 * sender CPU was the median, and what watching cost against the timed samples.
 */
void counting_store(struct counting *counting, struct result *result, struct case_result *kase);

/* Nulls with one reason, for a case that was not counted; what the timed pass knows is filled in. */
void counting_unknown(struct case_result *kase, const char *reason);

#endif
