// SPDX-License-Identifier: MIT
#include "study/distance.h"

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "analysis/apart.h"
#include "measure/clock.h"
#include "measure/core_latency.h"

/* How often it is looked whether the CPUs are back. */
#define LOOK_AGAIN_NS 100000000L

/* A moment in which the signals that end a study get through; they are blocked outside. */
static void pause_for_signals(const struct study *s)
{
	const struct timespec pause = { .tv_nsec = LOOK_AGAIN_NS };
	sigset_t none;

	sigemptyset(&none);
	(void)ppoll(NULL, 0, &pause, s->settings->stop ? &none : NULL);
}

bool distance_wait(struct study *s, int cpu, int peer_cpu, double distance_s, double until)
{
	while (!isnan(distance_s) && cpu >= 0 && peer_cpu >= 0 && !study_stopped(s)) {
		double left = until - clock_wall(), latency;

		if (left < 0)
			return false;
		if (!core_latency(cpu, peer_cpu, &latency) && apart_near(latency, distance_s))
			break;
		progress_show(&s->progress, false, left,
			      "waiting until the host has put the CPUs back: a cache line is to "
			      "take %.0f ns there and back",
			      distance_s * 1e9);
		pause_for_signals(s);
	}
	return true;
}
