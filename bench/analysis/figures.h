/* SPDX-License-Identifier: MIT */
/*
 * What events mean per byte: figures derived from a case's `events`, as data. To add a figure, add its line to the
 * table; tables, results and plots take it from there.
 */
#ifndef COPYTAX_ANALYSIS_FIGURES_H
#define COPYTAX_ANALYSIS_FIGURES_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum figure_scope { FIGURE_USER = 1 << 0, FIGURE_KERNEL = 1 << 1, FIGURE_ALL = 1 << 2 };

struct figure_term {
	const char *event; /* NULL: the payload, in bytes */
	unsigned int scopes; /* summed */
};

struct figure {
	const char *name;
	const char *title;
	const char *unit;
	struct figure_term numerator, denominator;
	double scale; /* of the quotient */
};

/* Ends with one without a name. */
extern const struct figure figures[];

/*
 * The figure from a case's events. NaN when an event is missing, null or the divisor 0; then *reason, if `reason`
 * is not NULL, is a text that lives as long as `events`.
 */
double figure_value(const struct figure *figure, const json_t *events, uint64_t payload,
		    const char **reason);

/* All of them: {name: {value, unit, title, multiplexed?} | {value: null, unit, title, reason}}. NULL: no memory. */
json_t *figures_json(const json_t *events, uint64_t payload);

#endif
