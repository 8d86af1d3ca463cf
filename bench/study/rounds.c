// SPDX-License-Identifier: MIT
#include "study/rounds.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/apart.h"
#include "analysis/marks.h"
#include "analysis/summary.h"
#include "measure/clock.h"
#include "study/distance.h"
#include "study/pass.h"
#include "study/precision.h"
#include "study/schedule.h"
#include "study/sittings.h"

#define SAVE_EVERY_S 10

/* The clocks' own resolution: what is summarised here is then what a reader of the document gets. */
static double whole_ns(double seconds)
{
	return round(seconds * 1e9) / 1e9;
}

static void add_sample(struct case_result *c, const struct turn *turn,
		       const struct transfer_outcome *out)
{
	struct samples *t = &c->samples;
	long row = samples_add(t);

	if (row < 0)
		return;
	t->value[SAMPLE_WALL_S][row] = whole_ns(out->wall_s);
	t->value[SAMPLE_SENDER_CPU_S][row] = whole_ns(out->sender_cpu_s);
	t->value[SAMPLE_RECEIVER_CPU_S][row] = whole_ns(out->receiver_cpu_s);
	t->value[SAMPLE_SYSTEM_CPU_S][row] = whole_ns(out->system_cpu_s);
	t->value[SAMPLE_STEAL_S][row] = whole_ns(out->steal_s);
	t->value[SAMPLE_SETUP_CPU_S][row] = whole_ns(out->setup_cpu_s);
	t->value[SAMPLE_RELEASE_CPU_S][row] = whole_ns(out->release_cpu_s);
	t->value[SAMPLE_YARDSTICK_S][row] = whole_ns(out->yardstick_s);
	t->value[SAMPLE_CORE_LATENCY_S][row] = whole_ns(out->core_latency_s);
	t->value[SAMPLE_CORE_LATENCY_AFTER_S][row] = whole_ns(out->core_latency_after_s);
	t->value[SAMPLE_SHARE_MIN][row] = out->share_min;
	t->value[SAMPLE_SHARE_MAX][row] = out->share_max;
	t->value[SAMPLE_SHARE_JAIN][row] = out->share_jain;
	t->value[SAMPLE_FAULTS_MINOR][row] = (double)out->faults_minor;
	t->value[SAMPLE_FAULTS_MAJOR][row] = (double)out->faults_major;
	t->value[SAMPLE_SWITCHES_VOLUNTARY][row] = (double)out->switches_voluntary;
	t->value[SAMPLE_SWITCHES_INVOLUNTARY][row] = (double)out->switches_involuntary;
	t->value[SAMPLE_RECEIVER_SWITCHES_VOLUNTARY][row] = out->receiver_switches_voluntary;
	t->value[SAMPLE_DELIVERIES][row] = out->deliveries;
	t->value[SAMPLE_ROUND][row] = turn->round;
	t->value[SAMPLE_POSITION][row] = turn->position;
	t->value[SAMPLE_WARMUP][row] = turn->warmup;
	t->value[SAMPLE_GATHER_S][row] = whole_ns(out->gather_s);
	t->value[SAMPLE_APART][row] = MARK_NONE; /* found out when all are there */
}

static const char nothing_mapped[] =
	"TCP_ZEROCOPY_RECEIVE mapped no page: the packets hold pages of the page cache or parts of "
	"larger ones, which the kernel can't map; it would be the sink 'drain' under another name";

static void add_figure(struct method_figure figures[METHOD_FIGURES_MAX], const char *name,
		       double value)
{
	for (int i = 0; i < METHOD_FIGURES_MAX; i++)
		if (!figures[i].name[0]) {
			snprintf(figures[i].name, sizeof(figures[i].name), "%s", name);
			figures[i].value = value;
			return;
		}
}

/* `gather`: have the CPUs brought together first; not where somebody waited for another distance just now. */
static int sample_case(struct study *s, const struct turn *turn, bool gather, struct failure *why)
{
	size_t index = turn->index;
	char path[PATH_MAX];
	struct transfer_spec spec = pass_spec(s, index, path);
	struct transfer_outcome out;
	struct failure inner = { 0 };
	int err;

	if (pass_prepare(s, index))
		return 0;
	if (gather && !spec.remote)
		spec.goal = distance_goal(s, s->cases[index].placement);
	err = transfer_run(&spec, &out, &inner);
	if (err)
		return pass_failed(s, index, &inner, why) < 0 ? err : 0;
	if (spec.sink == SINK_ZEROCOPY) {
		double share = out.received ? (double)out.mapped / (double)out.received : 0;

		if (!out.mapped && out.received) {
			pass_set_status(&s->result->cases[index], CASE_SKIPPED, nothing_mapped);
			return 0;
		}
		add_figure(out.figures, "received_by_mapping_share", share);
	}
	add_sample(&s->result->cases[index], turn, &out);
	pass_figures(&s->result->cases[index], out.figures);
	return 0;
}

/* Was this turn taken before the study was interrupted? */
static bool taken(const struct study *s, const struct turn *turn)
{
	const struct samples *t = &s->result->cases[turn->index].samples;

	for (size_t i = 0; s->resumed && i < t->count; i++)
		if (t->value[SAMPLE_ROUND][i] == turn->round)
			return true;
	return false;
}

/* Seconds that the turns from `next` on will take, or -1 as long as a case is unknown. */
static double time_left(const struct study *s, const struct turn *turns, size_t next, size_t count)
{
	double left = 0;

	for (size_t i = next; i < count; i++) {
		if (s->result->cases[turns[i].index].status != CASE_OK || taken(s, &turns[i]))
			continue;
		if (s->seconds[turns[i].index] <= 0)
			return -1;
		left += s->seconds[turns[i].index];
	}
	return left;
}

/* What goes on while turns are taken. */
struct pace {
	double saved; /* when the result was saved last */
	bool sits; /* the direct measurements are taken meanwhile */
	bool waits; /* samples have to be taken at the distance that their placement's others had */
	double until; /* and when there is no more waiting for that */
};

/* Waits, where a pace does, until the CPUs of a turn's case are at their distance again. False when they weren't in time. */
static bool wait_for_distance(struct study *s, const struct turn *turn, const struct pace *pace)
{
	char path[PATH_MAX];
	struct transfer_spec spec = pass_spec(s, turn->index, path);

	/* where there is no distance to wait for, time runs out all the same */
	return !pace->waits ||
	       (clock_wall() < pace->until &&
		distance_wait(s, spec.sender_cpu, spec.receiver_cpu,
			     apart_distance(s->result, &s->result->cases[turn->index]),
			      pace->until));
}

/* Which samples count, of those there are. 0, or -ENOMEM with `why`. */
static int mark(struct study *s, struct failure *why)
{
	if (marks_set(s->result))
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	return 0;
}

/* A kill -9 leaves what was there by then, marked as interrupted. */
static int save_now_and_then(struct study *s, struct pace *pace, struct failure *why)
{
	if (clock_wall() - pace->saved <= SAVE_EVERY_S)
		return 0;
	if (mark(s, why))
		return -ENOMEM;
	(void)marks_settle(s->result);
	pace->saved = clock_wall();
	return result_save(s->result, s->settings->dir, why);
}

/* Takes the turns, but for those of cases that are out and those that an earlier run took. */
static int take_turns(struct study *s, const struct turn *turns, size_t count, struct pace *pace,
		      struct failure *why)
{
	char text[STUDY_CASE_TEXT_MAX];
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		const struct turn *turn = &turns[i];
		double before;

		if (study_stopped(s))
			return fail(why, EXIT_INTERRUPTED, EINTR, "interrupted");
		err = pace->sits ? sittings_take(s, i, count, why) : 0;
		if (err)
			return err;
		if (s->result->cases[turn->index].status != CASE_OK ||
		    s->cases[turn->index].sink == SINK_VERIFY || taken(s, turn))
			continue;
		if (!wait_for_distance(s, turn, pace))
			return 0;
		before = clock_wall();
		study_case_text(&s->cases[turn->index], text, sizeof(text));
		progress_show(&s->progress, turn->position == 0, time_left(s, turns, i, count),
			      "%sround %u of %u, sample %zu of %zu: %s",
			      turn->warmup  ? "warm-up, "
			      : pace->waits ? "again, "
					    : "",
			      turn->round + 1, turns[count - 1].round + 1, i + 1, count, text);
		err = sample_case(s, turn, !pace->waits, why);
		s->seconds[turn->index] = clock_wall() - before;
		if (!err)
			err = save_now_and_then(s, pace, why);
	}
	return err || !pace->sits ? err : sittings_take(s, count, count, why);
}

/* Warm-up rounds, and so many more of each case, numbered from `done` on. */
static int take_rounds(struct study *s, const unsigned int *rounds, unsigned int warmup,
		       unsigned int done, struct pace *pace, struct failure *why)
{
	struct turn *turns = NULL;
	size_t count = 0;
	/* without `done` it is the plan's own order */
	int err = schedule_make(rounds, s->count, warmup, s->settings->seed + done, &turns, &count);

	if (err)
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory for the schedule");
	for (size_t i = 0; i < count; i++)
		turns[i].round += done;
	err = take_turns(s, turns, count, pace, why);
	free(turns);
	return err;
}

static bool in_play(const struct study *s, size_t i)
{
	/* hashing is proof, not a measurement: verified once, never timed */
	return s->result->cases[i].status == CASE_OK && s->cases[i].sink != SINK_VERIFY;
}

/* The first number that no sample's round has. */
static unsigned int next_round(const struct study *s)
{
	double next = 0;

	for (size_t i = 0; i < s->result->case_count; i++) {
		const struct samples *t = &s->result->cases[i].samples;

		for (size_t k = 0; k < t->count; k++)
			next = fmax(next, t->value[SAMPLE_ROUND][k] + 1);
	}
	return (unsigned int)next;
}

/* ---- where samples don't count ---- */

static unsigned int lacking(const struct study *s, size_t i)
{
	const struct samples *t = &s->result->cases[i].samples;
	unsigned int n = 0;

	for (size_t k = 0; k < t->count; k++)
		n += sample_counts(t, k);
	return in_play(s, i) && n < s->cases[i].rounds ? s->cases[i].rounds - n : 0;
}

/* Rounds that cases lack, and their baselines with them, for ratios are of one round. Returns how many cases. */
static size_t choose_lacking(const struct study *s, unsigned int *rounds)
{
	size_t cases = 0;

	for (size_t i = 0; i < s->count; i++)
		rounds[i] = lacking(s, i);
	for (size_t i = 0; i < s->count; i++) {
		const struct case_result *base = summary_baseline(s->result, &s->result->cases[i]);
		size_t b = base ? (size_t)(base - s->result->cases) : i;

		cases += lacking(s, i) > 0;
		if (in_play(s, b) && rounds[b] < lacking(s, i))
			rounds[b] = lacking(s, i);
	}
	return cases;
}

/*
 * More rounds of what was measured while the host had the CPUs elsewhere, slowed them or ran somebody else, each sample begun only when they are back.
 * What takes part is chosen by latency, yardstick and stolen time alone, never by what a sample cost.
 */
static int catch_up(struct study *s, unsigned int *rounds, double began, struct pace *pace,
		    struct failure *why)
{
	int err = 0;

	pace->until = clock_wall() + s->settings->catch_up * (clock_wall() - began);
	err = mark(s, why);
	if (!err)
		err = sittings_again(s, pace->until, why);
	while (!err && clock_wall() < pace->until) {
		err = mark(s, why);
		if (err || !choose_lacking(s, rounds))
			break;
		pace->waits = true;
		err = take_rounds(s, rounds, 0, next_round(s), pace, why);
	}
	pace->waits = false;
	return err;
}

/* ---- where medians are not known well enough ---- */

/* *rounds gets 0 for those that are. Returns how many are not. */
static size_t choose_wide(const struct study *s, unsigned int *rounds)
{
	size_t wide = 0;

	for (size_t i = 0; i < s->count; i++) {
		bool more = in_play(s, i) &&
			    precision_of(&s->result->cases[i]) > s->settings->precision;

		rounds[i] = more ? PRECISION_STEP : 0;
		wide += more;
	}
	return wide;
}

/* Adds rounds until medians are known well enough, or it has taken too long. */
static int sharpen(struct study *s, unsigned int *rounds, double began, struct pace *pace,
		   struct failure *why)
{
	char limit[64] = "";
	int err = 0;

	/* samples at another distance would make no median sharper */
	pace->waits = s->settings->catch_up > 0;
	pace->until = began + s->settings->precision_time_s;
	while (!err && choose_wide(s, rounds)) {
		unsigned int done = next_round(s);

		if (done >= PRECISION_ROUNDS_MAX)
			snprintf(limit, sizeof(limit), "%u rounds", done);
		else if (clock_wall() - began > s->settings->precision_time_s)
			snprintf(limit, sizeof(limit), "%.0f s and %u rounds", clock_wall() - began,
				 done);
		if (limit[0])
			break;
		err = take_rounds(s, rounds, 0, done, pace, why);
		if (!err)
			err = mark(s, why);
	}
	if (err)
		snprintf(limit, sizeof(limit), "%u rounds and an early end", next_round(s));
	pace->waits = false;
	precision_conclude(s->result, s->settings->precision, limit);
	return err;
}

int rounds_measure(struct study *s, struct failure *why)
{
	unsigned int *rounds = calloc(s->count ? s->count : 1, sizeof(*rounds));
	double began;
	struct pace pace = { .saved = clock_wall(), .sits = true };
	int err = 0;

	if (!rounds)
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory for the schedule");
	for (size_t i = 0; i < s->count; i++)
		rounds[i] = s->cases[i].sink == SINK_VERIFY ? 0 : s->cases[i].rounds;
	distance_begin(s);
	began = s->distance.began;
	err = take_rounds(s, rounds, s->settings->warmup, 0, &pace, why);
	pace.sits = false;
	if (!err)
		err = catch_up(s, rounds, began, &pace, why);
	if (!err && s->settings->precision > 0)
		err = sharpen(s, rounds, began, &pace, why);
	if (!err)
		err = mark(s, why);
	else
		(void)mark(s, NULL);
	/* the passes that follow set their figures beside those of this one */
	(void)marks_settle(s->result);
	free(rounds);
	return err;
}
