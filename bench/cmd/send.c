// SPDX-License-Identifier: MIT
/* copytax send: one transfer, with this process as the sender, for other tools to wrap. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/size.h"
#include "cmd/cmd.h"
#include "cmd/conditions.h"
#include "study/plan.h"
#include "transfer/cache.h"
#include "transfer/payload.h"
#include "transfer/transfer.h"

enum key { KEY_METHOD = 'm', KEY_FILE = 'f', KEY_CHUNK = 'c', KEY_SIZE = 's', KEY_JSON = 'j',
	   KEY_SINK = 0x200, KEY_CACHE };

struct options {
	struct conditions conditions;
	const struct method *method;
	const char *file;
	uint64_t size, chunk;
	enum sink sink;
	int cache; /* enum cache, or -1: as it is */
	bool json;
	struct failure why;
};

/* What the signal handler needs. The receiver's death ends a transfer that hangs, on the ordinary path. */
static volatile sig_atomic_t receiver, interrupted, timed_out;

static void on_signal(int signal)
{
	pid_t pid = (pid_t)receiver;

	if (signal == SIGALRM)
		timed_out = 1;
	else
		interrupted = 1;
	if (pid > 0)
		kill(pid, SIGKILL);
}

static const struct argp_option option_table[] = {
	{ "method", KEY_METHOD, "NAME", 0, "the method ('copytax list' names them); required", 1 },
	{ "file", KEY_FILE, "PATH", 0, "the file to send; without it one is made and removed again", 1 },
	{ "size", KEY_SIZE, "SIZE", 0, "size of the file that is made (320000K)", 1 },
	{ "chunk", KEY_CHUNK, "SIZE", 0, "the most one call may move: 4K … 1G or 'whole' (32K)", 1 },
	{ "sink", KEY_SINK, "SINK", 0, "what the receiver does: drain, truncate, splice, verify (drain)",
	  1 },
	{ "cache", KEY_CACHE, "STATE", 0,
	  "bring the page cache into this state first: warm or cold (leave it as it is)", 1 },
	{ "json", KEY_JSON, NULL, 0, "print JSON", 1 },
	{ 0 },
};

static int take(struct options *o, int key, const char *text)
{
	enum cache cache;

	switch (key) {
	case KEY_METHOD:
		o->method = method_find(text);
		return o->method ? 0 :
				   fail(&o->why, EXIT_WRONG_USE, EINVAL,
					"there is no method '%s'; 'copytax list' names them", text);
	case KEY_FILE:
		o->file = text;
		return 0;
	case KEY_SIZE:
		return size_parse(text, &o->size) ?
			       fail(&o->why, EXIT_WRONG_USE, EINVAL, "'%s' is no size", text) :
			       0;
	case KEY_CHUNK:
		return plan_chunk(text, &o->chunk, &o->why);
	case KEY_SINK:
		return sink_parse(text, &o->sink) ?
			       fail(&o->why, EXIT_WRONG_USE, EINVAL,
				    "there is no sink '%s'; there are: drain, truncate, splice, verify",
				    text) :
			       0;
	case KEY_CACHE:
		if (cache_parse(text, &cache))
			return fail(&o->why, EXIT_WRONG_USE, EINVAL,
				    "there is no cache state '%s'; there are: warm, cold", text);
		o->cache = (int)cache;
		return 0;
	case KEY_JSON:
		o->json = true;
		return 0;
	default:
		return 1;
	}
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct options *o = state->input;
	int known;

	if (key == ARGP_KEY_INIT) {
		state->child_inputs[0] = &o->conditions;
		return 0;
	}
	if (key == ARGP_KEY_ARG)
		argp_failure(state, EXIT_WRONG_USE, 0, "'%s' is no option; see --help", text);
	known = take(o, key, text);
	if (known > 0)
		return ARGP_ERR_UNKNOWN;
	if (known < 0)
		argp_failure(state, (int)o->why.exit_code, 0, "%s", o->why.text);
	return 0;
}

static void print_text(const struct options *o, const struct transfer_outcome *out, bool verified)
{
	double gb = (double)out->received / 1e9;

	printf("%s: %" PRIu64 " bytes in %.6f s", o->method->name, out->received, out->wall_s);
	if (o->sink == SINK_VERIFY)
		printf("; xxh3:%016" PRIx64 " %s\n", out->hash,
		       verified ? "is the file's own" : "IS NOT the file's own");
	else
		printf(", %.2f GB/s; CPU: sender %.6f s, receiver %.6f s\n",
		       out->wall_s > 0 ? gb / out->wall_s : 0, out->sender_cpu_s,
		       out->receiver_cpu_s);
}

static void print_json(const struct options *o, const struct transfer_spec *spec,
		       const struct transfer_outcome *out, bool verified)
{
	json_t *doc = json_pack("{s:s, s:I, s:I, s:s, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:s, s:i, s:i}",
				"method", o->method->name, "bytes", (json_int_t)out->received, "chunk",
				(json_int_t)o->chunk, "sink", sink_names[o->sink], "wall_s",
				out->wall_s, "sender_cpu_s", out->sender_cpu_s, "receiver_cpu_s",
				out->receiver_cpu_s, "setup_cpu_s", out->setup_cpu_s, "release_cpu_s",
				out->release_cpu_s, "faults_minor", (json_int_t)out->faults_minor,
				"faults_major", (json_int_t)out->faults_major, "switches_voluntary",
				(json_int_t)out->switches_voluntary, "switches_involuntary",
				(json_int_t)out->switches_involuntary, "note", out->note,
				"sender_cpu", spec->sender_cpu, "receiver_cpu",
				spec->receiver_cpu);
	json_t *figures = json_object();

	json_object_set_new(doc, "method_figures", figures);
	for (size_t i = 0; i < METHOD_FIGURES_MAX && out->figures[i].name[0]; i++)
		json_object_set_new(figures, out->figures[i].name, json_real(out->figures[i].value));
	if (o->sink == SINK_VERIFY)
		json_object_set_new(doc, "verified", json_boolean(verified));
	json_dumpf(doc, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(doc);
}

static int transfer(const struct options *o, const char *path, uint64_t size, struct failure *why)
{
	struct placement_choice place;
	struct transfer_outcome out;
	uint64_t own_hash = 0;
	char reason[256] = "";
	bool verified = false;
	const struct job probe = { .path = path, .file = -1, .socket = -1, .size = size,
				   .chunk = transfer_chunk(o->chunk, size) };
	struct transfer_spec spec = { .method = o->method, .path = path, .size = size,
				      .chunk = o->chunk, .sink = o->sink,
				      .link = o->conditions.link };
	int err = placement_choose(o->conditions.placement, &place, why);

	if (!err && (method_feasible(o->method, o->cache != CACHE_COLD, link_is_tcp(spec.link.kind), reason,
				     sizeof(reason)) ||
		     (o->method->probe && o->method->probe(&probe, reason, sizeof(reason)))))
		err = fail(why, EXIT_MACHINE_CANT, ENOTSUP, "%s can't be done here: %s",
			   o->method->name, reason);
	if (!err && o->sink == SINK_VERIFY)
		err = payload_hash(path, size, &own_hash, why);
	if (!err && o->cache >= 0)
		err = cache_set(path, size, (enum cache)o->cache, why);
	if (err)
		return err;
	spec.sender_cpu = place.sender_cpu;
	spec.receiver_cpu = place.receiver_cpu;
	alarm(o->conditions.time_limit_s);
	err = transfer_run_here(&spec, &out, &receiver, why);
	alarm(0);
	if (err)
		return err;
	verified = o->sink == SINK_VERIFY && out.hash == own_hash;
	if (o->json)
		print_json(o, &spec, &out, verified);
	else
		print_text(o, &out, verified);
	if (o->sink == SINK_VERIFY && !verified)
		return fail(why, EXIT_TRANSFER_FAILED, EIO,
			    "%s: the bytes that arrived are not the file's", o->method->name);
	return 0;
}

int cmd_send(int argc, char **argv)
{
	static const struct argp_child children[] = { { &conditions_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = option_table, .parser = parse, .children = children,
		.doc = "Sends a file to a socket once, by one method, with this process as the sender: "
		       "wrap it in strace -c, perf stat or hyperfine.",
	};
	struct options o = { .conditions = conditions_default(), .size = PAYLOAD_DEFAULT,
			     .chunk = CHUNK_DEFAULT, .sink = SINK_DRAIN, .cache = -1 };
	struct sigaction act = { .sa_handler = on_signal }, before;
	char made[64] = "";
	struct failure why = { 0 };
	uint64_t size;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (!o.method) {
		fail(&why, EXIT_WRONG_USE, EINVAL, "name a method with --method; 'copytax list' names them");
		return cmd_failed(&why);
	}
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	/* under nohup it stays ignored */
	if (!sigaction(SIGHUP, NULL, &before) && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &act, NULL);
	sigaction(SIGALRM, &act, NULL);
	size = o.size;
	if (o.file) {
		err = payload_check(o.file, &size, &why);
	} else {
		snprintf(made, sizeof(made), "copytax-payload-%ld.bin", (long)getpid());
		err = payload_create(made, size, 1, &interrupted, &why);
		if (err)
			made[0] = '\0';
	}
	if (!err)
		err = transfer(&o, o.file ? o.file : made, size, &why);
	if (made[0])
		unlink(made);
	if (!err)
		return EXIT_DONE;
	if (interrupted)
		why = (struct failure){ EXIT_INTERRUPTED, "interrupted" };
	if (timed_out)
		snprintf(why.text, sizeof(why.text),
			 "%s: not done after %u s (--time-limit); the receiver or the disk is stuck",
			 o.method->name, o.conditions.time_limit_s);
	return cmd_failed(&why);
}
