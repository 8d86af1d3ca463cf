/* SPDX-License-Identifier: MIT */
/*
 * The kernel's counters: which PMUs it has drivers for, how to open one of their events, and what a refusal
 * means in words a user can act on.
 */
#ifndef COPYTAX_MEASURE_PMU_H
#define COPYTAX_MEASURE_PMU_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PMU_DEVICES "/sys/bus/event_source/devices"
#define PMU_KINDS_MAX 8 /* kinds of core in one machine; today's have up to three */
#define PMU_REASON_MAX 240

struct pmu_kind {
	char name[64]; /* "cpu", "cpu_core", "armv8_neoverse_n1" */
	uint32_t type; /* for perf_event_attr.type, or the upper half of a generic event's config */
};

/* The PMUs that count what a core does. A hybrid CPU has one for each kind of core. */
struct pmu_machine {
	struct pmu_kind kinds[PMU_KINDS_MAX];
	size_t count; /* 0: no PMU, so no hardware event */
	int own; /* the kind of the CPU asked about; -1: not known, or none was asked about */
	bool virtual; /* a hypervisor says that it is there (x86 only) */
};

/* Reads `devices` (PMU_DEVICES, or a made-up one in tests). `cpu`: the worker's, or -1. */
void pmu_machine_read(const char *devices, int cpu, struct pmu_machine *out);

/* Does `list` ("0-3,8,10-11") contain `number`? */
bool pmu_list_contains(const char *list, int number);

/* perf_event_open(2). Returns a close-on-exec descriptor or -errno. */
int pmu_open(const struct perf_event_attr *attr, pid_t pid, int cpu, int group);

/* Why the kernel answered `err` (positive) to pmu_open() with this `attr`. */
void pmu_explain(const struct pmu_machine *machine, const struct perf_event_attr *attr, int err,
		 char *reason, size_t size);

/* kernel.perf_event_paranoid; INT_MIN when it can't be read. */
int pmu_paranoid(void);

#endif
