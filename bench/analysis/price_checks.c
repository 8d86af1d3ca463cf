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
	bool surcharge; /* it is one, and may be nothing */
	bool carries; /* it sends the bytes as well: what the fit has for carrying them is in it */
	const char *besides, *both; /* a surcharge on it, where that was measured, and what the two are called; or NULL */
	const char *second; /* of the term that is summed with it: then their mean is held against the price; or NULL */
	const char *older, *older_second; /* what results have that lack these, or NULL */
	double tolerance; /* of the direct value */
	bool stands_in; /* may serve as the price where the fit has none */
	const char *why; /* they may differ */
	const char *below; /* the same where the price is the smaller; NULL: no other */
	const char *close, *later; /* direct measurements of a copy whose reader follows closely, and waits: what that adds; or NULL */
} pairs[] = {
	{ .term = TERM_CALLS, .direct = "null_call", .tolerance = 0.5, .stands_in = true,
	  .why = "a call that moves data looks up the file, locks and checks before it works: the price holds that, the null call does not" },
	{ .term = TERM_CALLS, .direct = "read_call", .tolerance = 0.5,
	  .why = "the direct figure is a read() of 64 bytes, with the file's and the page's looking up; a call that hands bytes to a socket does other work beside them" },
	{ .term = TERM_FILE_TO_USER, .direct = "read_copy", .second = "sent_copy",
	  .older_second = "handed_copy", .tolerance = 0.2, .stands_in = true,
	  .why = "the direct figures are a read() of a warm file at the default chunk less what one of 64 bytes costs, and a copy into a socket that the receiver's CPU reads and never sleeps over, less its calls and deliveries",
	  .below = followed_closely, .close = "handed_copy", .later = "queued_copy" },
	{ .term = TERM_USER_TO_SOCKET, .direct = "sent_copy", .carries = true, .older = "handed_copy",
	  .tolerance = 0.2, .stands_in = true,
	  .why = "the direct figure is a copy into a socket that the receiver's CPU reads and never sleeps over, less its calls and deliveries",
	  .below = followed_closely, .close = "handed_copy", .later = "queued_copy" },
	{ .term = TERM_MAPPED_TO_SOCKET, .direct = "sent_mapped_copy", .carries = true,
	  .besides = "fresh_mapping", .both = "sent_mapped_copy and fresh_mapping", .older = "mapped_copy", .tolerance = 0.2, .stands_in = true,
	  .why = "the direct figure is a copy from a mapping into a socket that the receiver's CPU reads and never sleeps over, less its calls and deliveries, and, where that was measured, the first touch of a mapping's pages, which a transfer's is new to",
	  .below = followed_closely, .close = "mapped_copy", .later = "queued_mapped_copy" },
	{ .term = TERM_FAULTS, .direct = "fault", .surcharge = true, .tolerance = 0.5, .stands_in = true,
	  .why = "the direct fault maps the same file's pages from user mode, less what their first touch costs when they are mapped already; in write() it comes inside the kernel's copy, and where the only copies from a mapping are those that fault, the price of a fault takes in what such a copy costs more than one from a user buffer, whose bytes are in the CPU's caches" },
	{ .term = TERM_ROOM_WAITS, .direct = "switch_cross_cpu", .tolerance = 0.5, .stands_in = true,
	  .why = "a sender that waits for room in the socket sleeps a hundred times or two in a transfer of large pieces, and hardly ever in others: what that costs can hardly be told from what such pieces cost anyway; the direct figure also wakes the other side" },
	{ .term = TERM_WAITS, .direct = "disk_wait", .tolerance = 0.5, .stands_in = true,
	  .why = "a direct read sleeps once: request, interrupt, switch and wake-up together" },
	{ .term = TERM_DELIVERED_WAITS, .direct = "delivered_wait", .surcharge = true,
	  .tolerance = 0.5, .stands_in = true,
	  .why = "the direct figure has a read before each send and none between sends; the price's count is the most that there can be" },
	{ .term = TERM_DISK_TO_USER, .direct = "disk_read", .besides = "delivered_bytes",
	  .both = "disk_read and delivered_bytes", .tolerance = 0.5, .stands_in = true,
	  .why = "the direct figure is what a direct read costs per byte once its fixed part is taken off, and, where that was measured, what they cost more when they are sent than bytes that were sent before; the price holds all that grows with these bytes" },
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

/* What comes on top of the pair's direct measurement; NaN when nothing does: none belongs to it, it was not measured, or an older measurement stands for it. */
static double surcharge_of(const struct pair *p, const json_t *direct, const char *id)
{
	return p->besides && !strcmp(id, p->direct) ? direct_surcharge(direct, p->besides) : NAN;
}

double direct_price(const json_t *direct, enum term term, const char **from)
{
	for (size_t i = 0; i < PAIRS; i++) {
		const struct pair *p = &pairs[i];
		const char *id = measured_one(direct, p->direct, p->older);
		double value, more;

		if (p->term != term || !p->stands_in)
			continue;
		value = p->surcharge ? direct_surcharge(direct, id) :
				       direct_value(direct, id, NULL, NULL);
		if (isnan(value))
			continue;
		more = surcharge_of(p, direct, id);
		*from = isnan(more) ? id : p->both;
		return isnan(more) ? value : value + more;
	}
	return NAN;
}

bool direct_carries(const char *from)
{
	for (size_t i = 0; i < PAIRS; i++)
		if (from && pairs[i].carries &&
		    (!strcmp(pairs[i].direct, from) || (pairs[i].both && !strcmp(pairs[i].both, from))))
			return true;
	return false;
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

/* Intervals of two independent measurements add up by their ends: wider than need be, never narrower. */
static void add_surcharge(const json_t *direct, const char *id, double *d, double *low, double *high)
{
	double more_low, more_high, more = direct_value(direct, id, &more_low, &more_high);

	if (isnan(more)) /* nothing */
		return;
	*d += more;
	*low += more_low;
	*high += more_high;
}

double carried_price(const json_t *terms, double *low, double *high)
{
	const json_t *carried = member_by_id(terms, term_texts[TERM_CARRIED].id);
	double price = member_number(carried, "price"), l = member_number(carried, "low"),
	       h = member_number(carried, "high");
	bool alone = isfinite(price) && !json_array_size(json_object_get(carried, "with"));

	if (low)
		*low = alone && isfinite(l) ? l : 0;
	if (high)
		*high = alone && isfinite(h) ? h : 0;
	return alone ? price : 0;
}

static json_t *check(const struct pair *p, const json_t *terms, const json_t *direct)
{
	const json_t *term = member_by_id(terms, term_texts[p->term].id);
	const char *first = measured_one(direct, p->direct, p->older),
		   *second = p->second ? measured_one(direct, p->second, p->older_second) : NULL;
	double price = member_number(term, "price"), low = member_number(term, "low"),
	       high = member_number(term, "high"), d_low, d_high,
	       d = direct_value(direct, first, &d_low, &d_high), e_low = NAN, e_high = NAN,
	       e = second && is_sum(term) ? direct_value(direct, second, &e_low, &e_high) : NAN;
	double carried_low, carried_high, carried = carried_price(terms, &carried_low, &carried_high), share;
	bool both = isfinite(e);
	bool overlap, near;
	char names[80], why[640];

	if (both) {
		d = (d + e) / 2;
		d_low = (d_low + e_low) / 2;
		d_high = (d_high + e_high) / 2;
	}
	/* of a price for both directions one is sent */
	share = direct_carries(both ? second : first) ? (both ? 0.5 : 1) : 0;
	price += share * carried;
	low += share * carried_low;
	high += share * carried_high;
	snprintf(names, sizeof(names), "%s%s%s", first, both ? " and " : "", both ? second : "");
	if (isfinite(d) && !isnan(surcharge_of(p, direct, first))) {
		snprintf(names, sizeof(names), "%s", p->both);
		add_surcharge(direct, p->besides, &d, &d_low, &d_high);
	}
	overlap = low <= d_high && d_low <= high;
	near = fabs(price - d) <= p->tolerance * d;
	json_t *out;

	if (!isfinite(price) || !isfinite(d))
		return NULL;
	out = json_object();
	json_object_set_new(out, "id", json_string(term_texts[p->term].id));
	json_object_set_new(out, "direct_id", json_string(names));
	json_object_set_new(out, "with_carried", json_boolean(share * carried > 0));
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
		json_t *one = check(&pairs[i], terms, direct);

		if (one)
			json_array_append_new(out, one);
	}
	return out;
}
