// SPDX-License-Identifier: MIT
#include "measure/sysstat.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "measure/clock.h"

void sysstat_read(struct sysstat *out)
{
	unsigned long long t[8] = { 0 };
	double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);
	FILE *file = fopen("/proc/stat", "re");
	char line[512];

	memset(out, 0, sizeof(*out));
	out->wall_s = clock_wall();
	if (!file)
		return;
	/* user nice system idle iowait irq softirq steal, first of all CPUs, then of each */
	if (fgets(line, sizeof(line), file) &&
	    sscanf(line, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3],
		   &t[4], &t[5], &t[6], &t[7]) == 8) {
		out->idle_s = (double)(t[3] + t[4]) * tick;
		out->steal_s = (double)t[7] * tick;
		while (fgets(line, sizeof(line), file) && !strncmp(line, "cpu", 3))
			out->cpus++;
	}
	fclose(file);
}

double sysstat_busy(const struct sysstat *from, const struct sysstat *to)
{
	double busy;

	if (!from->cpus || from->cpus != to->cpus)
		return NAN;
	busy = (to->wall_s - from->wall_s) * to->cpus - (to->idle_s - from->idle_s) -
	       (to->steal_s - from->steal_s);
	/* a step of the idle column can overtake the clock on a machine that slept all the while */
	return busy > 0 ? busy : 0;
}

double sysstat_steal(const struct sysstat *from, const struct sysstat *to)
{
	return from->cpus && to->cpus ? to->steal_s - from->steal_s : NAN;
}
