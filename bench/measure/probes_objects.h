/* SPDX-License-Identifier: MIT */
/* The compiled BPF objects, embedded by bpftool's skeletons. */
#ifndef COPYTAX_MEASURE_PROBES_OBJECTS_H
#define COPYTAX_MEASURE_PROBES_OBJECTS_H

#include <stddef.h>

enum probe_object { OBJECT_CROSSINGS, OBJECT_SCHEDULING, OBJECT_COPIES, OBJECT_DEVICES, OBJECTS };

/* The object file's bytes; static. */
const void *probe_object_bytes(enum probe_object object, size_t *size);
const char *probe_object_name(enum probe_object object);

#endif
