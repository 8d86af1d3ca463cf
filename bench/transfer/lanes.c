// SPDX-License-Identifier: MIT
#include "transfer/lanes.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <math.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/privilege.h"
#include "measure/clock.h"

#define STACK_BYTES (512u << 10)

enum step { STEP_PREPARE, STEP_SEND, STEP_RELEASE };

static void wait_while(uint32_t *word, uint32_t value)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value)
		(void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake(uint32_t *word)
{
	(void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* The last one to finish a step wakes the thread that waits for all. */
static void finished(struct worker *w)
{
	if (__atomic_sub_fetch(&w->busy, 1, __ATOMIC_ACQ_REL) == 0)
		wake(&w->busy);
}

static void wait_for_all(struct worker *w)
{
	uint32_t left;

	while ((left = __atomic_load_n(&w->busy, __ATOMIC_ACQUIRE)) != 0)
		(void)syscall(SYS_futex, &w->busy, FUTEX_WAIT_PRIVATE, left, NULL, NULL, 0);
}

static void go_on_to(struct worker *w, enum step step)
{
	__atomic_store_n(&w->step, (uint32_t)step, __ATOMIC_RELEASE);
	wake(&w->step);
}

/* The receiver answers with the number of bytes it got: its word that all of them arrived. */
static int wait_for_answer(struct lane *lane)
{
	uint64_t answer = 0;
	ssize_t n;

	do
		n = recv(lane->job.socket, &answer, sizeof(answer), MSG_WAITALL);
	while (n < 0 && errno == EINTR);
	answer = be64toh(answer);
	if (n == sizeof(answer) && answer == lane->job.size)
		return 0;
	lane->job.failed_call = "wait for the receiver";
	lane->job.moved = answer;
	return n < 0 ? -errno : -EPIPE;
}

int lane_prepare(struct lane *lane)
{
	const struct transfer_spec *spec = lane->worker->spec;
	int err = link_send_lead(lane->job.socket, spec->link.lead);

	if (err)
		lane->job.failed_call = "send";
	return err ? err : spec->method->prepare(&lane->job);
}

int lane_send(struct lane *lane)
{
	int err = lane->worker->spec->method->send(&lane->job);

	return err ? err : wait_for_answer(lane);
}

static void *lane_main(void *arg)
{
	struct lane *lane = arg;
	struct worker *w = lane->worker;

	lane->err = lane_prepare(lane);
	/* privileges are a thread's own */
	if (!lane->err && w->spec->unprivileged) {
		lane->err = privilege_drop_all();
		lane->job.failed_call = lane->err ? "give up privileges" : NULL;
	}
	finished(w);
	wait_while(&w->step, STEP_PREPARE);
	if (__atomic_load_n(&w->step, __ATOMIC_ACQUIRE) == STEP_SEND) {
		lane->err = lane_send(lane);
		lane->done = clock_wall();
		/* one that failed ends the others, which would wait for a receiver that waits for it */
		for (unsigned int i = 0; lane->err && i < w->opened; i++)
			(void)shutdown(w->lanes[i].job.socket, SHUT_RDWR);
		finished(w);
		wait_while(&w->step, STEP_SEND);
	}
	w->spec->method->release(&lane->job);
	return NULL;
}

int lanes_prepare(struct worker *w)
{
	pthread_attr_t attributes;
	int err = pthread_attr_init(&attributes);

	err = err ? err : pthread_attr_setstacksize(&attributes, STACK_BYTES);
	w->busy = w->spec->connections;
	for (unsigned int i = 0; i < w->spec->connections; i++) {
		struct lane *lane = &w->lanes[i];

		if (!err)
			err = pthread_create(&lane->thread, &attributes, lane_main, lane);
		lane->started = !err;
		if (err) {
			lane->job.failed_call = "start a thread";
			lane->err = -err;
			finished(w);
		}
	}
	pthread_attr_destroy(&attributes);
	wait_for_all(w);
	for (unsigned int i = 0; i < w->spec->connections; i++)
		if (w->lanes[i].err)
			return w->lanes[i].err;
	return 0;
}

void lanes_send(struct worker *w)
{
	w->busy = w->spec->connections;
	go_on_to(w, STEP_SEND);
	wait_for_all(w);
}

void lanes_release(struct worker *w)
{
	go_on_to(w, STEP_RELEASE);
	for (unsigned int i = 0; i < w->spec->connections; i++)
		if (w->lanes[i].started)
			pthread_join(w->lanes[i].thread, NULL);
}

void lanes_fair_share(const struct worker *w, double start, struct transfer_outcome *out)
{
	double sum = 0, squares = 0, least = INFINITY, most = 0;
	unsigned int n = w->spec->connections;

	out->share_min = out->share_max = out->share_jain = NAN;
	for (unsigned int i = 0; i < n && n > 1; i++) {
		double rate = (double)w->spec->size / (w->lanes[i].done - start);

		sum += rate;
		squares += rate * rate;
		least = fmin(least, rate);
		most = fmax(most, rate);
	}
	if (!(sum > 0))
		return;
	out->share_min = least * n / sum;
	out->share_max = most * n / sum;
	out->share_jain = sum * sum / (n * squares);
}

static struct method_figure *figure_named(struct method_figure all[METHOD_FIGURES_MAX],
					  const char *name)
{
	for (int i = 0; i < METHOD_FIGURES_MAX; i++)
		if (!all[i].name[0] || !strcmp(all[i].name, name))
			return &all[i];
	return NULL;
}

static bool is_share(const char *name)
{
	static const char ending[] = "_share";
	size_t length = strlen(name);

	return length >= sizeof(ending) && !strcmp(name + length - sizeof(ending) + 1, ending);
}

void lanes_figures(const struct worker *w, struct method_figure out[METHOD_FIGURES_MAX])
{
	unsigned int n = w->spec->connections;

	memset(out, 0, METHOD_FIGURES_MAX * sizeof(*out));
	for (unsigned int i = 0; i < n; i++)
		for (int k = 0; k < METHOD_FIGURES_MAX; k++) {
			const struct method_figure *from = &w->lanes[i].job.figures[k];
			struct method_figure *to =
				from->name[0] ? figure_named(out, from->name) : NULL;

			if (!to)
				continue;
			memcpy(to->name, from->name, sizeof(to->name));
			to->value += is_share(from->name) ? from->value / n : from->value;
		}
}
