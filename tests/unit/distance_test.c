// SPDX-License-Identifier: MIT
/* Which distance of the CPUs is worth having the host bring them to. */
#include "study/distance.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "measure/clock.h"
#include "study/study.h"
/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "near.h"

#define CLOSE 120e-9
#define FAR 455e-9

static double wanted(size_t near, size_t far)
{
	double seen[DISTANCE_LOOKS_MAX];

	for (size_t i = 0; i < near + far; i++)
		seen[i] = i < near ? CLOSE : FAR;
	return distance_wanted(seen, near + far);
}

static void an_eighth_is_an_offer(void **state)
{
	(void)state;
	assert_near(wanted(16, 0), CLOSE, 1e-12);
	assert_near(wanted(2, 14), CLOSE, 1e-12);
	/* a single look of sixteen is luck: nobody waits for that */
	assert_near(wanted(1, 15), FAR, 1e-12);
	assert_near(wanted(0, 16), FAR, 1e-12);
	assert_true(isnan(wanted(0, 0)));
}

static void the_order_of_looks_does_not_matter(void **state)
{
	const double seen[] = { FAR, CLOSE, FAR, FAR, CLOSE, FAR, FAR, FAR };

	(void)state;
	assert_near(distance_wanted(seen, 8), CLOSE, 1e-12);
}

/* A study that neither looks nor gathers has no goal, whatever the CPUs. */
static void a_study_that_does_not_want_it_has_no_goal(void **state)
{
	struct study *s = calloc(1, sizeof(*s));
	struct placement_choice places[PLACEMENTS] = { [PLACE_CORES] = { 0, 1, "" } };
	struct study_settings settings = { .places = places, .catch_up = 1 };

	(void)state;
	assert_non_null(s);
	s->settings = &settings;
	assert_null(distance_goal(s, PLACE_CORES));
	free(s);
}

/* Where nothing can be measured it is not tried before every transfer. */
static void a_look_in_vain_is_not_repeated_at_once(void **state)
{
	struct study *s = calloc(1, sizeof(*s));
	/* no such CPUs */
	struct placement_choice places[PLACEMENTS] = { [PLACE_CORES] = { 1 << 20, 1 << 21, "" } };
	struct study_settings settings = { .places = places, .catch_up = 1 };
	double first;

	(void)state;
	assert_non_null(s);
	s->settings = &settings;
	s->progress.quiet = true;
	s->distance.wanted = true;
	s->distance.began = clock_wall();
	assert_non_null(distance_goal(s, PLACE_CORES));
	assert_int_equal(s->distance.of[PLACE_CORES].n, 0);
	first = s->distance.of[PLACE_CORES].next;
	assert_true(first > clock_wall());
	(void)distance_goal(s, PLACE_CORES);
	assert_near(s->distance.of[PLACE_CORES].next, first, 0);
	free(s);
}

/* What was seen lately is gone by, and what may be spent is less what was, however long that took. */
static void what_is_left_shrinks_with_what_was_spent(void **state)
{
	struct study *s = calloc(1, sizeof(*s));
	struct placement_choice places[PLACEMENTS] = { [PLACE_CORES] = { 0, 1, "" },
						       [PLACE_SAME] = { 0, 0, "" },
						       [PLACE_NONE] = { -1, -1, "" } };
	struct study_settings settings = { .places = places, .catch_up = 1 };
	struct distance_looks *looks;
	double before;

	(void)state;
	assert_non_null(s);
	s->settings = &settings;
	s->distance.wanted = true;
	s->distance.began = clock_wall() - 100;
	looks = &s->distance.of[PLACE_CORES];
	looks->seen_s[looks->n++] = CLOSE;
	looks->next = clock_wall() + 1000;
	looks->goal = (struct core_goal){ .within_s = 2 * CLOSE, .patience_s = 2, .spent_s = 40 };
	assert_ptr_equal(distance_goal(s, PLACE_CORES), &looks->goal);
	/* 5 s in advance, 60 s of other time, 40 s spent */
	assert_near(looks->goal.left_s, 25, 1);
	before = looks->goal.left_s;
	looks->goal.spent_s += 10;
	(void)distance_goal(s, PLACE_CORES);
	assert_near(looks->goal.left_s, before - 20, 1);
	/* nothing to bring together */
	assert_null(distance_goal(s, PLACE_SAME));
	assert_null(distance_goal(s, PLACE_NONE));
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_eighth_is_an_offer),
		cmocka_unit_test(the_order_of_looks_does_not_matter),
		cmocka_unit_test(a_study_that_does_not_want_it_has_no_goal),
		cmocka_unit_test(a_look_in_vain_is_not_repeated_at_once),
		cmocka_unit_test(what_is_left_shrinks_with_what_was_spent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
