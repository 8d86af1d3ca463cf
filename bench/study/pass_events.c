// SPDX-License-Identifier: MIT
#include "study/pass.h"

#include <errno.h>

#include "analysis/figures.h"
#include "measure/events.h"

static int one(struct study *s, size_t index, void *arg, struct failure *why)
{
	struct transfer_hooks hooks = {
		.arg = arg, .born = events_born, .ready = events_ready, .over = events_over
	};
	struct case_result *c = &s->result->cases[index];
	struct transfer_outcome out;
	json_t *events, *derived;
	int err = pass_transfer(s, index, &hooks, &out, why);

	if (err)
		return err < 0 ? err : 0;
	events = events_json(arg);
	derived = events ? figures_json(events, c->payload) : NULL;
	if (!events || !derived) {
		json_decref(events);
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory for the events");
	}
	json_decref(c->events);
	json_decref(c->figures);
	c->events = events;
	c->figures = derived;
	return 0;
}

int pass_events(struct study *s, struct failure *why)
{
	struct events *events = NULL;
	int err = events_new(s->settings->events, s->settings->sender_cpu, &events, why);

	if (!err)
		err = pass_each(s, "counting events", one, events, why);
	events_free(events);
	return err;
}
