// SPDX-License-Identifier: MIT
#include "analysis/price_checks.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "analysis/direct_values.h"
#include "analysis/members.h"

static const char followed_closely[] =
	"a copy costs more the closer the receiver follows, whose CPU then holds the memory: up to twice as much where the CPUs share no near cache; the fit charges that to the deliveries and wake-ups that come with it, the direct figure holds a share of it";

static const char between_buffers[] =
	"the direct figure of a copy into the socket is one between two buffers of which the receiver's CPU reads the second; the price holds the memory that TCP takes for every copied byte and gets back as well";

/* What can be set beside what, and why they may differ all the same. */
static const struct pair {
	enum term term;
	const char *direct;
	const char *second; /* of the term that is summed with it: then their mean is held against the price */
	const char *older, *older_second; /* what results have that lack these, or NULL */
	double tolerance; /* of the direct value */
	bool stands_in; /* may serve as the price where the fit has none */
	const char *why; /* they may differ */
	const char *below; /* the same where the price is the smaller; NULL: no other */
	const char *close, *later; /* direct measurements of a copy whose reader follows closely, and waits: what that adds; or NULL */
} pairs[] = {
	{ TERM_CALLS, "null_call", NULL, NULL, NULL, 0.5, true,
	  "a call that moves data looks up the file, locks and checks before it works: the price holds that, the null call does not",
	  NULL, NULL, NULL },
	{ TERM_CALLS, "read_call", NULL, NULL, NULL, 0.5, false,
	  "the direct figure is a read() of 64 bytes, with the file's and the page's looking up; a call that hands bytes to a socket does other work beside them",
	  NULL, NULL, NULL },
	{ TERM_FILE_TO_USER, "read_copy", "sent_copy", NULL, "handed_copy", 0.2, true,
	  "the direct figures are a read() of a warm file at the default chunk less what one of 64 bytes costs, and a copy into a socket that the receiver's CPU reads and never sleeps over, less its calls and deliveries",
	  followed_closely, "handed_copy", "queued_copy" },
	{ TERM_USER_TO_SOCKET, "sent_copy", NULL, "handed_copy", NULL, 0.2, true,
	  "the direct figure is a copy into a socket that the receiver's CPU reads and never sleeps over, less its calls and deliveries",
	  followed_closely, "handed_copy", "queued_copy" },
	{ TERM_MAPPED_TO_SOCKET, "sent_mapped_copy", NULL, "mapped_copy", NULL, 0.2, true,
	  "the direct figure is a copy from a mapping into a socket that the receiver's CPU reads and never sleeps over, less its calls and deliveries",
	  followed_closely, "mapped_copy", "queued_mapped_copy" },
	{ TERM_FAULTS, "fault", NULL, NULL, NULL, 0.5, true,
	  "the direct fault maps the same file's pages from user mode; in write() it comes inside the kernel's copy, and where the only copies from a mapping are those that fault, the price of a fault takes in what such a copy costs more than one from a user buffer, whose bytes are in the CPU's caches",
	  NULL, NULL, NULL },
	{ TERM_WAITS, "switch_cross_cpu", NULL, NULL, NULL, 0.5, false,
	  "the price of a wait holds the work of what is waited for; a pipe's other end is quick, a disk request is not",
	  NULL, NULL, NULL },
	{ TERM_WAITS, "disk_wait", NULL, NULL, NULL, 0.5, true,
	  "a direct read sleeps once: request, interrupt, switch and wake-up together",
	  NULL, NULL, NULL },
	{ TERM_DELIVERED_WAITS, "delivered_wait", NULL, NULL, NULL, 0.5, true,
	  "the direct figure has one delivery before each wait; the price's count is the most that there can be",
	  NULL, NULL, NULL },
	{ TERM_DISK_TO_USER, "disk_read", NULL, NULL, NULL, 0.5, true,
	  "the direct figure is what a direct read costs per byte once its fixed part is taken off; the price holds that these bytes are in no cache when they are copied on, which those of read() are",
	  NULL, NULL, NULL },
};

#define PAIRS (sizeof(pairs) / sizeof(pairs[0]))

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

/* The first of two that was measured; the first where neither was, or there is no other. */
static const char *measured_one(const json_t *direct, const char *id, const char *older)
{
	return older && isnan(direct_value(direct, id, NULL, NULL)) &&
			       isfinite(direct_value(direct, older, NULL, NULL)) ?
		       older :
		       id;
}

double direct_price(const json_t *direct, enum term term, const char **from)
{
	for (size_t i = 0; i < PAIRS; i++) {
		const char *id = measured_one(direct, pairs[i].direct, pairs[i].older);
		double value = pairs[i].term == term && pairs[i].stands_in ?
				       direct_value(direct, id, NULL, NULL) :
				       NAN;

		if (isfinite(value)) {
			*from = id;
			return value;
		}
	}
	return NAN;
}

/* Of read(): sizes and seconds per GB, ascending; returns how many were measured. */
static size_t read_sizes(const json_t *direct, double size[3], double price[3])
{
	const struct {
		const char *id;
		double size;
	} all[] = { { "read_copy_4K", 4096 },
		    { "read_copy", member_number(direct, "chunk") },
		    { "read_copy_1M", 1 << 20 } };
	double last = 0;
	size_t n = 0;

	for (size_t i = 0; i < 3; i++) {
		double value = direct_value(direct, all[i].id, NULL, NULL);

		if (!isfinite(value) || !(all[i].size > last))
			continue;
		size[n] = last = all[i].size;
		price[n++] = value;
	}
	return n;
}

double direct_price_at(const json_t *direct, enum term term, double chunk)
{
	double size[3], price[3], share;
	size_t n = term == TERM_FILE_TO_USER ? read_sizes(direct, size, price) : 0, above = 0;
	const char *from;

	if (!n)
		return direct_price(direct, term, &from);
	while (above < n && chunk > 0 && size[above] < chunk)
		above++;
	if (!(chunk > 0) || above == n)
		return price[n - 1];
	if (!above)
		return price[0];
	share = log(chunk / size[above - 1]) / log(size[above] / size[above - 1]);
	return price[above - 1] + share * (price[above] - price[above - 1]);
}

/* Why a price is not near its direct figure, in words for the reader; `text` holds 640 bytes. */
static void explain(const struct pair *p, bool below, bool older, const json_t *direct, char text[640])
{
	double later = p->later ? direct_value(direct, p->later, NULL, NULL) : NAN,
	       close = p->close ? direct_value(direct, p->close, NULL, NULL) : NAN;
	int length = snprintf(text, 640, "%s",
			      below && p->below ? p->below :
			      older		? between_buffers :
						  p->why);

	if (below && p->below && isfinite(later) && isfinite(close) && length > 0 && length < 640)
		snprintf(text + length, 640 - (size_t)length,
			 " (here, measured directly, between buffers: %.3g s per GB with a reader close behind, %.3g with one that waits for a mebibyte)",
			 close, later);
}

/* Does a price stand for more than its own term, of the same kind? */
static bool is_sum(const json_t *term)
{
	return json_is_true(json_object_get(json_array_get(json_object_get(term, "with"), 0),
					    "summed"));
}

static json_t *check(const struct pair *p, const json_t *term, const json_t *direct)
{
	const char *first = measured_one(direct, p->direct, p->older),
		   *second = p->second ? measured_one(direct, p->second, p->older_second) : NULL;
	double price = member_number(term, "price"), low = member_number(term, "low"),
	       high = member_number(term, "high"), d_low, d_high,
	       d = direct_value(direct, first, &d_low, &d_high), e_low = NAN, e_high = NAN,
	       e = second && is_sum(term) ? direct_value(direct, second, &e_low, &e_high) : NAN;
	bool both = isfinite(e);
	bool overlap, near;
	char names[80], why[640];

	if (both) {
		d = (d + e) / 2;
		d_low = (d_low + e_low) / 2;
		d_high = (d_high + e_high) / 2;
	}
	snprintf(names, sizeof(names), "%s%s%s", first, both ? " and " : "", both ? second : "");
	overlap = low <= d_high && d_low <= high;
	near = fabs(price - d) <= p->tolerance * d;
	json_t *out;

	if (!isfinite(price) || !isfinite(d))
		return NULL;
	out = json_object();
	json_object_set_new(out, "id", json_string(term_texts[p->term].id));
	json_object_set_new(out, "direct_id", json_string(names));
	json_object_set_new(out, "price", number(price));
	json_object_set_new(out, "low", number(low));
	json_object_set_new(out, "high", number(high));
	json_object_set_new(out, "direct", number(d));
	json_object_set_new(out, "direct_low", number(d_low));
	json_object_set_new(out, "direct_high", number(d_high));
	json_object_set_new(out, "ratio", number(d > 0 ? price / d : NAN));
	json_object_set_new(out, "tolerance", number(p->tolerance));
	json_object_set_new(out, "near", json_boolean(near));
	json_object_set_new(out, "intervals_overlap", json_boolean(overlap));
	json_object_set_new(out, "agrees", json_boolean(near || overlap));
	explain(p, price < d, first == p->older || (both && second == p->older_second), direct, why);
	json_object_set_new(out, "why", near ? json_null() : json_string(why));
	return out;
}

json_t *price_checks(const json_t *terms, const json_t *direct)
{
	json_t *out = json_array();

	for (size_t i = 0; i < PAIRS; i++) {
		json_t *one = check(&pairs[i], member_by_id(terms, term_texts[pairs[i].term].id), direct);

		if (one)
			json_array_append_new(out, one);
	}
	return out;
}
