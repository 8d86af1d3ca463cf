// SPDX-License-Identifier: MIT
#include "transfer/placement.h"

#include <errno.h>
#include <hwloc.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const placement_names[PLACEMENTS] = { "cores", "same", "sibling", "nodes", "none" };

/*
 * A usable CPU and what it shares with others: equal numbers mean the same thing, -1 that it isn't
 * known.
 */
struct spot {
	int cpu, core, cache, node;
	bool first; /* on the core of CPU 0 */
	int kind;   /* higher is faster; 0 throughout when all are alike or nothing is known */
};

int placement_parse(const char *name, enum placement *placement)
{
	int i;

	for (i = 0; i < PLACEMENTS; i++) {
		if (strcmp(name, placement_names[i]) != 0)
			continue;
		*placement = (enum placement)i;
		return 0;
	}
	return -EINVAL;
}

/* The last cache above a CPU, told from others by its first CPU: no two have the same. */
static int last_level(hwloc_obj_t pu)
{
	hwloc_obj_t obj, last = NULL;

	for (obj = pu->parent; obj; obj = obj->parent)
		if (hwloc_obj_type_is_cache(obj->type))
			last = obj;
	return last ? hwloc_bitmap_first(last->cpuset) : -1;
}

static int node_of(hwloc_obj_t pu)
{
	hwloc_obj_t obj;

	for (obj = pu; obj; obj = obj->parent)
		if (obj->memory_arity)
			return (int)obj->memory_first_child->logical_index;
	return -1;
}

static int describe(hwloc_topology_t topology, hwloc_const_bitmap_t usable, struct spot **out)
{
	int all = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU), count = 0, i;
	struct spot *spots;

	spots = calloc(all > 0 ? (size_t)all : 1, sizeof(*spots));
	if (!spots)
		return -ENOMEM;
	for (i = 0; i < all; i++) {
		hwloc_obj_t pu = hwloc_get_obj_by_type(topology, HWLOC_OBJ_PU, (unsigned int)i);
		hwloc_obj_t core;
		int kind;

		if (!pu || !hwloc_bitmap_isset(usable, pu->os_index))
			continue;
		kind = hwloc_cpukinds_get_by_cpuset(topology, pu->cpuset, 0);
		core = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, pu);
		spots[count++] = (struct spot) {
			.cpu = (int)pu->os_index,
			.core = core ? (int)core->logical_index : -1,
			.first = hwloc_bitmap_isset(core ? core->cpuset : pu->cpuset, 0),
			.cache = last_level(pu),
			.node = node_of(pu),
			.kind = kind > 0 ? kind : 0,
		};
	}
	*out = spots;
	return count;
}

/*
 * Unknown cores are taken to be different ones: that is what most systems without a description
 * have.
 */
static bool same_core(const struct spot *a, const struct spot *b)
{
	return a->core >= 0 && a->core == b->core;
}

static bool shared(int a, int b)
{
	return a >= 0 && a == b;
}

/*
 * CPU 0 takes most interrupts, and its core's other threads feel it: 2 away from that core, 1
 * beside it.
 */
static int quiet(const struct spot *spot)
{
	return spot->first ? spot->cpu != 0 : 2;
}

/* Each criterion outweighs all below it together. */
static int merit(const struct spot *sender, const struct spot *receiver)
{
	int slower = sender->kind < receiver->kind ? sender->kind : receiver->kind;

	return slower << 7 | (sender->kind == receiver->kind) << 6 |
	       shared(sender->cache, receiver->cache) << 5 |
	       shared(sender->node, receiver->node) << 4 | quiet(sender) << 2 | quiet(receiver);
}

/* The best pair on one core or on two; the first among equals. */
static bool best_pair(const struct spot *spots, int count, bool one_core,
		      const struct spot **sender, const struct spot **receiver)
{
	int best = -1, i, j;

	for (i = 0; i < count; i++) {
		for (j = 0; j < count; j++) {
			if (i == j || same_core(&spots[i], &spots[j]) != one_core ||
			    merit(&spots[i], &spots[j]) <= best)
				continue;
			best = merit(&spots[i], &spots[j]);
			*sender = &spots[i];
			*receiver = &spots[j];
		}
	}
	return best >= 0;
}

/* The best pair whose memory is not the same. */
static bool best_nodes(const struct spot *spots, int count, const struct spot **sender,
		       const struct spot **receiver)
{
	int best = -1, i, j;

	for (i = 0; i < count; i++) {
		for (j = 0; j < count; j++) {
			if (spots[i].node < 0 || spots[j].node < 0 ||
			    spots[i].node == spots[j].node ||
			    merit(&spots[i], &spots[j]) <= best)
				continue;
			best = merit(&spots[i], &spots[j]);
			*sender = &spots[i];
			*receiver = &spots[j];
		}
	}
	return best >= 0;
}

static const struct spot *best_single(const struct spot *spots, int count)
{
	const struct spot *best = spots;
	int i;

	for (i = 1; i < count; i++)
		if (spots[i].kind > best->kind ||
		    (spots[i].kind == best->kind && quiet(&spots[i]) > quiet(best)))
			best = &spots[i];
	return best;
}

static void explain_pair(struct placement_choice *out, const struct spot *a, const struct spot *b,
			 const char *note)
{
	const char *cache = shared(a->cache, b->cache)	   ? "one last-level cache"
			    : a->cache < 0 || b->cache < 0 ? "caches not described"
							   : "no cache in common";
	const char *node = shared(a->node, b->node) ? "one NUMA node" : "two NUMA nodes";

	out->sender_cpu = a->cpu;
	out->receiver_cpu = b->cpu;
	snprintf(out->text, sizeof(out->text), "sender on CPU %d, receiver on CPU %d: %s, %s, %s%s",
		 a->cpu, b->cpu, same_core(a, b) ? "threads of one core" : "different cores", cache,
		 node, note);
}

static void explain_single(struct placement_choice *out, const struct spot *spot, const char *note)
{
	out->sender_cpu = out->receiver_cpu = spot->cpu;
	snprintf(out->text, sizeof(out->text), "sender and receiver on CPU %d, taking turns%s",
		 spot->cpu, note);
}

static int choose_among(const struct spot *spots, int count, enum placement placement,
			struct placement_choice *out, struct failure *why)
{
	const struct spot *sender = NULL, *receiver = NULL;

	if (placement == PLACE_SAME) {
		explain_single(out, best_single(spots, count), "");
	} else if (placement == PLACE_SIBLING) {
		if (!best_pair(spots, count, true, &sender, &receiver))
			return fail(why, EXIT_MACHINE_CANT, ENODEV,
				    "no core with two usable threads: SMT is off, absent or hidden "
				    "from this system");
		explain_pair(out, sender, receiver, "");
	} else if (placement == PLACE_NODES) {
		if (!best_nodes(spots, count, &sender, &receiver))
			return fail(why, EXIT_MACHINE_CANT, ENODEV,
				    "there is only one NUMA node with usable CPUs");
		explain_pair(out, sender, receiver, "");
	} else if (best_pair(spots, count, false, &sender, &receiver)) {
		explain_pair(out, sender, receiver, "");
	} else if (best_pair(spots, count, true, &sender, &receiver)) {
		explain_pair(out, sender, receiver, " (there is only one usable core)");
	} else {
		explain_single(out, spots, " (there is only one usable CPU)");
	}
	return 0;
}

int placement_choose(enum placement placement, struct placement_choice *out, struct failure *why)
{
	hwloc_topology_t topology = NULL;
	hwloc_bitmap_t usable = NULL;
	struct spot *spots = NULL;
	int count, err = 0;

	*out = (struct placement_choice) { .sender_cpu = -1, .receiver_cpu = -1 };
	if (placement == PLACE_NONE) {
		snprintf(out->text, sizeof(out->text),
			 "not pinned: the scheduler places both and may move them");
		return 0;
	}
	usable = hwloc_bitmap_alloc();
	if (!usable || hwloc_topology_init(&topology) || hwloc_topology_load(topology)) {
		err = fail(why, EXIT_MACHINE_CANT, ENODEV,
			   "hwloc can't read this machine's topology");
		goto out;
	}
	/* the affinity mask, which is also inside the cpuset of the control group */
	if (hwloc_get_cpubind(topology, usable, HWLOC_CPUBIND_PROCESS)) {
		err = fail(why, EXIT_MACHINE_CANT, errno,
			   "can't tell which CPUs this process may use: %s", strerror(errno));
		goto out;
	}
	count = describe(topology, usable, &spots);
	if (count > 0)
		err = choose_among(spots, count, placement, out, why);
	else
		err = fail(why, EXIT_MACHINE_CANT, count ? -count : ENODEV,
			   count ? "out of memory"
				 : "hwloc knows none of the CPUs this process may use");
out:
	free(spots);
	hwloc_bitmap_free(usable);
	if (topology)
		hwloc_topology_destroy(topology);
	return err;
}

int placement_pin(int cpu)
{
	size_t size;
	cpu_set_t *set;
	int err;

	if (cpu < 0)
		return 0;
	/* sized by the CPU's number: machines with more than 1024 exist */
	set = CPU_ALLOC((size_t)cpu + 1);
	if (!set)
		return -ENOMEM;
	size = CPU_ALLOC_SIZE((size_t)cpu + 1);
	CPU_ZERO_S(size, set);
	CPU_SET_S((size_t)cpu, size, set);
	err = sched_setaffinity(0, size, set) ? -errno : 0;
	CPU_FREE(set);
	return err;
}
