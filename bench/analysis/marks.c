// SPDX-License-Identifier: MIT
#include "analysis/marks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analysis/apart.h"
#include "analysis/mark_cost.h"
#include "analysis/slowed.h"
#include "analysis/stolen.h"
#include "base/size.h"

/* What a case goes by that has nothing better, and how that is said. */
static const struct {
	enum sample_mark mark;
	const char *code, *text, *effect;
} orders[] = {
	{ MARK_SLOWED, "cpu_slowed_only", "figures of a CPU slower than this run's usual, for there are no others: ",
	  "a neighbour can cost a quarter: don't hold them against the other cases; take more --rounds" },
	{ MARK_STOLEN, "cpu_stolen_only",
	  "figures of transfers that the hypervisor took CPU time from, for there are no others: ",
	  "that can cost from a tenth to twice as much: don't hold them against the other cases; take more --rounds" },
	{ MARK_APART, "cpus_mixed", "figures of another distance of the two CPUs, for there are no others: ",
	  "copies cost up to twice as much at the longer distance: don't hold them against the other cases; take more "
	  "--rounds" },
};

#define ORDERS (sizeof(orders) / sizeof(orders[0]))

/* After apart_mark() or apart_align(). */
static int beside_distance(struct result *r)
{
	int err = slowed_mark(r);

	if (!err)
		stolen_mark(r);
	return err;
}

/*
 * Timed samples of a case's method and placement that have a latency and that nothing else sets apart, and how many of them were at the run's distance
 * throughout.
 */
static size_t count_method(const struct result *r, const struct case_result *of, size_t *at_the_distance)
{
	size_t n = 0;

	*at_the_distance = 0;
	for (size_t i = 0; i < r->case_count; i++) {
		const struct samples *s = &r->cases[i].samples;

		if (strcmp(r->cases[i].method, of->method) || !apart_is_of(&r->cases[i], apart_placement(of)))
			continue;
		for (size_t k = 0; k < s->count; k++) {
			enum sample_mark mark = sample_mark(s, k);

			if (s->value[SAMPLE_WARMUP][k] != 0 || mark == MARK_SLOWED || mark == MARK_STOLEN ||
			    !isfinite(s->value[SAMPLE_CORE_LATENCY_S][k]))
				continue;
			n++;
			*at_the_distance += mark == MARK_NONE;
		}
	}
	return n;
}

static bool elsewhere(const struct result *r, const struct case_result *c)
{
	size_t at_the_distance, n = count_method(r, c, &at_the_distance);

	return n >= MARKS_ELSEWHERE_LEAST && (double)at_the_distance < MARKS_ELSEWHERE_SHARE * (double)n;
}

static void settle_elsewhere(struct result *r)
{
	for (size_t i = 0; i < r->case_count; i++) {
		struct samples *s = &r->cases[i].samples;

		if (!elsewhere(r, &r->cases[i]))
			continue;
		for (size_t k = 0; k < s->count; k++)
			if (sample_mark(s, k) == MARK_APART && !stolen_much(s, k))
				s->value[SAMPLE_APART][k] = MARK_SETTLED;
	}
}

int marks_set(struct result *r)
{
	int err = apart_mark(r);

	if (!err)
		err = beside_distance(r);
	if (!err)
		settle_elsewhere(r);
	return err;
}

int marks_set_aligned(struct result *r)
{
	int err = beside_distance(r);

	(void)marks_settle(r);
	return err;
}

size_t marks_settle(struct result *r)
{
	size_t cases = 0;

	for (size_t i = 0; i < ORDERS; i++)
		cases += mark_settle(r, orders[i].mark);
	return cases;
}

const char *marks_why_none(const struct case_result *c)
{
	bool apart = mark_count(c, MARK_APART) > 0;

	if (mark_count(c, MARK_STOLEN))
		return "every sample was taken while the hypervisor ran somebody else, on a slowed CPU, or while the CPUs were at "
		       "another distance";
	if (mark_count(c, MARK_SLOWED))
		return "every sample was taken on a slowed CPU or while the CPUs were at another distance";
	return apart ? "every sample was taken while the CPUs were at another distance" : "no timed sample";
}

/* The first of the orders that a case without a sample that counts has; ORDERS: it has one, or none at all. */
static size_t goes_by(const struct case_result *c)
{
	size_t order = 0;

	for (size_t i = 0; i < c->samples.count; i++)
		if (sample_counts(&c->samples, i))
			return ORDERS;
	while (c->status == CASE_OK && order < ORDERS && !mark_count(c, orders[order].mark))
		order++;
	return c->status == CASE_OK ? order : ORDERS;
}

static void warn_without(struct result *r, size_t order)
{
	char text[400] = "", chunk[SIZE_TEXT_MAX];

	for (size_t i = 0; i < r->case_count; i++) {
		const struct case_result *c = &r->cases[i];
		size_t used = strlen(text);

		if (goes_by(c) == order && used + 60 < sizeof(text))
			snprintf(text + used, sizeof(text) - used, "%s%.24s (%s, %.8s)",
				 used ? ", " : orders[order].text, c->method,
				 c->chunk ? size_format(c->chunk, chunk) : "whole", c->cache);
	}
	if (text[0])
		result_warn(r, orders[order].code, text, orders[order].effect);
}

/* Is it the first case of its method and placement? */
static bool first_of_method(const struct result *r, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(r->cases[k].method, r->cases[i].method) &&
		    apart_is_of(&r->cases[k], apart_placement(&r->cases[i])))
			return false;
	return true;
}

static void warn_elsewhere(struct result *r)
{
	char text[400] = "";
	size_t used, n, at_the_distance;

	for (size_t i = 0; i < r->case_count; i++) {
		used = strlen(text);
		if (!first_of_method(r, i) || !elsewhere(r, &r->cases[i]) || used + 80 >= sizeof(text))
			continue;
		n = count_method(r, &r->cases[i], &at_the_distance);
		snprintf(text + used, sizeof(text) - used, "%s%.24s (%zu of %zu)",
			 used ? ", " : "the two CPUs seldom stayed at the run's distance during a sample of ",
			 r->cases[i].method, at_the_distance, n);
	}
	if (text[0])
		result_warn(r, "cpus_elsewhere", text,
			    "a method that sleeps thousands of times leaves its CPUs to the host, which puts idle ones "
			    "where it likes: its figures are of all distances and hold what that costs");
}

int marks_conclude(struct result *r)
{
	int err = marks_set(r);

	if (err)
		return err;
	for (size_t i = 0; i < ORDERS; i++)
		warn_without(r, i);
	warn_elsewhere(r);
	(void)marks_settle(r);
	apart_warn(r);
	slowed_warn(r);
	stolen_warn(r);
	return 0;
}
