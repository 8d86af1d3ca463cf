// SPDX-License-Identifier: MIT
/* Limits of the control groups this process is in: they bind, although /proc doesn't show them. */
#include "measure/host_parts.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/fact.h"

#define ROOT "/sys/fs/cgroup"

/* Is it in the list "cpu,cpuacct"? The unified hierarchy, asked for by NULL, has an empty one. */
static bool names_controller(char *names, const char *controller)
{
	char *name, *rest;

	if (!controller)
		return !names[0];
	for (name = strtok_r(names, ",", &rest); name; name = strtok_r(NULL, ",", &rest))
		if (!strcmp(name, controller))
			return true;
	return false;
}

/* This process's group: of the unified hierarchy for NULL, else of a version 1 controller. */
static bool own_group(const char *controller, char *path, size_t size)
{
	char line[4096], *names, *group;
	bool found = false;
	FILE *file;

	file = fopen("/proc/self/cgroup", "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		names = strchr(line, ':');
		group = names ? strchr(names + 1, ':') : NULL;
		if (!group)
			continue;
		*names++ = '\0';
		*group++ = '\0';
		group[strcspn(group, "\n")] = '\0';
		if (!names_controller(names, controller))
			continue;
		snprintf(path, size, "%s", group);
		found = true;
	}
	if (file)
		fclose(file);
	return found;
}

/* One group's limit, or a negative number for none. */
typedef double (*limit_reader)(const char *group);

static double read_number(const char *group, const char *name)
{
	char path[4400], line[64];
	double value;
	char *end;

	snprintf(path, sizeof(path), "%s/%s", group, name);
	if (first_line(path, line, sizeof(line)))
		return -1;
	value = strtod(line, &end);
	return end == line ? -1 : value;
}

static double cpus_v2(const char *group)
{
	char path[4400], line[64];
	double quota, period;

	snprintf(path, sizeof(path), "%s/cpu.max", group);
	if (first_line(path, line, sizeof(line)) || sscanf(line, "%lf %lf", &quota, &period) != 2)
		return -1;
	return quota / period;
}

static double cpus_v1(const char *group)
{
	double quota = read_number(group, "cpu.cfs_quota_us");
	double period = read_number(group, "cpu.cfs_period_us");

	return quota > 0 && period > 0 ? quota / period : -1;
}

static double memory_v2(const char *group)
{
	return read_number(group, "memory.max");
}

static double memory_v1(const char *group)
{
	double limit = read_number(group, "memory.limit_in_bytes");

	/* version 1 has no word for "none": it shows the largest number of whole pages */
	return limit < 0x1p62 ? limit : -1;
}

/* The tightest limit from `group` up to the mount point, or a negative number. */
static double tightest(const char *mount, const char *group, limit_reader read)
{
	char path[4352];
	double limit, least = -1;
	char *slash;

	snprintf(path, sizeof(path), "%s%s", mount, group[1] ? group : "");
	for (;;) {
		limit = read(path);
		if (limit >= 0 && (least < 0 || limit < least))
			least = limit;
		slash = strrchr(path, '/');
		if (!slash || slash < path + strlen(mount))
			return least;
		*slash = '\0';
	}
}

static double limit_of(const char *controller, limit_reader v1, limit_reader v2, bool *seen)
{
	char group[4096], mount[64];
	double one = -1, two = -1;

	*seen = false;
	if (own_group(NULL, group, sizeof(group))) {
		two = tightest(ROOT, group, v2);
		*seen = true;
	}
	if (own_group(controller, group, sizeof(group))) {
		snprintf(mount, sizeof(mount), ROOT "/%s", controller);
		one = tightest(mount, group, v1);
		*seen = true;
	}
	return one >= 0 && (two < 0 || one < two) ? one : two;
}

/* "none" without a limit; one set outside of this process's cgroup namespace can't be seen. */
static json_t *limit_fact(double limit, bool seen, json_t *value)
{
	const char *source = "cgroups of this process, up to the root it can see";

	if (!seen) {
		json_decref(value);
		return fact_unknown("/proc/self/cgroup names no group");
	}
	if (limit >= 0)
		return fact_known(value, source);
	json_decref(value);
	return fact_known(json_string("none"), source);
}

void host_cgroup(json_t *host)
{
	double limit;
	bool seen;

	limit = limit_of("cpu", cpus_v1, cpus_v2, &seen);
	fact_put(host, "cpu", "quota", limit_fact(limit, seen, json_real(limit)));
	limit = limit_of("memory", memory_v1, memory_v2, &seen);
	fact_put(host, "memory", "limit_bytes",
		 limit_fact(limit, seen, json_integer((json_int_t)limit)));
}
