/* SPDX-License-Identifier: MIT */
/*
 * What a call, a copy, a fault, a switch and a disk request cost when nothing else is going on, measured
 * one by one: what the fitted prices are held against. In CPU seconds of a process that is pinned
 * where the sender is.
 */
#ifndef COPYTAX_MEASURE_DIRECT_H
#define COPYTAX_MEASURE_DIRECT_H

#include <jansson.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

struct direct_settings {
	const char *path; /* a file of `size` bytes, as the payload is made; it is brought into the cache */
	uint64_t size;
	size_t chunk; /* of the copies */
	int cpu, peer_cpu; /* the sender's and the receiver's; -1: not pinned */
	const volatile sig_atomic_t *stop; /* or NULL; looked at between measurements */
};

/*
 * Takes three to ten seconds. On success `*out` is the caller's:
 *
 *   {cpu, peer_cpu, chunk, bytes,
 *    measurements: [{id, name, unit, value, low, high, confidence, n, how} |
 *                   {id, name, unit, value: null, reason, how}]}
 *
 * with the ids null_call, read_copy, read_copy_4K, read_copy_1M, memcpy_copy, fault, fault_pages, handed_copy, mapped_copy,
 * switch_same_cpu, switch_cross_cpu, disk_wait, disk_read, delivered_wait. Returns 0, -EINTR when stopped, or -errno
 * with `why`.
 */
int direct_measure(const struct direct_settings *settings, json_t **out, struct failure *why);

#endif
