/* SPDX-License-Identifier: MIT */
/* Cases that can't be on this machine, or not at all: told before anything is measured. */
#ifndef COPYTAX_STUDY_FEASIBLE_H
#define COPYTAX_STUDY_FEASIBLE_H

#include <jansson.h>

#include "study/plan.h"

/* What the run could not get, and why; NULL: it is there, or nobody asked. */
struct refusals {
	const char *veth, *remote, *placement[PLACEMENTS];
};

/* Returns 0, or -errno with a reason that says what would help. */
int feasible(const struct plan_case *c, const struct refusals *refused, char *reason, size_t size);

/* Descriptors that a process of a transfer over `connections` may need. */
unsigned int feasible_descriptors(unsigned int connections);

/* Raises this process's limit of open files, which its children inherit, as far as it may, up to what is needed. */
void feasible_raise_limits(unsigned int connections);

/* The conditions of a case for the result document: what has no member of its own, and applies. */
void case_conditions(const struct plan_case *c, json_t *into);

#endif
