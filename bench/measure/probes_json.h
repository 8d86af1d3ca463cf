/* SPDX-License-Identifier: MIT */
/* What each ladder chose, as the result and `copytax doctor --json` have it. */
#ifndef COPYTAX_MEASURE_PROBES_JSON_H
#define COPYTAX_MEASURE_PROBES_JSON_H

#include <jansson.h>

#include "measure/probes.h"

/* [{name, status: "ok" | "unavailable", rung, how, reason}]; a new reference. */
json_t *probes_json(const struct probes *probes);

/* The same when nothing can be counted: one row "all" with the reason. */
json_t *probes_json_none(const char *reason);

#endif
