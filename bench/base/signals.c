// SPDX-License-Identifier: MIT
#include "base/signals.h"

#include <stddef.h>

sigset_t signals_that_end(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	return set;
}

void signals_hold(sigset_t *before)
{
	const sigset_t set = signals_that_end();

	sigprocmask(SIG_BLOCK, &set, before);
}

void signals_let_go(const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL);
}
