/* SPDX-License-Identifier: MIT */
/*
 * A copy into memory that another CPU reads next: what happens to the bytes of a write() to a socket, without the
 * socket. Where the other CPU shares no cache it costs twice as much and more, for the target's lines have to be fetched
 * back from there; a plain memcpy() shows nothing of it.
 */
#ifndef COPYTAX_MEASURE_HANDED_COPY_H
#define COPYTAX_MEASURE_HANDED_COPY_H

#include <stddef.h>

/* The memory goes round: more than caches hold, as the pages of a socket are seldom the ones that were just freed. */
#define HANDED_RING_BYTES (32u << 20)

/* Where bytes come from: `from` over and over, in pieces; `span` is a multiple of `piece`, which divides 256 KiB. */
struct handed_source {
	const char *from;
	size_t span, piece;
};

/*
 * Copies `bytes` (a multiple of 1 MiB) on the calling thread's CPU while a thread on `peer_cpu` reads them. *per_gb: CPU seconds of the copying
 * itself per GB, waiting for the other side not included; NaN after an error. Returns 0, -EINVAL for a peer_cpu of -1, or -errno.
 */
int handed_copy(const struct handed_source *source, size_t bytes, int peer_cpu, double *per_gb);

#endif
