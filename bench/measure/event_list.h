/* SPDX-License-Identifier: MIT */
/* What --events could name on this machine, and what each would answer: for `copytax list events`. */
#ifndef COPYTAX_MEASURE_EVENT_LIST_H
#define COPYTAX_MEASURE_EVENT_LIST_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Prints the default events, each tried, with what it can count or why not; then the PMUs that libpfm4 finds here
 * with their number of events; `all`: also every one of those events by name. Returns 0 or -errno.
 */
int event_list_print(FILE *file, bool all);

#endif
