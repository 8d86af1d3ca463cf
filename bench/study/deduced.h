/* SPDX-License-Identifier: MIT */
/*
 * Sites that no hook can watch on this kernel, and that still can only be zero: what follows from other
 * counts. Each deduction names what it follows from, as every count names its source.
 */
#ifndef COPYTAX_STUDY_DEDUCED_H
#define COPYTAX_STUDY_DEDUCED_H

#include "measure/probes.h"
#include "measure/splice_path.h"

#define DEDUCED_TEXT_MAX 240

struct deduction {
	bool references; /* splicing from the source can't copy */
	char how[SPLICE_PATH_TEXT_MAX];
};

/* What can be known beforehand of the open source file. */
void deduce_from(struct deduction *d, int source);

/* True when no byte can have been copied at `site`; `source` says from what it follows. */
bool deduce_zero(const struct deduction *d, const struct probes *probes,
		 const struct probe_counts *counts, enum site site, char source[DEDUCED_TEXT_MAX]);

#endif
