// SPDX-License-Identifier: MIT
#include "study/feasible.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

/* A socket, the source twice (direct_write), a pipe, a ring, and one to spare; and those of the process. */
#define DESCRIPTORS_EACH 7
#define DESCRIPTORS_OWN 64

unsigned int feasible_descriptors(unsigned int connections)
{
	return connections * DESCRIPTORS_EACH + DESCRIPTORS_OWN;
}

void feasible_raise_limits(unsigned int connections)
{
	rlim_t wanted = feasible_descriptors(connections);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted;
	if (limit.rlim_max >= wanted) {
		(void)setrlimit(RLIMIT_NOFILE, &limit);
		return;
	}
	/* the hard limit is root's to raise; what could not be is found out by feasible() */
	limit.rlim_max = wanted;
	if (!setrlimit(RLIMIT_NOFILE, &limit) || getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int by_link(const struct plan_case *c, const struct refusals *refused, char *reason, size_t size)
{
	if (c->link.kind == LINK_VETH && refused->veth) {
		snprintf(reason, size, "%s", refused->veth);
		return -ENOTSUP;
	}
	if (c->link.kind == LINK_REMOTE && refused->remote) {
		snprintf(reason, size, "%s", refused->remote);
		return -ENOTSUP;
	}
	if (c->link.kind != LINK_UNIX)
		return 0;
	if (c->sink == SINK_TRUNCATE) {
		snprintf(reason, size,
			 "an AF_UNIX stream ignores MSG_TRUNC: recv copies all the same; use --sink drain");
		return -ENOTSUP;
	}
	if (c->sink == SINK_ZEROCOPY) {
		snprintf(reason, size,
			 "TCP_ZEROCOPY_RECEIVE is TCP's, and the link is 'unix'; use --link tcp or veth");
		return -ENOTSUP;
	}
	return 0;
}

static int by_memory(const struct plan_case *c, char *reason, size_t size)
{
	uint64_t files = c->files == FILES_MANY ? c->connections : 1;
	struct sysinfo info;
	uint64_t total, wanted = plan_share(c) * files;

	if (c->cache == CACHE_COLD || sysinfo(&info))
		return 0;
	total = (uint64_t)info.totalram * info.mem_unit;
	if (c->cache == CACHE_HALF)
		wanted /= 2;
	if (wanted < total / 10 * 9)
		return 0;
	snprintf(reason, size,
		 "a page cache that is '%s' would hold %" PRIu64 " bytes of this payload, and the machine has %" PRIu64
		 " of memory; use --cache cold, or a smaller --size",
		 c->cache == CACHE_HALF ? "half" : "warm", wanted, total);
	return -ENOMEM;
}

static int by_limits(const struct plan_case *c, char *reason, size_t size)
{
	rlim_t wanted = feasible_descriptors(c->connections);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted)
		return 0;
	snprintf(reason, size,
		 "%u connections may need %" PRIu64 " open files, and the limit is %" PRIu64
		 "; raise it with 'ulimit -n %" PRIu64 "', or use fewer --connections",
		 c->connections, (uint64_t)wanted, (uint64_t)limit.rlim_cur, (uint64_t)wanted);
	return -EMFILE;
}

int feasible(const struct plan_case *c, const struct refusals *refused, char *reason, size_t size)
{
	int err = method_feasible(c->method, c->cache == CACHE_WARM, link_is_tcp(c->link.kind), reason,
				  size);

	err = err ? err : by_link(c, refused, reason, size);
	if (!err && refused->placement[c->placement]) {
		snprintf(reason, size, "%s", refused->placement[c->placement]);
		return -ENODEV;
	}
	err = err ? err : by_limits(c, reason, size);
	return err ? err : by_memory(c, reason, size);
}

void case_conditions(const struct plan_case *c, json_t *into)
{
	for (enum dimension d = 0; d < DIMENSIONS; d++) {
		json_t *value;

		if (d == DIM_LINK || d == DIM_CONNECTIONS || d == DIM_CHUNK || d == DIM_CACHE ||
		    d == DIM_SINK)
			continue;
		value = dimension_json(d, &c->at[d]);
		/* what does not apply is no condition of this case */
		if (json_is_null(value))
			json_decref(value);
		else
			json_object_set_new(into, dimensions[d].key, value);
	}
}
