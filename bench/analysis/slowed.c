// SPDX-License-Identifier: MIT
#include "analysis/slowed.h"

#include <errno.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "analysis/apart.h"
#include "analysis/mark_cost.h"
#include "analysis/stretch.h"

static bool has_yardstick(const struct samples *s, size_t i)
{
	return s->value[SAMPLE_WARMUP][i] == 0 && s->value[SAMPLE_YARDSTICK_S][i] > 0;
}

static size_t collect(const struct result *r, const char *placement, double *out)
{
	size_t n = 0;

	for (size_t i = 0; i < r->case_count; i++) {
		const struct samples *s = &r->cases[i].samples;

		for (size_t k = 0; k < s->count && apart_is_of(&r->cases[i], placement); k++) {
			if (!has_yardstick(s, k))
				continue;
			if (out)
				out[n] = s->value[SAMPLE_YARDSTICK_S][k];
			n++;
		}
	}
	return n;
}

/* NaN when there are too few to tell. 0 or -ENOMEM. */
static int usual_yardstick(const struct result *r, const char *placement, double *usual_s)
{
	size_t n = collect(r, placement, NULL);
	double *all;

	*usual_s = NAN;
	if (n < SLOWED_LEAST)
		return 0;
	all = malloc(n * sizeof(*all));
	if (!all)
		return -ENOMEM;
	collect(r, placement, all);
	gsl_sort(all, 1, n);
	*usual_s = stretch_middle(all, stretch_fullest(all, n, SLOWED_ONE_SPEED));
	free(all);
	return 0;
}

static int mark(struct result *r, const char *placement)
{
	double usual_s;
	int err = usual_yardstick(r, placement, &usual_s);

	if (err || isnan(usual_s))
		return err;
	for (size_t i = 0; i < r->case_count; i++) {
		struct samples *s = &r->cases[i].samples;

		for (size_t k = 0; k < s->count && apart_is_of(&r->cases[i], placement); k++)
			if (has_yardstick(s, k) && sample_mark(s, k) == MARK_NONE &&
			    s->value[SAMPLE_YARDSTICK_S][k] > SLOWED_FACTOR * usual_s)
				s->value[SAMPLE_APART][k] = MARK_SLOWED;
	}
	return 0;
}

int slowed_mark(struct result *r)
{
	int err = 0;

	for (size_t i = 0; i < r->case_count && !err; i++)
		if (apart_first_of_placement(r, i))
			err = mark(r, apart_placement(&r->cases[i]));
	return err;
}

void slowed_count(const struct result *r, struct slowed *out)
{
	*out = (struct slowed){ .usual_s = NAN };
	for (size_t i = 0; i < r->case_count; i++) {
		out->slowed += mark_count(&r->cases[i], MARK_SLOWED);
		if (!apart_first_of_placement(r, i))
			continue;
		out->n += collect(r, apart_placement(&r->cases[i]), NULL);
		if (isnan(out->usual_s))
			(void)usual_yardstick(r, apart_placement(&r->cases[i]), &out->usual_s);
	}
}

json_t *slowed_case_json(const struct case_result *c)
{
	return mark_case_json(c, MARK_SLOWED, "on a slowed CPU");
}

void slowed_warn(struct result *r)
{
	struct slowed slowed;
	char text[560];

	slowed_count(r, &slowed);
	if (!slowed.slowed)
		return;
	snprintf(text, sizeof(text),
		 "%zu of %zu samples were taken while the sender's CPU was more than %.0f %% slower than "
		 "this run's usual: the same piece of work took longer than %.2f ms",
		 slowed.slowed, slowed.n, 100 * (SLOWED_FACTOR - 1),
		 slowed.usual_s * SLOWED_FACTOR * 1e3);
	mark_name_costs(r, MARK_SLOWED, text, sizeof(text));
	result_warn(r, "cpu_slowed", text,
		    "somebody else uses the same core, or its clock went down; figures are of the "
		    "other samples, these are in the document");
}
