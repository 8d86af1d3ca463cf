// SPDX-License-Identifier: MIT
/* copytax send: one transfer, with this process as the sender, for other tools to wrap. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/size.h"
#include "cmd/cmd.h"
#include "cmd/conditions.h"
#include "cmd/options.h"
#include "cmd/peer.h"
#include "study/feasible.h"
#include "study/plan.h"
#include "transfer/cache.h"
#include "transfer/payload.h"
#include "transfer/transfer.h"
#include "transfer/veth.h"

enum key { KEY_METHOD = 'm', KEY_FILE = 'f', KEY_CHUNK = 'c', KEY_SIZE = 's', KEY_JSON = 'j',
	   KEY_SINK = 0x200, KEY_CACHE };

struct options {
	struct conditions conditions;
	const struct method *method;
	const char *file;
	bool json;
	struct failure why;
};

/* More than the descriptors of a transfer with the most connections. */
#define DESCRIPTORS (8 * CONNECTIONS_MOST)

/* What the signal handler needs. The receiver's death ends a transfer that hangs, on the ordinary path. */
static volatile sig_atomic_t receiver, elsewhere, interrupted, timed_out;

static void on_signal(int signal)
{
	pid_t pid = (pid_t)receiver;

	if (signal == SIGALRM)
		timed_out = 1;
	else
		interrupted = 1;
	if (pid > 0)
		kill(pid, SIGKILL);
	/* a receiver on a host that is gone can't be killed: every socket there is belongs to the transfer */
	for (int fd = 3; elsewhere && fd < DESCRIPTORS; fd++)
		(void)shutdown(fd, SHUT_RDWR);
}

static const struct argp_option option_table[] = {
	{ "method", KEY_METHOD, "NAME", 0, "the method ('copytax list' names them); required", 1 },
	{ "file", KEY_FILE, "PATH", 0, "the file to send; without it one is made and removed again", 1 },
	{ "size", KEY_SIZE, "SIZE", 0, "size of the file that is made (320000K)", 1 },
	{ "chunk", KEY_CHUNK, "SIZE", 0, "the most one call may move: 4K … 1G or 'whole' (32K)", 1 },
	{ "sink", KEY_SINK, "SINK", 0, "what the receiver does: drain, truncate, splice, verify, zerocopy (drain)",
	  1 },
	{ "cache", KEY_CACHE, "STATE", 0,
	  "bring the page cache into this state first: warm, cold or half (leave it as it is)", 1 },
	{ "json", KEY_JSON, NULL, 0, "print JSON", 1 },
	{ 0 },
};

static int take(struct options *o, int key, const char *text)
{
	struct dimension_list *lists = o->conditions.line.conditions;

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
		return dimension_parse(DIM_SIZE, &lists[DIM_SIZE], text, &o->why);
	case KEY_CHUNK:
		return dimension_parse(DIM_CHUNK, &lists[DIM_CHUNK], text, &o->why);
	case KEY_SINK:
		return dimension_parse(DIM_SINK, &lists[DIM_SINK], text, &o->why);
	case KEY_CACHE:
		return dimension_parse(DIM_CACHE, &lists[DIM_CACHE], text, &o->why);
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

	if (key == ARGP_KEY_INIT) {
		state->child_inputs[0] = &o->conditions;
		return 0;
	}
	return option_result(state, key, text, take(o, key, text), &o->why);
}

static void print_text(const struct transfer_spec *spec, const struct transfer_outcome *out,
		       bool verified)
{
	double gb = (double)out->received / 1e9;

	printf("%s: %" PRIu64 " bytes in %.6f s", spec->method->name, out->received, out->wall_s);
	if (spec->sink == SINK_VERIFY)
		printf("; xxh3:%016" PRIx64 " %s\n", out->hash,
		       verified ? "is the file's own" : "IS NOT the file's own");
	else
		printf(", %.2f GB/s; CPU: sender %.6f s, receiver %.6f s\n",
		       out->wall_s > 0 ? gb / out->wall_s : 0, out->sender_cpu_s,
		       out->receiver_cpu_s);
}

static void print_json(const struct transfer_spec *spec,
		       const struct transfer_outcome *out, bool verified)
{
	json_t *doc = json_pack("{s:s, s:I, s:I, s:s, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:s, s:i, s:i}",
				"method", spec->method->name, "bytes", (json_int_t)out->received, "chunk",
				(json_int_t)spec->chunk, "sink", sink_names[spec->sink], "wall_s",
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
	if (spec->sink == SINK_VERIFY)
		json_object_set_new(doc, "verified", json_boolean(verified));
	json_dumpf(doc, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(doc);
}

/* The folder or file that the transfer reads, brought into the cache state asked for. */
static int set_cache(const struct plan_case *c, const char *path, struct failure *why)
{
	int err = 0;

	if (c->files == FILES_ONE)
		return cache_set(path, plan_share(c), c->cache, why);
	for (unsigned int i = 0; i < c->connections && !err; i++) {
		char *own = payload_path(path, i);

		err = own ? cache_set(own, plan_share(c), c->cache, why) : -ENOMEM;
		free(own);
	}
	return err;
}

/* What this machine refuses of the case; a veth pair and the places are found out here. */
static int prepare(const struct plan_case *c, const char *source, struct veth *veth,
		   struct placement_choice *place, struct failure *why)
{
	const struct refusals nothing = { 0 };
	const struct job probe = { .path = source, .file = -1, .socket = -1, .size = plan_share(c),
				   .chunk = transfer_chunk(c->chunk, plan_share(c)) };
	char reason[256] = "";
	int err = placement_choose(c->placement, place, why);

	feasible_raise_limits(c->connections);
	if (!err && (feasible(c, &nothing, reason, sizeof(reason)) ||
		     (c->method->probe && c->method->probe(&probe, reason, sizeof(reason)))))
		err = fail(why, EXIT_MACHINE_CANT, ENOTSUP, "%s can't be done here: %s",
			   c->method->name, reason);
	if (!err && c->link.kind == LINK_VETH)
		err = veth_open(veth, why);
	if (!err && c->link.kind == LINK_VETH)
		err = veth_set(veth, &c->veth, why);
	return err;
}

/* `path` is what the connections read: `source`, or a folder with a copy of it for each. */
static int transfer(const struct options *o, const struct plan_case *c, const char *source,
		    const char *path, struct veth *veth, struct remote *remote, struct failure *why)
{
	struct placement_choice place;
	struct transfer_outcome out;
	uint64_t own_hash = 0;
	bool verified = false;
	struct transfer_spec spec = { .method = c->method, .path = path, .size = plan_share(c),
				      .connections = c->connections,
				      .many_files = c->files == FILES_MANY, .chunk = c->chunk,
				      .sink = c->sink, .link = c->link, .remote = remote,
				      .time_limit_s = o->conditions.time_limit_s,
				      .stop = &interrupted };
	int err = prepare(c, source, veth, &place, why);

	if (!err && c->sink == SINK_VERIFY)
		err = payload_hash(source, spec.size, &own_hash, why);
	if (!err && o->conditions.line.conditions[DIM_CACHE].count)
		err = set_cache(c, path, why);
	if (err)
		return err;
	spec.link.port = o->conditions.port;
	spec.link.veth = veth;
	spec.sender_cpu = place.sender_cpu;
	spec.receiver_cpu = remote ? remote->welcome.cpu : place.receiver_cpu;
	elsewhere = remote != NULL;
	alarm(o->conditions.time_limit_s);
	err = transfer_run_here(&spec, &out, &receiver, why);
	alarm(0);
	if (err)
		return err;
	verified = c->sink == SINK_VERIFY && out.hash == own_hash && !out.odd_hashes;
	if (o->json)
		print_json(&spec, &out, verified);
	else
		print_text(&spec, &out, verified);
	if (c->sink == SINK_VERIFY && !verified)
		return fail(why, EXIT_TRANSFER_FAILED, EIO,
			    "%s: the bytes that arrived are not the file's", c->method->name);
	return 0;
}

/* Makes what is missing, sends, and removes what it made. */
static int send_once(const struct options *o, struct plan_case *c, struct remote *remote,
		     struct failure *why)
{
	struct veth veth = { .space = { -1, -1 } };
	char made[64] = "", folder[64] = "";
	uint64_t room = c->size;
	int err;

	if (o->file) {
		err = payload_check(o->file, &room, why);
		if (!err && o->conditions.line.conditions[DIM_SIZE].count && c->size > room)
			err = fail(why, EXIT_WRONG_USE, EINVAL,
				   "--size is larger than %s, which has %" PRIu64 " bytes", o->file, room);
		if (!err && c->files == FILES_MANY)
			err = fail(why, EXIT_WRONG_USE, EINVAL,
				   "--files many makes its own files; it does not go with --file");
		if (!o->conditions.line.conditions[DIM_SIZE].count)
			c->size = room;
	} else {
		snprintf(made, sizeof(made), "copytax-payload-%ld.bin", (long)getpid());
		err = payload_create(made, c->size, 1, &interrupted, why);
		if (err)
			made[0] = '\0';
	}
	if (!err && c->files == FILES_MANY) {
		snprintf(folder, sizeof(folder), "copytax-payload-%ld", (long)getpid());
		err = payload_create_many(folder, c->connections, plan_share(c), 1, &interrupted, why);
		if (err)
			folder[0] = '\0';
	}
	if (!err)
		err = transfer(o, c, o->file ? o->file : made, folder[0]  ? folder :
							       o->file	  ? o->file :
									    made,
			       &veth, remote, why);
	veth_close(&veth);
	if (folder[0])
		payload_remove_many(folder, c->connections);
	if (made[0])
		unlink(made);
	return err;
}

int cmd_send(int argc, char **argv)
{
	static const struct argp_child children[] = { { &conditions_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = option_table, .parser = parse, .children = children,
		.doc = "Sends a file to a socket once, by one method, with this process as the sender: "
		       "wrap it in strace -c, perf stat or hyperfine.",
	};
	struct options o = { .conditions = conditions_default() };
	struct sigaction act = { .sa_handler = on_signal }, before;
	struct remote *remote = NULL;
	struct failure why = { 0 };
	struct plan_case c;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (!o.method) {
		fail(&why, EXIT_WRONG_USE, EINVAL, "name a method with --method; 'copytax list' names them");
		return cmd_failed(&why);
	}
	if (plan_single(&o.conditions.line, o.method, &c, &why))
		return cmd_failed(&why);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	/* under nohup it stays ignored */
	if (!sigaction(SIGHUP, NULL, &before) && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &act, NULL);
	sigaction(SIGALRM, &act, NULL);
	err = peer_open(&o.conditions, c.link.kind == LINK_REMOTE, &interrupted, &remote, &why);
	if (!err)
		err = send_once(&o, &c, remote, &why);
	peer_close(remote);
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
