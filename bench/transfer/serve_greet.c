// SPDX-License-Identifier: MIT
#include "transfer/serve_greet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure/clock.h"

/* A connection closed on unread bytes is reset, and the refusal lost with it: so they are read, up to here. */
#define FAREWELL_S 1
#define QUEUE_S 1
#define FAREWELL_BYTES (64u << 10)

void greeting_start(struct greeting *g, int fd, const struct link_address *peer,
		    unsigned int limit_s)
{
	*g = (struct greeting) {
		.state = GREETING_HELLO, .wire = { .fd = fd }, .peer = *peer, .since = clock_wall()
	};
	g->deadline = g->since + limit_s;
}

void greeting_end(struct greeting *g)
{
	if (g->state != GREETING_NONE)
		close(g->wire.fd);
	*g = (struct greeting) { .state = GREETING_NONE, .wire = { .fd = -1 } };
}

void greeting_refuse(struct greeting *g, enum protocol_refusal code, const char *reason)
{
	struct protocol_message m = { .type = PROTOCOL_REFUSED, .refused.code = (uint16_t)code };

	snprintf(m.refused.reason, sizeof(m.refused.reason), "%s", reason);
	/* what does not fit into the socket's buffer now is not waited for */
	(void)wire_send(&g->wire, &m, 0);
	(void)shutdown(g->wire.fd, SHUT_WR);
	g->state = GREETING_FAREWELL;
	g->deadline = clock_wall() + FAREWELL_S;
}

void greeting_queue(struct greeting *g)
{
	g->state = GREETING_QUEUED;
	g->deadline = clock_wall() + QUEUE_S;
}

static enum greeting_news refuse(struct greeting *g, enum protocol_refusal code, const char *text,
				 char *reason)
{
	snprintf(reason, PROTOCOL_REASON_MAX, "%s", text);
	greeting_refuse(g, code, reason);
	return GREETING_REFUSED;
}

static enum greeting_news challenge(struct greeting *g, const struct serve_settings *set,
				    const struct protocol_hello *hello, char *reason)
{
	struct protocol_message m = {
		.type = PROTOCOL_CHALLENGE,
		.hello = { .version = PROTOCOL_VERSION, .secret_wanted = set->secret->length > 0 },
	};
	char text[PROTOCOL_REASON_MAX];

	if (hello->version != PROTOCOL_VERSION) {
		snprintf(text, sizeof(text),
			 "this is copytax %s, which speaks version %d of the protocol; the client "
			 "speaks version %u: use the same copytax on both hosts",
			 set->version, PROTOCOL_VERSION, hello->version);
		return refuse(g, REFUSAL_VERSION, text, reason);
	}
	if (strcmp(hello->tool, set->version)) {
		snprintf(text, sizeof(text),
			 "this is copytax %s and the client is %s: use the same copytax on both "
			 "hosts",
			 set->version, hello->tool);
		return refuse(g, REFUSAL_VERSION, text, reason);
	}
	if (secret_random(g->server_nonce, sizeof(g->server_nonce)))
		return refuse(g, REFUSAL_CANT, "no random numbers to be had here", reason);
	memcpy(g->client_nonce, hello->nonce, sizeof(g->client_nonce));
	memcpy(m.hello.nonce, g->server_nonce, sizeof(m.hello.nonce));
	snprintf(m.hello.tool, sizeof(m.hello.tool), "%s", set->version);
	snprintf(m.hello.commit, sizeof(m.hello.commit), "%s", set->commit);
	g->state = GREETING_PROOF;
	return wire_send(&g->wire, &m, 0) ? GREETING_OVER : GREETING_WAITS;
}

static enum greeting_news check_proof(struct greeting *g, const struct serve_settings *set,
				      const uint8_t *mac, char *reason)
{
	uint8_t right[PROTOCOL_MAC];

	secret_prove(set->secret, SECRET_CLIENT, g->client_nonce, g->server_nonce, right);
	if (!secret_same(mac, right, sizeof(right)))
		return refuse(g, REFUSAL_SECRET,
			      "wrong secret: --secret-file must hold the same on both hosts",
			      reason);
	return GREETING_PROVED;
}

static enum greeting_news take(struct greeting *g, const struct serve_settings *set,
			       const struct protocol_message *m, char *reason)
{
	if (g->state == GREETING_HELLO && m->type == PROTOCOL_HELLO)
		return challenge(g, set, &m->hello, reason);
	/* whoever says more than it was asked for has not waited for the answer */
	if (g->state == GREETING_PROOF && m->type == PROTOCOL_PROOF && !g->wire.used)
		return check_proof(g, set, m->mac, reason);
	return refuse(g, REFUSAL_GARBAGE, "that message does not belong there", reason);
}

static enum greeting_news discard(struct greeting *g)
{
	uint8_t nothing[4096];
	ssize_t n = recv(g->wire.fd, nothing, sizeof(nothing), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return GREETING_WAITS;
	g->discarded += n > 0 ? (size_t)n : 0;
	return n <= 0 || g->discarded > FAREWELL_BYTES ? GREETING_OVER : GREETING_WAITS;
}

enum greeting_news greeting_read(struct greeting *g, const struct serve_settings *set, char *reason)
{
	struct protocol_message m;
	ssize_t n;
	int taken;

	if (g->state == GREETING_FAREWELL)
		return discard(g);
	n = recv(g->wire.fd, g->wire.buffer + g->wire.used, sizeof(g->wire.buffer) - g->wire.used,
		 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return GREETING_WAITS;
	if (n <= 0)
		return GREETING_OVER;
	g->wire.used += (size_t)n;
	/* one message a turn: a second one at once is never right here, and take() says so */
	taken = protocol_parse(g->wire.buffer, g->wire.used, &m);
	if (!taken)
		return GREETING_WAITS;
	if (taken == -EMSGSIZE)
		return refuse(g, REFUSAL_GARBAGE, "that message claims to be longer than any is",
			      reason);
	if (taken < 0)
		return refuse(g, REFUSAL_GARBAGE, "that is not what copytax clients say", reason);
	g->wire.used -= (size_t)taken;
	memmove(g->wire.buffer, g->wire.buffer + taken, g->wire.used);
	if (g->wire.used)
		return refuse(g, REFUSAL_GARBAGE, "more than one message at a time", reason);
	return take(g, set, &m, reason);
}
