/* SPDX-License-Identifier: MIT */
/* Soft interrupts as the kernel itself counts them, per CPU: no probe is needed, on any kernel. */
#ifndef COPYTAX_MEASURE_SOFTIRQS_H
#define COPYTAX_MEASURE_SOFTIRQS_H

/*
 * How often CPU `cpu` has taken received packets out of a queue since boot (NET_RX in /proc/softirqs), for
 * whatever task it ran: over loopback that is where what was sent is delivered. NaN when that can't be read
 * or cpu is none.
 */
double softirqs_net_rx(int cpu);

#endif
