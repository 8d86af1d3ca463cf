/* SPDX-License-Identifier: MIT */
/* Options that run and send share: the conditions of a case; run takes lists of them, send one value each. */
#ifndef COPYTAX_CMD_CONDITIONS_H
#define COPYTAX_CMD_CONDITIONS_H

#include <argp.h>

#include "base/failure.h"
#include "study/plan.h"

struct conditions {
	struct plan_line line; /* what the command line says; run's methods are in it too */
	uint16_t port; /* 0: any free one */
	const char *peer, *secret_file; /* of the link remote; NULL: not given */
	unsigned int time_limit_s;
	struct failure why; /* set when an option's value is wrong */
};

/* Those that are no dimension; study/dimension.c has the others. docs/methodology.md says why they are what they are. */
struct conditions conditions_default(void);

/* An argp child whose input is a struct conditions. */
extern const struct argp conditions_argp;

#endif
