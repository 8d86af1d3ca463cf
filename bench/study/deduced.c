// SPDX-License-Identifier: MIT
#include "study/deduced.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void deduce_from(struct deduction *d, int source)
{
	d->references = splice_path_references(source, d->how, sizeof(d->how));
}

static double figure(const struct method_figure *figures, const char *name)
{
	for (size_t i = 0; i < METHOD_FIGURES_MAX; i++)
		if (!strcmp(figures[i].name, name))
			return figures[i].value;
	return NAN;
}

void deduce_completions(struct deduction *d, const struct method_figure *figures)
{
	double share = figure(figures, "copied_share");

	d->completions = figure(figures, "completions");
	d->completions_copied = share * d->completions;
	d->copied_bytes = figure(figures, "copied_bytes");
}

bool deduce_deferred(const struct deduction *d, uint64_t *bytes, uint64_t *calls,
		     char source[DEDUCED_TEXT_MAX])
{
	if (isnan(d->copied_bytes) || isnan(d->completions_copied))
		return false;
	*bytes = (uint64_t)d->copied_bytes;
	*calls = (uint64_t)round(d->completions_copied);
	snprintf(source, DEDUCED_TEXT_MAX,
		 "the kernel's completions: %.0f of %.0f sends by reference came back as copied",
		 d->completions_copied, d->completions);
	return true;
}

/* Calls that can reach the kernel's splice read, or start work that system calls don't show. */
static bool may_splice(const char *name)
{
	static const char *const names[] = { "sendfile", "splice", "copy_file_range",
					     "io_uring_enter" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static bool spliced(const struct counters *c)
{
	for (unsigned int i = 0; i < COUNTED_SYSCALLS; i++) {
		const char *name = c->syscalls[i] ? probes_call_name(i) : NULL;

		/* a call without a name could be any */
		if (c->syscalls[i] && (!name || may_splice(name)))
			return true;
	}
	return false;
}

bool deduce_zero(const struct deduction *d, const struct probes *probes,
		 const struct probe_counts *counts, enum site site, char source[DEDUCED_TEXT_MAX])
{
	const struct counters *c = &counts->of[ROLE_SENDER][PHASE_TRANSFER];
	const struct probe_row *rows = probes_rows(probes);
	bool calls_known = rows[PROBE_SYSCALLS].rung != RUNG_NONE &&
			   !counts->missed[PROBE_SYSCALLS];
	struct probe_value lent;

	if (site == SITE_FILE_TO_KERNEL && calls_known && !spliced(c)) {
		snprintf(source, DEDUCED_TEXT_MAX,
			 "follows from the calls: none that splices was made (%.80s)",
			 rows[PROBE_SYSCALLS].how);
		return true;
	}
	if (site == SITE_FILE_TO_KERNEL && d->references) {
		snprintf(source, DEDUCED_TEXT_MAX, "follows from the kernel's own path: %s", d->how);
		return true;
	}
	if (site == SITE_LINEARIZED && !counts->device) {
		snprintf(source, DEDUCED_TEXT_MAX,
			 counts->tcp ? "follows from the link: loopback's device takes packets in pieces" :
				       "follows from the link: no device and no packets");
		return true;
	}
	/* the kernel copies later only what a send with MSG_ZEROCOPY made it borrow */
	probes_site(probes, counts, ROLE_SENDER, PHASE_TRANSFER, SITE_BY_REFERENCE, &lent);
	if (site == SITE_DEFERRED && rows[PROBE_SYSCALLS].rung != RUNG_NONE && !c->zerocopy_sends &&
	    !c->blind && lent.known) {
		snprintf(source, DEDUCED_TEXT_MAX,
			 "follows from the sends: none asked for MSG_ZEROCOPY (%.80s)",
			 rows[PROBE_USER_TO_SOCKET].how);
		return true;
	}
	return false;
}
