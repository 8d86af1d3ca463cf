// SPDX-License-Identifier: MIT
#include "analysis/figures.h"

#include <math.h>
#include <string.h>

#define BOTH (FIGURE_USER | FIGURE_KERNEL)

const struct figure figures[] = {
	{ "cycles_per_byte", "cycles per byte", "cycles/B", { "cycles", BOTH }, { NULL, 0 }, 1 },
	{ "cycles_per_byte_user", "cycles per byte, user", "cycles/B", { "cycles", FIGURE_USER },
	  { NULL, 0 }, 1 },
	{ "cycles_per_byte_kernel", "cycles per byte, kernel", "cycles/B", { "cycles", FIGURE_KERNEL },
	  { NULL, 0 }, 1 },
	{ "ipc_user", "instructions per cycle, user", "ratio", { "instructions", FIGURE_USER },
	  { "cycles", FIGURE_USER }, 1 },
	{ "ipc_kernel", "instructions per cycle, kernel", "ratio", { "instructions", FIGURE_KERNEL },
	  { "cycles", FIGURE_KERNEL }, 1 },
	/* the kernel's generic cache events: the last level, except on AMD, where they are the second's */
	{ "cache_misses_per_kib", "LLC misses per KiB", "1/KiB", { "cache-misses", BOTH }, { NULL, 0 },
	  1024 },
	{ "stalled_share_frontend", "cycles stalled waiting for instructions", "ratio",
	  { "stalled-cycles-frontend", BOTH }, { "cycles", BOTH }, 1 },
	{ "stalled_share_backend", "cycles stalled waiting for data or units", "ratio",
	  { "stalled-cycles-backend", BOTH }, { "cycles", BOTH }, 1 },
	{ NULL, NULL, NULL, { NULL, 0 }, { NULL, 0 }, 0 },
};

static const struct {
	const char *name;
	unsigned int bit;
} scopes[] = { { "user", FIGURE_USER }, { "kernel", FIGURE_KERNEL }, { "all", FIGURE_ALL } };

static const json_t *find(const json_t *events, const char *name, const char *scope)
{
	const json_t *entry;
	size_t i;

	json_array_foreach((json_t *)events, i, entry) {
		const char *n = json_string_value(json_object_get(entry, "name"));
		const char *s = json_string_value(json_object_get(entry, "scope"));

		if (n && s && !strcasecmp(n, name) && !strcmp(s, scope))
			return entry;
	}
	return NULL;
}

/* `share` becomes the smallest multiplexed share that went into the term. */
static double term(const struct figure_term *t, const json_t *events, uint64_t payload,
		   const char **reason, double *share)
{
	double sum = 0;

	if (!t->event)
		return payload ? (double)payload : NAN;
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		const json_t *entry, *value, *shared;

		if (!(t->scopes & scopes[i].bit))
			continue;
		entry = find(events, t->event, scopes[i].name);
		value = json_object_get(entry, "value");
		if (!json_is_number(value)) {
			const char *text = json_string_value(json_object_get(entry, "reason"));

			*reason = text ? text : "the event was not counted (--events)";
			return NAN;
		}
		sum += json_number_value(value);
		shared = json_object_get(entry, "multiplexed");
		if (json_is_number(shared))
			*share = fmin(*share, json_number_value(shared));
	}
	return sum;
}

static double evaluate(const struct figure *figure, const json_t *events, uint64_t payload,
		       const char **reason, double *share)
{
	double above, below;

	*reason = NULL;
	*share = 1;
	above = term(&figure->numerator, events, payload, reason, share);
	below = isnan(above) ? NAN : term(&figure->denominator, events, payload, reason, share);
	if (below > 0)
		return above / below * figure->scale;
	if (!*reason)
		*reason = "nothing to divide by";
	return NAN;
}

double figure_value(const struct figure *figure, const json_t *events, uint64_t payload,
		    const char **reason)
{
	const char *text;
	double share, value = evaluate(figure, events, payload, &text, &share);

	if (reason)
		*reason = text;
	return value;
}

json_t *figures_json(const json_t *events, uint64_t payload)
{
	json_t *all = json_object();

	for (const struct figure *f = figures; all && f->name; f++) {
		const char *reason;
		double share, value = evaluate(f, events, payload, &reason, &share);
		json_t *entry = json_pack("{s:o, s:s, s:s}", "value",
					  isnan(value) ? json_null() : json_real(value), "unit",
					  f->unit, "title", f->title);

		if (entry && reason)
			json_object_set_new(entry, "reason", json_string(reason));
		if (entry && share < 1)
			json_object_set_new(entry, "multiplexed", json_real(share));
		if (json_object_set_new(all, f->name, entry)) {
			json_decref(all);
			all = NULL;
		}
	}
	return all;
}
