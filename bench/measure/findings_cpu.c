// SPDX-License-Identifier: MIT
/* The processors: their speed, their number, and who else uses them. */
#include "measure/findings_ground.h"

#include <stdio.h>
#include <string.h>

#include "measure/fact.h"

#define CPU_DIR "/sys/devices/system/cpu/"

void judge_governor(const struct ground *g, struct finding *f)
{
	const char *name = ground_need_text(g, f, "cpu.governor"),
		   *driver = ground_text(g, "cpu.frequency_driver");

	f->effect = "Unless the governor is \"performance\", the clock follows the load: a method "
		    "that keeps the CPU busier runs at a higher clock and looks cheaper in CPU "
		    "seconds than it is.";
	if (!name)
		return;
	if (!strcmp(name, "performance")) {
		finding_say(f, FINDING_OK, "performance (%s)", driver);
		return;
	}
	finding_change(f, "for p in " CPU_DIR
		  "cpufreq/policy*; do echo performance > $p/scaling_governor; done");
	/* where the processor chooses by itself, "powersave" is the name of its normal state */
	if (!strcmp(name, "powersave") &&
	    (!strcmp(driver, "intel_pstate") || !strcmp(driver, "amd-pstate-epp")))
		finding_say(f, FINDING_NOTE, "%s (%s: the processor chooses its clock)", name, driver);
	else
		finding_say(f, FINDING_WARN, "%s (%s)", name, driver);
}

void judge_turbo(const struct ground *g, struct finding *f)
{
	const char *state = ground_need_text(g, f, "cpu.turbo");

	f->effect = "With turbo the clock depends on heat and on how many cores are busy: CPU "
		    "seconds drift over a run by as much as the boost, which interleaved rounds "
		    "spread over all methods alike.";
	if (!state)
		return;
	if (strcmp(state, "on") != 0) {
		finding_say(f, FINDING_OK, "off");
		return;
	}
	finding_say(f, FINDING_NOTE, "on");
	if (!strncmp(ground_text(g, "cpu.frequency_driver"), "intel", 5))
		finding_change(f, "echo 1 > " CPU_DIR "intel_pstate/no_turbo");
	else
		finding_change(f, "echo 0 > " CPU_DIR "cpufreq/boost");
}

void judge_smt(const struct ground *g, struct finding *f)
{
	const char *state = ground_need_text(g, f, "cpu.smt");

	f->effect = "Two threads of a core share its units and caches: whatever runs beside the "
		    "sender or the receiver raises their CPU seconds without showing up in them.";
	if (!state)
		return;
	if (!strcmp(state, "on")) {
		finding_say(f, FINDING_NOTE,
		    "on; sender and receiver are placed on different cores where there are two");
		finding_change(f, "echo off > " CPU_DIR "smt/control");
	} else if (ground_is_guest(g)) {
		finding_say(f, FINDING_NOTE,
		    "%s, as this guest sees it; on the host two of its CPUs may share a core",
		    state);
		finding_change(f, "not from inside: ask the host for whole cores");
	} else {
		finding_say(f, FINDING_OK, "%s", state);
	}
}

void judge_idle(const struct ground *g, struct finding *f)
{
	const char *driver = ground_need_text(g, f, "kernel.idle_driver");
	double poll = json_number_value(fact_value(g->host, "kernel.idle_poll_ns"));

	f->effect = "Whoever waits for the other side has to be woken: how deep an idle CPU sleeps "
		    "is part of every wall time, most of all with few bytes per wake-up. CPU "
		    "seconds don't contain it.";
	if (!driver)
		return;
	if (!strcmp(driver, "none"))
		finding_say(f, FINDING_OK, "no idle states to choose from");
	else if (!strcmp(driver, "haltpoll") && poll > 0)
		finding_say(f, FINDING_NOTE,
		    "haltpoll: an idle CPU spins for up to %.0f ns before it halts", poll);
	else
		finding_say(f, FINDING_NOTE, "%s chooses how deep an idle CPU sleeps", driver);
}

void judge_steal(const struct ground *g, struct finding *f)
{
	double share;

	f->effect = "While the host runs somebody else, wall time goes on, and caches are emptied: "
		    "CPU time of what goes on then can double.";
	if (!ground_need_number(g, f, "load.steal_share", &share))
		return;
	finding_say(f,
	    share > 0.01    ? FINDING_WARN
	    : share > 0.001 ? FINDING_NOTE
			    : FINDING_OK,
	    "%.2f %% of CPU time since boot", 100 * share);
	if (share > 0.001)
		finding_change(f, "not from inside: dedicated CPUs on the host; meanwhile trust CPU "
			  "seconds over wall time and raise --rounds");
}

void judge_load(const struct ground *g, struct finding *f)
{
	const json_t *average = fact_value(g->host, "load.average");
	double minute = json_number_value(json_array_get(average, 0)), busy, usable;
	char told[64] = "";

	f->effect = "Other work takes CPU, caches and memory bandwidth: wall time suffers at once, "
		    "CPU seconds through the caches.";
	if (!ground_need_number(g, f, "load.busy_cpus_now", &busy) ||
	    !ground_need_number(g, f, "cpu.usable", &usable))
		return;
	if (average)
		snprintf(told, sizeof(told), ", load average %.2f", minute);
	/*
	 * a sender and a receiver want a CPU each; up to a fifth of one is what an idle system
	 * shows
	 */
	if (busy > 0.2 && usable - busy < 1.8)
		finding_say(f, FINDING_WARN, "%.2f of %.0f CPUs busy now%s", busy, usable, told);
	else if (busy > 0.2 || minute > 0.5)
		finding_say(f, FINDING_NOTE, "%.2f of %.0f CPUs busy now%s", busy, usable, told);
	else
		finding_say(f, FINDING_OK, "%.2f of %.0f CPUs busy now%s", busy, usable, told);
	if (f->level != FINDING_OK)
		finding_change(f, "top -b -n 1 | head -n 20    # see who it is, and wait or stop it");
}

void judge_cores(const struct ground *g, struct finding *f)
{
	double usable, present = json_number_value(fact_value(g->host, "cpu.threads"));

	f->effect = "With one CPU, sender and receiver take turns on it: every wake-up is a "
		    "context switch, wall time is the sum of both sides, and what arrives is still "
		    "in that CPU's cache.";
	if (!ground_need_number(g, f, "cpu.usable", &usable))
		return;
	if (usable < 2) {
		finding_say(f, FINDING_WARN, "1 usable CPU of %.0f", present > 1 ? present : 1);
		if (present > 1)
			finding_change(f, "taskset -c 0-%.0f copytax run    # or widen the cpuset",
			       present - 1);
		else
			finding_change(f, "not by a setting: compare CPU seconds, not throughput");
	} else if (present > usable) {
		finding_say(f, FINDING_OK, "%.0f usable of %.0f", usable, present);
	} else {
		finding_say(f, FINDING_OK, "%.0f usable", usable);
	}
}

void judge_quota(const struct ground *g, struct finding *f)
{
	const json_t *limit = ground_need(g, f, "cpu.quota");

	f->effect = "When the group's share is used up, all its processes stop until the next "
		    "period, usually for tens of ms: wall times fall into two heaps.";
	if (!limit)
		return;
	if (!json_is_number(limit)) {
		finding_say(f, FINDING_OK, "no CPU limit on this control group");
		return;
	}
	finding_say(f, json_number_value(limit) < 2 ? FINDING_WARN : FINDING_NOTE,
	    "this control group gets the time of %.2f CPUs", json_number_value(limit));
	finding_change(f, "docker run --cpus=0 …, or: echo max > /sys/fs/cgroup/GROUP/cpu.max");
}

void judge_kinds(const struct ground *g, struct finding *f)
{
	double count;

	f->effect = "A second on a slow core does less than a second on a fast one: runs are "
		    "comparable only if they used cores of the same kind.";
	if (!ground_need_number(g, f, "cpu.kinds", &count))
		return;
	if (count > 1) {
		finding_say(f, FINDING_NOTE, "%.0f kinds; pinned, both ends go to the fastest", count);
		finding_change(f, "taskset -c LIST copytax run    # to choose the kind: lscpu -e tells "
			  "them apart");
	} else {
		finding_say(f, FINDING_OK, "all of one kind, as far as the system tells");
	}
}

void judge_numa(const struct ground *g, struct finding *f)
{
	double nodes;

	f->effect = "Page cache on the other node costs every method that copies a trip across the "
		    "interconnect.";
	if (!ground_need_number(g, f, "cpu.numa_nodes", &nodes))
		return;
	if (nodes > 1) {
		finding_say(f, FINDING_NOTE,
		    "%.0f nodes; the CPUs are taken from one, the page cache may lie on another",
		    nodes);
		finding_change(f, "numactl --cpunodebind=0 --membind=0 copytax run");
	} else {
		finding_say(f, FINDING_OK, "1 node");
	}
}
