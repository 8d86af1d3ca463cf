// SPDX-License-Identifier: MIT
#include "analysis/copy_price.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "analysis/direct_values.h"
#include "analysis/prices.h"
#include "analysis/terms.h"

/* ns per KiB from s per GB. */
#define NS_PER_KIB (1e9 * 1024 / 1e9)

/* Both directions of copying may share one price; one that took in other work is no price of a copy. */
static bool is_pure(const json_t *term)
{
	const json_t *with = json_object_get(term, "with");

	for (size_t i = 0; i < json_array_size(with); i++)
		if (!json_is_true(json_object_get(json_array_get(with, i), "summed")))
			return false;
	return true;
}

/* The price that stands for a direction among others: what it was summed into. */
static const json_t *shared_term(const json_t *prices, enum term direction)
{
	static const enum term into[] = { TERM_FILE_TO_USER, TERM_USER_TO_SOCKET };

	for (size_t k = 0; k < sizeof(into) / sizeof(into[0]); k++) {
		const json_t *term = prices_term(prices, term_texts[into[k]].id);
		const json_t *with = json_object_get(term, "with");

		for (size_t i = 0; i < json_array_size(with); i++) {
			const json_t *one = json_array_get(with, i);
			const char *id = json_string_value(json_object_get(one, "id"));

			if (json_is_true(json_object_get(one, "summed")) && id &&
			    !strcmp(id, term_texts[direction].id))
				return term;
		}
	}
	return NULL;
}

static double fitted(const json_t *prices, enum term direction)
{
	const json_t *term = prices_term(prices, term_texts[direction].id), *price;

	if (!term)
		term = shared_term(prices, direction);
	price = json_object_get(term, "price");
	return term && is_pure(term) && json_is_number(price) ? json_number_value(price) : NAN;
}

static const struct direction {
	enum term term;
	const char *direct[3]; /* its direct measurement, and what older results have in its place */
} directions[] = { { TERM_FILE_TO_USER, { "read_copy" } },
		   { TERM_USER_TO_SOCKET, { "sent_copy", "handed_copy", "memcpy_copy" } },
		   { TERM_MAPPED_TO_SOCKET, { "sent_mapped_copy", "mapped_copy", "memcpy_copy" } } };

#define DIRECTIONS (sizeof(directions) / sizeof(directions[0]))

static double by_hand(const struct result *result, const struct direction *d)
{
	const json_t *direct = json_object_get(result->prices, "direct");
	double value = NAN;

	for (size_t i = 0; i < 3 && d->direct[i] && isnan(value); i++)
		value = direct_value(direct, d->direct[i], NULL, NULL);
	return value;
}

double copy_price_direct(const struct result *result, const struct case_result *kase)
{
	double cost_s = 0, gb = 0;

	for (size_t i = 0; i < DIRECTIONS; i++) {
		double here = term_count(result, kase, directions[i].term, NULL);

		if (here == 0)
			continue;
		cost_s += here * by_hand(result, &directions[i]);
		gb += here;
	}
	return gb > 0 ? cost_s / gb * NS_PER_KIB : NAN;
}

double copy_price(const struct result *result, const struct case_result *kase, const char **source,
		  const char **reason)
{
	double cost_s = 0, gb = 0;
	bool by_fit = false, by_direct = false;

	for (size_t i = 0; i < DIRECTIONS; i++) {
		double here = term_count(result, kase, directions[i].term, reason), price;

		if (isnan(here))
			return NAN;
		if (here <= 0)
			continue;
		price = fitted(result->prices, directions[i].term);
		by_fit |= price > 0;
		if (!(price > 0)) {
			price = by_hand(result, &directions[i]);
			by_direct |= price > 0;
		}
		if (!(price > 0)) {
			*reason = "this run's cases can't tell the price of a copy from that of other work, and it has no direct measurement (--calibrate)";
			return NAN;
		}
		cost_s += price * here;
		gb += here;
	}
	*source = by_fit && by_direct ? "prices fitted over the cases and direct measurements" :
		  by_fit	      ? "prices fitted over the cases" :
					"direct measurements";
	*reason = gb > 0 ? NULL : "this method copies nothing";
	return gb > 0 ? cost_s / gb * NS_PER_KIB : NAN;
}
