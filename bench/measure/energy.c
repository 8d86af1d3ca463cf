// SPDX-License-Identifier: MIT
#include "measure/energy.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/fact.h"
#include "measure/pmu.h"

#define METERS_MAX 32 /* domains × sockets */
#define REASON_MAX 240

/* One counter of one socket. */
struct meter {
	enum energy_domain domain;
	int fd; /* of the power PMU; -1: powercap */
	double joules_per_step;
	char path[640]; /* powercap's energy_uj */
	double range; /* steps at which powercap's counter starts again; 0: it doesn't */
	double from; /* steps at the last energy_start() */
};

struct energy {
	struct meter meters[METERS_MAX];
	size_t count;
	const char *source[ENERGY_DOMAINS]; /* NULL: the domain has none */
	char reason[ENERGY_DOMAINS][REASON_MAX];
	double from_s, seconds;
	double joules[ENERGY_DOMAINS];
	double idle_w[ENERGY_DOMAINS]; /* NaN: not measured */
};

const char *const energy_domain_names[ENERGY_DOMAINS] = { "package", "dram" };

static double read_meter(const struct meter *m)
{
	char text[64];
	uint64_t steps;

	if (m->fd >= 0)
		return read(m->fd, &steps, sizeof(steps)) == sizeof(steps) ? (double)steps : NAN;
	return first_line(m->path, text, sizeof(text)) ? NAN : strtod(text, NULL);
}

static double elapsed(const struct meter *m)
{
	double steps = read_meter(m) - m->from;

	if (steps < 0 && m->range > 0)
		steps += m->range;
	return steps * m->joules_per_step;
}

static void add_meter(struct energy *energy, const struct meter *m, const char *source)
{
	if (energy->count == METERS_MAX)
		return;
	energy->meters[energy->count++] = *m;
	energy->source[m->domain] = source;
}

/* ---- the power PMU: system-wide events, opened on one CPU of each socket ---- */

static void open_on_sockets(struct energy *energy, const char *cpus, struct perf_event_attr *attr,
			    enum energy_domain domain, double scale)
{
	struct pmu_machine machine = { .own = -1 };
	long limit = sysconf(_SC_NPROCESSORS_CONF);

	for (int cpu = 0; cpu < limit; cpu++) {
		struct meter m = { .domain = domain, .joules_per_step = scale };

		if (!pmu_list_contains(cpus, cpu))
			continue;
		m.fd = pmu_open(attr, -1, cpu, -1);
		if (m.fd >= 0)
			add_meter(energy, &m, "perf power PMU");
		else
			pmu_explain(&machine, attr, -m.fd, energy->reason[domain], REASON_MAX);
	}
}

static void look_for_pmu(struct energy *energy, const char *sysfs)
{
	static const char *const events[ENERGY_DOMAINS] = { "energy-pkg", "energy-ram" };
	char path[400], cpus[1024], type[32], code[64], scale[64];

	snprintf(path, sizeof(path), "%s/bus/event_source/devices/power/type", sysfs);
	if (first_line(path, type, sizeof(type)))
		return;
	snprintf(path, sizeof(path), "%s/bus/event_source/devices/power/cpumask", sysfs);
	if (first_line(path, cpus, sizeof(cpus)))
		return;
	for (enum energy_domain d = 0; d < ENERGY_DOMAINS; d++) {
		struct perf_event_attr attr = { .size = sizeof(attr) };
		const char *number;

		snprintf(path, sizeof(path), "%s/bus/event_source/devices/power/events/%s", sysfs,
			 events[d]);
		if (first_line(path, code, sizeof(code)) || !(number = strchr(code, '=')))
			continue;
		snprintf(path, sizeof(path), "%s/bus/event_source/devices/power/events/%s.scale",
			 sysfs, events[d]);
		if (first_line(path, scale, sizeof(scale)))
			continue;
		attr.type = (uint32_t)strtoul(type, NULL, 10);
		attr.config = strtoull(number + 1, NULL, 16);
		open_on_sockets(energy, cpus, &attr, d, strtod(scale, NULL));
	}
}

/* ---- powercap: one folder per domain, named in its file `name` ---- */

static void look_at_zone(struct energy *energy, const char *zone)
{
	struct meter m = { .fd = -1, .joules_per_step = 1e-6 };
	char path[640], text[64];

	snprintf(path, sizeof(path), "%s/name", zone);
	if (first_line(path, text, sizeof(text)))
		return;
	if (!strncmp(text, "package", 7))
		m.domain = ENERGY_PACKAGE;
	else if (!strcmp(text, "dram"))
		m.domain = ENERGY_DRAM;
	else
		return;
	if (energy->source[m.domain] && strcmp(energy->source[m.domain], "powercap") != 0)
		return;
	snprintf(path, sizeof(path), "%s/max_energy_range_uj", zone);
	if (!first_line(path, text, sizeof(text)))
		m.range = strtod(text, NULL);
	snprintf(m.path, sizeof(m.path), "%s/energy_uj", zone);
	if (isnan(read_meter(&m))) {
		snprintf(energy->reason[m.domain], REASON_MAX,
			 "%.150s can't be read: only root may (CVE-2020-8694)", m.path);
		return;
	}
	add_meter(energy, &m, "powercap");
}

static void look_for_powercap(struct energy *energy, const char *sysfs)
{
	char top[256], zone[sizeof(top) + NAME_MAX + 2];
	struct dirent *entry;
	DIR *dir;

	snprintf(top, sizeof(top), "%s/class/powercap", sysfs);
	dir = opendir(top);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		/* intel-rapl-mmio is the same counter a second time */
		if (entry->d_name[0] == '.' || strstr(entry->d_name, "mmio"))
			continue;
		snprintf(zone, sizeof(zone), "%s/%s", top, entry->d_name);
		look_at_zone(energy, zone);
	}
	closedir(dir);
}

int energy_new(const char *sysfs, struct energy **out, struct failure *why)
{
	struct energy *energy = calloc(1, sizeof(*energy));

	*out = energy;
	if (!energy)
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	for (enum energy_domain d = 0; d < ENERGY_DOMAINS; d++)
		energy->idle_w[d] = NAN;
	look_for_pmu(energy, sysfs);
	look_for_powercap(energy, sysfs);
	for (enum energy_domain d = 0; d < ENERGY_DOMAINS; d++)
		if (!energy->source[d] && !energy->reason[d][0])
			snprintf(energy->reason[d], REASON_MAX,
				 energy->count ?
					 "the power PMU or powercap here has no such counter" :
					 "neither a power PMU nor powercap has an energy counter here, as in most virtual machines");
	return 0;
}

void energy_free(struct energy *energy)
{
	for (size_t i = 0; energy && i < energy->count; i++)
		if (energy->meters[i].fd >= 0)
			close(energy->meters[i].fd);
	free(energy);
}

bool energy_there(const struct energy *energy)
{
	return energy->count > 0;
}

void energy_clear(struct energy *energy)
{
	energy->seconds = 0;
	memset(energy->joules, 0, sizeof(energy->joules));
}

void energy_start(struct energy *energy)
{
	energy->from_s = clock_wall();
	for (size_t i = 0; i < energy->count; i++)
		energy->meters[i].from = read_meter(&energy->meters[i]);
}

void energy_stop(struct energy *energy)
{
	for (size_t i = 0; i < energy->count; i++)
		energy->joules[energy->meters[i].domain] += elapsed(&energy->meters[i]);
	energy->seconds += clock_wall() - energy->from_s;
}

void energy_baseline(struct energy *energy, double seconds)
{
	struct timespec t = { .tv_sec = (time_t)seconds,
			      .tv_nsec = (long)((seconds - floor(seconds)) * 1e9) };

	if (!energy->count)
		return;
	energy_clear(energy);
	energy_start(energy);
	while (nanosleep(&t, &t) && errno == EINTR)
		;
	energy_stop(energy);
	for (enum energy_domain d = 0; d < ENERGY_DOMAINS; d++)
		if (energy->source[d])
			energy->idle_w[d] = energy->joules[d] / energy->seconds;
	energy_clear(energy);
}

static json_t *domain_json(const struct energy *energy, enum energy_domain d, uint64_t bytes)
{
	double idle = energy->idle_w[d] * energy->seconds;
	double net = energy->joules[d] - idle;

	if (!energy->source[d])
		return fact_unknown("%s", energy->reason[d]);
	if (isnan(idle))
		return fact_unknown("the idle machine was not measured, so the transfer's share can't be told");
	if (!bytes || isnan(net))
		return fact_unknown("nothing was measured");
	if (net <= 0)
		return fact_unknown(
			"the transfers' %.3g J are no more than the idle machine's %.3g J in that time",
			energy->joules[d], idle);
	return json_pack("{s:f, s:s, s:f, s:f, s:f, s:f, s:s}", "value", net / ((double)bytes / 1e9),
			 "unit", "J/GB", "joules", energy->joules[d], "idle_watts",
			 energy->idle_w[d], "idle_joules", idle, "seconds", energy->seconds,
			 "source", energy->source[d]);
}

json_t *energy_json(const struct energy *energy, uint64_t bytes)
{
	json_t *all = json_object();

	for (enum energy_domain d = 0; all && d < ENERGY_DOMAINS; d++)
		json_object_set_new(all, energy_domain_names[d], domain_json(energy, d, bytes));
	return all;
}
