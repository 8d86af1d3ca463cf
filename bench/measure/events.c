// SPDX-License-Identifier: MIT
#include "measure/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "measure/clock.h"

/*
 * Counters scheduled together, so that a ratio between them is exact. Two events in both modes: what is divided by
 * one another, and few enough to fit where a watchdog holds one of four counters.
 */
#define GROUP_MAX 4
/* Several turns of the counters' rotation, which comes with the scheduler's tick. */
#define TRIAL_S 0.04
/* What counts nothing in so long counts nothing. */
#define TELLING_S 0.001
/* Below this share of the time a value is a sample of the span, and is flagged. */
#define WHOLE 0.999

struct counter {
	int fd; /* -1: not open */
	bool leads; /* its group, maybe of one */
	char reason[PMU_REASON_MAX]; /* of this transfer */
	uint64_t value;
	double enabled_s, running_s;
};

struct events {
	struct event_codes codes;
	struct counter *counter; /* one for each code */
	struct pmu_machine machine;
	size_t group_max;
};

static void close_all(struct events *events)
{
	for (size_t i = 0; i < events->codes.count; i++) {
		if (events->counter[i].fd >= 0)
			close(events->counter[i].fd);
		events->counter[i] = (struct counter){ .fd = -1 };
	}
}

static bool is_hardware(const struct event_code *code)
{
	return code->attr.type != PERF_TYPE_SOFTWARE;
}

static int open_counter(const struct event_code *code, pid_t pid, int group)
{
	struct perf_event_attr attr = code->attr;

	attr.inherit = 1;
	/* a group runs when its leader does */
	attr.disabled = group < 0;
	attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
	return pmu_open(&attr, pid, -1, group);
}

/* Both modes of an event belong into one group. */
static size_t modes_from(const struct events *events, size_t i)
{
	const struct event_codes *codes = &events->codes;
	bool both = i + 1 < codes->count && !strcmp(codes->code[i].name, codes->code[i + 1].name);

	return codes->code[i].scope == EVENT_USER && both ? 2 : 1;
}

static void open_all(struct events *events, pid_t pid)
{
	int leader = -1;
	size_t members = 0;

	close_all(events);
	for (size_t i = 0; i < events->codes.count; i++) {
		const struct event_code *code = &events->codes.code[i];
		struct counter *c = &events->counter[i];
		bool joins = is_hardware(code) && leader >= 0 &&
			     members + modes_from(events, i) <= events->group_max;
		int fd = -EINVAL;

		if (code->reason[0]) {
			memcpy(c->reason, code->reason, sizeof(c->reason));
			continue;
		}
		if (joins)
			fd = open_counter(code, pid, leader);
		c->leads = fd < 0;
		/* the group is full, or of another PMU: a group of its own */
		if (fd < 0)
			fd = open_counter(code, pid, -1);
		if (fd < 0) {
			pmu_explain(&events->machine, &code->attr, -fd, c->reason,
				    sizeof(c->reason));
			continue;
		}
		c->fd = fd;
		if (is_hardware(code)) {
			leader = c->leads ? fd : leader;
			members = c->leads ? 1 : members + 1;
		}
	}
}

static void switch_all(struct events *events, unsigned long request)
{
	for (size_t i = 0; i < events->codes.count; i++)
		if (events->counter[i].fd >= 0 && events->counter[i].leads)
			ioctl(events->counter[i].fd, request, 0);
}

static void read_all(struct events *events)
{
	for (size_t i = 0; i < events->codes.count; i++) {
		struct counter *c = &events->counter[i];
		uint64_t got[3] = { 0 };
		ssize_t n;

		if (c->fd < 0)
			continue;
		n = read(c->fd, got, sizeof(got));
		if (n != sizeof(got)) {
			snprintf(c->reason, sizeof(c->reason), "opened, but can't be read: %s",
				 n < 0 ? strerror(errno) : "the kernel gave the event up");
			continue;
		}
		c->value = got[0];
		c->enabled_s = (double)got[1] / 1e9;
		c->running_s = (double)got[2] / 1e9;
	}
}

/* Work in both modes for the length of a trial. */
static void keep_busy(double seconds)
{
	double end = clock_wall() + seconds;

	while (clock_wall() < end)
		for (int i = 0; i < 100; i++)
			(void)getppid();
}

/*
 * The kernel accepts groups that never run where something else (the NMI watchdog, another profiler) holds a
 * counter for good. So the groups are tried on this process first, and made smaller until all of them run.
 */
static void try_groups(struct events *events)
{
	bool starved, any;

	do {
		starved = any = false;
		open_all(events, 0);
		for (size_t i = 0; i < events->codes.count; i++)
			any |= events->counter[i].fd >= 0 && is_hardware(&events->codes.code[i]);
		if (any) {
			switch_all(events, PERF_EVENT_IOC_ENABLE);
			keep_busy(TRIAL_S);
			switch_all(events, PERF_EVENT_IOC_DISABLE);
			read_all(events);
		}
		for (size_t i = 0; i < events->codes.count; i++)
			starved |= any && events->counter[i].fd >= 0 &&
				   events->counter[i].running_s <= 0;
		close_all(events);
	} while (starved && (events->group_max /= 2) > 0);
	if (!events->group_max)
		events->group_max = 1;
}

int events_new(const char *list, int cpu, struct events **out, struct failure *why)
{
	struct events *events = calloc(1, sizeof(*events));
	int err;

	*out = NULL;
	if (!events)
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	events->group_max = GROUP_MAX;
	pmu_machine_read(PMU_DEVICES, cpu, &events->machine);
	err = event_codes_of(list, &events->machine, &events->codes, why);
	if (!err) {
		events->counter = calloc(events->codes.count, sizeof(*events->counter));
		if (!events->counter)
			err = -ENOMEM;
	}
	if (err) {
		events_free(events);
		return fail(why, EXIT_MACHINE_CANT, -err, "can't prepare the events: %s",
			    strerror(-err));
	}
	for (size_t i = 0; i < events->codes.count; i++)
		events->counter[i].fd = -1;
	try_groups(events);
	*out = events;
	return 0;
}

void events_free(struct events *events)
{
	if (!events)
		return;
	if (events->counter)
		close_all(events);
	free(events->counter);
	event_codes_free(&events->codes);
	free(events);
}

int events_born(void *arg, pid_t sender, pid_t receiver, struct failure *why)
{
	(void)receiver;
	(void)why;
	open_all(arg, sender);
	return 0;
}

int events_ready(void *arg, struct failure *why)
{
	(void)why;
	switch_all(arg, PERF_EVENT_IOC_ENABLE);
	return 0;
}

void events_over(void *arg)
{
	struct events *events = arg;

	switch_all(events, PERF_EVENT_IOC_DISABLE);
	read_all(events);
}

/* Did the event count in any of its scopes? Then a 0 in the other is what it says. */
static bool counted_somewhere(const struct events *events, size_t i)
{
	const struct event_codes *codes = &events->codes;

	for (size_t j = 0; j < codes->count; j++)
		if (!strcmp(codes->code[j].name, codes->code[i].name) && events->counter[j].value)
			return true;
	return false;
}

/* Why the counter has no value; NULL: it has one. */
static const char *missing(const struct events *events, size_t i, char *text, size_t size)
{
	const struct counter *c = &events->counter[i];

	if (c->reason[0])
		return c->reason;
	if (c->fd < 0)
		return "nothing was counted yet";
	if (!is_hardware(&events->codes.code[i]))
		return NULL;
	if (c->enabled_s <= 0)
		return "opened, but the worker never ran while it was enabled";
	if (c->running_s <= 0) {
		snprintf(text, size,
			 "opened, but its turn never came in the worker's %.1f ms: other events had the counters (fewer events or a longer transfer help; kernel.nmi_watchdog and other profilers hold counters too)",
			 c->enabled_s * 1e3);
		return text;
	}
	if (!c->value && !counted_somewhere(events, i)) {
		snprintf(text, size,
			 c->running_s < TELLING_S ?
				 "opened, and counted nothing, but in a turn of %.3f ms: too short to tell" :
				 "opened, and counted nothing in %.1f ms of the worker: this PMU has the event in name only",
			 c->running_s * 1e3);
		return text;
	}
	return NULL;
}

static const char *unit_of(const struct event_code *code)
{
	for (const struct software_event *s = software_events; s->name; s++)
		if (code->attr.type == PERF_TYPE_SOFTWARE && !strcmp(s->name, code->name))
			return s->unit;
	return NULL;
}

static json_t *entry_of(const struct events *events, size_t i)
{
	const struct event_code *code = &events->codes.code[i];
	const struct counter *c = &events->counter[i];
	char text[PMU_REASON_MAX];
	const char *reason = missing(events, i, text, sizeof(text)), *unit = unit_of(code);
	bool opened = c->fd >= 0;
	double share = c->enabled_s > 0 ? c->running_s / c->enabled_s : 0;
	bool shared = opened && share > 0 && share < WHOLE;
	json_t *value = NULL, *entry;

	if (!reason && shared)
		value = json_integer((json_int_t)((double)c->value / share + 0.5));
	else if (!reason)
		value = json_integer((json_int_t)c->value);
	entry = json_pack("{s:s, s:s, s:o?, s:o?, s:o?, s:s?, s:s}", "name", code->name, "scope",
			  event_scope_names[code->scope], "value", value ? value : json_null(),
			  "enabled_s", opened ? json_real(c->enabled_s) : json_null(), "running_s",
			  opened ? json_real(c->running_s) : json_null(), "reason", reason, "source",
			  code->source);
	if (entry && unit)
		json_object_set_new(entry, "unit", json_string(unit));
	if (entry && shared)
		json_object_set_new(entry, "multiplexed", json_real(share));
	return entry;
}

json_t *events_json(const struct events *events)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < events->codes.count; i++)
		if (json_array_append_new(list, entry_of(events, i))) {
			json_decref(list);
			list = NULL;
		}
	return list;
}
