/* SPDX-License-Identifier: MIT */
/* System calls by number: their names, and how each moves bytes (enum call_kind). */
#ifndef COPYTAX_MEASURE_PROBES_CALLS_H
#define COPYTAX_MEASURE_PROBES_CALLS_H

#include "counters.h"

/* Fills the kernel side's table. Calls without a row are CALL_OTHER, the careful answer. */
void probe_call_kinds(__u8 kinds[COUNTED_SYSCALLS]);

#endif
