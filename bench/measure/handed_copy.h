/* SPDX-License-Identifier: MIT */
/*
 * A copy into memory that another CPU reads next: what happens to the bytes of a write() to a socket, without the
 * socket. Where the other CPU shares no cache it costs twice as much and more, for the target's lines have to be fetched
 * back from there; a plain memcpy() shows nothing of it. How much dearer depends on how close the other side follows: a
 * sender that wakes the receiver for every piece copies into memory whose lines were in the other's cache a moment ago.
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

/* When the other side reads: each piece as soon as it is there, or a mebibyte at a time, for which this side then waits. */
enum handed_reader { HANDED_READER_CLOSE, HANDED_READER_WAITS };

/*
 * Copies `bytes` (a multiple of 1 MiB) on the calling thread's CPU while a thread on `peer_cpu` reads them. *per_gb: CPU seconds of the copying
 * itself per GB, waiting for the other side not included; NaN after an error. Returns 0, -EINVAL for a peer_cpu of -1, or -errno.
 */
int handed_copy(const struct handed_source *source, enum handed_reader reader, size_t bytes, int peer_cpu,
		double *per_gb);

#endif
