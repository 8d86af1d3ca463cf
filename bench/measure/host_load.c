// SPDX-License-Identifier: MIT
/* Who else uses the CPUs: now, over the last minutes, and on the other side of the hypervisor. */
#include "measure/host_parts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "measure/fact.h"
#include "measure/sysstat.h"

/* Long enough for twenty ticks of /proc/stat's clock per CPU, short enough for nobody to notice. */
#define WATCH_MS 200

void host_load(json_t *host)
{
	const struct timespec watch = { .tv_nsec = WATCH_MS * 1000000L };
	struct sysstat before, after;
	double average[3];
	char line[128], source[48];
	int err;

	err = first_line("/proc/loadavg", line, sizeof(line));
	if (!err && sscanf(line, "%lf %lf %lf", &average[0], &average[1], &average[2]) == 3)
		fact_put(host, "load", "average",
			 fact_known(json_pack("[f, f, f]", average[0], average[1], average[2]),
				    "/proc/loadavg"));
	else
		fact_put(host, "load", "average",
			 fact_unknown("/proc/loadavg: %s", strerror(-err)));

	sysstat_read(&before);
	nanosleep(&watch, NULL);
	sysstat_read(&after);
	if (!before.cpus || !after.cpus || after.wall_s <= before.wall_s) {
		fact_put(host, "load", "busy_cpus_now", fact_unknown("/proc/stat can't be read"));
		fact_put(host, "load", "steal_share", fact_unknown("/proc/stat can't be read"));
		return;
	}
	snprintf(source, sizeof(source), "/proc/stat over %d ms", WATCH_MS);
	fact_put(host, "load", "busy_cpus_now",
		 fact_known(
			 json_real(sysstat_busy(&before, &after) / (after.wall_s - before.wall_s)),
			 source));
	fact_put(host, "load", "steal_share",
		 fact_known(json_real(after.steal_s / (after.wall_s * after.cpus)),
			    "/proc/stat since boot"));
}
