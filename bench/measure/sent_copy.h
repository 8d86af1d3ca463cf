/* SPDX-License-Identifier: MIT */
/*
 * A copy into a TCP socket, by itself: bytes go over loopback to a thread on another CPU that reads without ever sleeping, so nobody is woken, and what the calls
 * and the deliveries among it cost, each measured by itself, is taken off. That is the copy by the kernel's own instruction, with the memory that TCP takes for it
 * and gets back; a copy between two buffers (measure/handed_copy.h) has neither.
 */
#ifndef COPYTAX_MEASURE_SENT_COPY_H
#define COPYTAX_MEASURE_SENT_COPY_H

#include <stddef.h>

#include "measure/handed_copy.h"

/* As much as goes out in one go, as a sender does that the receiver keeps up with; then everything is read before the next. */
#define SENT_BATCH_BYTES (1u << 20)

/*
 * Sends `bytes` (a multiple of SENT_BATCH_BYTES, which the piece divides) from the calling thread, which is pinned to `cpu`, to one on `peer_cpu`. *per_gb: CPU seconds of the sending per GB, less
 * those of its calls at `null_call_s` each and of its deliveries (NET_RX of /proc/softirqs) at what one costs that carries 64 bytes; waiting for the other side
 * is not included. NaN after an error. Returns 0, -EINVAL when one of the CPUs is -1 or the piece is odd, -ENODATA when deliveries can't be counted,
 * -ETIMEDOUT when nobody reads, or -errno.
 */
int sent_copy(const struct handed_source *source, size_t bytes, int cpu, int peer_cpu,
	      double null_call_s, double *per_gb);

#endif
