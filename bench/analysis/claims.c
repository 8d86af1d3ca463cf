// SPDX-License-Identifier: MIT
#include "analysis/claims.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/counts.h"
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

/* False, with the reason, when a number is not known. */
static bool known(double value, const struct case_result *c, const char *reason,
		  struct finding *out)
{
	if (!isnan(value))
		return true;
	SAY(out->why, "not counted for %s: %s", c->method, reason ? reason : "no counting pass");
	return false;
}

static bool know_calls(const struct case_result *c, double *calls, struct finding *out)
{
	*calls = count_of(c, "syscalls", NULL);
	return known(*calls, c, count_reason(c, "syscalls"), out);
}

static bool know_copied(const struct case_result *c, double *bytes, struct finding *out)
{
	static const char *const sites[] = { "file_to_user", "file_to_kernel", "user_to_socket",
					     "deferred" };

	for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++)
		if (!known(copied_bytes(c, sites[i]), c, copy_reason(c, sites[i]), out))
			return false;
	*bytes = sender_copied_bytes(c);
	return true;
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
	    "%.0f rounds of %" PRIu64 " bytes: %.0f reads and %.0f writes, %.0f crossings by system calls; %.0f crossings in all",
	    rounds, c->chunk, count_of(c, "syscalls", "read"), count_of(c, "syscalls", "write"),
	    2 * moving_calls(c), crossings);
	out->verdict = moving_calls(c) == 2 * rounds ? CONFIRMED : CORRECTED;
	SAY(out->why, "%s",
	    out->verdict == CONFIRMED ?
		    "every round is one read and one write, and a call crosses into the kernel and back" :
		    "calls that moved less than a chunk, or were taken up again, add to the rounds");
}

static void switches_are_crossings(const struct result *r, struct finding *out)
{
	const struct case_result *c = need(r, "read_write", out);
	double calls, voluntary, involuntary;

	if (!c || !know_calls(c, &calls, out))
		return;
	voluntary = count_of(c, "context_switches_voluntary", NULL);
	involuntary = count_of(c, "context_switches_involuntary", NULL);
	if (!known(voluntary + involuntary, c, count_reason(c, "context_switches_voluntary"), out))
		return;
	SAY(out->measured,
	    "%.0f crossings by calls; the scheduler switched the sender out %.0f times: %.0f voluntary, %.0f involuntary",
	    2 * moving_calls(c), voluntary + involuntary, voluntary, involuntary);
	out->verdict = voluntary + involuntary < moving_calls(c) ? CORRECTED : CONFIRMED;
	SAY(out->why, "%s",
	    out->verdict == CORRECTED ?
		    "a system call changes the CPU's mode, not the task: what the texts call forty thousand context switches are crossings" :
		    "here the scheduler really switched as often as calls were made");
}

static void two_copies(const struct result *r, struct finding *out)
{
	const struct case_result *c = need(r, "read_write", out);
	double bytes;

	if (!c || !know_copied(c, &bytes, out))
		return;
	SAY(out->measured, "%.0f bytes page cache to user buffer, %.0f user buffer to socket: %.2f per byte",
	    copied_bytes(c, "file_to_user"), copied_bytes(c, "user_to_socket"),
	    bytes / (double)c->payload);
	out->verdict = bytes == 2 * (double)c->payload ? CONFIRMED : CORRECTED;
	SAY(out->why, "the sender's side; a receiver that wants the bytes copies each once more (%.0f here)",
	    copied_bytes(c, "socket_to_user"));
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
	SAY(out->measured, "calls %.0f against %.0f; copies per byte %.2f against %.2f", b, a,
	    copied_sf / (double)sf->payload, copied_rw / (double)rw->payload);
	if (2 * b == a && copied_rw - copied_sf == (double)rw->payload) {
		out->verdict = CONFIRMED;
		SAY(out->why, "one call of two and one copy of two are gone");
	} else {
		out->verdict = CORRECTED;
		SAY(out->why,
		    2 * b == a && copied_sf == 0 ?
			    "it saves half the calls and both copies: the socket takes the page cache's pages by reference (%.0f bytes)" :
			    "see the numbers; %.0f bytes went by reference",
		    copied_bytes(sf, "by_reference"));
	}
}

static void no_copy(const struct result *r, const char *method, struct finding *out)
{
	const struct case_result *c = need(r, method, out);
	double bytes;

	if (!c || !know_copied(c, &bytes, out))
		return;
	SAY(out->measured, "%.0f bytes copied on the sender's side, %.0f by reference", bytes,
	    copied_bytes(c, "by_reference"));
	out->verdict = bytes == 0 ? CONFIRMED : CORRECTED;
	SAY(out->why, "zero on the sending side only: the receiver copied %.0f bytes out of its socket",
	    copied_bytes(c, "socket_to_user"));
}

static void sendfile_no_copy(const struct result *r, struct finding *out)
{
	no_copy(r, "sendfile", out);
}

static void splice_no_copy(const struct result *r, struct finding *out)
{
	no_copy(r, "splice", out);
}

static void mmap_zero_copy(const struct result *r, struct finding *out)
{
	const struct case_result *c = need(r, "mmap_write", out);
	struct case_summary s;
	double bytes;

	if (!c || !know_copied(c, &bytes, out) || summarize(r, c, &s))
		return;
	SAY(out->measured, "%.2f copies per byte (%.0f bytes into the socket) and %.0f page faults",
	    bytes / (double)c->payload, copied_bytes(c, "user_to_socket"),
	    s.field[SAMPLE_FAULTS_MINOR].median + s.field[SAMPLE_FAULTS_MAJOR].median);
	out->verdict = bytes == 0 ? CONFIRMED : CORRECTED;
	SAY(out->why,
	    "it saves the copy into a user buffer, not the one into the socket, and pays with faults and with unmapping (%.2f ms after the clock)",
	    s.field[SAMPLE_RELEASE_CPU_S].median * 1e3);
}

static void direct_zero_copy(const struct result *r, struct finding *out)
{
	const struct case_result *c = need(r, "direct_write", out);
	double bytes, added;

	if (!c || !know_copied(c, &bytes, out))
		return;
	added = count_of(c, "page_cache_pages_added", NULL);
	if (!known(added, c, count_reason(c, "page_cache_pages_added"), out))
		return;
	SAY(out->measured,
	    "%.0f page-cache pages added, %.0f bytes from the device into the user buffer, %.2f CPU copies per byte",
	    added, copied_bytes(c, "disk_to_user"), bytes / (double)c->payload);
	out->verdict = bytes == 0 && added == 0 ? CONFIRMED : CORRECTED;
	SAY(out->why,
	    "%s: it passes the page cache by, but the write into the socket copies every byte, and every read waits for the device",
	    added == 0 ? "half right" : "not even the page cache stayed untouched");
}

static void zero_copy_is_cheaper(const struct result *r, struct finding *out)
{
	const struct case_result *c = need(r, "sendfile", out);
	struct case_summary s;

	if (!c || summarize(r, c, &s))
		return;
	if (!s.baseline || !s.sender_cpu_ratio.n) {
		SAY(out->why, "there is no read_write to compare with");
		return;
	}
	SAY(out->measured,
	    "sendfile's sender CPU is %.2f of read_write's (%.2f to %.2f), its wall time %.2f (%.2f to %.2f)",
	    s.sender_cpu_ratio.median, s.sender_cpu_ratio.low, s.sender_cpu_ratio.high,
	    s.wall_ratio.median, s.wall_ratio.low, s.wall_ratio.high);
	if (s.sender_cpu_ratio.high < 1 && s.wall_ratio.high < 1) {
		out->verdict = CONFIRMED;
		SAY(out->why, "under these conditions: one connection over loopback, this chunk and cache state");
	} else if (s.sender_cpu_ratio.high < 1 || s.sender_cpu_ratio.low > 1) {
		out->verdict = CORRECTED;
		SAY(out->why, "CPU time and wall time do not say the same here");
	} else {
		SAY(out->why, "the interval contains 1: more rounds or a quieter machine would tell");
	}
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
