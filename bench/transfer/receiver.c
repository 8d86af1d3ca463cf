// SPDX-License-Identifier: MIT
#include "transfer/receiver.h"

#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/privilege.h"
#include "measure/clock.h"
#include "transfer/placement.h"
#include "transfer/serve_gather.h"

#define STACK_BYTES (256u << 10)

static int accept_one(const struct transfer_spec *spec, int listener)
{
	int s;

	if (spec->gathering)
		return gathering_next(spec->gathering, listener);
	do
		s = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	while (s < 0 && errno == EINTR);
	return s < 0 ? -errno : s;
}

static int answer(int socket, uint64_t received)
{
	/* big-endian: the sender may run on another kind of machine */
	uint64_t word = htobe64(received);
	ssize_t n;

	do
		n = send(socket, &word, sizeof(word), MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == sizeof(word) ? 0 : -EPIPE;
}

/* One connection of several. */
struct taker {
	struct sink_state state;
	int socket, err;
	uint64_t size, received;
	pthread_t thread;
	bool started;
};

static void take(struct taker *t)
{
	t->err = sink_take(&t->state, t->socket, t->size, &t->received);
	if (!t->err)
		t->err = answer(t->socket, t->received);
}

static void *taker_main(void *arg)
{
	take(arg);
	return NULL;
}

/* Each connection in its own thread; a single one in this. Returns the first error. */
static int take_all(struct taker *takers, unsigned int count)
{
	pthread_attr_t attributes;
	int err = 0;

	if (count == 1) {
		take(takers);
		return takers->err;
	}
	err = pthread_attr_init(&attributes);
	err = err ? err : pthread_attr_setstacksize(&attributes, STACK_BYTES);
	for (unsigned int i = 0; i < count && !err; i++) {
		err = pthread_create(&takers[i].thread, &attributes, taker_main, &takers[i]);
		takers[i].started = !err;
	}
	err = -err;
	/* a sender that gets no word would wait for it */
	for (unsigned int i = 0; err && i < count; i++)
		(void)shutdown(takers[i].socket, SHUT_RDWR);
	for (unsigned int i = 0; i < count; i++) {
		if (takers[i].started)
			pthread_join(takers[i].thread, NULL);
		err = err ? err : takers[i].err;
	}
	pthread_attr_destroy(&attributes);
	return err;
}

/* Accepts all. A sink that throws the bytes away needs one buffer, however many connections share it. */
static int open_all(const struct transfer_spec *spec, int listener, struct taker *takers)
{
	int err = 0;

	for (unsigned int i = 0; i < spec->connections && !err; i++) {
		struct taker *t = &takers[i];

		t->size = spec->size;
		err = sink_open(&t->state, spec->sink, i ? &takers[0].state : NULL);
		if (err)
			break;
		t->socket = accept_one(spec, listener);
		err = t->socket < 0 ? t->socket : 0;
		if (!err)
			err = sink_ready(&t->state, t->socket);
	}
	return err;
}

/* When all are there: the sender's threads send theirs after it has connected them all. */
static int take_leads(const struct transfer_spec *spec, const struct taker *takers)
{
	int err = 0;

	for (unsigned int i = 0; i < spec->connections && !err; i++)
		err = link_take_lead(takers[i].socket, spec->link.lead);
	return err;
}

static void sum_up(const struct transfer_spec *spec, struct taker *takers,
		   struct receiver_report *report)
{
	for (unsigned int i = 0; i < spec->connections; i++) {
		report->received += takers[i].received;
		report->mapped += takers[i].state.mapped;
		if (spec->sink != SINK_VERIFY)
			continue;
		if (!i)
			report->hash = sink_hash(&takers[i].state);
		else
			report->odd_hashes += sink_hash(&takers[i].state) != report->hash;
	}
}

void receiver_serve(const struct transfer_spec *spec, int listener, int control)
{
	const struct transfer_hooks *hooks = spec->hooks;
	uint32_t nobody = 0;
	volatile uint32_t *phase = hooks && hooks->receiver_phase ? hooks->receiver_phase : &nobody;
	struct receiver_report report = { .kind = RECEIVER_READY };
	struct taker *takers = calloc(spec->connections, sizeof(*takers));
	struct rusage before, after;
	double cpu;

	for (unsigned int i = 0; takers && i < spec->connections; i++)
		takers[i] = (struct taker){ .state = { .pipe = { -1, -1 }, .null = -1 }, .socket = -1 };
	report.err = takers ? placement_pin(spec->receiver_cpu) : -ENOMEM;
	if (!report.err)
		report.err = open_all(spec, listener, takers);
	if (!report.err)
		report.err = take_leads(spec, takers);
	if (!report.err)
		report.err = link_read_back(takers[0].socket, &report.link);
	close(listener);
	if (!report.err)
		report.err = privilege_keep_for_preparing();
	if (!report.err)
		report.err = privilege_drop_all();
	if (send(control, &report, sizeof(report), MSG_NOSIGNAL) != sizeof(report) || report.err)
		goto out;

	*phase = PHASE_TRANSFER;
	getrusage(RUSAGE_SELF, &before);
	cpu = clock_process_cpu();
	report.err = take_all(takers, spec->connections);
	report.cpu_s = clock_process_cpu() - cpu;
	getrusage(RUSAGE_SELF, &after);
	report.switches_voluntary = (double)(after.ru_nvcsw - before.ru_nvcsw);
	*phase = PHASE_RELEASE;

	report.kind = RECEIVER_DONE;
	sum_up(spec, takers, &report);
	(void)send(control, &report, sizeof(report), MSG_NOSIGNAL);
out:
	for (unsigned int i = 0; takers && i < spec->connections; i++) {
		if (takers[i].socket >= 0)
			close(takers[i].socket);
		sink_close(&takers[i].state);
	}
	free(takers);
}
