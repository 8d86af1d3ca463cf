/* SPDX-License-Identifier: MIT */
/* In what two results differ before any figure is looked at: machine, settings, tool. */
#ifndef COPYTAX_ANALYSIS_DIFFERENCES_H
#define COPYTAX_ANALYSIS_DIFFERENCES_H

#include <stdbool.h>

#include "result/result.h"

/*
 * [{what, name, base, new, breaks}]; a new reference, or NULL when out of memory. `name` is what a
 * person calls it; base and new are values of the documents, null where not known. `breaks`: with this, the
 * two measured different things, and a difference between cases may be due to it.
 */
json_t *differences_between(const struct result *base, const struct result *new);

#endif
