/* SPDX-License-Identifier: MIT */
/*
 * Energy of the whole machine's packages and memory, from the kernel's power PMU or from powercap, whichever is
 * there. It can't be told apart by process: so what the machine takes when idle is measured first and subtracted,
 * and the result says so.
 */
#ifndef COPYTAX_MEASURE_ENERGY_H
#define COPYTAX_MEASURE_ENERGY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"

enum energy_domain { ENERGY_PACKAGE, ENERGY_DRAM, ENERGY_DOMAINS };

extern const char *const energy_domain_names[ENERGY_DOMAINS]; /* "package", "dram" */

struct energy;

/*
 * Looks for counters; `sysfs` is "/sys", or a made-up one in tests. Returns 0 also when there are none: then
 * energy_json() has the reasons. -ENOMEM with `why`.
 */
int energy_new(const char *sysfs, struct energy **out, struct failure *why);
void energy_free(struct energy *energy);

/* Is there a counter at all? If not, the rest need not be called. */
bool energy_there(const struct energy *energy);

/* Watches the machine do nothing for so long. A second or more: the counters are updated once a millisecond. */
void energy_baseline(struct energy *energy, double seconds);

/* Around what is to be paid for. Several spans add up until energy_clear(). */
void energy_start(struct energy *energy);
void energy_stop(struct energy *energy);
void energy_clear(struct energy *energy);

/*
 * {package: {value, unit: "J/GB", joules, idle_watts, idle_joules, seconds, source} | {value: null, reason}, dram: …}.
 * `bytes`: the payload of all spans together. value = (joules - idle_joules) ÷ GB; null, too, where that is not
 * more than 0. NULL: out of memory.
 */
json_t *energy_json(const struct energy *energy, uint64_t bytes);

#endif
