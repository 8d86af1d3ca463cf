// SPDX-License-Identifier: MIT
#include "study/distance.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "analysis/apart.h"
#include "measure/clock.h"
#include "measure/core_latency.h"
#include "measure/fact.h"
#include "study/study.h"

/* How often it is looked whether the CPUs are back. */
#define LOOK_AGAIN_NS 100000000L
#define LOOKS 16 /* at a time, half a second */
#define LOOK_EVERY_S 60.0
/* A distance that so many of the looks had is one that the host has to offer. */
#define OFFERED_SHARE 0.125
/* Near enough to what is wanted: cores of one cache scatter by more than APART_FACTOR, and transfers cost the same there. */
#define WITHIN 2.0
#define PATIENCE_S 2.0
#define ADVANCE_S 5.0 /* what may be spent before any other time was */
/* Shorter studies are over before looking pays. */
#define STUDY_LEAST_S 20.0

double distance_wanted(const double *seen_s, size_t n)
{
	double sorted[DISTANCE_LOOKS_MAX];

	if (!n || n > DISTANCE_LOOKS_MAX)
		return NAN;
	memcpy(sorted, seen_s, n * sizeof(*sorted));
	gsl_sort(sorted, 1, n);
	return apart_usual(sorted, n, OFFERED_SHARE);
}

static bool is_guest(const struct result *r)
{
	const char *hypervisor = json_string_value(fact_value(r->host, "cpu.hypervisor"));

	return hypervisor && strcmp(hypervisor, "none") != 0;
}

void distance_begin(struct study *s)
{
	const struct study_settings *set = s->settings;
	double longest;

	s->distance.began = clock_wall();
	s->distance.wanted = set->catch_up > 0 && is_guest(s->result) &&
			     study_guess(s->cases, s->count, set->warmup, 0, &longest) >= STUDY_LEAST_S;
}

/* Are both of a placement's ends here, on a CPU each? */
static bool has_distance(const struct placement_choice *place)
{
	return place->sender_cpu >= 0 && place->receiver_cpu >= 0 &&
	       place->sender_cpu != place->receiver_cpu;
}

/* A moment in which the signals that end a study get through; they are blocked outside. */
static void pause_for_signals(const struct study *s, long ns)
{
	const struct timespec pause = { .tv_nsec = ns };
	sigset_t none;

	sigemptyset(&none);
	(void)ppoll(NULL, 0, &pause, s->settings->stop ? &none : NULL);
}

static void look(struct study *s, const struct placement_choice *place, struct distance_looks *looks)
{
	double latency;

	progress_show(&s->progress, !looks->n, -1, "looking where the host puts the CPUs");
	for (int i = 0; i < LOOKS && !study_stopped(s); i++) {
		if (!core_gather(place->sender_cpu, place->receiver_cpu) &&
		    !core_latency(place->sender_cpu, place->receiver_cpu, &latency))
			looks->seen_s[looks->n++ % DISTANCE_LOOKS_MAX] = latency;
		pause_for_signals(s, 0);
	}
	looks->next = clock_wall() + LOOK_EVERY_S;
	looks->goal.within_s = WITHIN *
			       distance_wanted(looks->seen_s, looks->n < DISTANCE_LOOKS_MAX ? looks->n : DISTANCE_LOOKS_MAX);
	looks->goal.patience_s = PATIENCE_S;
}

/* What all placements' tries took. */
static double spent(const struct distance *d)
{
	double sum = 0;

	for (int p = 0; p < PLACEMENTS; p++)
		sum += d->of[p].goal.spent_s;
	return sum;
}

struct core_goal *distance_goal(struct study *s, enum placement placement)
{
	const struct placement_choice *place = &s->settings->places[placement];
	struct distance_looks *looks = &s->distance.of[placement];
	double used = spent(&s->distance);

	if (!s->distance.wanted || !has_distance(place))
		return NULL;
	/* the first time at once; when nothing could be measured not before the next time either */
	if (clock_wall() > looks->next)
		look(s, place, looks);
	looks->goal.left_s =
		ADVANCE_S + s->settings->catch_up * (clock_wall() - s->distance.began - used) - used;
	return &looks->goal;
}

bool distance_wait(struct study *s, int cpu, int peer_cpu, double distance_s, double until)
{
	while (!isnan(distance_s) && cpu >= 0 && peer_cpu >= 0 && !study_stopped(s)) {
		double left = until - clock_wall(), latency;
		bool further;

		if (left < 0)
			return false;
		further = !core_latency(cpu, peer_cpu, &latency) && latency > distance_s;
		if (!isnan(latency) && apart_near(latency, distance_s))
			break;
		progress_show(&s->progress, false, left,
			      "waiting until the host has put the CPUs back: a cache line is to "
			      "take %.0f ns there and back",
			      distance_s * 1e9);
		/* what sleeps and wakes is brought together; what is to be further is let be */
		if (further && s->distance.wanted && !core_gather(cpu, peer_cpu))
			pause_for_signals(s, 0);
		else
			pause_for_signals(s, LOOK_AGAIN_NS);
	}
	return true;
}

static json_t *one_json(const struct distance_looks *looks)
{
	const struct core_goal *goal = &looks->goal;

	return json_pack("{s:I, s:f, s:I, s:I, s:f}", "looks", (json_int_t)looks->n, "within_s",
			 goal->within_s, "tried", (json_int_t)goal->tried, "reached",
			 (json_int_t)goal->reached, "spent_s", goal->spent_s);
}

void distance_conclude(struct study *s)
{
	json_t *latency = json_object_get(s->result->run, "core_latency"), *all = json_object();
	unsigned int tried = 0, reached = 0;
	char text[200];

	for (int p = 0; p < PLACEMENTS; p++) {
		const struct distance_looks *looks = &s->distance.of[p];

		if (!looks->n)
			continue;
		tried += looks->goal.tried;
		reached += looks->goal.reached;
		json_object_set_new(all, placement_names[p], one_json(looks));
	}
	if (json_object_size(all))
		json_object_set(latency, "gathered", all);
	json_decref(all);
	if (!tried)
		return;
	snprintf(text, sizeof(text),
		 "the two CPUs were far from each other before %u transfers or measurements; letting "
		 "both sleep and one wake the other brought them together %u times, and took %.1f s in all",
		 tried, reached, spent(&s->distance));
	result_warn(s->result, "cpus_gathered", text,
		    "samples are of CPUs near each other more often than the host would have had it; a "
		    "program that nobody helps meets the longer distance, too");
}
