// SPDX-License-Identifier: MIT
#include "cmd/options.h"

error_t option_result(const struct argp_state *state, int key, const char *text, int taken,
		      const struct failure *why)
{
	if (taken > 0 && key == ARGP_KEY_ARG)
		argp_failure(state, EXIT_WRONG_USE, 0, "'%s' is no option; see --help", text);
	if (taken > 0)
		return ARGP_ERR_UNKNOWN;
	if (taken < 0)
		argp_failure(state, (int)why->exit_code, 0, "%s", why->text);
	return 0;
}
