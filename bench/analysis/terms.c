// SPDX-License-Identifier: MIT
#include "analysis/terms.h"

#include <math.h>
#include <string.h>

#include "analysis/counts.h"
#include "analysis/summary.h"
#include "method/method.h"
#include "result/reasons.h"

const struct term_text term_texts[TERMS] = {
	[TERM_CARRIED] = { "carried", "GB carried", "s per GB", "GB", "the payload's size" },
	[TERM_CALLS] = { "calls", "system calls", "s per call", "calls", "counts.syscalls" },
	[TERM_SENDS] = { "sends", "hand-overs of bytes to the socket", "s per hand-over",
			 "hand-overs",
			 "calls of copies.user_to_socket; where those aren't known, write calls" },
	[TERM_LENDS] = { "lends", "hand-overs of page references", "s per hand-over", "hand-overs",
			 "into the socket, calls of copies.by_reference (where those aren't known, calls of sendfile and half of splice); before that into a pipe: half of splice's calls, within sendfile as often as out of it, vmsplice's calls" },
	[TERM_DELIVERIES] = { "deliveries", "soft interrupts that deliver", "s per soft interrupt",
			      "soft interrupts",
			      "NET_RX of the sender's CPU in each timed sample; where a case lacks it, counts.softirqs" },
	[TERM_WAKES] = { "wakes", "wake-ups of the receiver", "s per wake-up", "wake-ups",
			 "the receiver's voluntary switches (getrusage) in each timed sample; where a case lacks them, counts.receiver_syscalls" },
	[TERM_FILE_TO_USER] = { "file_to_user", "GB copied from the page cache", "s per GB", "GB",
				"copies.file_to_user, and file_to_kernel where it is known" },
	[TERM_USER_TO_SOCKET] = { "user_to_socket", "GB copied into the socket from a buffer",
				  "s per GB", "GB",
				  "copies.user_to_socket, and deferred where it is known, of what was read before" },
	[TERM_MAPPED_TO_SOCKET] = { "mapped_to_socket", "GB copied into the socket from a mapping",
				    "s per GB", "GB",
				    "copies.user_to_socket less what was read into a buffer before" },
	[TERM_FAULTS] = { "faults", "page faults", "s per fault", "faults",
			  "getrusage of each timed sample" },
	[TERM_WAITS] = { "waits", "waits for the disk", "s per switch", "switches",
			 "voluntary switches (getrusage of each timed sample) of cases that read the disk" },
	[TERM_ROOM_WAITS] = { "room_waits", "waits for room in the socket", "s per switch", "switches",
			      "voluntary switches of cases that don't" },
	[TERM_DELIVERED_WAITS] = { "delivered_waits", "waits for the disk after a delivery",
				   "s per switch", "switches",
				   "the smaller of waits for the disk and deliveries: the most that there can be" },
	[TERM_DISK_TO_CACHE] = { "disk_to_page_cache", "GB from disk into the page cache", "s per GB",
				 "GB",
				 "copies.disk_to_page_cache; where that isn't known, the verified cache state" },
	[TERM_DISK_TO_USER] = { "disk_to_user", "GB from disk past the page cache", "s per GB", "GB",
				"copies.disk_to_user; where that isn't known, the method reads with O_DIRECT" },
};

enum term term_find(const char *id)
{
	for (int t = 0; t < TERMS; t++)
		if (id && !strcmp(term_texts[t].id, id))
			return (enum term)t;
	return TERMS;
}

static double site_calls(const struct case_result *c, const char *site)
{
	const json_t *calls = json_object_get(json_object_get(c->copies, site), "calls");

	return json_is_number(calls) ? json_number_value(calls) : NAN;
}

/* One way of counting for all cases of a result: two ways would make a difference of their own. */
static bool sites_count_calls(const struct result *r)
{
	for (size_t i = 0; i < r->case_count; i++)
		if (r->cases[i].status == CASE_OK &&
		    isnan(site_calls(&r->cases[i], "user_to_socket") +
			  site_calls(&r->cases[i], "by_reference")))
			return false;
	return true;
}

static double bytes_handed_over(const struct result *r, const struct case_result *c)
{
	static const char *const bytes[] = { "write", "writev", "sendto", "sendmsg" };
	double sum = 0;

	if (sites_count_calls(r))
		return site_calls(c, "user_to_socket");
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
		sum += count_of(c, "syscalls", bytes[i]);
	return sum;
}

static double figure_of(const struct case_result *c, const char *name)
{
	const json_t *value = json_object_get(json_object_get(c->method_figures, name), "value");

	return json_is_number(value) ? json_number_value(value) : NAN;
}

/*
 * Page references of a file reach the socket by way of a pipe: the caller's, or one that the kernel keeps within sendfile, fills 64 KiB at a time and
 * empties as often. A large pipe takes a mebibyte by one call and gives it away by 16 pages: so both are counted. A ring's splices are no
 * system calls: theirs follow from the pipe's size.
 */
static double references_handed_over(const struct result *r, const struct case_result *c)
{
	double within = count_of(c, "syscalls", "sendfile") + count_of(c, "syscalls", "sendfile64"),
	       splices = count_of(c, "syscalls", "splice"),
	       gifts = count_of(c, "syscalls", "vmsplice"), pipe = figure_of(c, "pipe_bytes"),
	       out = sites_count_calls(r) ? site_calls(c, "by_reference") :
	             within > 0		  ? within :
	             gifts > 0		  ? splices :
					    splices / 2;

	if (within > 0)
		return 2 * out;
	/* vmsplice fills the pipe, and all splices go from it to the socket */
	if (gifts > 0)
		return gifts + out;
	if (!(splices > 0) && pipe > 0)
		return ceil((double)c->payload / fmin((double)c->chunk, pipe)) + out;
	return splices / 2 + out;
}

/*
 * The second site is rare and often can't be counted: then its work, if there is any, is in other prices. Not so where it is counted
 * in all cases but one.
 */
static double gb_of(const struct case_result *c, const char *first, const char *second)
{
	double more = copied_bytes(c, second);
	const char *reason = json_string_value(
		json_object_get(json_object_get(c->copies, second), "reason"));

	if (isnan(more) && reason && !strcmp(reason, REASON_LEFT_OUT))
		return NAN;
	return (copied_bytes(c, first) + (isnan(more) ? 0 : more)) / 1e9;
}

static double timed_median(const struct result *r, const struct case_result *c,
			   enum sample_field field, const char *count)
{
	struct case_summary s;

	/* the timed pass itself: what the counting pass saw may differ */
	if (!summarize(r, c, &s) && s.field[field].n)
		return s.field[field].median;
	return count_of(c, count, NULL);
}

/* Did the timed samples of all cases count this? One way of counting for all of them, here too. */
static bool timed_everywhere(const struct result *r, enum sample_field field)
{
	for (size_t i = 0; i < r->case_count; i++) {
		const struct samples *s = &r->cases[i].samples;

		for (size_t k = 0; r->cases[i].status == CASE_OK && k < s->count; k++)
			if (isnan(s->value[field][k]))
				return false;
	}
	return true;
}

static double timed_or_counted(const struct result *r, const struct case_result *c,
			       enum sample_field field, const char *count)
{
	return timed_everywhere(r, field) ? timed_median(r, c, field, count) : count_of(c, count, NULL);
}

static double disk_gb(const struct case_result *c, enum term term)
{
	const struct method *m = method_find(c->method);
	bool past_cache = m && m->flags & METHOD_BYPASSES_PAGE_CACHE;
	bool direct = term == TERM_DISK_TO_USER;
	double bytes = copied_bytes(c, direct ? "disk_to_user" : "disk_to_page_cache");

	if (isnan(bytes) && m) {
		/* before each sample the harness makes sure that all pages are cached, or none */
		bytes = direct ? past_cache : !past_cache && !strcmp(c->cache, "cold");
		bytes *= (double)c->payload;
	}
	return bytes / 1e9;
}

/* Bytes that go into the socket and were not read before must come from a mapping of the file. */
static double mapped_gb(const struct case_result *c)
{
	double read = copied_bytes(c, "file_to_user") / 1e9 + disk_gb(c, TERM_DISK_TO_USER);
	double more = gb_of(c, "user_to_socket", "deferred") - read;

	return more < 0 ? 0 : more; /* NaN stays */
}

/*
 * A sender sleeps for the disk, or until its receiver made room in the socket, and the two have nothing in common: a request with its interrupt, and a
 * turn of the scheduler. A case that reads the disk waits for that many times more often. The switches that are of this kind in it.
 */
static double waits_of_kind(const struct case_result *c, enum term term, double switches)
{
	double disk = disk_gb(c, TERM_DISK_TO_CACHE) + disk_gb(c, TERM_DISK_TO_USER);

	if (isnan(disk))
		return NAN;
	return (disk > 0) == (term == TERM_WAITS) ? switches : 0;
}

bool term_optional(enum term term)
{
	return term == TERM_DELIVERIES || term == TERM_WAKES || term == TERM_DELIVERED_WAITS;
}

static const char *why_unknown(const struct case_result *c, enum term term)
{
	static const char *const site[TERMS] = {
		[TERM_FILE_TO_USER] = "file_to_user", [TERM_USER_TO_SOCKET] = "user_to_socket",
		[TERM_MAPPED_TO_SOCKET] = "file_to_user",
		[TERM_DISK_TO_CACHE] = "disk_to_page_cache", [TERM_DISK_TO_USER] = "disk_to_user",
	};
	static const char *const name[TERMS] = {
		[TERM_CALLS] = "syscalls", [TERM_SENDS] = "syscalls",
		[TERM_LENDS] = "syscalls",
		[TERM_DELIVERIES] = "softirqs", [TERM_WAKES] = "receiver_syscalls",
		[TERM_DELIVERED_WAITS] = "softirqs",
		[TERM_FAULTS] = "page_faults_minor", [TERM_WAITS] = "context_switches_voluntary",
		[TERM_ROOM_WAITS] = "context_switches_voluntary",
	};
	const char *reason = NULL;

	if (term < TERMS && site[term])
		reason = copy_reason(c, site[term]);
	else if (term < TERMS && name[term])
		reason = count_reason(c, name[term]);
	return reason ? reason : "the result has no counting pass";
}

double term_count(const struct result *r, const struct case_result *c, enum term term,
		  const char **reason)
{
	double count = NAN;

	switch (term) {
	case TERM_CARRIED:
		count = (double)c->payload / 1e9;
		break;
	case TERM_CALLS:
		count = count_of(c, "syscalls", NULL);
		break;
	case TERM_SENDS:
		count = bytes_handed_over(r, c);
		break;
	case TERM_LENDS:
		count = references_handed_over(r, c);
		break;
	case TERM_FILE_TO_USER:
		count = gb_of(c, "file_to_user", "file_to_kernel");
		break;
	case TERM_USER_TO_SOCKET:
		count = gb_of(c, "user_to_socket", "deferred") - mapped_gb(c);
		break;
	case TERM_MAPPED_TO_SOCKET:
		count = mapped_gb(c);
		break;
	case TERM_DELIVERIES:
		count = timed_or_counted(r, c, SAMPLE_DELIVERIES, "softirqs");
		break;
	case TERM_WAKES:
		count = timed_or_counted(r, c, SAMPLE_RECEIVER_SWITCHES_VOLUNTARY,
					 "receiver_syscalls");
		break;
	case TERM_FAULTS:
		count = timed_median(r, c, SAMPLE_FAULTS_MINOR, "page_faults_minor") +
			timed_median(r, c, SAMPLE_FAULTS_MAJOR, "page_faults_major");
		break;
	case TERM_WAITS:
	case TERM_ROOM_WAITS:
		count = waits_of_kind(c, term,
				      timed_median(r, c, SAMPLE_SWITCHES_VOLUNTARY,
						   "context_switches_voluntary"));
		break;
	case TERM_DELIVERED_WAITS:
		count = term_count(r, c, TERM_DELIVERIES, NULL);
		/* fmin() takes the one that is known for the smaller */
		if (!isnan(count))
			count = fmin(count, term_count(r, c, TERM_WAITS, NULL));
		break;
	case TERM_DISK_TO_CACHE:
	case TERM_DISK_TO_USER:
		count = disk_gb(c, term);
		break;
	case TERMS:
		break;
	}
	if (reason)
		*reason = isnan(count) ? why_unknown(c, term) : NULL;
	return count;
}

static double timed_sample(const struct result *r, const struct case_result *c,
			   enum sample_field field, size_t k)
{
	return timed_everywhere(r, field) ? c->samples.value[field][k] : NAN;
}

double term_sample_count(const struct result *r, const struct case_result *c, enum term term, size_t k)
{
	double deliveries, waits;

	switch (term) {
	case TERM_DELIVERIES:
		return timed_sample(r, c, SAMPLE_DELIVERIES, k);
	case TERM_WAKES:
		return timed_sample(r, c, SAMPLE_RECEIVER_SWITCHES_VOLUNTARY, k);
	case TERM_FAULTS:
		return timed_sample(r, c, SAMPLE_FAULTS_MINOR, k) +
		       timed_sample(r, c, SAMPLE_FAULTS_MAJOR, k);
	case TERM_WAITS:
	case TERM_ROOM_WAITS:
		return waits_of_kind(c, term, timed_sample(r, c, SAMPLE_SWITCHES_VOLUNTARY, k));
	case TERM_DELIVERED_WAITS:
		deliveries = timed_sample(r, c, SAMPLE_DELIVERIES, k);
		waits = term_sample_count(r, c, TERM_WAITS, k);
		return isnan(deliveries) || isnan(waits) ? NAN : fmin(deliveries, waits);
	default:
		return NAN;
	}
}
