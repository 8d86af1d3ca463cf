/* SPDX-License-Identifier: MIT */
/* What the commands' argp parsers have in common. */
#ifndef COPYTAX_CMD_OPTIONS_H
#define COPYTAX_CMD_OPTIONS_H

#include <argp.h>

#include "base/failure.h"

/*
 * What a parser returns for what became of a key: `taken` is 0, 1 for one that it does not know, or -errno with
 * `why`, which ends the program in the words and with the code of argp's own errors. A word that is no option is
 * refused.
 */
error_t option_result(const struct argp_state *state, int key, const char *text, int taken,
		      const struct failure *why);

#endif
