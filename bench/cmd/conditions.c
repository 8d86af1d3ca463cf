// SPDX-License-Identifier: MIT
#include "cmd/conditions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "study/plan.h"

enum key { KEY_CC = 0x100, KEY_SNDBUF, KEY_RCVBUF, KEY_NODELAY, KEY_PLACEMENT, KEY_PORT, KEY_LIMIT, KEY_LINK };

struct conditions conditions_default(void)
{
	return (struct conditions){
		.link = { .congestion = "reno",
			  .send_buffer = 1u << 20,
			  .receive_buffer = 128u << 10,
			  .nodelay = false },
		.placement = PLACE_CORES,
		.time_limit_s = 300,
	};
}

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Conditions, the same for every transfer:", 10 },
	{ "cc", KEY_CC, "NAME", 0,
	  "TCP congestion control of both ends (reno); 'default' leaves the system's", 10 },
	{ "sndbuf", KEY_SNDBUF, "SIZE", 0, "send buffer of both sockets (1M); 'auto' lets TCP tune it",
	  10 },
	{ "rcvbuf", KEY_RCVBUF, "SIZE", 0,
	  "receive buffer of both sockets (128K); 'auto' lets TCP tune it", 10 },
	{ "nodelay", KEY_NODELAY, "on|off", 0, "TCP_NODELAY of both ends (off)", 10 },
	{ "placement", KEY_PLACEMENT, "WHERE", 0,
	  "sender and receiver on different 'cores' (default), on the 'same' CPU, on 'sibling' threads of a core, or 'none': not pinned",
	  10 },
	{ "link", KEY_LINK, "LINK", 0, "what the socket is: tcp (loopback)", 10 },
	{ "port", KEY_PORT, "N", 0, "the receiver's port (0: any free one)", 10 },
	{ "time-limit", KEY_LIMIT, "SECONDS", 0, "give up a transfer after this long (300)", 10 },
	{ 0 },
};

static int take_buffer(const char *text, uint32_t *bytes, struct failure *why)
{
	uint64_t size;

	if (!strcmp(text, "auto")) {
		*bytes = 0;
		return 0;
	}
	if (size_parse(text, &size) || size < 4096 || size > 1u << 30)
		return fail(why, EXIT_WRONG_USE, EINVAL,
			    "'%s' is no socket buffer size: use 4K to 1G, or 'auto'", text);
	*bytes = (uint32_t)size;
	return 0;
}

static int take(struct conditions *c, int key, const char *text)
{
	unsigned int number;

	switch (key) {
	case KEY_CC:
		if (!strcmp(text, "default"))
			text = "";
		if (strlen(text) >= sizeof(c->link.congestion))
			return fail(&c->why, EXIT_WRONG_USE, EINVAL,
				    "'%s' is no congestion control's name", text);
		strcpy(c->link.congestion, text);
		return 0;
	case KEY_SNDBUF:
		return take_buffer(text, &c->link.send_buffer, &c->why);
	case KEY_RCVBUF:
		return take_buffer(text, &c->link.receive_buffer, &c->why);
	case KEY_NODELAY:
		if (strcmp(text, "on") && strcmp(text, "off"))
			return fail(&c->why, EXIT_WRONG_USE, EINVAL, "--nodelay takes 'on' or 'off'");
		c->link.nodelay = !strcmp(text, "on");
		return 0;
	case KEY_PLACEMENT:
		if (placement_parse(text, &c->placement))
			return fail(&c->why, EXIT_WRONG_USE, EINVAL,
				    "there is no placement '%s'; there are: cores, same, sibling, none",
				    text);
		return 0;
	case KEY_LINK:
		if (strcmp(text, "tcp"))
			return fail(&c->why, EXIT_WRONG_USE, EINVAL,
				    "there is no link '%s'; there is: tcp", text);
		return 0;
	case KEY_PORT:
		if (plan_number(text, "a TCP port", 0, &number, &c->why))
			return -EINVAL;
		if (number > UINT16_MAX)
			return fail(&c->why, EXIT_WRONG_USE, EINVAL, "'%s' is no TCP port", text);
		c->link.port = (uint16_t)number;
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
	int known = take(c, key, text);

	if (known > 0)
		return ARGP_ERR_UNKNOWN;
	if (known < 0)
		argp_failure(state, (int)c->why.exit_code, 0, "%s", c->why.text);
	return 0;
}

const struct argp conditions_argp = { .options = options, .parser = parse };
