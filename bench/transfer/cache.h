/* SPDX-License-Identifier: MIT */
/* The payload's state in the page cache: made, and verified. */
#ifndef COPYTAX_TRANSFER_CACHE_H
#define COPYTAX_TRANSFER_CACHE_H

#include <stdint.h>

#include "base/failure.h"

enum cache {
	CACHE_WARM, /* every page resident */
	CACHE_COLD, /* none */
	CACHE_HALF, /* of stretches of CACHE_STRETCH_BYTES the first, third, … and no page of the others */
	CACHES
};

#define CACHE_STRETCH_BYTES (1u << 20)

extern const char *const cache_names[CACHES];

/* Pages of the first `size` bytes that are in the page cache, by cachestat(2), else mincore(2). */
int cache_resident(int fd, uint64_t size, uint64_t *resident, uint64_t *pages);

/*
 * Brings the payload into the state and checks that it is there, page by page.
 * Returns 0 or -errno with `why`: not a failed transfer but conditions that this machine can't give.
 */
int cache_set(const char *path, uint64_t size, enum cache cache, struct failure *why);

#endif
