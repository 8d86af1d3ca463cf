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
#include "measure/core_gather.h"

/* The most that one sitting takes of each. */
#define DIRECT_SAMPLES 15

struct direct_settings {
	const char *path; /* a file of `size` bytes, as the payload is made; it is brought into the cache */
	uint64_t size;
	size_t chunk; /* of the copies */
	int samples; /* of each measurement, 1 to DIRECT_SAMPLES */
	int cpu, peer_cpu; /* the sender's and the receiver's; -1: not pinned */
	struct core_goal *goal; /* measure/core_gather.h: is tried for before what needs both CPUs; NULL: not */
	const volatile sig_atomic_t *stop; /* or NULL; looked at between measurements */
};

/*
 * One sitting: takes three to ten seconds with 15 samples. On success `*out` is the caller's:
 *
 *   {cpu, peer_cpu, chunk, bytes, measurements: as analysis/direct_values.h has them}
 *
 * with the ids null_call, read_call, read_copy, read_copy_4K, read_copy_1M, memcpy_copy, fault, fault_pages, fresh_mapping, handed_copy,
 * mapped_copy, queued_copy, queued_mapped_copy, sent_copy, sent_mapped_copy, switch_same_cpu, switch_cross_cpu, disk_wait, disk_read, delivered_wait,
 * delivered_bytes.
 * Returns 0, -EINTR when stopped, or -errno with `why`.
 */
int direct_measure(const struct direct_settings *settings, json_t **out, struct failure *why);

#endif
