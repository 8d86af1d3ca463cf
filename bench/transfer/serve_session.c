// SPDX-License-Identifier: MIT
#include "transfer/serve_session.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "measure/clock.h"
#include "transfer/child.h"
#include "transfer/receiver.h"
#include "transfer/serve_gather.h"

/* For the client to connect its data connections; none of it is measured. */
#define GATHER_S 20

struct session {
	const struct serve_settings *set;
	struct wire wire;
	struct link_address peer, near; /* both ends of the control connection */
	double deadline;		/* of the whole session */
	struct session_summary *summary;
};

/* The client is told, and the summary: the session is over. */
static int refuse(struct session *s, enum protocol_refusal code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct session *s, enum protocol_refusal code, const char *format, ...)
{
	char reason[PROTOCOL_REASON_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	wire_refuse(&s->wire, code, "%s", reason);
	snprintf(s->summary->end, sizeof(s->summary->end), "%s", reason);
	return -ECANCELED;
}

/* Asking the kernel for one that it has not loaded loads a module: not for a stranger. */
static bool congestion_is_here(const char *name)
{
	char line[1024], *rest = NULL;
	FILE *file = fopen("/proc/sys/net/ipv4/tcp_available_congestion_control", "re");
	bool here = false;

	if (!file)
		return false;
	if (fgets(line, sizeof(line), file))
		for (char *word = strtok_r(line, " \n", &rest); word && !here;
		     word = strtok_r(NULL, " \n", &rest))
			here = !strcmp(word, name);
	fclose(file);
	return here;
}

static int check(struct session *s, const struct protocol_prepare *p)
{
	if (p->sink >= SINKS)
		return refuse(s, REFUSAL_GARBAGE, "there is no sink %u here", p->sink);
	if (p->congestion[0] &&
	    (strlen(p->congestion) >= CONGESTION_NAME_MAX || !congestion_is_here(p->congestion)))
		return refuse(s, REFUSAL_CANT,
			      "TCP congestion control '%s' is not loaded on the receiver's host: "
			      "load it there, or choose another with --cc",
			      p->congestion);
	return 0;
}

static int send_port(struct session *s, const struct link_address *at, const uint8_t *token)
{
	struct protocol_message m = { .type = PROTOCOL_PORT, .port.port = address_port(at) };

	memcpy(m.port.token, token, sizeof(m.port.token));
	return wire_send(&s->wire, &m, clock_wall() + s->set->idle_s);
}

static int send_ready(struct session *s, const struct link_actual *link)
{
	struct protocol_message m = {
		.type = PROTOCOL_READY,
		.ready = { .send_buffer = (uint32_t)link->send_buffer,
			   .receive_buffer = (uint32_t)link->receive_buffer,
			   .nodelay = link->nodelay != 0 },
	};

	snprintf(m.ready.congestion, sizeof(m.ready.congestion), "%s", link->congestion);
	return wire_send(&s->wire, &m, clock_wall() + s->set->idle_s);
}

static int send_done(struct session *s, const struct receiver_report *r)
{
	struct protocol_message m = {
		.type = PROTOCOL_DONE,
		.done = { .received = r->received,
			  .hash = r->hash,
			  .mapped = r->mapped,
			  .odd_hashes = r->odd_hashes,
			  .cpu_ns = (uint64_t)llround(fmax(r->cpu_s, 0) * 1e9) },
	};

	s->summary->transfers++;
	s->summary->bytes += r->received;
	return wire_send(&s->wire, &m, clock_wall() + s->set->idle_s);
}

static int receiver_failed(struct session *s, const struct receiver_report *r, uint64_t size)
{
	if (r->kind == RECEIVER_READY && r->err == -ETIMEDOUT)
		return refuse(s, REFUSAL_LIMIT, "no data connection came within %d s", GATHER_S);
	if (r->err == -EAGAIN)
		return refuse(s, REFUSAL_LIMIT,
			      "nothing came for %u s (--idle of the server), after %" PRIu64
			      " of %" PRIu64 " bytes",
			      s->set->idle_s, r->received, size);
	return refuse(s, REFUSAL_FAILED, "failed after %" PRIu64 " of %" PRIu64 " bytes: %s",
		      r->received, size, strerror(-r->err));
}

/* What the receiver's process says. Returns 1 when the transfer is over, 0 when it goes on, or -errno. */
static int take_report(struct session *s, const struct child *receiver, uint64_t size)
{
	struct receiver_report report;
	int err;

	if (recv(receiver->control, &report, sizeof(report), 0) != sizeof(report))
		return refuse(s, REFUSAL_FAILED, "the receiver's process ended early");
	if (report.err)
		return receiver_failed(s, &report, size);
	err = report.kind == RECEIVER_READY ? send_ready(s, &report.link) : send_done(s, &report);
	return err ? err : report.kind == RECEIVER_DONE;
}

/* A client that speaks or hangs up while it should be sending has given the transfer up. */
static int watch(struct session *s, const struct child *receiver, const struct protocol_prepare *p)
{
	unsigned int limit_s = p->limit_s < s->set->limit_s ? p->limit_s : s->set->limit_s;
	double deadline = clock_wall() + limit_s;
	int over = 0;

	while (!over) {
		struct pollfd fds[2] = { { .fd = receiver->control, .events = POLLIN },
					 { .fd = s->wire.fd, .events = POLLIN | POLLRDHUP } };
		double now = clock_wall();
		int n;

		if (now >= s->deadline)
			return refuse(s, REFUSAL_LIMIT,
				      "the session is over after %u s (--total of the server)",
				      s->set->total_s);
		if (now >= deadline)
			return refuse(s, REFUSAL_LIMIT,
				      "the transfer was not done after %u s (--time-limit)",
				      limit_s);
		n = poll(fds, 2, (int)(fmin(fmin(deadline, s->deadline) - now, 1e6) * 1000) + 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && fds[0].revents)
			over = take_report(s, receiver, p->size);
		else if (n > 0 && fds[1].revents)
			return refuse(s, REFUSAL_GARBAGE, "the client gave the transfer up");
	}
	return over < 0 ? over : 0;
}

static int transfer(struct session *s, const struct protocol_prepare *p)
{
	struct transfer_spec spec = {
		.size = p->size,
		.connections = p->connections,
		.sink = (enum sink)p->sink,
		.receiver_cpu = s->set->cpu,
		.link = { .kind = LINK_REMOTE,
			  .send_buffer = p->send_buffer,
			  .receive_buffer = p->receive_buffer,
			  .nodelay = p->nodelay,
			  .remote = s->near },
	};
	struct child receiver = { 0, -1 };
	struct gathering gathering;
	struct failure why = { 0 };
	struct link_address at;
	int err = check(s, p), listener;
	pid_t pid;

	if (err)
		return err;
	memcpy(spec.link.congestion, p->congestion, sizeof(spec.link.congestion) - 1);
	address_set_port(&spec.link.remote, s->set->data_port);
	gathering_start(&gathering, &s->peer, clock_wall() + GATHER_S, s->set->idle_s);
	if (secret_random(gathering.token, sizeof(gathering.token)))
		return refuse(s, REFUSAL_CANT, "no random numbers to be had here");
	/* strangers may stand in the queue, too */
	listener = link_listen(&spec.link, p->connections + GATHER_CANDIDATES, &at, &why);
	if (listener < 0)
		return refuse(s, REFUSAL_CANT, "%s", why.text);
	spec.gathering = &gathering;
	pid = child_fork(&receiver);
	if (!pid) {
		close(s->wire.fd);
		receiver_serve(&spec, listener, receiver.control);
		child_exit(0);
	}
	close(listener);
	if (pid < 0)
		return refuse(s, REFUSAL_CANT, "can't start a process for the receiver");
	err = send_port(s, &at, gathering.token);
	if (!err)
		err = watch(s, &receiver, p);
	child_end(&receiver);
	return err;
}

static int welcome(struct session *s, const uint8_t mac[static PROTOCOL_MAC])
{
	struct protocol_message m = {
		.type = PROTOCOL_WELCOME,
		.welcome = { .idle_s = s->set->idle_s,
			     .total_s = s->set->total_s,
			     .cpu = s->set->cpu },
	};
	struct utsname names;

	memcpy(m.welcome.mac, mac, sizeof(m.welcome.mac));
	if (!uname(&names)) {
		snprintf(m.welcome.kernel, sizeof(m.welcome.kernel), "%.60s", names.release);
		snprintf(m.welcome.machine, sizeof(m.welcome.machine), "%.60s", names.machine);
	}
	return wire_send(&s->wire, &m, clock_wall() + s->set->greet_s);
}

/* Waits for the client's next wish. */
static int next_message(struct session *s, struct protocol_message *m)
{
	double idle = clock_wall() + s->set->idle_s;
	int err = wire_receive(&s->wire, m, fmin(idle, s->deadline));

	if (err == -ETIMEDOUT && clock_wall() >= s->deadline)
		return refuse(s, REFUSAL_LIMIT,
			      "the session is over after %u s (--total of the server)",
			      s->set->total_s);
	if (err == -ETIMEDOUT)
		return refuse(s, REFUSAL_LIMIT, "nothing said for %u s (--idle of the server)",
			      s->set->idle_s);
	if (err == -EPROTO || err == -EMSGSIZE || err == -EBADMSG)
		return refuse(s, REFUSAL_GARBAGE, "that is not what copytax clients say");
	if (!err && m->type != PROTOCOL_PREPARE)
		return refuse(s, REFUSAL_GARBAGE, "%s does not belong there",
			      protocol_type_name(m->type));
	return err;
}

void session_serve(const struct serve_settings *settings, int fd, const struct link_address *peer,
		   const uint8_t mac[static PROTOCOL_MAC], struct session_summary *summary)
{
	struct session s = { .set = settings,
			     .wire = { .fd = fd },
			     .peer = *peer,
			     .near = { .length = sizeof(s.near.address) },
			     .deadline = clock_wall() + settings->total_s,
			     .summary = summary };
	struct protocol_message m;
	int err = getsockname(fd, (struct sockaddr *)&s.near.address, &s.near.length) ? -errno : 0;

	if (!err)
		err = welcome(&s, mac);
	while (!err) {
		err = next_message(&s, &m);
		if (!err)
			err = transfer(&s, &m.prepare);
	}
	if (!summary->end[0])
		snprintf(summary->end, sizeof(summary->end), "%s",
			 err == -EPIPE || err == -ECONNRESET ? "the client hung up"
							     : strerror(-err));
}
