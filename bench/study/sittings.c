// SPDX-License-Identifier: MIT
#include "study/sittings.h"

#include "analysis/direct_values.h"

static int take(struct study *s, struct failure *why)
{
	struct direct_settings settings = *s->settings->direct;
	json_t *direct = json_object_get(s->result->prices, "direct"), *more;
	int err;

	settings.samples = SITTING_SAMPLES;
	settings.stop = s->settings->stop;
	progress_show(&s->progress, s->sittings == 0, -1,
		      "measuring a call, a copy, a fault and a switch one by one, %u of %d",
		      s->sittings + 1, SITTINGS);
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
		err = take(s, why);
	return err;
}
