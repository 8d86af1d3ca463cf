// SPDX-License-Identifier: MIT
#include "measure/probes_objects.h"

#include "counters.h"

/* what bpftool 7.1 generates is not clean by our flags */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "copies.skel.h"
#include "crossings.skel.h"
#include "devices.skel.h"
#include "scheduling.skel.h"
#pragma GCC diagnostic pop

const void *probe_object_bytes(enum probe_object object, size_t *size)
{
	switch (object) {
	case OBJECT_CROSSINGS:
		return crossings_bpf__elf_bytes(size);
	case OBJECT_SCHEDULING:
		return scheduling_bpf__elf_bytes(size);
	case OBJECT_COPIES:
		return copies_bpf__elf_bytes(size);
	case OBJECT_DEVICES:
		return devices_bpf__elf_bytes(size);
	case OBJECTS:
		break;
	}
	return NULL;
}

const char *probe_object_name(enum probe_object object)
{
	static const char *const names[] = { "crossings", "scheduling", "copies", "devices" };

	return object < OBJECTS ? names[object] : NULL;
}
