/* SPDX-License-Identifier: MIT */
/*
 * Sites that no hook can watch on this kernel, and that still can only be zero: what follows from other
 * counts. Each deduction names what it follows from, as every count names its source.
 */
#ifndef COPYTAX_STUDY_DEDUCED_H
#define COPYTAX_STUDY_DEDUCED_H

#include "measure/probes.h"
#include "measure/splice_path.h"
#include "method/method.h"

#define DEDUCED_TEXT_MAX 240

struct deduction {
	bool references; /* splicing from the source can't copy */
	char how[SPLICE_PATH_TEXT_MAX];
	/* what the kernel told the method of its sends by reference; NaN: nothing */
	double completions, completions_copied, copied_bytes;
};

/* What can be known beforehand of the open source file. */
void deduce_from(struct deduction *d, int source);

/* Takes them from the figures of the transfer that is to be stored. */
void deduce_completions(struct deduction *d, const struct method_figure *figures);

/*
 * The bytes of sends by reference that the kernel reported as copied after all. A send of which a part was
 * copied counts whole. False when the method has no such report.
 */
bool deduce_deferred(const struct deduction *d, uint64_t *bytes, uint64_t *calls,
		     char source[DEDUCED_TEXT_MAX]);

/* True when no byte can have been copied at `site`; `source` says from what it follows. */
bool deduce_zero(const struct deduction *d, const struct probes *probes,
		 const struct probe_counts *counts, enum site site, char source[DEDUCED_TEXT_MAX]);

#endif
