// SPDX-License-Identifier: MIT
#include "study/counts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/marks.h"
#include "analysis/stats.h"
#include "result/reasons.h"
#include "transfer/link.h"

static const struct probe_row *row_of(const struct probes *probes, enum probe_subject subject)
{
	return &probes_rows(probes)[subject];
}

/* Why a subject of one transfer is not known; NULL: it is. */
static const char *unknown(const struct probes *probes, const struct probe_counts *counts,
			   enum probe_subject subject)
{
	if (row_of(probes, subject)->rung == RUNG_NONE)
		return row_of(probes, subject)->reason;
	return counts->missed[subject] ? REASON_LEFT_OUT : NULL;
}

/* {value, source, by} or null with the reason; takes `by`. */
static json_t *entry(const struct probes *probes, const struct probe_counts *counts,
		     enum probe_subject subject, uint64_t value, json_t *by)
{
	const struct probe_row *row = row_of(probes, subject);
	const char *reason = unknown(probes, counts, subject);
	json_t *out;

	if (reason) {
		json_decref(by);
		return unmeasured(reason);
	}
	out = measured((double)value, row->how);
	if (by)
		json_object_set_new(out, "by", by);
	return out;
}

static json_t *calls_by_name(const uint64_t *calls, uint64_t *total)
{
	json_t *by = json_object();
	char number[32];

	*total = 0;
	for (unsigned int i = 0; i < COUNTED_SYSCALLS; i++) {
		const char *name = probes_call_name(i);

		if (!calls[i])
			continue;
		*total += calls[i];
		snprintf(number, sizeof(number), "number %u", i);
		json_object_set_new(by, name ? name : number, json_integer((json_int_t)calls[i]));
	}
	return by;
}

static void store_calls(const struct probes *p, const struct probe_counts *counts, json_t *out)
{
	const struct {
		const char *key;
		enum role role;
		enum phase phase;
	} wanted[] = {
		{ "syscalls", ROLE_SENDER, PHASE_TRANSFER },
		{ "syscalls_setup", ROLE_SENDER, PHASE_SETUP },
		{ "receiver_syscalls", ROLE_RECEIVER, PHASE_TRANSFER },
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const struct counters *c = &counts->of[wanted[i].role][wanted[i].phase];
		uint64_t total;
		json_t *by = calls_by_name((const uint64_t *)c->syscalls, &total);

		json_object_set_new(out, wanted[i].key, entry(p, counts, PROBE_SYSCALLS, total, by));
	}
}

static void store_interrupts(const struct probes *p, const struct probe_counts *counts, json_t *out)
{
	const struct counters *c = &counts->of[ROLE_SENDER][PHASE_TRANSFER];
	json_t *by = json_object();
	uint64_t total = 0, user = 0;

	for (int i = 0; i < INTERRUPTS; i++) {
		json_object_set_new(by, probes_interrupt_name((enum interrupt)i),
				    json_integer((json_int_t)(c->interrupts[i][0] +
							      c->interrupts[i][1])));
		total += c->interrupts[i][0] + c->interrupts[i][1];
		user += c->interrupts[i][1];
	}
	json_object_set_new(by, "taken in user mode", json_integer((json_int_t)user));
	json_object_set_new(out, "interrupts", entry(p, counts, PROBE_INTERRUPTS, total, by));

	by = json_object();
	total = 0;
	for (unsigned int i = 0; i < COUNTED_SOFTIRQS; i++) {
		if (c->softirqs[i])
			json_object_set_new(by, probes_softirq_name(i),
					    json_integer((json_int_t)c->softirqs[i]));
		total += c->softirqs[i];
	}
	json_object_set_new(out, "softirqs", entry(p, counts, PROBE_SOFTIRQS, total, by));
	by = json_object();
	total = 0;
	for (unsigned int i = 0; i < COUNTED_SOFTIRQS; i++) {
		if (c->softirqs_elsewhere[i])
			json_object_set_new(by, probes_softirq_name(i),
					    json_integer((json_int_t)c->softirqs_elsewhere[i]));
		total += c->softirqs_elsewhere[i];
	}
	json_object_set_new(out, "softirqs_elsewhere", entry(p, counts, PROBE_SOFTIRQS, total, by));
}

/* A system call is two crossings; a page fault or an interrupt taken in user mode is two. */
static void store_crossings(const struct probes *p, const struct probe_counts *counts, json_t *out)
{
	const struct counters *c = &counts->of[ROLE_SENDER][PHASE_TRANSFER];
	static const enum probe_subject parts[] = { PROBE_SYSCALLS, PROBE_FAULTS, PROBE_INTERRUPTS };
	uint64_t calls = 0, interrupts = 0;
	json_t *crossings;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (unknown(p, counts, parts[i])) {
			json_object_set_new(out, "crossings",
					    unmeasured(unknown(p, counts, parts[i])));
			return;
		}
	for (int i = 0; i < COUNTED_SYSCALLS; i++)
		calls += c->syscalls[i];
	for (int i = 0; i < INTERRUPTS; i++)
		interrupts += c->interrupts[i][1];
	crossings = measured(2 * (double)(calls + c->faults_user + interrupts),
			     "2 × (system calls + page faults + interrupts taken in user mode)");
	json_object_set_new(crossings, "by",
			    json_pack("{s:I, s:I, s:I}", "system calls", (json_int_t)(2 * calls),
				      "page faults", (json_int_t)(2 * c->faults_user), "interrupts",
				      (json_int_t)(2 * interrupts)));
	if (c->interrupts_unplaced)
		json_object_set_new(crossings, "note",
				    json_sprintf("%" PRIu64 " interrupts could not be told to be in user or kernel mode and are left out",
						 (uint64_t)c->interrupts_unplaced));
	json_object_set_new(out, "crossings", crossings);
}

static void store_switches(const struct probes *p, const struct probe_counts *counts, json_t *out)
{
	const struct counters *c = &counts->of[ROLE_SENDER][PHASE_TRANSFER];
	uint64_t voluntary = 0, involuntary = 0;
	json_t *waits = json_object();

	for (int i = 0; i < SWITCHES; i++) {
		involuntary += c->switches[0][i];
		voluntary += c->switches[1][i];
	}
	for (unsigned int i = 0; i < COUNTED_SYSCALLS; i++) {
		uint64_t n = c->waits[0][i] + c->waits[1][i];
		const char *name = probes_call_name(i);
		char text[64];

		if (!n)
			continue;
		snprintf(text, sizeof(text), "blocked in %s", name ? name : "an unnamed call");
		json_object_set_new(waits, text, json_integer((json_int_t)n));
	}
	if (c->waits_outside[0] + c->waits_outside[1])
		json_object_set_new(waits, "blocked in a page fault",
				    json_integer((json_int_t)(c->waits_outside[0] +
							      c->waits_outside[1])));
	json_object_set_new(out, "context_switches_voluntary", entry(p, counts, PROBE_SWITCHES, voluntary, waits));
	json_object_set_new(out, "context_switches_involuntary", entry(p, counts, PROBE_SWITCHES, involuntary, NULL));
	json_object_set_new(out, "context_switches_process",
			    entry(p, counts, PROBE_SWITCHES, c->switches[0][SWITCHED_TO_PROCESS] +
					       c->switches[1][SWITCHED_TO_PROCESS],
				  NULL));
	json_object_set_new(out, "context_switches_thread",
			    entry(p, counts, PROBE_SWITCHES, c->switches[0][SWITCHED_TO_THREAD] +
					       c->switches[1][SWITCHED_TO_THREAD],
				  NULL));
	json_object_set_new(out, "context_switches_kernel",
			    entry(p, counts, PROBE_SWITCHES, c->switches[0][SWITCHED_TO_KERNEL] +
					       c->switches[1][SWITCHED_TO_KERNEL],
				  NULL));
	json_object_set_new(out, "context_switches_idle",
			    entry(p, counts, PROBE_SWITCHES, c->switches[0][SWITCHED_TO_IDLE] +
					       c->switches[1][SWITCHED_TO_IDLE],
				  NULL));
}

static void store_counts(const struct probes *p, const struct probe_counts *counts,
			 struct case_result *kase)
{
	const struct counters *c = &counts->of[ROLE_SENDER][PHASE_TRANSFER];
	json_t *out = kase->counts;

	store_calls(p, counts, out);
	store_interrupts(p, counts, out);
	store_crossings(p, counts, out);
	store_switches(p, counts, out);
	json_object_set_new(out, "page_faults_user",
			    entry(p, counts, PROBE_FAULTS, c->faults_user, NULL));
	json_object_set_new(out, "page_faults_kernel",
			    entry(p, counts, PROBE_FAULTS, c->faults_kernel, NULL));
	json_object_set_new(out, "page_cache_pages_added",
			    entry(p, counts, PROBE_PAGES_ADDED, c->pages_added, NULL));
	json_object_set_new(out, "page_cache_pages_touched",
			    kase->connections > 1 ?
				    unmeasured("pages are counted once in ascending order, which several connections don't keep") :
			    counts->light ?
				    unmeasured("left out with chunks below 32K: its hooks would cost too much there") :
				    entry(p, counts, PROBE_PAGES_TOUCHED, c->pages_touched, NULL));
}

static void warn_disagreement(struct result *result, const struct case_result *kase, const char *site,
			      const struct probe_value *v)
{
	char code[64], text[320];

	snprintf(code, sizeof(code), "copies_disagree_%s", site);
	snprintf(text, sizeof(text), "%s of %s: %s counts %" PRIu64 " bytes, %s %" PRIu64, site,
		 kase->method, v->source, v->bytes, v->second_source, v->second_bytes);
	result_warn(result, code, text,
		    "one of the two is wrong; the first is shown, trust it less");
}

static void store_site(const struct probes *p, const struct probe_counts *counts,
		       const struct deduction *deduction, enum site site, struct result *result,
		       struct case_result *kase)
{
	char deduced[DEDUCED_TEXT_MAX];
	enum role role = site == SITE_SOCKET_TO_USER ? ROLE_RECEIVER : ROLE_SENDER;
	const char *name = probes_site_name(site);
	struct probe_value v, more;
	json_t *out;

	probes_site(p, counts, role, PHASE_TRANSFER, site, &v);
	if (site == SITE_DEFERRED && v.known) {
		/* it may run in whichever of the two the softirq interrupted */
		probes_site(p, counts, ROLE_RECEIVER, PHASE_TRANSFER, site, &more);
		v.bytes += more.known ? more.bytes : 0;
		v.calls += more.known ? more.calls : 0;
	}
	if (!v.known && site == SITE_DEFERRED &&
	    deduce_deferred(deduction, &v.bytes, &v.calls, deduced)) {
		v.known = true;
		v.source = deduced;
	}
	if (!v.known && deduce_zero(deduction, p, counts, site, deduced)) {
		json_object_set_new(kase->copies, name,
				    json_pack("{s:i, s:i, s:s}", "bytes", 0, "calls", 0, "source",
					      deduced));
		return;
	}
	if (!v.known) {
		json_object_set_new(kase->copies, name,
				    json_pack("{s:n, s:n, s:s}", "bytes", "calls", "reason",
					      v.reason ? v.reason : "no hook for it on this kernel"));
		return;
	}
	out = json_pack("{s:I, s:I, s:s}", "bytes", (json_int_t)v.bytes, "calls",
			(json_int_t)v.calls, "source", v.source);
	if (v.calls_unknown) {
		json_object_set_new(out, "calls", json_null());
		json_object_set_new(out, "reason", json_string(REASON_LEFT_OUT));
	}
	if (v.second_known) {
		json_object_set_new(out, "second",
				    json_pack("{s:I, s:I, s:s}", "bytes", (json_int_t)v.second_bytes,
					      "calls", (json_int_t)v.second_calls, "source",
					      v.second_source));
		if (v.second_bytes != v.bytes)
			warn_disagreement(result, kase, name, &v);
	}
	json_object_set_new(kase->copies, name, out);
}

/* Bytes copied on the sender's side ÷ payload; null when a site of it is. */
static void store_factor(struct case_result *kase)
{
	static const enum site sites[] = { SITE_FILE_TO_USER, SITE_FILE_TO_KERNEL,
					   SITE_USER_TO_SOCKET, SITE_DEFERRED,
					   SITE_LINEARIZED };
	double sum = 0;

	for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++) {
		const json_t *site = json_object_get(kase->copies, probes_site_name(sites[i]));
		const json_t *bytes = json_object_get(site, "bytes");

		if (!json_is_number(bytes)) {
			json_object_set_new(kase->copies, "factor",
					    unmeasured(json_string_value(
						    json_object_get(site, "reason"))));
			return;
		}
		sum += json_number_value(bytes);
	}
	json_object_set_new(kase->copies, "factor",
			    kase->payload ? measured(sum / (double)kase->payload,
						     "(file_to_user + file_to_kernel + user_to_socket + deferred + linearized) ÷ payload") :
					    unmeasured("an empty payload has no copies per byte"));
}

/* Its calls and copies are made by a process that no probe of this machine sees. */
static void receiver_is_elsewhere(struct case_result *kase)
{
	static const char reason[] = "the receiver is on another host";

	json_object_set_new(kase->counts, "receiver_syscalls", unmeasured(reason));
	json_object_set_new(kase->copies, probes_site_name(SITE_SOCKET_TO_USER),
			    json_pack("{s:n, s:n, s:s}", "bytes", "calls", "reason", reason));
}

void counts_store(const struct probes *probes, const struct probe_counts *counts,
		  const struct deduction *deduction, struct result *result, struct case_result *kase)
{
	store_counts(probes, counts, kase);
	for (int site = 0; site < SITES; site++)
		store_site(probes, counts, deduction, (enum site)site, result, kase);
	if (!strcmp(kase->link, link_names[LINK_REMOTE]))
		receiver_is_elsewhere(kase);
	store_factor(kase);
}

static void from_column(struct case_result *kase, enum sample_field field, const char *key)
{
	double *values = malloc((kase->samples.count + 1) * sizeof(*values));
	struct interval i;
	size_t n = 0;

	for (size_t k = 0; values && k < kase->samples.count; k++)
		if (sample_counts(&kase->samples, k))
			values[n++] = kase->samples.value[field][k];
	i = stats_median(values, n, 0.95);
	free(values);
	json_object_set_new(kase->counts, key,
			    i.n ? measured(i.median, "getrusage, median of the timed samples") :
				  unmeasured(marks_why_none(kase)));
}

static bool has_value(const struct case_result *kase, const char *key)
{
	return json_is_number(json_object_get(json_object_get(kase->counts, key), "value"));
}

void counts_from_samples(struct case_result *kase)
{
	from_column(kase, SAMPLE_FAULTS_MINOR, "page_faults_minor");
	from_column(kase, SAMPLE_FAULTS_MAJOR, "page_faults_major");
	if (!has_value(kase, "context_switches_voluntary"))
		from_column(kase, SAMPLE_SWITCHES_VOLUNTARY, "context_switches_voluntary");
	if (!has_value(kase, "context_switches_involuntary"))
		from_column(kase, SAMPLE_SWITCHES_INVOLUNTARY, "context_switches_involuntary");
}
