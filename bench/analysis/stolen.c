// SPDX-License-Identifier: MIT
#include "analysis/stolen.h"

#include <math.h>
#include <stdio.h>

#include "analysis/mark_cost.h"

bool stolen_much(const struct samples *s, size_t i)
{
	double stolen_s = s->value[SAMPLE_STEAL_S][i], wall_s = s->value[SAMPLE_WALL_S][i];

	/* half a step more than one, for steps are sums of a binary fraction */
	return stolen_s > 1.5 * STOLEN_STEP_S && stolen_s > STOLEN_SHARE * 2 * wall_s;
}

void stolen_mark(struct result *r)
{
	for (size_t i = 0; i < r->case_count; i++) {
		struct samples *s = &r->cases[i].samples;

		for (size_t k = 0; k < s->count; k++)
			if (sample_mark(s, k) == MARK_NONE && s->value[SAMPLE_WARMUP][k] == 0 &&
			    stolen_much(s, k))
				s->value[SAMPLE_APART][k] = MARK_STOLEN;
	}
}

void stolen_count(const struct result *r, struct stolen *out)
{
	*out = (struct stolen){ .most_s = NAN };
	for (size_t i = 0; i < r->case_count; i++) {
		const struct samples *s = &r->cases[i].samples;

		out->stolen += mark_count(&r->cases[i], MARK_STOLEN);
		for (size_t k = 0; k < s->count; k++) {
			double steal_s = s->value[SAMPLE_STEAL_S][k];

			if (s->value[SAMPLE_WARMUP][k] != 0 || !isfinite(steal_s))
				continue;
			out->n++;
			out->total_s += steal_s;
			out->most_s = fmax(out->most_s, steal_s);
		}
	}
}

json_t *stolen_json(const struct stolen *stolen)
{
	if (!stolen->n)
		return json_pack("{s:i, s:s}", "n", 0, "reason",
				 "/proc/stat could not be read beside any sample");
	return json_pack("{s:I, s:I, s:f, s:f}", "n", (json_int_t)stolen->n, "stolen",
			 (json_int_t)stolen->stolen, "total_s", stolen->total_s, "most_s",
			 stolen->most_s);
}

json_t *stolen_case_json(const struct case_result *c)
{
	return mark_case_json(c, MARK_STOLEN, "during which CPU time was stolen");
}

void stolen_warn(struct result *r)
{
	struct stolen stolen;
	char text[560];

	stolen_count(r, &stolen);
	if (!stolen.stolen)
		return;
	snprintf(text, sizeof(text),
		 "during %zu of %zu samples the hypervisor ran somebody else for more than %.0f %% of the two "
		 "CPUs' time, up to %.0f ms",
		 stolen.stolen, stolen.n, 100 * STOLEN_SHARE, stolen.most_s * 1e3);
	mark_name_costs(r, MARK_STOLEN, text, sizeof(text));
	result_warn(r, "cpu_stolen", text,
		    "the time itself is in no CPU column, but what it leaves behind is: emptied caches, a receiver "
		    "that is not there when it is woken; figures are of the other samples, these are in the document");
}
