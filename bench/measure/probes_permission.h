/* SPDX-License-Identifier: MIT */
/* Why BPF is refused to us, and what to grant: the one reason that matters. */
#ifndef COPYTAX_MEASURE_PROBES_PERMISSION_H
#define COPYTAX_MEASURE_PROBES_PERMISSION_H

#include "base/failure.h"

/* Says why bpf(2) failed with `err` (positive) while doing `what` ("create a map"). Returns -err. */
int bpf_refused(int err, const char *what, struct failure *why);

#endif
