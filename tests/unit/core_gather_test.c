// SPDX-License-Identifier: MIT
/* Bringing two CPUs together: what it costs, when it ends, and that its books are right. Whether a host follows is the host's matter. */
#include "measure/core_gather.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "measure/clock.h"
#include "measure/core_latency.h"
/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "near.h"

/* Two CPUs that this process may use; false when there is one. */
static bool two_cpus(int *a, int *b)
{
	cpu_set_t set;

	*a = *b = -1;
	if (sched_getaffinity(0, sizeof(set), &set))
		return false;
	for (int i = 0; i < CPU_SETSIZE && *b < 0; i++)
		if (CPU_ISSET((size_t)i, &set))
			*(*a < 0 ? a : b) = i;
	return *b >= 0;
}

static struct core_goal wanting(double within_s)
{
	return (struct core_goal){ .within_s = within_s, .patience_s = 0.2, .left_s = 10 };
}

/* Under other load the two may not get to run at the same time, and then nothing is known. */
static double approach(int a, int b, struct core_goal *goal, const volatile sig_atomic_t *stop)
{
	double took = NAN;

	for (int i = 0; i < 50 && isnan(took); i++)
		took = core_approach(a, b, goal, stop);
	return took;
}

static void needs_two_cpus(void **state)
{
	struct core_goal goal = wanting(1e-12);

	(void)state;
	assert_int_equal(core_gather(0, 0), -EINVAL);
	assert_int_equal(core_gather(-1, 0), -EINVAL);
	assert_int_equal(core_gather(0, -1), -EINVAL);
	assert_true(isnan(core_approach(0, 0, &goal, NULL)));
	assert_near(goal.spent_s, 0, 0);
}

static void no_goal_no_work(void **state)
{
	struct core_goal goal = wanting(NAN);

	(void)state;
	assert_true(isnan(core_approach(0, 1, NULL, NULL)));
	assert_true(isnan(core_approach(0, 1, &goal, NULL)));
	goal = wanting(1);
	goal.left_s = 0;
	assert_true(isnan(core_approach(0, 1, &goal, NULL)));
	assert_int_equal(goal.tried, 0);
}

static void a_goal_that_is_reached_already_costs_nothing(void **state)
{
	struct core_goal goal = wanting(1);
	int a, b;

	(void)state;
	if (!two_cpus(&a, &b))
		skip();
	goal.missed = true;
	assert_near(approach(a, b, &goal, NULL), 0, 0);
	assert_int_equal(goal.tried, 0);
	assert_false(goal.missed);
	assert_near(goal.spent_s, 0, 0);
}

/* No cache line goes there and back in a picosecond. */
static void a_goal_out_of_reach_ends_with_the_patience(void **state)
{
	struct core_goal goal = wanting(1e-12);
	int a, b;
	double took;

	(void)state;
	if (!two_cpus(&a, &b))
		skip();
	took = approach(a, b, &goal, NULL);
	assert_true(took >= 0.2);
	assert_int_equal(goal.tried, 1);
	assert_int_equal(goal.reached, 0);
	assert_true(goal.missed);
	assert_near(goal.spent_s, took, 1e-9);
	assert_near(goal.left_s, 10 - took, 1e-9);
	/* one in vain makes the next one short, and never longer than what is left */
	goal.patience_s = 100;
	goal.left_s = 0.05;
	took = approach(a, b, &goal, NULL);
	assert_true(took >= 0.05);
	assert_int_equal(goal.tried, 2);
	assert_true(goal.left_s <= 0);
	assert_true(isnan(core_approach(a, b, &goal, NULL)));
}

static void an_interrupt_ends_it(void **state)
{
	struct core_goal goal = wanting(1e-12);
	volatile sig_atomic_t stop = 1;
	int a, b;

	(void)state;
	if (!two_cpus(&a, &b))
		skip();
	goal.patience_s = 1000;
	goal.left_s = 1000;
	(void)approach(a, b, &goal, &stop);
	/* it did not wait for its patience to end, or this test would run out of time */
	assert_true(goal.spent_s < 500);
}

static void a_round_is_sleep_for_the_most_part(void **state)
{
	double cpu = clock_process_cpu(), wall = clock_wall();
	int a, b;

	(void)state;
	if (!two_cpus(&a, &b))
		skip();
	assert_int_equal(core_gather(a, b), 0);
	wall = clock_wall() - wall;
	/* fifteen times two milliseconds */
	assert_true(wall >= 0.03);
	assert_true(clock_process_cpu() - cpu < wall);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needs_two_cpus),
		cmocka_unit_test(no_goal_no_work),
		cmocka_unit_test(a_goal_that_is_reached_already_costs_nothing),
		cmocka_unit_test(a_goal_out_of_reach_ends_with_the_patience),
		cmocka_unit_test(an_interrupt_ends_it),
		cmocka_unit_test(a_round_is_sleep_for_the_most_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
