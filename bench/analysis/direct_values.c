// SPDX-License-Identifier: MIT
#include "analysis/direct_values.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/apart.h"
#include "analysis/members.h"
#include "analysis/stats.h"

#define CONFIDENCE 0.95

static void no_value(json_t *one, const char *reason)
{
	json_object_set_new(one, "value", json_null());
	json_object_del(one, "low");
	json_object_del(one, "high");
	json_object_del(one, "confidence");
	json_object_del(one, "n");
	json_object_set_new(one, "reason", json_string(reason));
}

/* All sittings' samples in one array, the caller's. *reason: the last sitting's that has one. */
static double *all_samples(const json_t *sittings, size_t *count, const char **reason)
{
	size_t room = 1, n = 0;
	double *values;

	for (size_t i = 0; i < json_array_size(sittings); i++)
		room += json_array_size(json_object_get(json_array_get(sittings, i), "samples"));
	values = calloc(room, sizeof(*values));
	for (size_t i = 0; i < json_array_size(sittings) && values; i++) {
		const json_t *sitting = json_array_get(sittings, i),
			     *list = json_object_get(sitting, "samples");
		const char *own = json_string_value(json_object_get(sitting, "reason"));

		if (own)
			*reason = own;
		for (size_t k = 0; k < json_array_size(list) && n < room; k++) {
			const json_t *sample = json_array_get(list, k);

			values[n++] = json_is_number(sample) ? json_number_value(sample) : NAN;
		}
	}
	*count = n;
	return values;
}

static void summarise(json_t *one)
{
	const json_t *sittings = json_object_get(one, "sittings");
	const char *reason = "every sample failed";
	size_t count = 0;
	double *values;
	struct interval i = { 0 };

	if (!json_is_array(sittings))
		return;
	values = all_samples(sittings, &count, &reason);
	if (values)
		i = stats_median(values, count, CONFIDENCE);
	free(values);
	if (!i.n) {
		no_value(one, reason);
		return;
	}
	if (i.median <= 0) {
		no_value(one, "smaller than what was taken off: too noisy to tell");
		return;
	}
	json_object_set_new(one, "value", json_real(i.median));
	json_object_set_new(one, "low", json_real(i.low));
	json_object_set_new(one, "high", json_real(i.high));
	json_object_set_new(one, "confidence", json_real(i.confidence));
	json_object_set_new(one, "n", json_integer((json_int_t)i.n));
	json_object_del(one, "reason");
}

void direct_summarise(json_t *direct)
{
	const json_t *list = json_object_get(direct, "measurements");

	for (size_t i = 0; i < json_array_size(list); i++)
		summarise(json_array_get(list, i));
}

void direct_add(json_t *direct, const json_t *more)
{
	const json_t *list = json_object_get(more, "measurements");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		json_t *mine = member_by_id(json_object_get(direct, "measurements"),
					 json_string_value(json_object_get(one, "id")));

		json_array_extend(json_object_get(mine, "sittings"),
				  json_object_get(one, "sittings"));
	}
	direct_summarise(direct);
}

double direct_value(const json_t *direct, const char *id, double *low, double *high)
{
	const json_t *one = member_by_id(json_object_get(direct, "measurements"), id);

	if (low)
		*low = member_number(one, "low");
	if (high)
		*high = member_number(one, "high");
	return member_number(one, "value");
}

double direct_surcharge(const json_t *direct, const char *id)
{
	const json_t *one = member_by_id(json_object_get(direct, "measurements"), id),
		     *sittings = json_object_get(one, "sittings");
	double value = member_number(one, "value"), *values;
	const char *reason;
	struct interval i = { 0 };
	size_t count;

	if (!isnan(value) || !json_is_array(sittings))
		return value;
	values = all_samples(sittings, &count, &reason);
	if (values)
		i = stats_median(values, count, CONFIDENCE);
	free(values);
	return i.n && i.median <= 0 ? 0 : NAN;
}

/* "s per …" is a time; pages per fault are not. */
static bool is_time(const json_t *one)
{
	const char *unit = json_string_value(json_object_get(one, "unit"));

	return unit && !strncmp(unit, "s ", 2);
}

static double factor_of(const json_t *taken, double yardstick_s)
{
	double factor = yardstick_s / member_number(taken, "yardstick_s");

	return isfinite(factor) && factor > 0 ? factor : 1;
}

static void scale(json_t *object, const char *key, double factor)
{
	if (isfinite(member_number(object, key)))
		json_object_set_new(object, key, json_real(member_number(object, key) * factor));
}

static void scale_sittings(json_t *one, double yardstick_s)
{
	const json_t *sittings = json_object_get(one, "sittings");

	for (size_t i = 0; i < json_array_size(sittings); i++) {
		const json_t *sitting = json_array_get(sittings, i);
		json_t *list = json_object_get(sitting, "samples");
		double factor = factor_of(sitting, yardstick_s);

		for (size_t k = 0; k < json_array_size(list); k++)
			if (json_is_number(json_array_get(list, k)))
				json_array_set_new(
					list, k,
					json_real(json_number_value(json_array_get(list, k)) *
						  factor));
	}
}

json_t *direct_at_speed(const json_t *direct, double yardstick_s)
{
	json_t *out = json_deep_copy(direct), *list = json_object_get(out, "measurements");

	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *one = json_array_get(list, i);
		double factor = factor_of(one, yardstick_s);

		if (!is_time(one))
			continue;
		scale(one, "value", factor);
		scale(one, "low", factor);
		scale(one, "high", factor);
		scale_sittings(one, yardstick_s);
	}
	direct_summarise(out);
	return out;
}

static bool is_apart(const json_t *taken, double latency_s)
{
	double own = member_number(taken, "core_latency_s");

	return !isnan(own) && !isnan(latency_s) && !apart_near(own, latency_s);
}

/* Returns the distance of the last sitting taken out, NaN when none was. */
static double drop_sittings(json_t *one, double latency_s)
{
	json_t *sittings = json_object_get(one, "sittings");
	double apart = NAN;

	for (size_t i = json_array_size(sittings); i-- > 0;) {
		const json_t *sitting = json_array_get(sittings, i);

		if (!is_apart(sitting, latency_s))
			continue;
		apart = member_number(sitting, "core_latency_s");
		json_array_remove(sittings, i);
	}
	return apart;
}

void direct_drop_apart(json_t *direct, double latency_s)
{
	const json_t *list = json_object_get(direct, "measurements");
	char reason[160];

	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *one = json_array_get(list, i);
		double apart = is_apart(one, latency_s) ? member_number(one, "core_latency_s") :
							  drop_sittings(one, latency_s);

		if (isnan(apart))
			continue;
		if (json_array_size(json_object_get(one, "sittings"))) {
			summarise(one);
			continue;
		}
		snprintf(reason, sizeof(reason),
			 "measured while the CPUs were at another distance (%.0f ns) than in the run (%.0f ns)",
			 apart * 1e9, latency_s * 1e9);
		no_value(one, reason);
	}
}

size_t direct_sittings_at(const json_t *direct, double latency_s)
{
	const json_t *list = json_object_get(direct, "measurements");
	size_t fewest = SIZE_MAX;

	for (size_t i = 0; i < json_array_size(list) && !isnan(latency_s); i++) {
		const json_t *sittings = json_object_get(json_array_get(list, i), "sittings");
		size_t near = 0, with = 0;

		for (size_t k = 0; k < json_array_size(sittings); k++) {
			const json_t *sitting = json_array_get(sittings, k);

			if (!isnan(member_number(sitting, "core_latency_s")))
				with++;
			if (!is_apart(sitting, latency_s))
				near++;
		}
		if (with && near < fewest)
			fewest = near;
	}
	return fewest;
}
