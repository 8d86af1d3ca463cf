/* SPDX-License-Identifier: MIT */
/* Options that run and send share: the conditions that hold for every transfer. */
#ifndef COPYTAX_CMD_CONDITIONS_H
#define COPYTAX_CMD_CONDITIONS_H

#include <argp.h>

#include "base/failure.h"
#include "transfer/link.h"
#include "transfer/placement.h"

struct conditions {
	struct link_settings link;
	enum placement placement;
	unsigned int time_limit_s;
	struct failure why; /* set when an option's value is wrong */
};

/* The defaults; docs/methodology.md says why they are what they are. */
struct conditions conditions_default(void);

/* An argp child whose input is a struct conditions. */
extern const struct argp conditions_argp;

#endif
