// SPDX-License-Identifier: MIT
#include "transfer/transfer.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/core_gather.h"
#include "measure/core_latency.h"
#include "measure/softirqs.h"
#include "measure/sysstat.h"
#include "measure/yardstick.h"
#include "transfer/backing.h"
#include "transfer/child.h"
#include "transfer/receiver.h"
#include "transfer/remote.h"
#include "transfer/worker.h"

/*
 * Between "ready" and "go". What starting processes and closing files left to do later (RCU callbacks,
 * freed pages) runs as softirq on whoever has the CPU, and would be billed to the sender: without this pause
 * sendfile's sender CPU came out 5 to 20 % higher, with it the same as a bare loop's.
 */
#define SETTLE_NS 20000000L

enum stage { STAGE_BORN, STAGE_READY, STAGE_DONE, STAGE_RELEASED };

struct worker_report {
	enum stage stage;
	int err;
	struct failure why;
	struct transfer_outcome out;
};

struct harness {
	const struct transfer_spec *spec;
	struct failure *why;
	double deadline; /* CLOCK_MONOTONIC */
	struct child worker, receiver;
	enum stage worker_stage, receiver_stage;
	struct worker_report worker_report;
	struct receiver_report receiver_report;
};

static void set_phase(volatile uint32_t *word, enum phase phase)
{
	if (word)
		*word = phase;
}

/* Reports a step to the harness; a worker whose step failed has nothing more to do. */
static bool worker_step(struct worker_report *report, const struct child *self, enum stage stage,
			int err)
{
	report->stage = stage;
	report->err = err;
	return send(self->control, report, sizeof(*report), MSG_NOSIGNAL) == sizeof(*report) && !err;
}

static void worker_main(const struct transfer_spec *spec, const struct child *self,
			const struct link_address *at)
{
	volatile uint32_t *phase = spec->hooks ? spec->hooks->sender_phase : NULL;
	struct worker_report report = { .out.yardstick_s = NAN };
	struct yardstick yardstick = { NULL };
	struct worker w;
	double speed = NAN;
	int err;

	if (child_wait_for_word(self))
		return;
	set_phase(phase, PHASE_SETUP);
	err = worker_prepare(&w, spec, at, &report.out, &report.why);
	/* under counters it would only be counted */
	if (!err && !spec->hooks && !yardstick_open(&yardstick))
		speed = yardstick_read(&yardstick);
	if (worker_step(&report, self, STAGE_READY, err) && !child_wait_for_word(self)) {
		err = worker_transfer(&w, &report.why);
		worker_step(&report, self, STAGE_DONE, err);
		/* counters are read while both processes still exist */
		if (child_wait_for_word(self))
			return;
		report.out.yardstick_s = (speed + yardstick_read(&yardstick)) / 2;
	}
	yardstick_close(&yardstick);
	worker_release(&w);
	set_phase(phase, PHASE_OFF);
	worker_step(&report, self, STAGE_RELEASED, 0);
}

static void receiver_main(const struct transfer_spec *spec, const struct child *self, int listener)
{
	volatile uint32_t *phase = spec->hooks ? spec->hooks->receiver_phase : NULL;

	if (child_wait_for_word(self))
		return;
	set_phase(phase, PHASE_SETUP);
	if (spec->remote)
		remote_receive(spec->remote, spec, self->control);
	else
		receiver_serve(spec, listener, self->control);
	set_phase(phase, PHASE_OFF);
	(void)child_wait_for_word(self);
}

/* The listener that the receiver's process is given; with a remote link what stands for it here. */
static int far_end(const struct transfer_spec *spec, struct link_address *at, struct failure *why)
{
	if (spec->remote)
		return remote_prepare(spec->remote, spec, at, why);
	return link_listen(&spec->link, spec->connections, at, why);
}

static int start_children(struct harness *h)
{
	struct link_address at;
	int listener = far_end(h->spec, &at, h->why);
	pid_t pid;

	if (listener < 0)
		return listener;
	pid = child_fork(&h->receiver);
	if (!pid) {
		receiver_main(h->spec, &h->receiver, listener);
		child_exit(0);
	}
	close(listener);
	if (pid > 0) {
		pid = child_fork(&h->worker);
		if (!pid) {
			close(h->receiver.control);
			worker_main(h->spec, &h->worker, &at);
			child_exit(0);
		}
	}
	if (pid < 0)
		return fail(h->why, EXIT_MACHINE_CANT, -pid, "can't start a process: %s",
			    strerror(-pid));
	return 0;
}

static int worker_ended(struct harness *h)
{
	char how[128];

	child_how_it_ended(&h->worker, how, sizeof(how));
	if (strstr(how, "Bus error"))
		return fail(h->why, EXIT_TRANSFER_FAILED, EFAULT,
			    "%s: the sender %s: %s got shorter while it was mapped, or can't be read",
			    h->spec->method->name, how, h->spec->path);
	return fail(h->why, EXIT_TRANSFER_FAILED, ECHILD, "%s: the sender %s",
		    h->spec->method->name, how);
}

static int receiver_ended(struct harness *h)
{
	char how[128];

	child_how_it_ended(&h->receiver, how, sizeof(how));
	return fail(h->why, EXIT_TRANSFER_FAILED, ECHILD, "%s: the receiver %s",
		    h->spec->method->name, how);
}

/* Each takes one report of a child that has one. Returns 0 or -errno with `why`. */
static int take_receiver_report(struct harness *h)
{
	struct receiver_report *r = &h->receiver_report;
	ssize_t n = recv(h->receiver.control, r, sizeof(*r), 0);

	if (n != sizeof(*r))
		return receiver_ended(h);
	h->receiver_stage = r->kind == RECEIVER_READY ? STAGE_READY : STAGE_DONE;
	if (r->err && r->reason[0])
		return fail(h->why, EXIT_TRANSFER_FAILED, -r->err, "%s: %s", h->spec->method->name,
			    r->reason);
	if (r->err == -EOPNOTSUPP && r->kind == RECEIVER_READY)
		return fail(h->why, EXIT_MACHINE_CANT, EOPNOTSUPP,
			    "the sink '%s' can't be done over the link '%s' on this kernel",
			    sink_names[h->spec->sink], link_names[h->spec->link.kind]);
	if (r->err && r->kind == RECEIVER_READY)
		return fail(h->why, EXIT_TRANSFER_FAILED, -r->err,
			    "%s: the receiver could not get ready: %s", h->spec->method->name,
			    strerror(-r->err));
	if (r->err)
		return fail(h->why, EXIT_TRANSFER_FAILED, -r->err,
			    "%s: the receiver failed after %" PRIu64 " of %" PRIu64 " bytes: %s",
			    h->spec->method->name, r->received, h->spec->size * h->spec->connections,
			    strerror(-r->err));
	return 0;
}

/* A sender's EPIPE has a cause: what the receiver has to say of its end says more. Returns that, or `err`. */
static int whose_end(struct harness *h, int err)
{
	struct pollfd p = { .fd = h->receiver.control, .events = POLLIN };
	int other = poll(&p, 1, 1000) == 1 ? take_receiver_report(h) : 0;

	return other ? other : err;
}

static int take_worker_report(struct harness *h)
{
	struct worker_report *r = &h->worker_report;
	ssize_t n = recv(h->worker.control, r, sizeof(*r), 0);

	if (n != sizeof(*r))
		return worker_ended(h);
	h->worker_stage = r->stage;
	if (!r->err)
		return 0;
	/* a receiver that died is the cause, and its death says more than the sender's EPIPE */
	if (r->err == -EPIPE || r->err == -ECONNRESET)
		(void)whose_end(h, r->err);
	if (h->why && !h->why->text[0])
		*h->why = r->why;
	return r->err;
}

/* Waits until both have come to `stage`. */
static int wait_for(struct harness *h, enum stage stage)
{
	enum stage receiver_stage = stage == STAGE_RELEASED ? STAGE_DONE : stage;
	int err = 0;

	while (!err && (h->worker_stage < stage || h->receiver_stage < receiver_stage)) {
		struct pollfd fds[2] = { { .fd = h->worker.control, .events = POLLIN },
					 { .fd = h->receiver.control, .events = POLLIN } };
		double left = h->deadline - clock_wall();
		struct timespec t = { .tv_sec = (time_t)left,
				      .tv_nsec = (long)((left - floor(left)) * 1e9) };
		sigset_t none;
		int n;

		/* a child whose last word of this stage is in has nothing more to say: don't watch it end */
		if (h->worker_stage >= stage)
			fds[0].fd = -1;
		if (h->receiver_stage >= receiver_stage)
			fds[1].fd = -1;
		sigemptyset(&none);
		/* it may have come before there was anything to wait for */
		if (h->spec->stop && *h->spec->stop)
			return fail(h->why, EXIT_INTERRUPTED, EINTR, "interrupted");
		if (left <= 0)
			return fail(h->why, EXIT_TRANSFER_FAILED, ETIMEDOUT,
				    "%s: not done after %u s (--time-limit); the sender, the receiver or the disk is stuck",
				    h->spec->method->name, h->spec->time_limit_s);
		n = ppoll(fds, 2, &t, h->spec->stop ? &none : NULL);
		if (h->spec->stop && *h->spec->stop)
			return fail(h->why, EXIT_INTERRUPTED, EINTR, "interrupted");
		if (n < 0 && errno != EINTR)
			return fail(h->why, EXIT_MACHINE_CANT, errno, "poll: %s", strerror(errno));
		if (n > 0 && fds[0].revents)
			err = take_worker_report(h);
		if (n > 0 && fds[1].revents && !err)
			err = take_receiver_report(h);
	}
	return err;
}

static int tell_both(struct harness *h)
{
	/* a child that can't be told is gone, and wait_for() finds out how */
	(void)child_tell(&h->receiver);
	(void)child_tell(&h->worker);
	return 0;
}

static int check_arrival(const struct harness *h)
{
	const struct receiver_report *r = &h->receiver_report;
	uint64_t wanted = h->spec->size * h->spec->connections;

	if (r->received == wanted)
		return 0;
	return fail(h->why, EXIT_TRANSFER_FAILED, EIO,
		    "%s: %" PRIu64 " of %" PRIu64 " bytes arrived", h->spec->method->name,
		    r->received, wanted);
}

static void take_receiver_share(const struct receiver_report *r, struct transfer_outcome *out)
{
	out->receiver_cpu_s = r->cpu_s;
	out->receiver_switches_voluntary = r->switches_voluntary;
	out->received = r->received;
	out->hash = r->hash;
	out->odd_hashes = r->odd_hashes;
	out->mapped = r->mapped;
	out->receiver_link = r->link;
}

static void settle(void)
{
	const struct timespec pause = { .tv_nsec = SETTLE_NS };

	/* cut short by a signal: whoever sent it ends the transfer */
	(void)nanosleep(&pause, NULL);
}

/* Both processes sleep then. NaN where one of them is on no CPU of its own, or on another machine. */
static double distance(const struct harness *h)
{
	double seconds = NAN;

	if (!h->spec->remote)
		(void)core_latency(h->spec->sender_cpu, h->spec->receiver_cpu, &seconds);
	return seconds;
}

/*
 * Brings the CPUs together while both processes wait to begin, before anything is timed, the yardstick included: another core may run at another
 * speed. Returns the seconds, which are not the transfer's to account for.
 */
static double gather(struct harness *h)
{
	double took = core_approach(h->spec->sender_cpu, h->spec->receiver_cpu, h->spec->goal,
				    h->spec->stop);

	h->deadline += took > 0 ? took : 0;
	return took;
}

static int steps(struct harness *h, struct transfer_outcome *out)
{
	const struct transfer_hooks *hooks = h->spec->hooks;
	double latency_before = NAN, latency_after = NAN, gathered = NAN, deliveries;
	struct sysstat before, after;
	int err = start_children(h);

	if (!err && hooks && hooks->born)
		/* the process that speaks with another host's receiver is none */
		err = hooks->born(hooks->arg, h->worker.pid, h->spec->remote ? 0 : h->receiver.pid,
				  h->why);
	if (!err)
		gathered = gather(h);
	if (!err)
		err = tell_both(h);
	if (!err)
		err = wait_for(h, STAGE_READY);
	if (!err)
		latency_before = distance(h);
	if (!err && hooks && hooks->ready)
		err = hooks->ready(hooks->arg, h->why);
	if (err)
		return err;
	backing_release(h->spec->backing);
	settle();
	deliveries = softirqs_net_rx(h->spec->sender_cpu);
	sysstat_read(&before);
	(void)child_tell(&h->worker);
	err = wait_for(h, STAGE_DONE);
	sysstat_read(&after);
	deliveries = softirqs_net_rx(h->spec->sender_cpu) - deliveries;
	if (hooks && hooks->over)
		hooks->over(hooks->arg);
	if (!err)
		err = check_arrival(h);
	if (err)
		return err;
	latency_after = distance(h);
	(void)child_tell(&h->worker);
	err = wait_for(h, STAGE_RELEASED);
	*out = h->worker_report.out;
	out->core_latency_s = latency_before;
	out->core_latency_after_s = latency_after;
	out->gather_s = gathered;
	out->deliveries = deliveries;
	take_receiver_share(&h->receiver_report, out);
	out->system_cpu_s = sysstat_busy(&before, &after);
	out->steal_s = sysstat_steal(&before, &after);
	return err;
}

int transfer_run(const struct transfer_spec *spec, struct transfer_outcome *out, struct failure *why)
{
	struct transfer_spec own = *spec;
	struct harness h = {
		.spec = &own,
		.why = why,
		.deadline = clock_wall() + spec->time_limit_s,
		.worker = { 0, -1 },
		.receiver = { 0, -1 },
	};
	int err;

	/* a process of its own: what it gives up, nobody misses after */
	own.unprivileged = true;
	memset(out, 0, sizeof(*out));
	err = steps(&h, out);
	child_end(&h.worker);
	child_end(&h.receiver);
	/* the other host gives the transfer up when the session ends, and the next one starts a new session */
	if (err && spec->remote)
		remote_close(spec->remote);
	return err;
}


int transfer_run_here(const struct transfer_spec *spec, struct transfer_outcome *out,
		      volatile sig_atomic_t *receiver, struct failure *why)
{
	struct harness h = { .spec = spec, .why = why, .worker = { 0, -1 }, .receiver = { 0, -1 } };
	struct worker w = { 0 };
	struct sysstat before, after;
	struct link_address at;
	int listener, err;
	pid_t pid;

	memset(out, 0, sizeof(*out));
	out->yardstick_s = out->core_latency_s = out->core_latency_after_s = out->gather_s = NAN;
	out->receiver_switches_voluntary = out->deliveries = NAN;
	*receiver = 0;
	listener = far_end(spec, &at, why);
	if (listener < 0)
		return listener;
	pid = child_fork(&h.receiver);
	if (!pid) {
		receiver_main(spec, &h.receiver, listener);
		child_exit(0);
	}
	close(listener);
	/* then the receiver's process holds the session alone, and its death ends it */
	if (spec->remote)
		remote_close(spec->remote);
	if (pid < 0)
		return fail(why, EXIT_MACHINE_CANT, -pid, "can't start a process: %s",
			    strerror(-pid));
	*receiver = pid;
	/* a signal that came before there was a receiver to kill */
	if (spec->stop && *spec->stop)
		kill(pid, SIGKILL);
	(void)child_tell(&h.receiver);
	err = worker_prepare(&w, spec, &at, out, why);
	if (err == -EPIPE || err == -ECONNRESET)
		err = whose_end(&h, err);
	if (!err)
		err = take_receiver_report(&h);
	if (!err) {
		settle();
		sysstat_read(&before);
		err = worker_transfer(&w, why);
		if (!err)
			err = take_receiver_report(&h);
		sysstat_read(&after);
	}
	worker_release(&w);
	if (!err)
		err = check_arrival(&h);
	if (!err) {
		take_receiver_share(&h.receiver_report, out);
		out->system_cpu_s = sysstat_busy(&before, &after);
		out->steal_s = sysstat_steal(&before, &after);
	}
	*receiver = 0;
	child_end(&h.receiver);
	return err;
}
