/* SPDX-License-Identifier: MIT */
/* Which cases get memory that the host has given already (transfer/backing.h). */
#ifndef COPYTAX_STUDY_BACKED_H
#define COPYTAX_STUDY_BACKED_H

#include <jansson.h>
#include <stdint.h>

#include "study/plan.h"

/*
 * Bytes that a transfer of this case brings into memory and that are to be backed before it: 0 where nothing comes in (a warm cache, or a method that reads past it),
 * where the host doesn't take free memory back by its facts (measure/host.h), and where that much would crowd others out: more than 1 GiB, or a
 * quarter of what is available or allowed.
 */
uint64_t backed_bytes(const json_t *host, const struct plan_case *c);

#endif
