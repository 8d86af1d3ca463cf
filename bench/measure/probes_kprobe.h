/* SPDX-License-Identifier: MIT */
/* A return probe on a kernel function, by perf_event_open alone: no tracefs, gone with its descriptor. */
#ifndef COPYTAX_MEASURE_PROBES_KPROBE_H
#define COPYTAX_MEASURE_PROBES_KPROBE_H

/* 0, or -errno (-ENOENT) when the kernel is built without kprobes. */
int kretprobe_supported(void);

/* Attaches a loaded program. Returns a descriptor or -errno. */
int kretprobe_open(const char *function, int program);

#endif
