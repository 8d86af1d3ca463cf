// SPDX-License-Identifier: MIT
#include "study/sittings.h"

#include "analysis/apart.h"
#include "analysis/direct_values.h"
#include "measure/clock.h"
#include "study/distance.h"

/* `goal`: have the CPUs brought together before what needs both; NULL: not. */
static int take(struct study *s, struct core_goal *goal, struct failure *why)
{
	struct direct_settings settings = *s->settings->direct;
	json_t *direct = json_object_get(s->result->prices, "direct"), *more;
	int err;

	settings.samples = SITTING_SAMPLES;
	settings.stop = s->settings->stop;
	settings.goal = goal;
	progress_show(&s->progress, s->sittings == 0, -1,
		      "measuring a call, a copy, a fault and a switch one by one, %u of %u",
		      s->sittings + 1, s->sittings < SITTINGS ? SITTINGS : s->sittings + 1);
	err = direct_measure(&settings, &more, why);
	if (err)
		return err;
	if (s->sittings++) {
		direct_add(direct, more);
		json_decref(more);
	} else {
		json_object_set_new(s->result->prices, "direct", more);
	}
	return 0;
}

int sittings_take(struct study *s, size_t turn, size_t turns, struct failure *why)
{
	int err = 0;

	while (!err && s->settings->direct && s->sittings < SITTINGS &&
	       turn * (SITTINGS - 1) >= s->sittings * turns)
		err = take(s, distance_goal(s, s->cases[0].placement), why);
	return err;
}

int sittings_again(struct study *s, double until, struct failure *why)
{
	const struct direct_settings *direct = s->settings->direct;
	struct apart apart;
	int err = 0;

	apart_count(s->result, &apart);
	while (!err && direct && !study_stopped(s) && s->sittings < SITTINGS_MAX &&
	       direct_sittings_at(json_object_get(s->result->prices, "direct"), apart.median_s) < SITTINGS_NEAR) {
		if (clock_wall() > until || !distance_wait(s, direct->cpu, direct->peer_cpu, apart.median_s, until))
			break;
		err = take(s, NULL, why);
	}
	return err;
}
