// SPDX-License-Identifier: MIT
/* copytax serve: the receiver for senders on other hosts. */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/signals.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "study/feasible.h"
#include "study/plan.h"
#include "transfer/serve.h"

#define BIND_DEFAULT "127.0.0.1:" ADDRESS_PORT_DEFAULT

enum key { KEY_BIND = 'b', KEY_SECRET = 's', KEY_CLIENTS = 'n', KEY_QUIET = 'q', KEY_IDLE = 0x200,
	   KEY_TOTAL, KEY_LIMIT, KEY_GREET, KEY_DATA_PORT, KEY_CPU };

struct options {
	struct serve_settings set;
	const char *at, *secret_file;
	struct failure why;
};

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
	(void)signal;
	stop = 1;
}

static const struct argp_option option_table[] = {
	{ "bind", KEY_BIND, "ADDR:PORT", 0,
	  "where to listen (" BIND_DEFAULT "); any address but loopback needs --secret-file; port 0: any free one",
	  1 },
	{ "secret-file", KEY_SECRET, "FILE", 0,
	  "only serve clients that know this file's content; readable by its owner only", 1 },
	{ "clients", KEY_CLIENTS, "N", 0, "clients at a time, 1 to 64 (1); more disturb each other's figures",
	  1 },
	{ "cpu", KEY_CPU, "N", 0, "pin receivers to this CPU (not pinned)", 1 },
	{ "data-port", KEY_DATA_PORT, "N", 0, "the port of data connections (0: any free one)", 1 },
	{ "quiet", KEY_QUIET, NULL, 0, "no lines about sessions and refusals", 1 },
	{ NULL, 0, NULL, 0, "Limits, in seconds:", 2 },
	{ "greeting", KEY_GREET, "SECONDS", 0, "for a client to prove itself (5)", 2 },
	{ "idle", KEY_IDLE, "SECONDS", 0,
	  "of a session without a word, and of a transfer without a byte (120)", 2 },
	{ "total", KEY_TOTAL, "SECONDS", 0, "of a session (14400)", 2 },
	{ "time-limit", KEY_LIMIT, "SECONDS", 0, "of one transfer (300)", 2 },
	{ 0 },
};

static int take_port(const char *text, uint16_t *port, struct failure *why)
{
	unsigned int number;

	if (plan_number(text, "a TCP port", 0, &number, why))
		return -EINVAL;
	if (number > UINT16_MAX)
		return fail(why, EXIT_WRONG_USE, EINVAL, "'%s' is no TCP port", text);
	*port = (uint16_t)number;
	return 0;
}

static int take_cpu(const char *text, int *cpu, struct failure *why)
{
	unsigned int number;
	int err = plan_number(text, "a CPU", 0, &number, why);

	if (!err)
		*cpu = (int)number;
	return err;
}

static int take(struct options *o, int key, const char *text)
{
	switch (key) {
	case KEY_BIND:
		o->at = text;
		return 0;
	case KEY_SECRET:
		o->secret_file = text;
		return 0;
	case KEY_CLIENTS:
		if (plan_number(text, "clients", 1, &o->set.clients, &o->why))
			return -EINVAL;
		return o->set.clients <= SERVE_CLIENTS_MAX ?
			       0 :
			       fail(&o->why, EXIT_WRONG_USE, EINVAL, "--clients is at most %u",
				    SERVE_CLIENTS_MAX);
	case KEY_CPU:
		return take_cpu(text, &o->set.cpu, &o->why);
	case KEY_DATA_PORT:
		return take_port(text, &o->set.data_port, &o->why);
	case KEY_QUIET:
		o->set.quiet = true;
		return 0;
	case KEY_GREET:
		return plan_number(text, "seconds", 1, &o->set.greet_s, &o->why);
	case KEY_IDLE:
		return plan_number(text, "seconds", 1, &o->set.idle_s, &o->why);
	case KEY_TOTAL:
		return plan_number(text, "seconds", 1, &o->set.total_s, &o->why);
	case KEY_LIMIT:
		return plan_number(text, "seconds", 1, &o->set.limit_s, &o->why);
	default:
		return 1;
	}
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct options *o = state->input;

	return option_result(state, key, text, take(o, key, text), &o->why);
}

static void listening(const struct link_address *at)
{
	char where[ADDRESS_TEXT_MAX];

	printf("listening on %s\n", address_format(at, where));
	(void)fflush(stdout);
}

static int prepare(struct options *o, struct secret *secret, struct failure *why)
{
	int err = address_parse(o->at, false, &o->set.at, why);

	if (!err && o->secret_file)
		err = secret_load(o->secret_file, secret, why);
	if (!err && !secret->length && !address_is_loopback(&o->set.at))
		err = fail(why, EXIT_WRONG_USE, EACCES,
			   "other hosts can reach %s: that needs --secret-file FILE, the same on both hosts; make one with: (umask 077; head -c 32 /dev/urandom | base64 > FILE)",
			   o->at);
	if (!err && o->set.data_port && o->set.clients > 1)
		err = fail(why, EXIT_WRONG_USE, EINVAL, "one --data-port serves one client at a time: leave out --clients");
	return err;
}

int cmd_serve(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table, .parser = parse,
		.doc = "Receives what 'copytax run --link remote' and 'copytax send --link remote' on another "
		       "host send. Counts it, hashes it when asked, and never writes it anywhere. "
		       "Ends on SIGINT or SIGTERM: with 0, or with 130 when that cut a session short.",
	};
	struct secret secret = { 0 };
	struct options o = { .at = BIND_DEFAULT,
			     .set = { .secret = &secret,
				      .version = COPYTAX_VERSION,
				      .commit = COPYTAX_COMMIT,
				      .clients = 1,
				      .greet_s = 5,
				      .idle_s = 120,
				      .total_s = 14400,
				      .limit_s = 300,
				      .cpu = -1,
				      .stop = &stop } };
	struct sigaction act = { .sa_handler = on_signal }, before;
	struct failure why = { 0 };
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	err = prepare(&o, &secret, &why);
	if (err)
		return cmd_failed(&why);
	/* looked for while it waits for something to happen */
	signals_hold(NULL);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	/* under nohup it stays ignored */
	if (!sigaction(SIGHUP, NULL, &before) && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &act, NULL);
	/* a client may ask for many connections */
	feasible_raise_limits(PROTOCOL_CONNECTIONS_MAX);
	err = serve_run(&o.set, listening, &why);
	secret_forget(&secret);
	if (err == -EINTR && !why.text[0])
		fail(&why, EXIT_INTERRUPTED, EINTR, "interrupted, with a session in progress");
	return err ? cmd_failed(&why) : EXIT_DONE;
}
