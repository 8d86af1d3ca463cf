// SPDX-License-Identifier: MIT
#include "cmd/conditions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/options.h"

enum key { KEY_PORT = 0x100, KEY_LIMIT, KEY_PEER, KEY_SECRET, KEY_DIMENSION };

struct conditions conditions_default(void)
{
	return (struct conditions){ .time_limit_s = 300 };
}

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Conditions ('run' takes comma-separated lists and runs their product):", 10 },
	{ "link", KEY_DIMENSION + DIM_LINK, "LINK", 0,
	  "what the socket is: tcp (loopback, the default), unix, veth, remote", 10 },
	{ "connections", KEY_DIMENSION + DIM_CONNECTIONS, "N", 0,
	  "connections at once, 1 to 4096: threads of one sender (1)", 10 },
	{ "each", KEY_DIMENSION + DIM_EACH, "WHAT", 0,
	  "what each of several connections sends: its 'share' of the payload (default), or the 'whole'",
	  10 },
	{ "files", KEY_DIMENSION + DIM_FILES, "WHICH", 0,
	  "several connections read 'one' file (default), or 'many': each its own", 10 },
	{ "placement", KEY_DIMENSION + DIM_PLACEMENT, "WHERE", 0,
	  "sender and receiver on different 'cores' (default), on the 'same' CPU, on 'sibling' threads of a core, on different NUMA 'nodes', or 'none': not pinned",
	  10 },
	{ "cc", KEY_DIMENSION + DIM_CONGESTION, "NAME", 0,
	  "TCP congestion control of both ends (reno); 'default' leaves the system's", 10 },
	{ "sndbuf", KEY_DIMENSION + DIM_SNDBUF, "SIZE", 0,
	  "send buffer of both sockets (1M); 'auto' lets TCP tune it", 10 },
	{ "rcvbuf", KEY_DIMENSION + DIM_RCVBUF, "SIZE", 0,
	  "receive buffer of both sockets (128K); 'auto' lets TCP tune it", 10 },
	{ "nodelay", KEY_DIMENSION + DIM_NODELAY, "on|off", 0, "TCP_NODELAY of both ends (off)", 10 },
	{ "lead", KEY_DIMENSION + DIM_LEAD, "BYTES", 0,
	  "what goes over each connection before the clock, as a header does: it decides how the payload lies in the socket's pages (256)",
	  10 },
	{ "mtu", KEY_DIMENSION + DIM_MTU, "BYTES", 0, "MTU of the veth devices (1500)", 10 },
	{ "offload", KEY_DIMENSION + DIM_OFFLOAD, "on|off", 0,
	  "segmentation offload of the veth devices (on)", 10 },
	{ "scatter-gather", KEY_DIMENSION + DIM_GATHER, "on|off", 0,
	  "do the veth devices take packets in pieces (on)? Without, the kernel copies every packet into one",
	  10 },
	{ "peer", KEY_PEER, "HOST:PORT", 0, "of the link remote: where 'copytax serve' listens", 10 },
	{ "secret-file", KEY_SECRET, "FILE", 0,
	  "of the link remote: the file that the server was started with", 10 },
	{ "port", KEY_PORT, "N", 0, "the receiver's port (0: any free one)", 10 },
	{ "time-limit", KEY_LIMIT, "SECONDS", 0, "give up a transfer after this long (300)", 10 },
	{ 0 },
};

static int take(struct conditions *c, int key, const char *text)
{
	unsigned int number;

	if (key >= KEY_DIMENSION && key < KEY_DIMENSION + DIMENSIONS)
		return dimension_parse((enum dimension)(key - KEY_DIMENSION),
				       &c->line.conditions[key - KEY_DIMENSION], text, &c->why);
	switch (key) {
	case KEY_PORT:
		if (plan_number(text, "a TCP port", 0, &number, &c->why))
			return -EINVAL;
		if (number > UINT16_MAX)
			return fail(&c->why, EXIT_WRONG_USE, EINVAL, "'%s' is no TCP port", text);
		c->port = (uint16_t)number;
		return 0;
	case KEY_PEER:
		c->peer = text;
		return 0;
	case KEY_SECRET:
		c->secret_file = text;
		return 0;
	case KEY_LIMIT:
		return plan_number(text, "seconds", 1, &c->time_limit_s, &c->why);
	default:
		return 1;
	}
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct conditions *c = state->input;

	return option_result(state, key, text, take(c, key, text), &c->why);
}

const struct argp conditions_argp = { .options = options, .parser = parse };
