/* SPDX-License-Identifier: MIT */
/* A TCP connection of this process to itself, for what is measured one by one. */
#ifndef COPYTAX_MEASURE_TCP_PAIR_H
#define COPYTAX_MEASURE_TCP_PAIR_H

/*
 * Two ends of a connection on loopback: what the first sends goes out at once, and no congestion control paces it, where the kernel has reno. Returns 0, and the
 * caller closes both; or -errno, and both are -1.
 */
int tcp_pair(int ends[2]);

#endif
