// SPDX-License-Identifier: MIT
#include "analysis/claims.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/counts.h"
#include "analysis/reason.h"
#include "analysis/summary.h"

enum verdict { CANT_TELL, CONFIRMED, CORRECTED };

static const char *const verdict_names[] = { "cant_tell", "confirmed", "corrected" };

struct finding {
	enum verdict verdict;
	char measured[400]; /* the numbers */
	char why[400]; /* one sentence */
};

static void set(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void set(char *text, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, size, format, args);
	va_end(args);
}

#define SAY(field, ...) set((field), sizeof(field), __VA_ARGS__)

/* The case, or a finding that says that it is missing. */
static const struct case_result *need(const struct result *r, const char *method,
				      struct finding *out)
{
	const struct case_result *c = main_case(r, method, "warm");

	if (!c)
		SAY(out->why, "%s was not measured with a warm cache, drain and the default chunk",
		    method);
	return c;
}

/* False, with the short reason, when a number is not known; `what` names it. */
static bool known(double value, const struct case_result *c, const char *what, const char *reason,
		  struct finding *out)
{
	char text[REASON_SHORT_MAX];

	if (!isnan(value))
		return true;
	SAY(out->why, "%s of %s: not counted, %s", what, c->method,
	    reason ? reason_short(reason, text) : "for want of a counting pass");
	return false;
}

static bool know_calls(const struct case_result *c, double *calls, struct finding *out)
{
	*calls = count_of(c, "syscalls", NULL);
	return known(*calls, c, "The calls", count_reason(c, "syscalls"), out);
}

#define AMOUNT_MAX 48

/* "327,680,000"; what was not counted is "an unknown number of", never nan. */
static const char *amount(double value, char out[static AMOUNT_MAX])
{
	char digits[AMOUNT_MAX / 2];
	size_t len, at = 0;

	if (!(value >= 0 && value < 1e15))
		return strcpy(out, "an unknown number of");
	len = (size_t)snprintf(digits, sizeof(digits), "%.0f", value);
	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = 0;
	return out;
}

/* A buffer for amount() that lives as long as the statement. */
#define AMOUNT(value) amount((value), (char[AMOUNT_MAX]) { 0 })

static const char *const sender_sites[] = { "file_to_user", "file_to_kernel", "user_to_socket",
					    "deferred" };

#define SITES_OF_SENDER (sizeof(sender_sites) / sizeof(sender_sites[0]))

/* What the sites that were counted add up to: with one missing, the least that was copied. */
static double least_copied(const struct case_result *c)
{
	double sum = 0;

	for (size_t i = 0; i < SITES_OF_SENDER; i++) {
		double bytes = copied_bytes(c, sender_sites[i]);

		sum += isnan(bytes) ? 0 : bytes;
	}
	return sum;
}

/* False, with the sites and the first one's short reason in one sentence, when a site was not counted. */
static bool know_copied(const struct case_result *c, double *bytes, struct finding *out)
{
	char list[120] = "", reason[REASON_SHORT_MAX] = "";
	size_t missing = 0;

	for (size_t i = 0; i < SITES_OF_SENDER; i++) {
		size_t len = strlen(list);

		if (!isnan(copied_bytes(c, sender_sites[i])))
			continue;
		missing++;
		if (!len)
			reason_short(copy_reason(c, sender_sites[i]), reason);
		snprintf(list + len, sizeof(list) - len, "%s%s", len ? " and " : "", sender_sites[i]);
	}
	*bytes = sender_copied_bytes(c);
	if (!list[0])
		return true;
	if (missing == SITES_OF_SENDER)
		return known(NAN, c, "The copies", copy_reason(c, sender_sites[0]), out);
	if (least_copied(c) == 0)
		SAY(out->measured, "No copy by %s at the sites that were counted", c->method);
	else if (c->payload)
		SAY(out->measured, "At least %.2f copies per byte of %s, by the sites that were counted",
		    least_copied(c) / (double)c->payload, c->method);
	SAY(out->why, "What is missing is %s, not counted here: %s", list, reason);
	return false;
}

/* The transfer itself, without the one call that waits for the receiver's word and the clock's own. */
static double moving_calls(const struct case_result *c)
{
	static const char *const names[] = { "read", "write", "sendfile", "splice", "pread64" };
	double sum = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		sum += count_of(c, "syscalls", names[i]);
	return sum;
}

static void ten_thousand_rounds(const struct result *r, struct finding *out)
{
	const struct case_result *c = need(r, "read_write", out);
	double calls, crossings, rounds;

	if (!c || !know_calls(c, &calls, out))
		return;
	rounds = rounds_of(c);
	crossings = count_of(c, "crossings", NULL);
	SAY(out->measured,
	    "%s rounds of %s bytes: %s reads and %s writes, so %s crossings; with everything else that was counted, %s crossings",
	    AMOUNT(rounds), AMOUNT((double)c->chunk), AMOUNT(count_of(c, "syscalls", "read")),
	    AMOUNT(count_of(c, "syscalls", "write")), AMOUNT(2 * moving_calls(c)),
	    AMOUNT(crossings));
	out->verdict = moving_calls(c) == 2 * rounds ? CONFIRMED : CORRECTED;
	SAY(out->why, "%s",
	    out->verdict == CONFIRMED ?
		    "Every round is one read and one write, and a call crosses into the kernel and back" :
		    "Calls that moved less than a chunk, or were taken up again, add to the rounds");
}

static void switches_are_crossings(const struct result *r, struct finding *out)
{
	const struct case_result *c = need(r, "read_write", out);
	double calls, voluntary, involuntary;

	if (!c || !know_calls(c, &calls, out))
		return;
	voluntary = count_of(c, "context_switches_voluntary", NULL);
	involuntary = count_of(c, "context_switches_involuntary", NULL);
	if (!known(voluntary + involuntary, c, "The switches",
		   count_reason(c, "context_switches_voluntary"), out))
		return;
	SAY(out->measured,
	    "%s crossings by calls; the scheduler switched the sender out %s times: %s voluntary, %s involuntary",
	    AMOUNT(2 * moving_calls(c)), AMOUNT(voluntary + involuntary), AMOUNT(voluntary),
	    AMOUNT(involuntary));
	out->verdict = voluntary + involuntary < moving_calls(c) ? CORRECTED : CONFIRMED;
	SAY(out->why, "%s",
	    out->verdict == CORRECTED ?
		    "A system call changes the CPU's mode, not the task: what the texts call forty thousand context switches are crossings" :
		    "Here the scheduler really switched as often as calls were made");
}

static void two_copies(const struct result *r, struct finding *out)
{
	const struct case_result *c = need(r, "read_write", out);
	double bytes;

	if (!c || !know_copied(c, &bytes, out))
		return;
	SAY(out->measured, "%s bytes page cache to user buffer, %s user buffer to socket: %.2f copies per byte",
	    AMOUNT(copied_bytes(c, "file_to_user")), AMOUNT(copied_bytes(c, "user_to_socket")),
	    bytes / (double)c->payload);
	out->verdict = bytes == 2 * (double)c->payload ? CONFIRMED : CORRECTED;
	SAY(out->why, "That is the sender's side; the receiver copied %s bytes once more, out of its socket",
	    AMOUNT(copied_bytes(c, "socket_to_user")));
}

static void half_the_calls(const struct result *r, struct finding *out)
{
	const struct case_result *rw = need(r, "read_write", out);
	const struct case_result *sf = rw ? need(r, "sendfile", out) : NULL;
	double a, b, copied_rw, copied_sf;

	if (!sf || !know_calls(rw, &a, out) || !know_calls(sf, &b, out) ||
	    !know_copied(rw, &copied_rw, out) || !know_copied(sf, &copied_sf, out))
		return;
	a = moving_calls(rw);
	b = moving_calls(sf);
	SAY(out->measured, "%s calls against %s; copies per byte %.2f against %.2f", AMOUNT(b), AMOUNT(a),
	    copied_sf / (double)sf->payload, copied_rw / (double)rw->payload);
	if (2 * b == a && copied_rw - copied_sf == (double)rw->payload) {
		out->verdict = CONFIRMED;
		SAY(out->why, "One call of two and one copy of two are gone");
	} else {
		out->verdict = CORRECTED;
		SAY(out->why,
		    2 * b == a && copied_sf == 0 ?
			    "It saves half the calls and both copies: the socket takes the page cache's pages by reference (%s bytes)" :
			    "The numbers say otherwise; %s bytes went by reference",
		    AMOUNT(copied_bytes(sf, "by_reference")));
	}
}

static void no_copy(const struct result *r, const char *method, struct finding *out)
{
	const struct case_result *c = need(r, method, out);
	double bytes;

	if (!c || !know_copied(c, &bytes, out))
		return;
	SAY(out->measured, "%s bytes copied on the sender's side, %s by reference", AMOUNT(bytes),
	    AMOUNT(copied_bytes(c, "by_reference")));
	out->verdict = bytes == 0 ? CONFIRMED : CORRECTED;
	SAY(out->why, "%s: the receiver copied %s bytes out of its socket",
	    bytes == 0 ? "Zero on the sending side only" : "Not even on the sending side",
	    AMOUNT(copied_bytes(c, "socket_to_user")));
}

static void sendfile_no_copy(const struct result *r, struct finding *out)
{
	no_copy(r, "sendfile", out);
}

static void splice_no_copy(const struct result *r, struct finding *out)
{
	no_copy(r, "splice", out);
}

/*
 * A copy that was counted refutes "zero-copy" whatever a missing site holds; only a sum of 0 needs them all.
 * `*sure` is false when a site is missing from *bytes.
 */
static bool know_enough(const struct case_result *c, double *bytes, bool *sure, struct finding *out)
{
	*sure = !isnan(sender_copied_bytes(c));
	*bytes = least_copied(c);
	if (*sure || *bytes > 0)
		return true;
	return know_copied(c, bytes, out);
}

static void mmap_zero_copy(const struct result *r, struct finding *out)
{
	const struct case_result *c = need(r, "mmap_write", out);
	struct case_summary s;
	double bytes;
	bool sure;

	if (!c || !know_enough(c, &bytes, &sure, out) || summarize(r, c, &s))
		return;
	SAY(out->measured, "%s%.2f copies per byte (%s bytes into the socket) and %s page faults",
	    sure ? "" : "At least ", bytes / (double)c->payload,
	    AMOUNT(copied_bytes(c, "user_to_socket")),
	    AMOUNT(s.field[SAMPLE_FAULTS_MINOR].median + s.field[SAMPLE_FAULTS_MAJOR].median));
	out->verdict = bytes == 0 ? CONFIRMED : CORRECTED;
	SAY(out->why,
	    bytes == 0 ?
		    "It pays with faults and with unmapping (%.2f ms after the clock)" :
		    "It saves the copy into a user buffer, not the one into the socket, and pays with faults and with unmapping (%.2f ms after the clock)",
	    s.field[SAMPLE_RELEASE_CPU_S].median * 1e3);
}

static void direct_zero_copy(const struct result *r, struct finding *out)
{
	const struct case_result *c = need(r, "direct_write", out);
	double bytes, added;
	bool sure;

	if (!c || !know_enough(c, &bytes, &sure, out))
		return;
	added = count_of(c, "page_cache_pages_added", NULL);
	if (!known(added, c, "The pages added to the page cache",
		   count_reason(c, "page_cache_pages_added"), out))
		return;
	SAY(out->measured,
	    "%s pages added to the page cache, %s bytes from the device into the user buffer, %s%.2f CPU copies per byte",
	    AMOUNT(added), AMOUNT(copied_bytes(c, "disk_to_user")), sure ? "" : "at least ",
	    bytes / (double)c->payload);
	out->verdict = bytes == 0 && added == 0 ? CONFIRMED : CORRECTED;
	if (out->verdict == CORRECTED)
		SAY(out->why,
		    "%s, but the write into the socket copies every byte, and every read waits for the device",
		    added == 0 ? "Half right: it passes the page cache by" :
				 "Not even the page cache stayed untouched");
	else
		SAY(out->why, "Nothing was copied by the CPU, and the page cache stayed untouched");
}

/* Where an interval of ratios lies: wholly below 1, wholly above it, or neither. */
static int side(const struct interval *ratio)
{
	return ratio->high < 1 ? -1 : ratio->low > 1 ? 1 : 0;
}

/* "Faster" is a word about wall time; the CPU that it costs is said beside it. */
static void judge_faster(const struct case_summary *s, struct finding *out)
{
	static const char *const cpu_words[] = { "lower", "not told apart", "higher" };
	int cpu = side(&s->sender_cpu_ratio), time = side(&s->wall_ratio);

	if (time < 0) {
		out->verdict = CONFIRMED;
		SAY(out->why,
		    cpu < 0 ? "So it is here: one connection over loopback, this chunk and cache state" :
			      "By the clock it is; its sender CPU is %s",
		    cpu_words[cpu + 1]);
	} else if (time > 0) {
		out->verdict = CORRECTED;
		SAY(out->why, "It is slower by the clock here, and its sender CPU is %s",
		    cpu_words[cpu + 1]);
	} else if (cpu < 0) {
		SAY(out->why,
		    "It is cheaper in CPU but not proven faster: the interval of its wall time contains 1");
	} else {
		SAY(out->why,
		    "The interval of its wall time contains 1: more rounds or a quieter machine would tell");
	}
}

static void zero_copy_is_cheaper(const struct result *r, struct finding *out)
{
	const struct case_result *c = need(r, "sendfile", out);
	struct case_summary s;

	if (!c || summarize(r, c, &s))
		return;
	if (!s.baseline || !s.sender_cpu_ratio.n || !s.wall_ratio.n) {
		SAY(out->why, "There is no read_write to compare with");
		return;
	}
	SAY(out->measured,
	    "The sender CPU of sendfile is %.2f of read_write's (%.2f to %.2f), its wall time %.2f (%.2f to %.2f)",
	    s.sender_cpu_ratio.median, s.sender_cpu_ratio.low, s.sender_cpu_ratio.high,
	    s.wall_ratio.median, s.wall_ratio.low, s.wall_ratio.high);
	if (s.wall_ratio.confidence < SUMMARY_CONFIDENCE)
		SAY(out->why, "Too few rounds (%zu) for an interval of %.0f%%", s.wall_ratio.n,
		    100 * SUMMARY_CONFIDENCE);
	else
		judge_faster(&s, out);
}

static const struct claim {
	const char *id, *text;
	void (*test)(const struct result *result, struct finding *out);
} claims[] = {
	{ "ten_thousand_rounds",
	  "320 MB by read and write in 32 KB pieces is ten thousand rounds, 20,000 calls, 40,000 crossings",
	  ten_thousand_rounds },
	{ "forty_thousand_switches", "those 40,000 are context switches", switches_are_crossings },
	{ "two_copies", "read and write copy every byte twice", two_copies },
	{ "sendfile_saves", "sendfile saves one call and one copy per piece", half_the_calls },
	{ "sendfile_zero_copy", "sendfile is zero-copy", sendfile_no_copy },
	{ "splice_zero_copy", "splice is zero-copy", splice_no_copy },
	{ "mmap_zero_copy", "mmap is zero-copy", mmap_zero_copy },
	{ "direct_zero_copy", "direct I/O is zero-copy", direct_zero_copy },
	{ "zero_copy_cheaper", "zero-copy is faster", zero_copy_is_cheaper },
};

json_t *claims_test(const struct result *result)
{
	json_t *out = json_array();

	for (size_t i = 0; out && i < sizeof(claims) / sizeof(claims[0]); i++) {
		struct finding f = { .verdict = CANT_TELL };

		claims[i].test(result, &f);
		json_array_append_new(
			out, json_pack("{s:s, s:s, s:s, s:o, s:s}", "id", claims[i].id, "claim",
				       claims[i].text, "verdict", verdict_names[f.verdict],
				       "measured",
				       f.measured[0] ? json_string(f.measured) : json_null(), "why",
				       f.why));
	}
	return out;
}
