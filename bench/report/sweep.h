/* SPDX-License-Identifier: MIT */
/*
 * What varied: for every condition that took more than one value, the largest set of cases that differ in
 * it and in the method only. Each becomes sweep-NAME.tsv and sweep-NAME.gp, which scripts/plots/sweep.gp draws
 * without knowing any condition by name. Chunks have a picture of their own.
 */
#ifndef COPYTAX_REPORT_SWEEP_H
#define COPYTAX_REPORT_SWEEP_H

#include "result/result.h"
#include "study/dimension.h"

/* The name of a sweep's files and picture: "sweep-connections". */
#define SWEEP_NAME_MAX 40

struct sweep {
	const struct case_result **cases; /* in the result's order */
	size_t count;
	json_t **values; /* each once, in the order of the axis */
	size_t value_count;
};

/* Finds the sweep of a condition; count is 0 when nothing varied. Returns 0 or -ENOMEM; sweep_free() after it. */
int sweep_find(const struct result *result, enum dimension dimension, struct sweep *out);
void sweep_free(struct sweep *sweep);

void sweep_name(enum dimension dimension, char name[static SWEEP_NAME_MAX]);

/* Writes both files' contents. Returns 0 or -ENOMEM. */
int sweep_write(const struct result *result, enum dimension dimension, const struct sweep *sweep,
		FILE *data, FILE *labels);

#endif
