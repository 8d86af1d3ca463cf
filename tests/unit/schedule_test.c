// SPDX-License-Identifier: MIT
/* Who is measured when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "study/schedule.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#define CASES 6
#define WARMUP 2
#define TIMED 15

static const unsigned int rounds[CASES] = { 15, 5, 15, 7, 1, 0 };

static struct turn *make(unsigned int warmup, uint64_t seed, size_t *count)
{
	struct turn *turns = NULL;

	assert_int_equal(schedule_make(rounds, CASES, warmup, seed, &turns, count), 0);
	assert_non_null(turns);
	return turns;
}

static void everyone_gets_their_turns(void **state)
{
	unsigned int timed[CASES] = { 0 }, warm[CASES] = { 0 };
	size_t count;
	struct turn *turns = make(WARMUP, 7, &count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_true(turns[i].index < CASES);
		assert_int_equal(turns[i].warmup, turns[i].round < WARMUP);
		if (turns[i].warmup)
			warm[turns[i].index]++;
		else
			timed[turns[i].index]++;
	}
	for (size_t c = 0; c < CASES; c++) {
		assert_int_equal(timed[c], rounds[c]);
		assert_int_equal(warm[c], WARMUP);
	}
	free(turns);
}

/* After m of TIMED rounds a case has had rounds × m / TIMED samples, to less than one. */
static void spread_evenly(void **state)
{
	size_t count, next = 0;
	struct turn *turns = make(0, 3, &count);
	unsigned int had[CASES] = { 0 };

	(void)state;
	for (unsigned int m = 1; m <= TIMED; m++) {
		for (; next < count && turns[next].round < m; next++)
			had[turns[next].index]++;
		for (size_t c = 0; c < CASES; c++) {
			int off = (int)(had[c] * TIMED) - (int)(rounds[c] * m);

			assert_true(off > -TIMED && off < TIMED);
		}
	}
	assert_int_equal(next, count);
	free(turns);
}

static void rounds_are_permutations(void **state)
{
	size_t count;
	struct turn *turns = make(WARMUP, 99, &count);
	bool seen[CASES] = { false };

	(void)state;
	for (size_t i = 0; i < count; i++) {
		if (i && turns[i].round != turns[i - 1].round) {
			assert_int_equal(turns[i].round, turns[i - 1].round + 1);
			assert_int_equal(turns[i].position, 0);
			memset(seen, 0, sizeof(seen));
		} else if (i) {
			assert_int_equal(turns[i].position, turns[i - 1].position + 1);
		} else {
			assert_int_equal(turns[i].round, 0);
			assert_int_equal(turns[i].position, 0);
		}
		assert_false(seen[turns[i].index]);
		seen[turns[i].index] = true;
	}
	assert_int_equal(turns[count - 1].round, WARMUP + TIMED - 1);
	free(turns);
}

static bool same(uint64_t seed_a, uint64_t seed_b)
{
	size_t count_a, count_b;
	struct turn *a = make(WARMUP, seed_a, &count_a), *b = make(WARMUP, seed_b, &count_b);
	bool alike = true;

	assert_int_equal(count_a, count_b);
	for (size_t i = 0; i < count_a; i++)
		alike &= a[i].index == b[i].index;
	free(a);
	free(b);
	return alike;
}

static void the_seed_decides(void **state)
{
	(void)state;
	assert_true(same(1, 1));
	assert_true(same(UINT64_MAX, UINT64_MAX));
	assert_false(same(1, 2));
	assert_false(same(0, 1));
	/* all 64 bits of it */
	assert_false(same(1, ((uint64_t)1 << 32) + 1));
}

static void the_order_changes_between_rounds(void **state)
{
	static const unsigned int many[] = { 20, 20, 20, 20, 20 };
	unsigned int first[5] = { 0 };
	struct turn *turns = NULL;
	size_t count;

	(void)state;
	assert_int_equal(schedule_make(many, 5, 0, 1, &turns, &count), 0);
	for (size_t i = 0; i < count; i++)
		if (turns[i].position == 0)
			first[turns[i].index]++;
	/* with this seed; a schedule that is not shuffled has one case at 20 */
	for (size_t c = 0; c < 5; c++)
		assert_in_range(first[c], 1, 12);
	free(turns);
}

static void nothing_to_do(void **state)
{
	static const unsigned int none[] = { 0, 0 };
	struct turn *turns = NULL;
	size_t count = 5;

	(void)state;
	assert_int_equal(schedule_make(none, 2, 0, 1, &turns, &count), 0);
	assert_int_equal(count, 0);
	free(turns);
	assert_int_equal(schedule_make(NULL, 0, 3, 1, &turns, &count), 0);
	assert_int_equal(count, 0);
	free(turns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everyone_gets_their_turns),
		cmocka_unit_test(spread_evenly),
		cmocka_unit_test(rounds_are_permutations),
		cmocka_unit_test(the_seed_decides),
		cmocka_unit_test(the_order_changes_between_rounds),
		cmocka_unit_test(nothing_to_do),
	};

	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
