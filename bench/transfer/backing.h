/* SPDX-License-Identifier: MIT */
/*
 * Memory that the host has given this guest already, for what a transfer allocates: a host that takes free memory back
 * (measure/page_reporting.h) else finds it anew in the middle of a cold transfer, on the sender's CPU time, which made
 * reading 320 MB cost five times as much.
 */
#ifndef COPYTAX_TRANSFER_BACKING_H
#define COPYTAX_TRANSFER_BACKING_H

#include <stddef.h>
#include <stdint.h>

struct backing {
	void *memory; /* NULL: none is held */
	size_t size;
};

/*
 * Takes and touches `bytes` in huge pages, which are what a host takes back, and keeps them from children; what was held before is let go.
 * Holds nothing where that can't be.
 */
void backing_hold(struct backing *b, uint64_t bytes);

/* Lets it go: the next to allocate get it. NULL and an empty one do nothing. */
void backing_release(struct backing *b);

#endif
