/* SPDX-License-Identifier: MIT */
/*
 * Which part of the kernel a stack's sample belongs to. The rules are a table (site_rules.c): a stack is walked from
 * its innermost frame outwards, and the first frame with a rule decides. Helpers that serve everybody (locks, clocks,
 * allocators) have a rule too: theirs is to ask the caller.
 */
#ifndef COPYTAX_ANALYSIS_SITES_H
#define COPYTAX_ANALYSIS_SITES_H

#include <jansson.h>
#include <stdint.h>

#include "analysis/folded.h"

enum cpu_site {
	CPU_COPYING, /* the string moves of the payload and what drives them */
	CPU_FILE, /* descriptor and file, page cache, pipes */
	CPU_FAULTS, /* page faults, mapping, pinning */
	CPU_TCP_SEND, /* socket, TCP, IP down to the device */
	CPU_LOOPBACK, /* the loopback device and the softirq that receives */
	CPU_ENTRY, /* into the kernel and out again */
	CPU_SCHEDULER, /* sleeping, waking the receiver, polling for work, the tick */
	CPU_BLOCK, /* block layer and driver */
	CPU_USER, /* the worker's own code */
	CPU_OTHER, /* no rule: listed by name */
	CPU_SITES,
	CPU_BY_CALLER, /* in rules only */
};

extern const char *const cpu_site_names[CPU_SITES]; /* "copying", …: keys of the result */
extern const char *const cpu_site_titles[CPU_SITES]; /* for people */
extern const char *const cpu_site_colours[CPU_SITES]; /* "#rrggbb", apart for the colour-blind */

struct site_rule {
	const char *symbol; /* fnmatch(3) pattern of the function, without compiler suffixes (".isra.0") */
	const char *under; /* only when called, however far off, by one that this pattern matches; NULL: always */
	enum cpu_site site;
	/* the site when a softirq does it: the same functions send from a system call and receive in a softirq */
	enum cpu_site in_softirq;
};

/* In order; the first that fits holds. Ends with one without a symbol. */
extern const struct site_rule site_rules[];

/* The functions below which work is a softirq's. Ends with NULL. */
extern const char *const softirq_functions[];

/* The functions (patterns) by which an interrupt or exception breaks in: what lies outside is not its caller. */
extern const char *const interrupt_functions[];

/* The site of a folded stack. */
enum cpu_site site_of_stack(const char *stack);

struct site_shares {
	uint64_t samples[CPU_SITES];
	uint64_t all;
};

void sites_count(const struct folded *folded, struct site_shares *out);

/*
 * For the result: {copying: {samples, share, low, high, ns_per_kib}, …, other: {…, functions: [{name, samples}]}}.
 * With no samples, or no names for the kernel's functions, only {reason}. low, high: the share's 95 % interval (Wilson), by the number of samples. `cpu_s`: the worker's CPU seconds of one
 * transfer of `payload` bytes, unprofiled; NaN: ns_per_kib is null with a reason. NULL: out of memory.
 */
json_t *sites_json(const struct folded *folded, double cpu_s, uint64_t payload);

/*
 * Do the two ways of pricing a copied KiB tell one story? From the profile: copying's share of the CPU time ÷ copied
 * KiB. From the counts: `counted_ns_per_kib`, what the study's prices say; NaN where it has none.
 * {profile_ns_per_kib, counted_ns_per_kib, difference, agree, reason?}: difference is profile ÷ counted - 1, agree is
 * false beyond a quarter; null with the reason where one of the two is not known or nothing is copied.
 */
json_t *sites_agreement(const struct site_shares *shares, double cpu_s, double copied_bytes,
			double counted_ns_per_kib);

#endif
