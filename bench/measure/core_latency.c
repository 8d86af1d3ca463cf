// SPDX-License-Identifier: MIT
#include "measure/core_latency.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "measure/clock.h"

#define BATCHES 8
#define TRIPS 200
/* One of the two CPUs may be at work on something else; the fastest batch does not feel that, up to here. */
#define PATIENCE_S 0.05
#define LOOKS_AT_CLOCK 4096

/* The ball has a cache line of its own; more than one line's distance for CPUs that fetch in pairs. */
struct game {
	_Alignas(256) atomic_uint ball; /* odd: the other side's turn */
	_Alignas(256) atomic_bool over;
	double deadline;
	double best;
};

/* Waits until the ball is what `mine` says. False when the game is over. */
static bool wait_for_ball(struct game *g, unsigned int parity)
{
	for (unsigned int spins = 1;; spins++) {
		if ((atomic_load_explicit(&g->ball, memory_order_acquire) & 1) == parity)
			return true;
		if (spins % LOOKS_AT_CLOCK)
			continue;
		if (atomic_load(&g->over) || clock_wall() > g->deadline)
			return false;
	}
}

static void *return_balls(void *arg)
{
	struct game *g = arg;

	while (wait_for_ball(g, 1))
		atomic_fetch_add_explicit(&g->ball, 1, memory_order_acq_rel);
	return NULL;
}

static bool one_trip(struct game *g)
{
	atomic_fetch_add_explicit(&g->ball, 1, memory_order_acq_rel);
	return wait_for_ball(g, 0);
}

static void *serve_balls(void *arg)
{
	struct game *g = arg;
	/* the first one waits for the other thread to start */
	bool going = one_trip(g);

	for (int b = 0; b < BATCHES && going; b++) {
		double began = clock_wall(), took;

		for (int i = 0; i < TRIPS && going; i++)
			going = one_trip(g);
		took = (clock_wall() - began) / TRIPS;
		if (going)
			g->best = fmin(g->best, took);
	}
	atomic_store(&g->over, true);
	return NULL;
}

static int start(pthread_t *thread, int cpu, void *(*body)(void *), struct game *g)
{
	pthread_attr_t attr;
	cpu_set_t *set = CPU_ALLOC((size_t)cpu + 1);
	size_t size = CPU_ALLOC_SIZE((size_t)cpu + 1);
	int err;

	if (!set)
		return -ENOMEM;
	CPU_ZERO_S(size, set);
	CPU_SET_S((size_t)cpu, size, set);
	err = pthread_attr_init(&attr);
	if (!err) {
		err = pthread_attr_setaffinity_np(&attr, size, set);
		if (!err)
			err = pthread_create(thread, &attr, body, g);
		pthread_attr_destroy(&attr);
	}
	CPU_FREE(set);
	return -err;
}

int core_latency(int cpu, int other_cpu, double *seconds)
{
	struct game g = { .deadline = clock_wall() + PATIENCE_S, .best = INFINITY };
	pthread_t server = 0, returner = 0;
	int err;

	*seconds = NAN;
	if (cpu < 0 || other_cpu < 0 || cpu == other_cpu)
		return -EINVAL;
	err = start(&returner, other_cpu, return_balls, &g);
	if (err)
		return err;
	err = start(&server, cpu, serve_balls, &g);
	if (!err)
		pthread_join(server, NULL);
	atomic_store(&g.over, true);
	pthread_join(returner, NULL);
	if (err)
		return err;
	if (!isfinite(g.best))
		return -ETIMEDOUT;
	*seconds = g.best;
	return 0;
}
