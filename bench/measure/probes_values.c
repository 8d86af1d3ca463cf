// SPDX-License-Identifier: MIT
#include <string.h>
#include <sys/syscall.h>

#include "measure/probes.h"
#include "result/reasons.h"

/*
 * Calls whose results the ledger can't book: nothing that rests on results alone can be complete. With a ring,
 * it needs to have seen what the ring's requests did. And every call, and every request.
 */
static bool ledger_complete(const struct probes *probes, const struct probe_counts *counts,
			    enum role role, enum phase phase)
{
	if (counts->of[role][phase].blind || counts->missed[PROBE_SYSCALLS] || counts->missed[PROBE_URING])
		return false;
	if (probes_rows(probes)[PROBE_URING].rung != RUNG_NONE)
		return true;
	for (enum phase p = PHASE_SETUP; p < PHASES; p++)
		if (counts->of[role][p].syscalls[SYS_io_uring_setup])
			return false;
	return true;
}

/* Hooks in TCP see no other protocol, and tracepoints on sends are not attached for a light target. */
static bool send_unseen(const struct probe_row *row, const struct probe_counts *counts,
			enum site site)
{
	if (site != SITE_USER_TO_SOCKET && site != SITE_BY_REFERENCE)
		return false;
	return row->rung < RUNG_LEDGER &&
	       (!counts->tcp || (counts->light && row->rung == RUNG_TRACEPOINT));
}

void probes_site(const struct probes *probes, const struct probe_counts *counts, enum role role,
		 enum phase phase, enum site site, struct probe_value *out)
{
	const struct probe_row *row = &probes_rows(probes)[site];
	const struct counters *counters = &counts->of[role][phase];
	bool complete = ledger_complete(probes, counts, role, phase);
	bool unseen = send_unseen(row, counts, site);

	memset(out, 0, sizeof(*out));
	if (row->rung == RUNG_NONE) {
		out->reason = row->reason;
	} else if (site == SITE_LINEARIZED && !counts->device) {
		out->reason = "nobody looked at the device's packets";
	} else if (row->rung == RUNG_LEDGER || unseen) {
		out->known = complete && (!unseen || row->second);
		out->bytes = counters->ledger[site].bytes;
		out->calls = counters->ledger[site].calls;
		out->source = PROBE_LEDGER;
		if (!out->known && (counts->missed[PROBE_SYSCALLS] || counts->missed[PROBE_URING]))
			out->reason = REASON_LEFT_OUT;
		else if (!out->known)
			out->reason =
				"bytes moved by calls whose results don't say how many or where "
				"(sendmmsg and the like; io_uring where its completions can't be seen)";
	} else if (counts->missed[site]) {
		out->known = row->second && !row->second_wrong && complete &&
			     probes_rows(probes)[PROBE_SYSCALLS].rung != RUNG_NONE;
		out->calls_unknown = true;
		out->bytes = counters->ledger[site].bytes;
		out->source = PROBE_LEDGER;
		out->reason = out->known ? NULL : REASON_LEFT_OUT;
	} else {
		out->known = true;
		out->bytes = counters->hook[site].bytes;
		out->calls = counters->hook[site].calls;
		out->source = row->how;
		out->second_known = row->second && complete;
		out->second_bytes = counters->ledger[site].bytes;
		out->second_calls = counters->ledger[site].calls;
		out->second_source = PROBE_LEDGER;
	}
	if (!out->known)
		out->bytes = out->calls = 0;
}

const char *probes_site_name(enum site site)
{
	static const char *const names[SITES] = {
		[SITE_FILE_TO_USER] = "file_to_user",
		[SITE_FILE_TO_KERNEL] = "file_to_kernel",
		[SITE_USER_TO_SOCKET] = "user_to_socket",
		[SITE_DEFERRED] = "deferred",
		[SITE_SOCKET_TO_USER] = "socket_to_user",
		[SITE_BY_REFERENCE] = "by_reference",
		[SITE_DISK_TO_PAGE_CACHE] = "disk_to_page_cache",
		[SITE_DISK_TO_USER] = "disk_to_user",
		[SITE_LINEARIZED] = "linearized",
	};

	return site < SITES ? names[site] : NULL;
}

const char *probes_softirq_name(unsigned int vector)
{
	static const char *const names[COUNTED_SOFTIRQS] = {
		"hi",	    "timer",   "net_tx", "net_rx",  "block",
		"irq_poll", "tasklet", "sched",	 "hrtimer", "rcu",
	};

	return vector < COUNTED_SOFTIRQS ? names[vector] : NULL;
}

const char *probes_interrupt_name(enum interrupt interrupt)
{
	static const char *const names[INTERRUPTS] = {
		[INTERRUPT_DEVICE] = "device",	       [INTERRUPT_TIMER] = "timer",
		[INTERRUPT_RESCHEDULE] = "reschedule", [INTERRUPT_CALL_FUNCTION] = "call_function",
		[INTERRUPT_IRQ_WORK] = "irq_work",     [INTERRUPT_IPI] = "ipi",
	};

	return interrupt < INTERRUPTS ? names[interrupt] : NULL;
}
