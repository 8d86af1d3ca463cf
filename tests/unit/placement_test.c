// SPDX-License-Identifier: MIT
/* Placement on machines that hwloc makes up, and pinning on this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/placement.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

static struct placement_choice choose(const char *machine, enum placement placement)
{
	struct placement_choice choice;
	struct failure why = { 0 };

	assert_int_equal(setenv("HWLOC_SYNTHETIC", machine, 1), 0);
	assert_int_equal(placement_choose(placement, &choice, &why), 0);
	unsetenv("HWLOC_SYNTHETIC");
	assert_true(choice.text[0]);
	return choice;
}

static void names(void **state)
{
	enum placement placement;
	int i;

	(void)state;
	for (i = 0; i < PLACEMENTS; i++) {
		assert_int_equal(placement_parse(placement_names[i], &placement), 0);
		assert_int_equal(placement, i);
	}
	assert_int_equal(placement_parse("core", &placement), -EINVAL);
	assert_int_equal(placement_parse("", &placement), -EINVAL);
}

static void cores_are_two_with_a_cache_in_common_and_without_cpu_0(void **state)
{
	/* CPUs 0 and 1 are threads of core 0, 2 and 3 of core 1, … */
	struct placement_choice c = choose("pack:2 l3:1 core:4 pu:2", PLACE_CORES);

	(void)state;
	assert_int_equal(c.sender_cpu, 2);
	assert_int_equal(c.receiver_cpu, 4);
	assert_non_null(strstr(c.text, "different cores, one last-level cache, one NUMA node"));
}

static void a_common_cache_outweighs_cpu_0(void **state)
{
	struct placement_choice c = choose("numa:1 l3:1 core:2 pu:1", PLACE_CORES);

	(void)state;
	assert_int_equal(c.sender_cpu, 1);
	assert_int_equal(c.receiver_cpu, 0);
}

static void one_numa_node_when_there_are_two(void **state)
{
	struct placement_choice c = choose("pack:2 [numa] core:2 pu:1", PLACE_CORES);

	(void)state;
	assert_int_equal(c.sender_cpu, 2);
	assert_int_equal(c.receiver_cpu, 3);
	assert_non_null(strstr(c.text, "one NUMA node"));
}

static void one_core_falls_back_to_its_threads(void **state)
{
	struct placement_choice c = choose("core:1 pu:2", PLACE_CORES);

	(void)state;
	assert_int_equal(c.sender_cpu, 1);
	assert_int_equal(c.receiver_cpu, 0);
	assert_non_null(strstr(c.text, "only one usable core"));
}

static void one_cpu_falls_back_to_itself(void **state)
{
	struct placement_choice c = choose("core:1 pu:1", PLACE_CORES);

	(void)state;
	assert_int_equal(c.sender_cpu, 0);
	assert_int_equal(c.receiver_cpu, 0);
	assert_non_null(strstr(c.text, "only one usable CPU"));
}

static void same_is_one_cpu(void **state)
{
	struct placement_choice c = choose("core:2 pu:2", PLACE_SAME);

	(void)state;
	assert_int_equal(c.sender_cpu, 2);
	assert_int_equal(c.receiver_cpu, 2);
}

static void siblings_share_a_core(void **state)
{
	struct placement_choice c = choose("core:2 pu:2", PLACE_SIBLING);
	struct failure why = { 0 };

	(void)state;
	assert_int_equal(c.sender_cpu, 2);
	assert_int_equal(c.receiver_cpu, 3);

	setenv("HWLOC_SYNTHETIC", "core:2 pu:1", 1);
	assert_int_equal(placement_choose(PLACE_SIBLING, &c, &why), -ENODEV);
	unsetenv("HWLOC_SYNTHETIC");
	assert_int_equal(why.exit_code, EXIT_MACHINE_CANT);
	assert_int_equal(c.sender_cpu, -1);
}

static void none_pins_nothing(void **state)
{
	struct placement_choice c = choose("core:2 pu:2", PLACE_NONE);
	cpu_set_t before, after;

	(void)state;
	assert_int_equal(c.sender_cpu, -1);
	assert_int_equal(c.receiver_cpu, -1);
	sched_getaffinity(0, sizeof(before), &before);
	assert_int_equal(placement_pin(c.sender_cpu), 0);
	sched_getaffinity(0, sizeof(after), &after);
	assert_true(CPU_EQUAL(&before, &after));
}

static void choice_stays_inside_the_affinity_mask(void **state)
{
	struct placement_choice c;
	struct failure why = { 0 };
	cpu_set_t before;
	int last = 0;

	(void)state;
	sched_getaffinity(0, sizeof(before), &before);
	for (size_t i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &before))
			last = (int)i;
	assert_int_equal(placement_pin(last), 0);
	assert_int_equal(sched_getcpu(), last);
	assert_int_equal(placement_choose(PLACE_CORES, &c, &why), 0);
	assert_int_equal(c.sender_cpu, last);
	assert_int_equal(c.receiver_cpu, last);
	sched_setaffinity(0, sizeof(before), &before);
}

static void a_cpu_that_is_not_there(void **state)
{
	(void)state;
	assert_int_equal(placement_pin(100000), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(cores_are_two_with_a_cache_in_common_and_without_cpu_0),
		cmocka_unit_test(a_common_cache_outweighs_cpu_0),
		cmocka_unit_test(one_numa_node_when_there_are_two),
		cmocka_unit_test(one_core_falls_back_to_its_threads),
		cmocka_unit_test(one_cpu_falls_back_to_itself),
		cmocka_unit_test(same_is_one_cpu),
		cmocka_unit_test(siblings_share_a_core),
		cmocka_unit_test(none_pins_nothing),
		cmocka_unit_test(choice_stays_inside_the_affinity_mask),
		cmocka_unit_test(a_cpu_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
