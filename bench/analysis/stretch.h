/* SPDX-License-Identifier: MIT */
/* Where values lie closest together: the most of them that are within a factor of each other. */
#ifndef COPYTAX_ANALYSIS_STRETCH_H
#define COPYTAX_ANALYSIS_STRETCH_H

#include <stddef.h>

struct stretch {
	size_t from, n; /* sorted[from] to sorted[from + n - 1] */
};

/* The lowest one of several that hold equally many. `sorted`: positive, ascending. */
struct stretch stretch_fullest(const double *sorted, size_t n, double factor);

/* The median of a stretch's values; NaN for an empty one. */
double stretch_middle(const double *sorted, struct stretch stretch);

#endif
