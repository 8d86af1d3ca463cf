// SPDX-License-Identifier: MIT
#include "transfer/serve.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "measure/clock.h"
#include "transfer/child.h"
#include "transfer/serve_greet.h"
#include "transfer/serve_session.h"

#define GREETINGS 256u
/* No host holds more of them, so that a flood from one does not keep another out. */
#define GREETINGS_OF_HOST 64u
#define ACCEPTS_A_TURN 32
#define BACKLOG 1024
/* A session keeps its own limits; one that does not come back after them is ended from here. */
#define SESSION_GRACE_S 10

struct serving {
	struct child child; /* pid 0: none */
	struct link_address peer;
	double deadline;
};

struct server {
	const struct serve_settings *set;
	int listener;
	struct greeting greetings[GREETINGS];
	struct serving sessions[SERVE_CLIENTS_MAX];
	/* a flood of strangers is no flood of lines */
	double refusal_said;
	unsigned long refusals_unsaid;
	double accept_again; /* not before; out of descriptors */
};

static void say(const struct server *s, const struct link_address *peer, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say(const struct server *s, const struct link_address *peer, const char *format, ...)
{
	char who[ADDRESS_TEXT_MAX], text[512];
	va_list args;

	if (s->set->quiet)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "copytax: %s: %s\n", address_format(peer, who), text);
}

static void say_refused(struct server *s, const struct link_address *peer, const char *reason)
{
	double now = clock_wall();

	if (now - s->refusal_said < 1) {
		s->refusals_unsaid++;
		return;
	}
	if (s->refusals_unsaid)
		say(s, peer, "refused, as were %lu before it: %s", s->refusals_unsaid, reason);
	else
		say(s, peer, "refused: %s", reason);
	s->refusal_said = now;
	s->refusals_unsaid = 0;
}

static int open_listener(const struct serve_settings *set, struct link_address *at,
			 struct failure *why)
{
	int s, on = 1, err;
	char where[ADDRESS_TEXT_MAX];

	*at = set->at;
	s = socket(at->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0)
		return fail(why, EXIT_MACHINE_CANT, errno, "can't make a TCP socket: %s",
			    strerror(errno));
	(void)setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(s, (const struct sockaddr *)&at->address, at->length) && !listen(s, BACKLOG)) {
		at->length = sizeof(at->address);
		if (!getsockname(s, (struct sockaddr *)&at->address, &at->length))
			return s;
	}
	err = errno;
	close(s);
	return fail(why, EXIT_MACHINE_CANT, err,
		    "can't listen on %s: %s; choose another with --bind",
		    address_format(&set->at, where), strerror(err));
}

/* A free place for a stranger, made free at the expense of its own host first, of the oldest one else. */
static struct greeting *place_for(struct server *s, const struct link_address *peer)
{
	struct greeting *unused = NULL, *oldest = NULL, *oldest_of_host = NULL;
	unsigned int of_host = 0;

	for (size_t i = 0; i < GREETINGS; i++) {
		struct greeting *g = &s->greetings[i];

		if (g->state == GREETING_NONE) {
			unused = g;
			continue;
		}
		if (!oldest || g->since < oldest->since)
			oldest = g;
		if (!address_same_host(&g->peer, peer))
			continue;
		of_host++;
		if (!oldest_of_host || g->since < oldest_of_host->since)
			oldest_of_host = g;
	}
	if (of_host >= GREETINGS_OF_HOST)
		unused = oldest_of_host;
	else if (!unused)
		unused = oldest;
	greeting_end(unused);
	return unused;
}

static void out_of_descriptors(struct server *s)
{
	struct greeting *oldest = NULL;

	for (size_t i = 0; i < GREETINGS; i++)
		if (s->greetings[i].state != GREETING_NONE &&
		    (!oldest || s->greetings[i].since < oldest->since))
			oldest = &s->greetings[i];
	if (oldest)
		greeting_end(oldest);
	/* a listener that can't be served would wake the loop for ever */
	s->accept_again = clock_wall() + 0.05;
}

static void accept_some(struct server *s)
{
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		struct link_address peer = { .length = sizeof(peer.address) };
		int fd = accept4(s->listener, (struct sockaddr *)&peer.address, &peer.length,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			wire_tune(fd, s->set->idle_s);
			greeting_start(place_for(s, &peer), fd, &peer, s->set->greet_s);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			out_of_descriptors(s);
		/* what is wrong with one connection is none of the next one's business */
		if (errno != ECONNABORTED && errno != EINTR && errno != EPERM && errno != EPROTO)
			return;
	}
}

/* In the session's process: nothing of the strangers, of other sessions, nor the secret. */
static void session_main(struct server *s, struct greeting *g, const uint8_t *mac, int control)
{
	struct session_summary summary = { 0 };
	struct link_address peer = g->peer;
	int fd = g->wire.fd;

	secret_forget(s->set->secret); /* this process's copy */
	close(s->listener);
	g->state = GREETING_NONE;
	for (size_t i = 0; i < GREETINGS; i++)
		greeting_end(&s->greetings[i]);
	for (size_t i = 0; i < SERVE_CLIENTS_MAX; i++)
		if (s->sessions[i].child.pid)
			close(s->sessions[i].child.control);
	session_serve(s->set, fd, &peer, mac, &summary);
	close(fd);
	(void)send(control, &summary, sizeof(summary), MSG_NOSIGNAL);
}

static struct serving *free_place(struct server *s)
{
	for (size_t i = 0; i < s->set->clients; i++)
		if (!s->sessions[i].child.pid)
			return &s->sessions[i];
	return NULL;
}

static void start_session(struct server *s, struct greeting *g)
{
	struct serving *place = free_place(s);
	uint8_t mac[PROTOCOL_MAC];
	struct child child = { 0, -1 };
	pid_t pid;

	if (!place) {
		greeting_queue(g);
		return;
	}
	secret_prove(s->set->secret, SECRET_SERVER, g->client_nonce, g->server_nonce, mac);
	pid = child_fork(&child);
	if (!pid) {
		session_main(s, g, mac, child.control);
		child_exit(0);
	}
	if (pid < 0) {
		greeting_refuse(g, REFUSAL_CANT, "can't start a process for the session");
		say_refused(s, &g->peer, "can't start a process for the session");
		return;
	}
	*place = (struct serving) { child, g->peer,
				    clock_wall() + s->set->total_s + SESSION_GRACE_S };
	say(s, &g->peer, "session started");
	greeting_end(g);
}

static void read_stranger(struct server *s, struct greeting *g)
{
	char reason[PROTOCOL_REASON_MAX] = "";

	switch (greeting_read(g, s->set, reason)) {
	case GREETING_PROVED:
		start_session(s, g);
		break;
	case GREETING_REFUSED:
		say_refused(s, &g->peer, reason);
		break;
	case GREETING_OVER:
		greeting_end(g);
		break;
	case GREETING_WAITS:
		break;
	}
}

static void end_session(struct server *s, struct serving *session)
{
	struct session_summary summary;
	ssize_t n = recv(session->child.control, &summary, sizeof(summary), MSG_DONTWAIT);

	if (n == sizeof(summary))
		say(s, &session->peer, "session over: %" PRIu64 " transfers, %" PRIu64 " bytes; %s",
		    summary.transfers, summary.bytes, summary.end);
	else
		say(s, &session->peer, "session over: its process ended");
	child_end(&session->child);
	session->child.pid = 0;
}

/* A client that ended its session and comes back at once finds the place that it left. */
static void serve_queue(struct server *s)
{
	while (free_place(s)) {
		struct greeting *first = NULL;

		for (size_t i = 0; i < GREETINGS; i++)
			if (s->greetings[i].state == GREETING_QUEUED &&
			    (!first || s->greetings[i].deadline < first->deadline))
				first = &s->greetings[i];
		if (!first)
			return;
		start_session(s, first);
	}
}

/* Time is up: what a greeting in each state is told. */
static void end_greeting(struct server *s, struct greeting *g)
{
	static const char busy[] = "busy with another client; try again later, or start the server "
				   "with more --clients";
	static const char slow[] = "said too little for too long";

	if (g->state == GREETING_FAREWELL) {
		greeting_end(g);
		return;
	}
	say_refused(s, &g->peer, g->state == GREETING_QUEUED ? "busy with another client" : slow);
	if (g->state == GREETING_QUEUED)
		greeting_refuse(g, REFUSAL_BUSY, busy);
	else
		greeting_refuse(g, REFUSAL_LIMIT, slow);
}

static void enforce_limits(struct server *s)
{
	double now = clock_wall();

	for (size_t i = 0; i < GREETINGS; i++) {
		struct greeting *g = &s->greetings[i];

		if (g->state != GREETING_NONE && g->deadline <= now)
			end_greeting(s, g);
	}
	for (size_t i = 0; i < s->set->clients; i++)
		if (s->sessions[i].child.pid && s->sessions[i].deadline <= now)
			end_session(s, &s->sessions[i]);
}

static double next_deadline(const struct server *s)
{
	double next = INFINITY;

	for (size_t i = 0; i < GREETINGS; i++)
		if (s->greetings[i].state != GREETING_NONE)
			next = fmin(next, s->greetings[i].deadline);
	for (size_t i = 0; i < s->set->clients; i++)
		if (s->sessions[i].child.pid)
			next = fmin(next, s->sessions[i].deadline);
	return fmin(next, s->accept_again > clock_wall() ? s->accept_again : INFINITY);
}

/* Waits for something to happen, at most until the next deadline. Returns ppoll's result. */
static int wait(const struct server *s, struct pollfd *fds, size_t count)
{
	double left = next_deadline(s) - clock_wall();
	struct timespec t = { 0 };
	sigset_t none;

	sigemptyset(&none);
	if (isfinite(left) && left > 0)
		t = (struct timespec) { .tv_sec = (time_t)left,
					.tv_nsec = (long)((left - floor(left)) * 1e9) };
	return ppoll(fds, count, isfinite(left) ? &t : NULL, &none);
}

/* One turn of the loop. */
static int turn(struct server *s, struct failure *why)
{
	struct pollfd fds[1 + SERVE_CLIENTS_MAX + GREETINGS];
	bool accepting = clock_wall() >= s->accept_again;
	int n;

	fds[0] = (struct pollfd) { .fd = accepting ? s->listener : -1, .events = POLLIN };
	for (size_t i = 0; i < SERVE_CLIENTS_MAX; i++)
		fds[1 + i] = (struct pollfd) {
			.fd = s->sessions[i].child.pid ? s->sessions[i].child.control : -1,
			.events = POLLIN,
		};
	for (size_t i = 0; i < GREETINGS; i++)
		fds[1 + SERVE_CLIENTS_MAX + i] = (struct pollfd) {
			.fd = s->greetings[i].state != GREETING_NONE ? s->greetings[i].wire.fd : -1,
			.events = POLLIN,
		};
	n = wait(s, fds, sizeof(fds) / sizeof(fds[0]));
	if (n < 0 && errno != EINTR)
		return fail(why, EXIT_MACHINE_CANT, errno, "poll: %s", strerror(errno));
	if (n > 0) {
		/* sessions first: a place that one has left is there for whoever comes next */
		for (size_t i = 0; i < SERVE_CLIENTS_MAX; i++)
			if (fds[1 + i].revents)
				end_session(s, &s->sessions[i]);
		for (size_t i = 0; i < GREETINGS; i++)
			if (fds[1 + SERVE_CLIENTS_MAX + i].revents)
				read_stranger(s, &s->greetings[i]);
		if (fds[0].revents)
			accept_some(s);
	}
	serve_queue(s);
	enforce_limits(s);
	return 0;
}

int serve_run(const struct serve_settings *settings,
	      void (*listening)(const struct link_address *at), struct failure *why)
{
	struct server *s = calloc(1, sizeof(*s));
	struct link_address at;
	bool cut_short = false;
	int err = 0;

	if (!s)
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	s->set = settings;
	s->listener = open_listener(settings, &at, why);
	if (s->listener < 0) {
		err = s->listener;
		free(s);
		return err;
	}
	listening(&at);
	while (!err && !*settings->stop)
		err = turn(s, why);
	close(s->listener);
	for (size_t i = 0; i < GREETINGS; i++)
		greeting_end(&s->greetings[i]);
	for (size_t i = 0; i < SERVE_CLIENTS_MAX; i++)
		if (s->sessions[i].child.pid) {
			cut_short = true;
			child_end(&s->sessions[i].child);
		}
	free(s);
	return err || !cut_short ? err : -EINTR;
}
