// SPDX-License-Identifier: MIT
#include "study/pass.h"

#include <errno.h>

#include "analysis/figures.h"
#include "measure/energy.h"
#include "measure/events.h"

/* Long enough for the counters' millisecond, and for the idle machine's own ups and downs. */
#define IDLE_S 2
/* Joules of several transfers add up, where one is short; events are those of the last. */
#define ENERGY_S 0.5
#define ENERGY_TRANSFERS 5

struct instruments {
	struct events *events;
	struct energy *energy;
};

static int born(void *arg, pid_t sender, pid_t receiver, struct failure *why)
{
	return events_born(((struct instruments *)arg)->events, sender, receiver, why);
}

static int ready(void *arg, struct failure *why)
{
	struct instruments *with = arg;

	energy_start(with->energy);
	return events_ready(with->events, why);
}

static void over(void *arg)
{
	struct instruments *with = arg;

	events_over(with->events);
	energy_stop(with->energy);
}

static int one(struct study *s, size_t index, void *arg, struct failure *why)
{
	struct transfer_hooks hooks = { .arg = arg, .born = born, .ready = ready, .over = over };
	struct instruments *with = arg;
	struct case_result *c = &s->result->cases[index];
	struct transfer_outcome out;
	json_t *events, *derived, *joules;
	double watched_s = 0;
	uint64_t bytes = 0;
	int n = 0;

	energy_clear(with->energy);
	do {
		int err = pass_transfer(s, index, &hooks, &out, why);

		if (err)
			return err < 0 ? err : 0;
		bytes += c->payload;
		watched_s += out.wall_s;
	} while (energy_there(with->energy) && ++n < ENERGY_TRANSFERS && watched_s < ENERGY_S);
	events = events_json(with->events);
	derived = events ? figures_json(events, c->payload) : NULL;
	joules = derived ? energy_json(with->energy, bytes) : NULL;
	if (!joules) {
		json_decref(events);
		json_decref(derived);
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory for the events");
	}
	json_decref(c->events);
	json_decref(c->figures);
	json_decref(c->energy);
	c->events = events;
	c->figures = derived;
	c->energy = joules;
	return 0;
}

int pass_events(struct study *s, struct failure *why)
{
	struct instruments with = { 0 };
	int err = events_new(s->settings->events, s->settings->sender_cpu, &with.events, why);

	if (!err)
		err = energy_new("/sys", &with.energy, why);
	if (!err && energy_there(with.energy)) {
		progress_show(&s->progress, true, -1, "measuring the energy of the idle machine");
		energy_baseline(with.energy, IDLE_S);
	}
	if (!err)
		err = pass_each(s, "counting events", one, &with, why);
	energy_free(with.energy);
	events_free(with.events);
	return err;
}
