/* SPDX-License-Identifier: MIT */
/* On which CPUs sender and receiver run: chosen by hwloc, among those that this process may use. */
#ifndef COPYTAX_TRANSFER_PLACEMENT_H
#define COPYTAX_TRANSFER_PLACEMENT_H

#include "base/failure.h"

#define PLACEMENT_TEXT_MAX 240

enum placement {
	/*
	 * Two cores, of the fastest kind, with a last-level cache and a NUMA node in common if
	 * there are such; away from CPU 0, which takes most interrupts, if there is a choice.
	 */
	PLACE_CORES,
	PLACE_SAME,    /* one CPU for both */
	PLACE_SIBLING, /* two threads of one core */
	PLACE_NODES,   /* two cores of different NUMA nodes */
	PLACE_NONE,    /* wherever the scheduler puts them */
	PLACEMENTS
};

extern const char *const placement_names[PLACEMENTS]; /* "cores", "same", "sibling", "nodes", "none" */

struct placement_choice {
	int sender_cpu, receiver_cpu; /* -1: not pinned */
	/* what was chosen, and why when it isn't what was asked for */
	char text[PLACEMENT_TEXT_MAX];
};

/* Returns 0, or -EINVAL for a name there is none of. */
int placement_parse(const char *name, enum placement *placement);

/*
 * Chooses. Where PLACE_CORES finds no two cores it takes two threads of one, and on a single CPU
 * that one, and says so in the text. Returns 0 or -errno with `why`: no two threads for
 * PLACE_SIBLING, no second node for PLACE_NODES, no topology.
 */
int placement_choose(enum placement placement, struct placement_choice *out, struct failure *why);

/* Pins the calling thread to a CPU; -1 changes nothing. Returns 0 or -errno. */
int placement_pin(int cpu);

#endif
