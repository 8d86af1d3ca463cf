/* SPDX-License-Identifier: MIT */
/*
 * What reading the disk and sending what was read cost more in turns than each by itself. A CPU that slept until the disk
 * answered finds its caches cold, the bytes are in none of them, and the receiver's CPU has slept as long and takes longer to be woken;
 * on a virtual machine the request's exit to the host and the interrupt that ends the wait take longer, too.
 */
#ifndef COPYTAX_MEASURE_DELIVERED_WAIT_H
#define COPYTAX_MEASURE_DELIVERED_WAIT_H

#include <stddef.h>
#include <stdint.h>

/* Reads past the page cache: `piece` bytes at a time from the first `size` bytes of `fd` (O_DIRECT), into `buffer`. */
struct delivered_wait {
	int fd;
	char *buffer;
	size_t piece;
	uint64_t size;
	int peer_cpu; /* of the thread that takes what is sent */
};

/*
 * `turns` reads by themselves; as many sends of one piece over a TCP connection on loopback, each when the thread at its other end has read all
 * before and sleeps; then as many of both in turns, each sending what was just read. *more_s: CPU seconds that a read and a send
 * cost more in turns than by themselves (less than 0 where they cost less), averages; NaN after an error. Returns 0, -EINVAL for a
 * peer_cpu of -1 or no turns, -ENODATA where the file ends early, -ETIMEDOUT where what was sent is not read, or -errno.
 */
int delivered_wait(const struct delivered_wait *wait, unsigned int turns, double *more_s);

#endif
