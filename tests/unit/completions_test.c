// SPDX-License-Identifier: MIT
/* The bookkeeping of MSG_ZEROCOPY's completions: order, gaps, what was never sent, and the wrap of the numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "method/completions.h"

static struct completions starting_at(uint32_t id)
{
	return (struct completions) { .next = id, .done = id };
}

static void send_some(struct completions *c, unsigned int count, size_t bytes)
{
	for (unsigned int i = 0; i < count; i++)
		completions_sent(c, bytes);
}

static double figure_of(const struct job *job, const char *name)
{
	for (size_t i = 0; i < METHOD_FIGURES_MAX; i++)
		if (!strcmp(job->figures[i].name, name))
			return job->figures[i].value;
	fail_msg("there is no figure %s", name);
	return -1;
}

static void in_order(void **state)
{
	struct completions c = starting_at(0);

	(void)state;
	assert_int_equal(completions_sent(&c, 100), 0);
	assert_int_equal(completions_sent(&c, 200), 1);
	assert_int_equal(completions_sent(&c, 300), 2);
	assert_false(completions_has(&c, 0));
	assert_int_equal(completions_take(&c, 0, 1, true), 0);
	assert_true(completions_has(&c, 0));
	assert_true(completions_has(&c, 1));
	assert_false(completions_has(&c, 2));
	assert_int_equal(completions_outstanding(&c), 1);
	assert_int_equal(completions_take(&c, 2, 2, false), 0);
	assert_int_equal(completions_outstanding(&c), 0);
	assert_int_equal(c.ranges, 2);
	assert_int_equal(c.taken, 3);
	assert_int_equal(c.copied, 2);
	assert_int_equal(c.copied_bytes, 300);
	assert_int_equal(c.gaps, 0);
	assert_int_equal(c.most, 3);
}

static void a_gap_is_seen_and_filled(void **state)
{
	struct completions c = starting_at(7);

	(void)state;
	send_some(&c, 6, 10);
	assert_int_equal(completions_take(&c, 9, 10, false), 0);
	assert_int_equal(c.gaps, 1);
	assert_int_equal(c.ahead, 2);
	/* nothing before the hole's end may be reused by counting alone */
	assert_false(completions_has(&c, 7));
	assert_false(completions_has(&c, 9));
	assert_int_equal(completions_outstanding(&c), 6);
	assert_int_equal(completions_take(&c, 7, 8, true), 0);
	assert_true(completions_has(&c, 10));
	assert_int_equal(completions_outstanding(&c), 2);
	assert_int_equal(c.ahead, 0);
	assert_int_equal(c.gaps, 1);
	assert_int_equal(completions_take(&c, 11, 12, false), 0);
	assert_int_equal(c.gaps, 1);
	assert_int_equal(c.copied_bytes, 20);
}

static void refuses_what_can_not_be(void **state)
{
	struct completions c = starting_at(100), before;

	(void)state;
	send_some(&c, 4, 10);
	assert_int_equal(completions_take(&c, 101, 101, true), 0);
	before = c;
	/* again, never sent, sent long ago, half sent, backwards, everything there is */
	assert_int_equal(completions_take(&c, 101, 101, true), -EPROTO);
	assert_int_equal(completions_take(&c, 100, 102, true), -EPROTO);
	assert_int_equal(completions_take(&c, 104, 104, true), -EPROTO);
	assert_int_equal(completions_take(&c, 99, 99, true), -EPROTO);
	assert_int_equal(completions_take(&c, 103, 104, true), -EPROTO);
	assert_int_equal(completions_take(&c, 103, 102, true), -EPROTO);
	assert_int_equal(completions_take(&c, 100, 99, true), -EPROTO);
	assert_int_equal(completions_take(&c, 0, UINT32_MAX, true), -EPROTO);
	assert_memory_equal(&c, &before, sizeof(c));
}

static void numbers_wrap(void **state)
{
	struct completions c = starting_at(UINT32_MAX - 2);

	(void)state;
	send_some(&c, 6, 1000);
	assert_int_equal(c.next, 3);
	assert_int_equal(completions_outstanding(&c), 6);
	/* one range over the wrap, and one before it that comes late */
	assert_int_equal(completions_take(&c, UINT32_MAX, 1, true), 0);
	assert_int_equal(c.gaps, 1);
	assert_false(completions_has(&c, UINT32_MAX - 2));
	assert_int_equal(completions_take(&c, UINT32_MAX - 2, UINT32_MAX - 1, false), 0);
	assert_true(completions_has(&c, UINT32_MAX));
	assert_true(completions_has(&c, 1));
	assert_false(completions_has(&c, 2));
	assert_int_equal(completions_take(&c, 2, 2, false), 0);
	assert_int_equal(c.done, 3);
	assert_int_equal(c.taken, 6);
	assert_int_equal(c.copied, 3);
	assert_int_equal(c.copied_bytes, 3000);
}

/* Many rounds through the window, over the wrap, each number exactly once. */
static void a_full_window(void **state)
{
	struct completions c = starting_at(UINT32_MAX - 3 * COMPLETIONS_WINDOW / 2);
	uint32_t first = c.next;

	(void)state;
	for (int round = 0; round < 8; round++) {
		while (!completions_full(&c))
			completions_sent(&c, 1);
		assert_int_equal(completions_outstanding(&c), COMPLETIONS_WINDOW);
		/* the later half first */
		assert_int_equal(
			completions_take(&c, c.done + COMPLETIONS_WINDOW / 2, c.next - 1, true), 0);
		assert_true(completions_full(&c));
		assert_int_equal(
			completions_take(&c, c.done, c.done + COMPLETIONS_WINDOW / 2 - 1, true), 0);
		assert_int_equal(completions_outstanding(&c), 0);
	}
	assert_int_equal(c.next, first + 8 * COMPLETIONS_WINDOW);
	assert_int_equal(c.copied, 8 * COMPLETIONS_WINDOW);
	assert_int_equal(c.copied_bytes, 8 * COMPLETIONS_WINDOW);
	assert_int_equal(c.gaps, 8);
	assert_int_equal(c.most, COMPLETIONS_WINDOW);
}

static void tells(void **state)
{
	struct completions c = starting_at(0);
	struct job job = { 0 };

	(void)state;
	completions_tell(&c, &job);
	assert_int_equal(figure_of(&job, "completions"), 0);
	for (size_t i = 0; i < METHOD_FIGURES_MAX; i++) /* of no sends there is no share */
		assert_string_not_equal(job.figures[i].name, "copied_share");
	send_some(&c, 4, 50);
	assert_int_equal(completions_take(&c, 0, 2, true), 0);
	assert_int_equal(completions_take(&c, 3, 3, false), 0);
	completions_tell(&c, &job);
	assert_int_equal(figure_of(&job, "completions"), 4);
	assert_int_equal(figure_of(&job, "completions_copied"), 3);
	assert_true(figure_of(&job, "copied_share") == 0.75);
	assert_int_equal(figure_of(&job, "copied_bytes"), 150);
	assert_int_equal(figure_of(&job, "sends_in_flight"), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),
		cmocka_unit_test(a_gap_is_seen_and_filled),
		cmocka_unit_test(refuses_what_can_not_be),
		cmocka_unit_test(numbers_wrap),
		cmocka_unit_test(a_full_window),
		cmocka_unit_test(tells),
	};

	return cmocka_run_group_tests_name("completions", tests, NULL, NULL);
}
