// SPDX-License-Identifier: MIT
#include "transfer/remote.h"

#include <errno.h>
#include <math.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure/clock.h"
#include "transfer/receiver.h"

/* For one answer of the peer's. */
#define ANSWER_S 15
/* A peer that does not acknowledge anything any more is gone after this long. */
#define SILENCE_S 60

int remote_init(struct remote *remote, const char *text, const char *secret_file,
		const char *version, const char *commit, struct failure *why)
{
	int err;

	*remote = (struct remote) { .version = version, .commit = commit, .wire = { .fd = -1 } };
	err = address_parse(text, true, &remote->peer, why);
	if (!err && !address_port(&remote->peer))
		err = fail(why, EXIT_WRONG_USE, EINVAL, "'%s': 0 is no port to connect to", text);
	if (!err && secret_file)
		err = secret_load(secret_file, &remote->secret, why);
	if (!err)
		address_format(&remote->peer, remote->name);
	return err;
}

void remote_close(struct remote *remote)
{
	if (remote->wire.fd >= 0)
		close(remote->wire.fd);
	remote->wire.fd = -1;
	remote->wire.used = 0;
}

static enum exit_code code_of(const struct protocol_refused *refused)
{
	switch (refused->code) {
	case REFUSAL_SECRET:
	case REFUSAL_VERSION:
		return EXIT_WRONG_USE;
	case REFUSAL_FAILED:
		return EXIT_TRANSFER_FAILED;
	default:
		return EXIT_MACHINE_CANT;
	}
}

static int went_wrong(const struct remote *remote, int err, const char *doing, struct failure *why)
{
	if (err == -EINTR)
		return fail(why, EXIT_INTERRUPTED, EINTR, "interrupted");
	if (err == -EPIPE || err == -ECONNRESET)
		return fail(why, EXIT_MACHINE_CANT, -err, "%s hung up %s", remote->name, doing);
	if (err == -ETIMEDOUT)
		return fail(why, EXIT_MACHINE_CANT, -err, "%s did not answer in time %s",
			    remote->name, doing);
	if (err == -EPROTO || err == -EMSGSIZE || err == -EBADMSG)
		return fail(
			why, EXIT_MACHINE_CANT, -err,
			"%s does not speak copytax's protocol: is 'copytax serve' listening there?",
			remote->name);
	return fail(why, EXIT_MACHINE_CANT, -err, "%s, %s: %s", remote->name, doing,
		    strerror(-err));
}

/* Waits for a message of `type`; what else can come is a refusal. */
static int expect(struct remote *remote, enum protocol_type type, double deadline,
		  const char *doing, struct protocol_message *m, struct failure *why)
{
	int err = wire_receive(&remote->wire, m, deadline);

	if (err)
		return went_wrong(remote, err, doing, why);
	if (m->type == PROTOCOL_REFUSED)
		return fail(why, code_of(&m->refused), ECONNREFUSED, "%s refused: %s", remote->name,
			    m->refused.reason);
	return m->type == type ? 0 : went_wrong(remote, -EPROTO, doing, why);
}

static int finish_connect(struct remote *remote, double deadline)
{
	socklen_t len = sizeof(int);
	int err = wire_wait(&remote->wire, POLLOUT, deadline);

	if (!err && getsockopt(remote->wire.fd, SOL_SOCKET, SO_ERROR, &err, &len))
		return -errno;
	return err > 0 ? -err : err;
}

static int connect_to(struct remote *remote, double deadline, struct failure *why)
{
	struct wire *wire = &remote->wire;
	int err = 0;

	wire->used = 0;
	wire->fd = socket(remote->peer.address.ss_family,
			  SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (wire->fd < 0)
		return fail(why, EXIT_MACHINE_CANT, errno, "can't make a TCP socket: %s",
			    strerror(errno));
	if (connect(wire->fd, (const struct sockaddr *)&remote->peer.address, remote->peer.length))
		err = errno == EINPROGRESS || errno == EINTR ? finish_connect(remote, deadline)
							     : -errno;
	if (err == -EINTR)
		return fail(why, EXIT_INTERRUPTED, EINTR, "interrupted");
	if (err)
		return fail(why, EXIT_MACHINE_CANT, -err,
			    "can't connect to %s: %s; is 'copytax serve' listening there?",
			    remote->name, strerror(-err));
	wire_tune(wire->fd, SILENCE_S);
	return 0;
}

static int check_peer(const struct remote *remote, struct failure *why)
{
	const struct protocol_hello *other = &remote->other;

	if (other->version != PROTOCOL_VERSION)
		return fail(why, EXIT_WRONG_USE, EPROTO,
			    "%s speaks version %u of the protocol, this copytax version %d: use "
			    "the same copytax on both hosts",
			    remote->name, other->version, PROTOCOL_VERSION);
	if (strcmp(other->tool, remote->version))
		return fail(why, EXIT_WRONG_USE, EPROTO,
			    "%s is copytax %s, this is %s: use the same copytax on both hosts",
			    remote->name, other->tool, remote->version);
	if (other->secret_wanted && !remote->secret.length)
		return fail(why, EXIT_WRONG_USE, EACCES,
			    "%s asks for a secret: give --secret-file, with the file that the "
			    "server was started with",
			    remote->name);
	if (!other->secret_wanted && remote->secret.length)
		return fail(why, EXIT_WRONG_USE, EACCES,
			    "%s asks for no secret though one was given: start the server with "
			    "--secret-file, or leave it out here",
			    remote->name);
	return 0;
}

static int shake_hands(struct remote *remote, double deadline, struct failure *why)
{
	struct protocol_message m = { .type = PROTOCOL_HELLO, .hello.version = PROTOCOL_VERSION };
	uint8_t nonce[PROTOCOL_NONCE], right[PROTOCOL_MAC];
	int err = secret_random(nonce, sizeof(nonce));

	if (err)
		return fail(why, EXIT_MACHINE_CANT, -err, "no random numbers to be had");
	memcpy(m.hello.nonce, nonce, sizeof(nonce));
	snprintf(m.hello.tool, sizeof(m.hello.tool), "%s", remote->version);
	snprintf(m.hello.commit, sizeof(m.hello.commit), "%s", remote->commit);
	err = wire_send(&remote->wire, &m, deadline);
	if (err)
		return went_wrong(remote, err, "at the greeting", why);
	err = expect(remote, PROTOCOL_CHALLENGE, deadline, "at the greeting", &m, why);
	if (err)
		return err;
	remote->other = m.hello;
	err = check_peer(remote, why);
	if (err)
		return err;
	m = (struct protocol_message) { .type = PROTOCOL_PROOF };
	secret_prove(&remote->secret, SECRET_CLIENT, nonce, remote->other.nonce, m.mac);
	err = wire_send(&remote->wire, &m, deadline);
	if (err)
		return went_wrong(remote, err, "when the secret was proved", why);
	err = expect(remote, PROTOCOL_WELCOME, deadline, "when the secret was proved", &m, why);
	if (err)
		return err;
	remote->welcome = m.welcome;
	secret_prove(&remote->secret, SECRET_SERVER, nonce, remote->other.nonce, right);
	if (!secret_same(m.welcome.mac, right, sizeof(right)))
		return fail(
			why, EXIT_MACHINE_CANT, EACCES,
			"%s does not know the secret itself: it is not the server it seems to be",
			remote->name);
	return 0;
}

int remote_open(struct remote *remote, const volatile sig_atomic_t *stop, struct failure *why)
{
	double deadline = clock_wall() + ANSWER_S;
	int err;

	remote->wire.stop = stop;
	err = connect_to(remote, deadline, why);
	if (!err)
		err = shake_hands(remote, deadline, why);
	if (err)
		remote_close(remote);
	return err;
}

/* A server that ended an idle session has closed it, or said so first: both can be read by now. */
static bool session_ended(const struct remote *remote)
{
	char byte;
	ssize_t n;

	if (remote->wire.fd < 0)
		return true;
	n = recv(remote->wire.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return n >= 0 || errno != EAGAIN;
}

int remote_prepare(struct remote *remote, const struct transfer_spec *spec, struct link_address *at,
		   struct failure *why)
{
	struct protocol_message m = {
		.type = PROTOCOL_PREPARE,
		.prepare = { .size = spec->size,
			     .sink = (uint8_t)spec->sink,
			     .nodelay = spec->link.nodelay,
			     .connections = (uint16_t)spec->connections,
			     .send_buffer = spec->link.send_buffer,
			     .receive_buffer = spec->link.receive_buffer,
			     .limit_s = spec->time_limit_s },
	};
	double deadline = clock_wall() + ANSWER_S;
	int err = 0, fd;

	if (spec->connections > PROTOCOL_CONNECTIONS_MAX)
		return fail(why, EXIT_WRONG_USE, EINVAL,
			    "the link remote takes up to %u connections", PROTOCOL_CONNECTIONS_MAX);
	if (spec->link.send_buffer > PROTOCOL_BUFFER_MAX ||
	    spec->link.receive_buffer > PROTOCOL_BUFFER_MAX)
		return fail(why, EXIT_WRONG_USE, EINVAL,
			    "the link remote takes socket buffers up to 64M (--sndbuf, --rcvbuf)");
	snprintf(m.prepare.congestion, sizeof(m.prepare.congestion), "%s", spec->link.congestion);
	if (session_ended(remote)) {
		remote_close(remote);
		err = remote_open(remote, spec->stop, why);
	}
	remote->wire.stop = spec->stop;
	if (err)
		return err;
	err = wire_send(&remote->wire, &m, deadline);
	err = err ? went_wrong(remote, err, "before a transfer", why)
		  : expect(remote, PROTOCOL_PORT, deadline, "before a transfer", &m, why);
	if (err) {
		remote_close(remote);
		return err;
	}
	memcpy(remote->token, m.port.token, sizeof(remote->token));
	*at = remote->peer;
	address_set_port(at, m.port.port);
	fd = fcntl(remote->wire.fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return fail(why, EXIT_MACHINE_CANT, errno, "can't copy a descriptor: %s",
			    strerror(errno));
	return fd;
}

int remote_introduce(const struct remote *remote, int socket)
{
	/* an empty socket takes so little at once */
	ssize_t n = send(socket, remote->token, sizeof(remote->token), MSG_NOSIGNAL);

	wire_guard(socket, SILENCE_S);
	return n == sizeof(remote->token) ? 0 : n < 0 ? -errno : -EPIPE;
}

static int hand_on(struct remote *remote, enum protocol_type type, double deadline, int control,
		   struct receiver_report *report)
{
	struct protocol_message m;
	struct failure why = { 0 };

	report->err = expect(remote, type, deadline, "during a transfer", &m, &why);
	if (report->err) {
		snprintf(report->reason, sizeof(report->reason), "%s", why.text);
	} else if (type == PROTOCOL_READY) {
		report->link = (struct link_actual) { .send_buffer = (int)m.ready.send_buffer,
						      .receive_buffer = (int)m.ready.receive_buffer,
						      .nodelay = m.ready.nodelay };
		snprintf(report->link.congestion, sizeof(report->link.congestion), "%.15s",
			 m.ready.congestion);
	} else {
		report->received = m.done.received;
		report->hash = m.done.hash;
		report->mapped = m.done.mapped;
		report->odd_hashes = m.done.odd_hashes;
		report->cpu_s = (double)m.done.cpu_ns * 1e-9;
	}
	return send(control, report, sizeof(*report), MSG_NOSIGNAL) == sizeof(*report) ? report->err
										       : -EPIPE;
}

void remote_receive(struct remote *remote, const struct transfer_spec *spec, int control)
{
	struct receiver_report report = { .kind = RECEIVER_READY, .switches_voluntary = NAN };
	/* the harness has the same limit and ends this process; the peer has it, too, and says why */
	double deadline = clock_wall() + spec->time_limit_s + ANSWER_S;

	remote->wire.stop = NULL;
	if (hand_on(remote, PROTOCOL_READY, deadline, control, &report))
		return;
	report.kind = RECEIVER_DONE;
	(void)hand_on(remote, PROTOCOL_DONE, deadline, control, &report);
}
