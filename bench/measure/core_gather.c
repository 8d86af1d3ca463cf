// SPDX-License-Identifier: MIT
#include "measure/core_gather.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/core_latency.h"
#include "transfer/placement.h"

#define WAKE_UPS 15
/* Long enough for a guest's idle loop to give the CPU back to the host. */
#define SLEEP_NS 2000000L
#define BELL_S 1.0 /* a sleeper that hears nothing for so long gives up */

struct sleepers {
	int cpu, other_cpu;
	int bell; /* an eventfd: who rings it wakes the other */
};

static void *wait_for_bell(void *arg)
{
	const struct sleepers *s = arg;
	struct pollfd p = { .fd = s->bell, .events = POLLIN };
	uint64_t rings;

	if (placement_pin(s->other_cpu))
		return NULL;
	for (int i = 0; i < WAKE_UPS; i++)
		if (poll(&p, 1, (int)(BELL_S * 1e3)) <= 0 ||
		    read(s->bell, &rings, sizeof(rings)) != sizeof(rings))
			break;
	return NULL;
}

static void *ring_bell(void *arg)
{
	const struct sleepers *s = arg;
	const struct timespec nap = { .tv_nsec = SLEEP_NS };
	const uint64_t ring = 1;

	if (placement_pin(s->cpu))
		return NULL;
	for (int i = 0; i < WAKE_UPS; i++) {
		(void)nanosleep(&nap, NULL);
		if (write(s->bell, &ring, sizeof(ring)) != sizeof(ring))
			break;
	}
	return NULL;
}

int core_gather(int cpu, int other_cpu)
{
	struct sleepers s = { cpu, other_cpu, -1 };
	pthread_t ringer, sleeper;
	int err;

	if (cpu < 0 || other_cpu < 0 || cpu == other_cpu)
		return -EINVAL;
	/* a semaphore: rings that came while it was awake are not lost, so it has as many to hear as there are */
	s.bell = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
	if (s.bell < 0)
		return -errno;
	err = -pthread_create(&sleeper, NULL, wait_for_bell, &s);
	if (!err) {
		err = -pthread_create(&ringer, NULL, ring_bell, &s);
		if (!err)
			pthread_join(ringer, NULL);
		pthread_join(sleeper, NULL);
	}
	close(s.bell);
	return err;
}

/* A moment in which the signals that end a study get through; they are blocked outside. */
static bool stopped(const volatile sig_atomic_t *stop)
{
	const struct timespec none_at_all = { 0 };
	sigset_t none;

	if (!stop)
		return false;
	sigemptyset(&none);
	(void)ppoll(NULL, 0, &none_at_all, &none);
	return *stop;
}

double core_approach(int cpu, int other_cpu, struct core_goal *goal, const volatile sig_atomic_t *stop)
{
	double began = clock_wall(), latency, took = 0, patience;

	if (!goal || isnan(goal->within_s) || goal->left_s <= 0 ||
	    core_latency(cpu, other_cpu, &latency))
		return NAN;
	if (latency <= goal->within_s) {
		goal->missed = false;
		return 0;
	}
	goal->tried++;
	patience = goal->missed ? fmin(CORE_GATHER_SHORT_S, goal->patience_s) : goal->patience_s;
	patience = fmin(patience, goal->left_s);
	while (took < patience && latency > goal->within_s && !stopped(stop)) {
		if (core_gather(cpu, other_cpu))
			break;
		/* one of them may be at work on something else: then it is not known, and tried again */
		if (core_latency(cpu, other_cpu, &latency))
			latency = INFINITY;
		took = clock_wall() - began;
	}
	took = clock_wall() - began;
	goal->missed = !(latency <= goal->within_s);
	goal->reached += !goal->missed;
	goal->left_s -= took;
	goal->spent_s += took;
	return took;
}
