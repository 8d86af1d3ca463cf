/* SPDX-License-Identifier: MIT */
/*
 * One transfer: a fresh worker process sends the payload, a separate receiver takes it. The harness tells
 * both what to do, says "go" when both are ready, and reads what they measured. Nothing of that lies
 * between the worker's two clock readings.
 */
#ifndef COPYTAX_TRANSFER_TRANSFER_H
#define COPYTAX_TRANSFER_TRANSFER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/failure.h"
#include "counters.h" /* enum phase */
#include "method/method.h"
#include "transfer/link.h"
#include "transfer/sink.h"

/* Called in the harness around a transfer, for counters; any may be NULL. Return 0 or -errno with `why`. */
struct transfer_hooks {
	void *arg;
	/* both processes exist and wait at their first instruction */
	int (*born)(void *arg, pid_t sender, pid_t receiver, struct failure *why);
	/* both are ready; "go" comes next */
	int (*ready)(void *arg, struct failure *why);
	/* the transfer is over, both processes still exist; also after a failed one */
	void (*over)(void *arg);
	/* shared words that the processes store their phase to; NULL: nobody looks */
	volatile uint32_t *sender_phase, *receiver_phase;
};

struct backing;
struct core_goal;
struct gathering;
struct remote;

struct transfer_spec {
	const struct method *method;
	const char *path; /* with many_files a folder; see payload_path() */
	uint64_t size; /* bytes that every connection sends */
	unsigned int connections; /* threads of the worker and of the receiver */
	bool many_files; /* each connection reads a file of its own */
	uint64_t chunk; /* 0: whole */
	enum sink sink;
	struct link_settings link;
	int sender_cpu, receiver_cpu; /* -1: not pinned */
	unsigned int time_limit_s;
	/* looked at while waiting; the signals that set it must be blocked outside. NULL: never */
	const volatile sig_atomic_t *stop;
	const struct transfer_hooks *hooks;
	/* the worker gives up all privileges before it is ready; transfer_run() sets it */
	bool unprivileged;
	struct backing *backing; /* memory to let go just before the clock; may be NULL */
	struct core_goal *goal; /* measure/core_gather.h: is tried for before either process has begun; may be NULL */
	struct remote *remote; /* LINK_REMOTE: the session with the receiver's host (transfer/remote.h) */
	struct gathering *gathering; /* a receiver for another host: it picks the connections */
};

struct transfer_outcome {
	double wall_s, sender_cpu_s, receiver_cpu_s;
	double system_cpu_s, steal_s; /* NaN where /proc/stat can't be read */
	double setup_cpu_s, release_cpu_s;
	double yardstick_s; /* measure/yardstick.h, mean of just before and after; NaN when not taken */
	/* measure/core_latency.h, between the two CPUs, just before and just after; NaN when not taken */
	double core_latency_s, core_latency_after_s;
	double gather_s; /* how long it was tried before to have the host bring the CPUs together; NaN: not wanted */
	long faults_minor, faults_major, switches_voluntary, switches_involuntary;
	double receiver_switches_voluntary; /* times the receiver slept until bytes came; NaN when not known */
	double deliveries; /* measure/softirqs.h, of the sender's CPU over the transfer; NaN when not known */
	uint64_t received; /* of all connections */
	uint64_t hash; /* of what arrived; with SINK_VERIFY only */
	unsigned int odd_hashes; /* connections whose bytes had another hash than the first's */
	uint64_t mapped; /* bytes that SINK_ZEROCOPY took without a copy */
	/* slowest and fastest connection ÷ their mean rate, and Jain's index; NaN for a single one */
	double share_min, share_max, share_jain;
	struct link_actual sender_link, receiver_link;
	char note[METHOD_NOTE_MAX];
	struct method_figure figures[METHOD_FIGURES_MAX];
};

/* The chunk that a method is given: never 0, at most the payload and what one call can move. */
size_t transfer_chunk(uint64_t chunk, uint64_t size);

/*
 * Runs one transfer in two child processes. Both are gone when it returns.
 * Returns 0 or -errno with `why` (exit code 4, or 130 when *stop was set).
 */
int transfer_run(const struct transfer_spec *spec, struct transfer_outcome *out, struct failure *why);

/*
 * The same with the calling process as the worker, for tools that watch a process (strace, perf,
 * hyperfine): only the receiver is a child; its process id is stored in *receiver (0 when there is
 * none), so that a signal handler can end a transfer that hangs by killing it. spec's hooks, stop and
 * time limit are not used.
 */
int transfer_run_here(const struct transfer_spec *spec, struct transfer_outcome *out,
		      volatile sig_atomic_t *receiver, struct failure *why);

#endif
