/* SPDX-License-Identifier: MIT */
/*
 * What a wait for the disk costs more when the sender has just delivered bytes to its receiver. On a virtual machine it
 * is a third to a half of the wait: the request's exit to the host and the interrupt that ends the wait take longer.
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
	int peer_cpu; /* of the thread that takes what is delivered */
};

/*
 * `reads` reads by themselves, then as many with a piece sent over a TCP connection on loopback before each, which goes out at
 * once. *more_s: CPU seconds that one of the latter costs more than one of the former, the sending not included (less
 * than 0 where it costs less); NaN after an error. Returns 0, -EINVAL for a peer_cpu of -1, or -errno.
 */
int delivered_wait(const struct delivered_wait *wait, unsigned int reads, double *more_s);

#endif
