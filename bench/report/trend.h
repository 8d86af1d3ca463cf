/* SPDX-License-Identifier: MIT */
/* Many results side by side: in the order of time as a trend when they are of one host, else as a table of hosts. */
#ifndef COPYTAX_REPORT_TREND_H
#define COPYTAX_REPORT_TREND_H

#include "base/failure.h"
#include "report/format.h"
#include "result/result.h"

/* One of them; `path` as the user named it. */
struct trend_entry {
	const struct result *result;
	const char *path;
	size_t host; /* 1, 2, …: those whose processor and hypervisor are alike share one */
};

/* Sorts by time and numbers the hosts; returns how many there are. */
size_t trend_sort(struct trend_entry *entries, size_t count);

/* The list of results, and a table of the median sender CPU of every case that any of them has. 0 or -ENOMEM. */
int trend_table(const struct trend_entry *entries, size_t count, enum style style, FILE *out);

/* The same as JSON: {hosts, results: [{path, started, host, kernel, yardstick_s, core_latency_s}], cases: [{…, sender_cpu_s: [{median, low, high} | null]}]}. */
json_t *trend_json(const struct trend_entry *entries, size_t count);

/*
 * Draws the warm cases at the first result's default chunk over time, into `picture` (.svg or .png). Returns 0 or -errno
 * with `why`: -EINVAL when they are of several hosts, -ENOENT when gnuplot is missing.
 */
int trend_draw(const struct trend_entry *entries, size_t count, const char *picture,
	       struct failure *why);

#endif
