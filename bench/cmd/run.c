// SPDX-License-Identifier: MIT
/* copytax run: a study from its plan to its result and table. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/signals.h"
#include "base/size.h"
#include "cmd/cmd.h"
#include "cmd/conditions.h"
#include "cmd/options.h"
#include "cmd/peer.h"
#include "cmd/resume.h"
#include "cmd/sources.h"
#include "measure/direct.h"
#include "measure/findings.h"
#include "measure/host.h"
#include "report/claims_text.h"
#include "report/table.h"
#include "study/plan.h"
#include "study/precision.h"
#include "study/study.h"
#include "transfer/payload.h"
#include "transfer/transfer.h"
#include "transfer/veth.h"

#define ROUNDS_DEFAULT 15
#define WARMUP_DEFAULT 1
#define WATCHED_DEFAULT 3
#define WATCHED_MAX 9
#define CATCH_UP_PERCENT 100

enum key { KEY_METHODS = 'm', KEY_CHUNK = 'c', KEY_SIZE = 's', KEY_FILE = 'f', KEY_ROUNDS = 'r',
	   KEY_OUT = 'o', KEY_JSON = 'j', KEY_QUIET = 'q', KEY_SINK = 0x200, KEY_CACHE, KEY_WARMUP,
	   KEY_SEED, KEY_PLAN, KEY_KEEP, KEY_WATCHED, KEY_EVENTS,
	   KEY_PROFILE, KEY_CALIBRATE, KEY_RESUME, KEY_SPARSE, KEY_DRY,
	   KEY_PRECISION, KEY_PRECISION_TIME, KEY_CATCH_UP };

struct options {
	struct conditions conditions;
	struct plan plan;
	const char *plan_file, *file, *out, *events, *resume;
	unsigned int rounds, warmup, watched;
	int warmup_given;
	double precision;
	unsigned int precision_time, catch_up;
	uint64_t seed;
	bool json, quiet, keep, profile, calibrate, sparse, dry;
	struct failure why;
};

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
	(void)signal;
	stop = 1;
}

static const struct argp_option option_table[] = {
	{ NULL, 0, NULL, 0, "What to measure (lists are comma-separated; the product of all is run):", 1 },
	{ "methods", KEY_METHODS, "LIST", 0, "methods, 'classic' for the five of the texts, or 'all' (classic)", 1 },
	{ "chunk", KEY_CHUNK, "LIST", 0, "the most one call may move: 4K … 1G, 'whole' (32K)", 1 },
	{ "cache", KEY_CACHE, "LIST", 0, "page cache before each sample: warm, cold, half (warm)", 1 },
	{ "sink", KEY_SINK, "LIST", 0,
	  "what the receiver does: drain, truncate, splice, zerocopy, verify (drain); verify is never timed", 1 },
	{ "size", KEY_SIZE, "LIST", 0, "payload (320000K = 327,680,000 bytes)", 1 },
	{ "sparse", KEY_SPARSE, NULL, 0,
	  "the made payload is a hole in the file system: no room taken, all zeros", 1 },
	{ "file", KEY_FILE, "PATH", 0, "a payload of your own instead of a made one", 1 },
	{ "plan", KEY_PLAN, "FILE", 0,
	  "read cases from a plan: a file, or one that is built in: bench, quick, classic, chunk-size, cold-cache, connections, links, everything; the lists above replace the plan's, --rounds bounds them", 1 },
	{ NULL, 0, NULL, 0, "How:", 2 },
	{ "rounds", KEY_ROUNDS, "N", 0, "timed samples of each case (15)", 2 },
	{ "precision", KEY_PRECISION, "PERCENT", 0,
	  "after these, go on until the 95 % interval of each case's median sender CPU reaches no further from it than this (2%), or say that it never did",
	  2 },
	{ "precision-time", KEY_PRECISION_TIME, "SECONDS", 0,
	  "no rounds are added after so long (600), nor after 500 rounds", 2 },
	{ "catch-up", KEY_CATCH_UP, "PERCENT", 0,
	  "have a guest's two CPUs brought together before samples, and go on for those that were taken while they were apart, the sender's was slowed or CPU time was stolen, for so much of the planned rounds' time (100); 0: don't",
	  2 },
	{ "warmup", KEY_WARMUP, "N", 0, "rounds before those, kept but not summarised (1)", 2 },
	{ "seed", KEY_SEED, "N", 0, "seed of the order in each round, and of the payload (1)", 2 },
	{ "resume", KEY_RESUME, "DIR", 0,
	  "go on with the interrupted study in DIR, by the command that began it; what it measured is kept", 2 },
	{ "dry-run", KEY_DRY, NULL, 0, "list the cases and estimate the time; measure nothing", 2 },
	{ "out", KEY_OUT, "DIR", 0, "where the result goes (results/DATE-TIME)", 2 },
	{ "keep-payload", KEY_KEEP, NULL, 0, "leave the made payload as DIR/payload.bin", 2 },
	{ "watched", KEY_WATCHED, "N", 0,
	  "transfers in the counting pass of each case with chunks of 32K (3); the others and long ones get one; 0 leaves the pass out", 2 },
	{ "events", KEY_EVENTS, "LIST", 0,
	  "events of a pass of their own: libpfm4's names, 'default' or 'none' (default)", 2 },
	{ "profile", KEY_PROFILE, NULL, 0,
	  "sample the sender's stacks in a pass of its own: DIR/profile holds folded stacks and flame graphs",
	  2 },
	{ "calibrate", KEY_CALIBRATE, NULL, 0,
	  "also measure a call, a copy, a fault and a switch one by one, between the rounds, to hold the prices against", 2 },
	{ "json", KEY_JSON, NULL, 0, "print the result document instead of the table", 2 },
	{ "quiet", KEY_QUIET, NULL, 0, "no progress", 2 },
	{ 0 },
};

static int take_seed(struct options *o, const char *text)
{
	char *end;

	errno = 0;
	o->seed = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno)
		return fail(&o->why, EXIT_WRONG_USE, EINVAL, "'%s' is no seed: use a whole number",
			    text);
	return 0;
}

static void options_default(struct options *o)
{
	o->conditions = conditions_default();
	o->plan.warmup = -1;
	o->warmup = WARMUP_DEFAULT;
	o->watched = WATCHED_DEFAULT;
	o->precision_time = PRECISION_TIME_S;
	o->catch_up = CATCH_UP_PERCENT;
	o->events = "default";
	o->seed = 1;
}

static int take(struct options *o, int key, const char *text)
{
	struct dimension_list *lists = o->conditions.line.conditions;

	switch (key) {
	case KEY_METHODS:
		return plan_methods(&o->conditions.line, text, &o->why);
	case KEY_CHUNK:
		return dimension_parse(DIM_CHUNK, &lists[DIM_CHUNK], text, &o->why);
	case KEY_CACHE:
		return dimension_parse(DIM_CACHE, &lists[DIM_CACHE], text, &o->why);
	case KEY_SINK:
		return dimension_parse(DIM_SINK, &lists[DIM_SINK], text, &o->why);
	case KEY_SIZE:
		return dimension_parse(DIM_SIZE, &lists[DIM_SIZE], text, &o->why);
	case KEY_RESUME:
		o->resume = text;
		return 0;
	case KEY_SPARSE:
		o->sparse = true;
		return 0;
	case KEY_DRY:
		o->dry = true;
		return 0;
	case KEY_FILE:
		o->file = text;
		return 0;
	case KEY_PLAN:
		o->plan_file = text;
		return 0;
	case KEY_ROUNDS:
		return plan_number(text, "rounds", 1, &o->rounds, &o->why);
	case KEY_PRECISION:
		return precision_parse(text, &o->precision, &o->why);
	case KEY_PRECISION_TIME:
		return plan_number(text, "seconds", 1, &o->precision_time, &o->why);
	case KEY_CATCH_UP:
		return plan_number(text, "per cent", 0, &o->catch_up, &o->why);
	case KEY_WARMUP:
		o->warmup_given = 1;
		return plan_number(text, "warm-up rounds", 0, &o->warmup, &o->why);
	case KEY_SEED:
		return take_seed(o, text);
	case KEY_OUT:
		o->out = text;
		return 0;
	case KEY_KEEP:
		o->keep = true;
		return 0;
	case KEY_EVENTS:
		o->events = text;
		return 0;
	case KEY_PROFILE:
		o->profile = true;
		return 0;
	case KEY_CALIBRATE:
		o->calibrate = true;
		return 0;
	case KEY_WATCHED:
		return plan_number(text, "watched transfers", 0, &o->watched, &o->why);
	case KEY_JSON:
		o->json = true;
		return 0;
	case KEY_QUIET:
		o->quiet = true;
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

static int make_folders(const char *dir, struct failure *why)
{
	char path[PATH_MAX];
	struct stat st = { 0 };

	if (strlen(dir) >= sizeof(path))
		return fail(why, EXIT_WRONG_USE, ENAMETOOLONG, "the path of --out is too long");
	strcpy(path, dir);
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		(void)mkdir(path, 0755); /* the last one tells */
		*p = '/';
	}
	if (mkdir(path, 0755) && errno != EEXIST)
		return fail(why, EXIT_MACHINE_CANT, errno, "can't make the folder %s: %s", dir,
			    strerror(errno));
	if (stat(path, &st) || !S_ISDIR(st.st_mode))
		return fail(why, EXIT_MACHINE_CANT, ENOTDIR, "can't make the folder %s: %s is there already",
			    dir, S_ISREG(st.st_mode) ? "a file" : "something else");
	if (access(path, W_OK))
		return fail(why, EXIT_MACHINE_CANT, errno, "can't write into %s: %s", dir,
			    strerror(errno));
	return 0;
}

static bool plan_wants(const struct plan_case *cases, size_t count, enum cache cache)
{
	for (size_t i = 0; i < count; i++)
		if (cases[i].cache == cache)
			return true;
	return false;
}

static void set_time(json_t *object, const char *key)
{
	time_t now = time(NULL);
	char text[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_object_set_new(object, key, json_string(text));
}

static void describe(const struct options *o, const struct plan_case *first,
		     const struct placement_choice *place, const struct sources *sources, int argc,
		     char **argv, struct result *r)
{
	char id[64];
	json_t *words = json_array(), *set = r->settings;
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(id, sizeof(id), "%Y%m%dT%H%M%SZ-", &tm);
	snprintf(id + strlen(id), sizeof(id) - strlen(id), "%ld", (long)getpid());
	json_array_append_new(words, json_string("copytax"));
	json_array_append_new(words, json_string("run"));
	for (int i = 1; i < argc; i++)
		json_array_append_new(words, json_string(argv[i]));

	json_object_set_new(r->tool, "name", json_string("copytax"));
	json_object_set_new(r->tool, "version", json_string(COPYTAX_VERSION));
	json_object_set_new(r->tool, "commit", json_string(COPYTAX_COMMIT));
	json_object_set_new(r->run, "id", json_string(id));
	set_time(r->run, "started");
	json_object_set_new(r->run, "finished", json_null());
	json_object_set_new(r->run, "argv", words);
	/* true until the study is over: a document that a killed run left says so */
	json_object_set_new(r->run, "interrupted", json_true());

	json_object_set_new(set, "payload_bytes", json_integer((json_int_t)sources->size));
	json_object_set_new(set, "payload_path", json_string(sources->warm));
	json_object_set_new(set, "payload_made", json_boolean(!o->file));
	json_object_set_new(set, "payload_written_in_bytes",
			    o->file || o->sparse ? json_null() : json_integer(PAYLOAD_PIECE_BYTES));
	json_object_set_new(set, "payload_sparse", json_boolean(o->sparse && !o->file));
	json_object_set_new(set, "chunk_default", json_integer(CHUNK_DEFAULT));
	json_object_set_new(set, "congestion_control",
			    dimension_json(DIM_CONGESTION, &first->at[DIM_CONGESTION]));
	json_object_set_new(set, "sndbuf", dimension_json(DIM_SNDBUF, &first->at[DIM_SNDBUF]));
	json_object_set_new(set, "rcvbuf", dimension_json(DIM_RCVBUF, &first->at[DIM_RCVBUF]));
	json_object_set_new(set, "nodelay", dimension_json(DIM_NODELAY, &first->at[DIM_NODELAY]));
	json_object_set_new(set, "lead", dimension_json(DIM_LEAD, &first->at[DIM_LEAD]));
	json_object_set_new(set, "placement", json_string(place->text));
	json_object_set_new(set, "sender_cpu", json_integer(place->sender_cpu));
	json_object_set_new(set, "receiver_cpu", json_integer(place->receiver_cpu));
	json_object_set_new(set, "rounds", json_integer(o->plan.rounds));
	/* a setting that nobody made is no unknown */
	json_object_set_new(set, "catch_up_percent", json_integer(o->catch_up));
	if (o->precision > 0)
		json_object_set_new(set, "precision", json_real(o->precision));
	json_object_set_new(set, "warmup_rounds", json_integer(o->warmup));
	json_object_set_new(set, "seed", json_integer((json_int_t)o->seed));
	json_object_set_new(set, "receive_buffer_bytes", json_integer(SINK_BUFFER_BYTES));
	json_object_set_new(set, "watched_transfers", json_integer(o->watched));
	json_object_set_new(set, "time_limit_s", json_integer(o->conditions.time_limit_s));
}

/* The worst that happened to a case decides; nothing measurable at all is the machine's fault. */
static int exit_code_of(const struct result *r)
{
	bool any = false;

	for (size_t i = 0; i < r->case_count; i++) {
		if (r->cases[i].status == CASE_FAILED)
			return EXIT_TRANSFER_FAILED;
		any |= r->cases[i].status == CASE_OK;
	}
	return any ? EXIT_DONE : EXIT_MACHINE_CANT;
}

static void name_failures(const struct result *r)
{
	const char *last = "";

	for (size_t i = 0; i < r->case_count; i++) {
		const struct case_result *c = &r->cases[i];
		size_t named = strlen(c->method);

		if (c->status == CASE_OK || !strcmp(last, c->reason))
			continue;
		last = c->reason;
		/* a transfer's own words start with the method's name */
		if (strncmp(c->reason, c->method, named) || strncmp(c->reason + named, ": ", 2))
			named = 0;
		fprintf(stderr, "copytax: %s %s: %s\n", c->method,
			c->status == CASE_FAILED ? "failed" : "skipped",
			c->reason + (named ? named + 2 : 0));
	}
}

static int print_result(const struct options *o, const char *dir, const struct result *r)
{
	char path[PATH_MAX + 32];
	FILE *file;
	int c;

	if (!o->json) {
		(void)table_terminal(r, stdout);
		puts("\nWhat the classic texts claim");
		(void)claims_write(r, STYLE_TEXT, stdout);
		printf("\nresult: %s/" RESULT_FILE "\n", dir);
		return 0;
	}
	snprintf(path, sizeof(path), "%s/" RESULT_FILE, dir);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while ((c = getc(file)) != EOF)
		putchar(c);
	fclose(file);
	return 0;
}

static void warn_of_findings(const struct plan_case *first, const struct sources *sources,
			     struct result *r)
{
	const struct findings_plan plan = {
		.payload_bytes = sources->size,
		.congestion_control = first->link.congestion[0] ? first->link.congestion : NULL,
		.send_buffer = first->link.send_buffer,
		.receive_buffer = first->link.receive_buffer,
		.remote = first->link.kind == LINK_REMOTE,
	};
	struct findings findings;

	findings_judge(r->host, &plan, &findings);
	findings_warn(r, &findings);
}

/* What a run holds while it measures. */
struct run {
	struct options *o;
	struct plan_case *cases;
	size_t count;
	struct placement_choice places[PLACEMENTS];
	struct failure no_place[PLACEMENTS], no_veth;
	struct veth veth;
	struct remote *remote;
	struct sources sources;
	struct refusals refused;
};

/* Places and devices that cases ask for; what can't be had skips them, unless all ask for it. */
static int find_places(struct run *run, struct failure *why)
{
	bool any = false;

	for (size_t i = 0; i < run->count; i++) {
		enum placement p = run->cases[i].placement;

		if (!run->places[p].text[0] && !run->refused.placement[p] &&
		    placement_choose(p, &run->places[p], &run->no_place[p]))
			run->refused.placement[p] = run->no_place[p].text;
		any |= !run->refused.placement[p];
	}
	if (any)
		return 0;
	*why = run->no_place[run->cases[0].placement];
	return -ENODEV;
}

/* Whom cases of the link remote send to. Without a peer they are skipped, unless there are no others. */
static int find_peer(struct run *run, struct failure *why)
{
	size_t wanting = 0;

	for (size_t i = 0; i < run->count; i++)
		wanting += run->cases[i].link.kind == LINK_REMOTE;
	if (wanting && wanting < run->count && !run->o->conditions.peer) {
		run->refused.remote = PEER_MISSING;
		return 0;
	}
	return peer_open(&run->o->conditions, wanting > 0, &stop, &run->remote, why);
}

static int find_links(struct run *run, struct failure *why)
{
	unsigned int connections = 1;
	int err = 0;

	for (size_t i = 0; i < run->count; i++)
		if (run->cases[i].connections > connections)
			connections = run->cases[i].connections;
	feasible_raise_limits(connections);
	for (size_t i = 0; i < run->count && !err; i++) {
		struct link_settings link = run->cases[i].link;
		struct link_address at;
		int listener;

		if (link.kind == LINK_VETH && !run->veth.name[0][0] && !run->refused.veth &&
		    veth_open(&run->veth, &run->no_veth)) {
			veth_close(&run->veth);
			run->refused.veth = run->no_veth.text;
		}
		if (link.kind == LINK_REMOTE || (link.kind == LINK_VETH && run->refused.veth))
			continue;
		/* a port or a congestion control that can't be had fails here, before the payload is made */
		link.port = run->o->conditions.port;
		link.veth = &run->veth;
		listener = link_listen(&link, 1, &at, why);
		err = listener < 0 ? listener : close(listener);
	}
	return err;
}

static void describe_peer(const struct run *run, struct result *r)
{
	struct placement_choice place = run->places[run->cases[0].placement];
	const struct remote *remote = run->remote;
	char text[256];

	json_object_set_new(r->settings, "peer", peer_json(remote));
	if (run->cases[0].link.kind == LINK_REMOTE) {
		peer_place(remote, &place);
		json_object_set_new(r->settings, "placement", json_string(place.text));
		json_object_set_new(r->settings, "receiver_cpu", json_integer(place.receiver_cpu));
	}
	snprintf(text, sizeof(text), "with the link remote the receiver ran on another host, %s",
		 remote->name);
	result_warn(r, "remote_receiver", text,
		    "its CPU seconds are that machine's, whose cores may be faster or slower; wall time is the sender's and has the network in it");
	if (!strcmp(remote->other.commit, COPYTAX_COMMIT))
		return;
	snprintf(text, sizeof(text), "the receiver's copytax was built from commit %s, the sender's from %s",
		 remote->other.commit, COPYTAX_COMMIT);
	result_warn(r, "peer_differs", text, "sinks may differ in what they cost");
}

/* Refuses what would be given up anyway, and a disk that is too small, before a byte is written. */
static int check_plan(const struct run *run, const char *dir, struct failure *why)
{
	const struct options *o = run->o;
	double longest;
	uint64_t size = 0;
	int err = 0;

	(void)study_guess(run->cases, run->count, o->warmup, o->watched, &longest);
	for (size_t i = 0; i < run->count; i++)
		size = run->cases[i].size > size ? run->cases[i].size : size;
	if (!o->file && !o->sparse && !o->dry)
		err = payload_room(dir, size, why);
	/* the guess can be off by some times; what is off by ten is a slip of the pen */
	if (err || longest < 10 * o->conditions.time_limit_s)
		return err;
	return fail(why, EXIT_WRONG_USE, ETIME,
		    "one transfer would take some %.0f s, and --time-limit gives each %u s: use a smaller --size or fewer --connections with --each whole, or raise --time-limit",
		    longest, o->conditions.time_limit_s);
}

static size_t transfers(const struct run *run)
{
	size_t sum = 0;

	for (size_t i = 0; i < run->count; i++)
		sum += run->o->warmup + run->cases[i].rounds;
	return sum;
}

static void list_cases(const struct run *run)
{
	char text[160], payload[SIZE_TEXT_MAX];
	double longest;

	for (size_t i = 0; i < run->count; i++) {
		study_case_text(&run->cases[i], text, sizeof(text));
		printf("%s, %s bytes, %u rounds\n", text,
		       size_format(plan_payload(&run->cases[i]), payload), run->cases[i].rounds);
	}
	printf("%zu cases, %zu timed transfers: by a rough guess %.0f s\n", run->count, transfers(run),
	       study_guess(run->cases, run->count, run->o->warmup, run->o->watched, &longest));
}

static void announce(const struct run *run)
{
	struct progress progress = progress_start(run->o->quiet);
	double longest;

	progress_show(&progress, true,
		      study_guess(run->cases, run->count, run->o->warmup, run->o->watched, &longest),
		      "%zu cases, %zu timed transfers: by a rough guess", run->count, transfers(run));
	progress_end(&progress);
}

static int study(struct run *run, const char *dir, struct result *r, struct failure *why)
{
	const struct options *o = run->o;
	const struct placement_choice *place = &run->places[run->cases[0].placement];
	const struct direct_settings direct = {
		.path = run->sources.warm,
		.size = run->sources.size,
		.chunk = CHUNK_DEFAULT,
		.cpu = place->sender_cpu,
		.peer_cpu = place->receiver_cpu,
	};
	const struct study_settings settings = {
		.dir = dir,
		.payload = run->sources.warm,
		.payload_cold = run->sources.cold,
		.payload_many = run->sources.many,
		.port = o->conditions.port,
		.veth = &run->veth,
		.remote = run->remote,
		.refused = run->refused,
		.places = run->places,
		.sender_cpu = place->sender_cpu,
		.receiver_cpu = place->receiver_cpu,
		.warmup = o->warmup,
		.precision = o->precision,
		.precision_time_s = o->precision_time,
		.catch_up = o->catch_up / 100.0,
		.seed = o->seed,
		.time_limit_s = o->conditions.time_limit_s,
		.events = o->events,
		.profile = o->profile,
		.direct = o->calibrate && plan_wants(run->cases, run->count, CACHE_WARM) ? &direct : NULL,
		.watched = o->watched < WATCHED_MAX ? o->watched : WATCHED_MAX,
		.stop = &stop,
	};
	int err, saved;

	/* from here on the study looks for signals, while it waits for a transfer */
	signals_hold(NULL);
	err = study_run(&settings, run->cases, run->count, o->quiet, r, why);
	json_object_set_new(r->run, "interrupted", json_boolean(err));
	set_time(r->run, "finished");
	saved = result_save(r, dir, err ? NULL : why);
	return err ? err : saved;
}

/* The cases of the plan and the command line. With a file of the user's, its size is the payload's. */
static int find_cases(struct run *run, struct failure *why)
{
	struct options *o = run->o;
	struct dimension_list *sizes = &o->conditions.line.conditions[DIM_SIZE];
	int err = 0;

	if (o->file && !sizes->count) {
		err = payload_check(o->file, &sizes->value[0].number, why);
		sizes->count = 1;
	}
	return err ? err : plan_expand(&o->plan, &o->conditions.line, &run->cases, &run->count, why);
}

/* Warnings that the end of a study draws from all samples: those of an interrupted one were drawn from fewer. */
static void forget_conclusions(struct result *r)
{
	static const char *const codes[] = { "cpus_apart", "cpus_mixed", "cpus_elsewhere", "cpus_gathered", "cpu_slowed",
					     "cpu_slowed_only", "cpu_stolen", "cpu_stolen_only",
					     "host_speed", "copy_prices_apart",
					     "precision_not_reached" };

	for (size_t i = json_array_size(r->warnings); i-- > 0;) {
		const char *code = json_string_value(
			json_object_get(json_array_get(r->warnings, i), "code"));

		for (size_t k = 0; code && k < sizeof(codes) / sizeof(codes[0]); k++)
			if (!strcmp(code, codes[k])) {
				json_array_remove(r->warnings, i);
				break;
			}
	}
}

/* What an interrupted run left takes the place of the empty result, if this is how it was begun. */
static int take_over(struct run *run, const char *dir, struct result **r, struct result **old,
		     struct failure *why)
{
	json_t *when;
	int err;

	if (!*old)
		return 0;
	err = resume_check(*old, dir, run->cases, run->count, (*r)->settings, (*r)->host, why);
	if (err)
		return err;
	if (!json_object_get((*old)->run, "resumed"))
		json_object_set_new((*old)->run, "resumed", json_array());
	when = json_object_get((*old)->run, "resumed");
	set_time((*old)->run, "finished");
	json_array_append(when, json_object_get((*old)->run, "finished"));
	json_object_set_new((*old)->run, "finished", json_null());
	forget_conclusions(*old);
	result_free(*r);
	*r = *old;
	*old = NULL;
	return 0;
}

static int measure(struct options *o, const char *dir, int argc, char **argv, struct result **r,
		   struct result **old, struct failure *why)
{
	struct run run = { .o = o, .veth = { .space = { -1, -1 } } };
	struct sources_wanted wanted = { .dir = dir, .file = o->file, .seed = o->seed,
					 .sparse = o->sparse, .again = *old, .quiet = o->quiet,
					 .stop = &stop };
	json_t *facts = NULL;
	int err = find_cases(&run, why);

	if (!err)
		err = check_plan(&run, dir, why);
	if (!err && o->dry)
		list_cases(&run);
	if (err || o->dry)
		goto out;
	err = find_places(&run, why);
	if (!err)
		err = find_links(&run, why);
	if (!err)
		err = find_peer(&run, why);
	if (!err)
		announce(&run);
	if (!err)
		err = sources_make(&wanted, run.cases, run.count, &run.sources, why);
	if (!err)
		err = host_facts(dir, run.sources.warm, &facts, why);
	if (err)
		goto out;
	json_decref((*r)->host);
	(*r)->host = facts;
	describe(o, run.cases, &run.places[run.cases[0].placement], &run.sources, argc, argv, *r);
	if (run.remote)
		describe_peer(&run, *r);
	warn_of_findings(run.cases, &run.sources, *r);
	err = take_over(&run, dir, r, old, why);
	if (!err)
		err = study(&run, dir, *r, why);
out:
	sources_remove(&run.sources, run.cases, run.count, o->keep);
	veth_close(&run.veth);
	peer_close(run.remote);
	free(run.cases);
	return err;
}

struct command {
	char **words;
	int count;
};

/*
 * Loads what is to be gone on with, and takes its command for ours. What was said besides --resume is laid
 * over it: if that makes another study of it, resume_check() refuses.
 */
static int resume(const struct argp *argp, struct options *o, const struct command *given,
		  struct command *begun, struct result **old, struct failure *why)
{
	const char *dir = o->resume;
	int err = result_load(dir, old, why);

	if (!err)
		err = resume_words(*old, &begun->words, &begun->count, why);
	if (err)
		return err;
	memset(o, 0, sizeof(*o));
	options_default(o);
	argp_parse(argp, begun->count, begun->words, 0, NULL, o);
	o->quiet = o->json = false;
	argp_parse(argp, given->count, given->words, 0, NULL, o);
	o->out = dir;
	return 0;
}

int cmd_run(int argc, char **argv)
{
	static const struct argp_child children[] = { { &conditions_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = option_table, .parser = parse, .children = children,
		.doc = "Moves a payload from a file to a socket by every method of a plan, in interleaved "
		       "rounds, and writes what it measured to DIR/result.json.",
	};
	struct options *o = calloc(1, sizeof(*o));
	struct sigaction act = { .sa_handler = on_signal }, before;
	struct result *r = result_new(), *old = NULL;
	struct failure why = { 0 };
	const struct command given = { argv, argc };
	struct command begun = { NULL, 0 };
	char dated[64];
	time_t now = time(NULL);
	struct tm tm;
	int err = 0, code;

	if (!r || !o) {
		fail(&why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
		result_free(r);
		free(o);
		return cmd_failed(&why);
	}
	options_default(o);
	argp_parse(&argp, argc, argv, 0, NULL, o);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	/* under nohup it stays ignored */
	if (!sigaction(SIGHUP, NULL, &before) && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &act, NULL);
	if (o->resume) {
		err = resume(&argp, o, &given, &begun, &old, &why);
		argc = begun.count;
		argv = begun.words;
	}
	if (!err && o->plan_file)
		err = plan_load(&o->plan, o->plan_file, &why);
	if (o->rounds || !o->plan.rounds)
		o->plan.rounds = o->rounds ? o->rounds : ROUNDS_DEFAULT;
	if (!o->warmup_given && o->plan.warmup >= 0)
		o->warmup = (unsigned int)o->plan.warmup;
	if (!o->out) {
		localtime_r(&now, &tm);
		strftime(dated, sizeof(dated), "results/%Y%m%d-%H%M%S", &tm);
		o->out = dated;
	}
	if (!err && !o->dry)
		err = make_folders(o->out, &why);
	if (!err)
		err = measure(o, o->out, argc, argv, &r, &old, &why);
	if (r->case_count && (!err || why.exit_code == EXIT_INTERRUPTED)) {
		name_failures(r);
		(void)print_result(o, o->out, r);
	}
	code = err ? cmd_failed(&why) : o->dry ? EXIT_DONE : exit_code_of(r);
	result_free(r);
	result_free(old);
	free(begun.words);
	free(o);
	return code;
}
