/* SPDX-License-Identifier: MIT */
/* The facts of the machine and the settings of the run, as a line for captions and as tables. */
#ifndef COPYTAX_REPORT_MACHINE_H
#define COPYTAX_REPORT_MACHINE_H

#include "report/format.h"
#include "result/result.h"

/* "AMD EPYC 7B13, 2 CPUs, under kvm, Linux 6.1.0, reno, copytax 0.1.0, 2025-…": as far as known. Caller frees. */
char *machine_line(const struct result *result);

/* A two-column table of every fact in `facts`, nested ones as "a.b"; null is UNKNOWN with its reason. */
int machine_facts(const json_t *facts, enum style style, FILE *out);

/* run.argv as a shell would take it back; the caller frees it. NULL when there is none. */
char *machine_command(const struct result *result);

#endif
