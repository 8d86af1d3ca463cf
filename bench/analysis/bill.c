// SPDX-License-Identifier: MIT
#include "analysis/bill.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/members.h"
#include "analysis/prices.h"
#include "analysis/summary.h"
#include "analysis/terms.h"

/* As a reader goes along a transfer; the stack, which is what is left of it, last. */
static const enum term order[TERMS] = {
	TERM_CALLS, TERM_FILE_TO_USER, TERM_USER_TO_SOCKET, TERM_MAPPED_TO_SOCKET, TERM_SENDS, TERM_LENDS,
	TERM_FAULTS, TERM_WAITS, TERM_DELIVERED_WAITS, TERM_DISK_TO_CACHE, TERM_DISK_TO_USER, TERM_ROOM_WAITS, TERM_DELIVERIES,
	TERM_WAKES, TERM_CARRIED,
};

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

/* The terms that a price took in: their counts; those of the same kind are added to *count. */
static json_t *taken_in(const struct result *r, const struct case_result *c, const json_t *term,
			double *count)
{
	const json_t *with = json_object_get(term, "with");
	json_t *out = json_array();

	for (size_t i = 0; i < json_array_size(with); i++) {
		const json_t *one = json_array_get(with, i);
		const char *id = json_string_value(json_object_get(one, "id"));
		enum term t = term_find(id);
		double own = t < TERMS ? term_count(r, c, t, NULL) : NAN;
		json_t *part;

		if (t == TERMS)
			continue;
		if (json_is_true(json_object_get(one, "summed")))
			*count += own;
		part = json_object();
		json_object_set_new(part, "id", json_string(id));
		json_object_set_new(part, "count", number(own));
		json_array_append_new(out, part);
	}
	return out;
}

/* "GB copied" for all directions together, or both by way of a buffer; else the term's own name. */
static const char *line_name(enum term t, const json_t *term)
{
	const json_t *with = json_object_get(term, "with");
	const json_t *first = json_array_get(with, 0);

	if (t == TERM_FILE_TO_USER && json_is_true(json_object_get(first, "summed")))
		return json_array_size(with) > 1 ? "GB copied" : "GB copied by way of a buffer";
	return t == TERM_CARRIED ? "GB carried by the stack" : term_texts[t].name;
}

/* Adds a line and its cost. Returns false, with a reason, when the count isn't known. */
static bool add_line(const struct result *r, const struct case_result *c, enum term t, json_t *lines,
		     double *sum, const char **reason)
{
	const json_t *term = prices_term(r->prices, term_texts[t].id);
	double count, price = member_number(term, "price");
	json_t *line, *with;

	if (!term || isnan(price))
		return true;
	count = term_count(r, c, t, reason);
	with = taken_in(r, c, term, &count);
	if (isnan(count)) {
		json_decref(with);
		return false;
	}
	if (count == 0) {
		json_decref(with);
		return true;
	}
	line = json_object();
	json_object_set_new(line, "id", json_string(term_texts[t].id));
	json_object_set_new(line, "name", json_string(line_name(t, term)));
	json_object_set_new(line, "quantity", json_string(term_texts[t].quantity));
	json_object_set_new(line, "count", number(count));
	json_object_set_new(line, "price", number(price));
	json_object_set_new(line, "cost_s", number(price * count));
	json_object_set_new(line, "low_s", number(member_number(term, "low") * count));
	json_object_set_new(line, "high_s", number(member_number(term, "high") * count));
	json_object_set_new(line, "with", with);
	*sum += price * count;
	return json_array_append_new(lines, line) == 0;
}

json_t *bill_of(const struct result *result, const struct case_result *kase)
{
	const json_t *no_prices = json_object_get(result->prices, "reason");
	json_t *out = json_object(), *lines = json_array();
	const char *reason = NULL;
	struct case_summary s;
	double measured = NAN, sum = 0;
	bool known = true;

	if (!summarize(result, kase, &s))
		measured = s.field[SAMPLE_SENDER_CPU_S].median;
	json_object_set_new(out, "method", json_string(kase->method));
	json_object_set_new(out, "chunk", json_integer((json_int_t)kase->chunk));
	json_object_set_new(out, "cache", json_string(kase->cache));
	json_object_set_new(out, "measured_s", number(measured));
	for (int i = 0; i < TERMS && known; i++)
		known = add_line(result, kase, order[i], lines, &sum, &reason);
	if (isnan(measured))
		reason = "the case has no timed samples";
	else if (known && !json_array_size(lines))
		reason = json_is_string(no_prices) ? json_string_value(no_prices) :
						     "the result has no prices";
	if (reason) {
		json_object_set_new(out, "lines", json_null());
		json_object_set_new(out, "reason", json_string(reason));
		json_decref(lines);
		return out;
	}
	json_object_set_new(out, "predicted_s", number(sum));
	json_object_set_new(out, "unexplained_s", number(measured - sum));
	json_object_set_new(out, "lines", lines);
	return out;
}

static void append(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, size - used, format, args);
	va_end(args);
}

/* 20002 → "20,002"; below 100 three digits, for GB */
static void append_count(char *text, size_t size, double count)
{
	char digits[40];
	size_t n;

	if (count < 100) {
		append(text, size, "%.3g", count);
		return;
	}
	n = (size_t)snprintf(digits, sizeof(digits), "%.0f", count);
	for (size_t i = 0; i < n && i < sizeof(digits); i++)
		append(text, size, "%c%s", digits[i], (n - i) % 3 == 1 && i + 1 < n ? "," : "");
}

char *bill_sentence(const json_t *bill, char *text, size_t size)
{
	const json_t *lines = json_object_get(bill, "lines");

	text[0] = '\0';
	if (!json_is_array(lines)) {
		const char *reason = json_string_value(json_object_get(bill, "reason"));

		append(text, size, "no bill: %s", reason ? reason : "the result has no prices");
		return text;
	}
	for (size_t i = 0; i < json_array_size(lines); i++) {
		const json_t *line = json_array_get(lines, i);
		const char *name = json_string_value(json_object_get(line, "name"));

		append_count(text, size, member_number(line, "count"));
		append(text, size, " %s %.3g ms, ", name ? name : "?",
		       member_number(line, "cost_s") * 1e3);
	}
	append(text, size, "unexplained %.3g ms = %.4g ms measured",
	       member_number(bill, "unexplained_s") * 1e3, member_number(bill, "measured_s") * 1e3);
	return text;
}

/* ---- savings ---- */

struct saving {
	const char *id, *name;
	double saved;
};

static const json_t *line_of(const json_t *bill, const char *id)
{
	const json_t *lines = json_object_get(bill, "lines");

	for (size_t i = 0; i < json_array_size(lines); i++) {
		const json_t *line = json_array_get(lines, i);
		const char *own = json_string_value(json_object_get(line, "id"));

		if (own && !strcmp(own, id))
			return line;
	}
	return NULL;
}

static int larger_first(const void *a, const void *b)
{
	double x = fabs(((const struct saving *)a)->saved), y = fabs(((const struct saving *)b)->saved);

	return (x < y) - (x > y);
}

json_t *bill_savings(const json_t *from, const json_t *to)
{
	struct saving all[TERMS + 1];
	json_t *out;
	size_t n = 0;

	if (!json_is_array(json_object_get(from, "lines")) ||
	    !json_is_array(json_object_get(to, "lines")))
		return json_null();
	for (int i = 0; i < TERMS; i++) {
		const char *id = term_texts[order[i]].id;
		const json_t *a = line_of(from, id), *b = line_of(to, id);

		if (!a && !b)
			continue;
		all[n++] = (struct saving){ id, json_string_value(json_object_get(a ? a : b, "name")),
					    (a ? member_number(a, "cost_s") : 0) -
						    (b ? member_number(b, "cost_s") : 0) };
	}
	all[n++] = (struct saving){ "unexplained", "unexplained",
				    member_number(from, "unexplained_s") -
					    member_number(to, "unexplained_s") };
	qsort(all, n, sizeof(all[0]), larger_first);
	out = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *one = json_object();

		json_object_set_new(one, "id", json_string(all[i].id));
		json_object_set_new(one, "name", json_string(all[i].name ? all[i].name : all[i].id));
		json_object_set_new(one, "saved_s", number(all[i].saved));
		json_array_append_new(out, one);
	}
	return out;
}
