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

#include "base/size.h"
#include "cmd/cmd.h"
#include "cmd/conditions.h"
#include "measure/direct.h"
#include "measure/findings.h"
#include "measure/host.h"
#include "report/claims_text.h"
#include "report/table.h"
#include "study/plan.h"
#include "study/study.h"
#include "transfer/payload.h"
#include "transfer/transfer.h"

#define ROUNDS_DEFAULT 15
#define WARMUP_DEFAULT 1
#define WATCHED_DEFAULT 3
#define WATCHED_MAX 9

enum key { KEY_METHODS = 'm', KEY_CHUNK = 'c', KEY_SIZE = 's', KEY_FILE = 'f', KEY_ROUNDS = 'r',
	   KEY_OUT = 'o', KEY_JSON = 'j', KEY_QUIET = 'q', KEY_SINK = 0x200, KEY_CACHE, KEY_WARMUP,
	   KEY_SEED, KEY_PLAN, KEY_KEEP, KEY_WATCHED, KEY_EVENTS,
	   KEY_PROFILE, KEY_CALIBRATE };

struct options {
	struct conditions conditions;
	struct plan plan;
	struct plan_line lines; /* what the command line says of every case */
	const char *plan_file, *file, *out, *events;
	unsigned int rounds, warmup, watched;
	int warmup_given;
	uint64_t size, seed;
	bool size_given, json, quiet, keep, profile, calibrate;
	struct failure why;
};

/* Where the payloads are, and which of them are ours to remove. */
struct sources {
	char warm[PATH_MAX], cold[PATH_MAX];
	bool made_warm, made_cold;
	uint64_t size;
};

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
	(void)signal;
	stop = 1;
}

static const struct argp_option option_table[] = {
	{ NULL, 0, NULL, 0, "What to measure (lists are comma-separated; the product of all is run):", 1 },
	{ "methods", KEY_METHODS, "LIST", 0, "methods, or 'all' (all)", 1 },
	{ "chunk", KEY_CHUNK, "LIST", 0, "the most one call may move: 4K … 1G, 'whole' (32K)", 1 },
	{ "cache", KEY_CACHE, "LIST", 0, "page cache before each sample: warm, cold (warm)", 1 },
	{ "sink", KEY_SINK, "LIST", 0,
	  "what the receiver does: drain, truncate, splice, verify (drain); verify is never timed", 1 },
	{ "size", KEY_SIZE, "SIZE", 0, "payload (320000K = 327,680,000 bytes)", 1 },
	{ "file", KEY_FILE, "PATH", 0, "a payload of your own instead of a made one", 1 },
	{ "plan", KEY_PLAN, "FILE", 0,
	  "read cases from a plan: a file, or bench or quick, which are built in; the lists above replace the plan's, --rounds bounds them", 1 },
	{ NULL, 0, NULL, 0, "How:", 2 },
	{ "rounds", KEY_ROUNDS, "N", 0, "timed samples of each case (15)", 2 },
	{ "warmup", KEY_WARMUP, "N", 0, "rounds before those, kept but not summarised (1)", 2 },
	{ "seed", KEY_SEED, "N", 0, "seed of the order in each round, and of the payload (1)", 2 },
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
	  "first measure a call, a copy, a fault and a switch one by one, to hold the prices against", 2 },
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

static int take(struct options *o, int key, const char *text)
{
	switch (key) {
	case KEY_METHODS:
		return plan_methods(&o->lines, text, &o->why);
	case KEY_CHUNK:
		return plan_chunks(&o->lines, text, &o->why);
	case KEY_CACHE:
		return plan_caches(&o->lines, text, &o->why);
	case KEY_SINK:
		return plan_sinks(&o->lines, text, &o->why);
	case KEY_SIZE:
		o->size_given = true;
		return size_parse(text, &o->size) ?
			       fail(&o->why, EXIT_WRONG_USE, EINVAL,
				    "'%s' is no size: use a whole number and K, M, G or T", text) :
			       0;
	case KEY_FILE:
		o->file = text;
		return 0;
	case KEY_PLAN:
		o->plan_file = text;
		return 0;
	case KEY_ROUNDS:
		return plan_number(text, "rounds", 1, &o->rounds, &o->why);
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

static int make_payload(const struct options *o, const char *dir, const char *name, char *path,
			struct failure *why)
{
	struct progress progress = progress_start(o->quiet);
	char size[SIZE_TEXT_MAX];
	int err;

	if (snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		return fail(why, EXIT_WRONG_USE, ENAMETOOLONG, "the path of --out is too long");
	progress_show(&progress, true, -1, "writing a payload of %s to %s",
		      size_format(o->size, size), path);
	err = payload_create(path, o->size, o->seed, &stop, why);
	progress_end(&progress);
	return err;
}

static int find_sources(const struct options *o, const char *dir, bool warm, bool cold,
			struct sources *s, struct failure *why)
{
	int err;

	if (o->file) {
		if (strlen(o->file) >= sizeof(s->warm))
			return fail(why, EXIT_WRONG_USE, ENAMETOOLONG, "the path of --file is too long");
		strcpy(s->warm, o->file);
		strcpy(s->cold, o->file);
		err = payload_check(o->file, &s->size, why);
		/* cold samples rebuild the cache by reading, so warm ones start from the same */
		if (!err && cold)
			(void)cache_set(s->warm, s->size, CACHE_COLD, NULL);
		return err;
	}
	s->size = o->size;
	err = make_payload(o, dir, "payload.bin", s->warm, why);
	s->made_warm = !err;
	strcpy(s->cold, s->warm);
	if (err || !cold || !warm)
		return err;
	err = make_payload(o, dir, "payload-cold.bin", s->cold, why);
	s->made_cold = !err;
	return err;
}

static void remove_sources(const struct sources *s, bool keep)
{
	if (s->made_cold)
		unlink(s->cold);
	if (s->made_warm && !keep)
		unlink(s->warm);
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

static json_t *buffer_json(uint32_t bytes)
{
	return bytes ? json_integer(bytes) : json_string("auto");
}

static void describe(const struct options *o, const struct placement_choice *place,
		     const struct sources *sources, int argc, char **argv, struct result *r)
{
	const struct link_settings *link = &o->conditions.link;
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
			    o->file ? json_null() : json_integer(PAYLOAD_PIECE_BYTES));
	json_object_set_new(set, "chunk_default", json_integer(CHUNK_DEFAULT));
	json_object_set_new(set, "congestion_control",
			    json_string(link->congestion[0] ? link->congestion : "default"));
	json_object_set_new(set, "sndbuf", buffer_json(link->send_buffer));
	json_object_set_new(set, "rcvbuf", buffer_json(link->receive_buffer));
	json_object_set_new(set, "nodelay", json_boolean(link->nodelay));
	json_object_set_new(set, "placement", json_string(place->text));
	json_object_set_new(set, "sender_cpu", json_integer(place->sender_cpu));
	json_object_set_new(set, "receiver_cpu", json_integer(place->receiver_cpu));
	json_object_set_new(set, "rounds", json_integer(o->plan.rounds));
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

static void warn_of_findings(const struct options *o, const struct sources *sources, struct result *r)
{
	const struct findings_plan plan = {
		.payload_bytes = sources->size,
		.congestion_control = o->conditions.link.congestion[0] ?
					      o->conditions.link.congestion :
					      NULL,
		.send_buffer = o->conditions.link.send_buffer,
		.receive_buffer = o->conditions.link.receive_buffer,
	};
	struct findings findings;

	findings_judge(r->host, &plan, &findings);
	findings_warn(r, &findings);
}

static int measure_prices(const struct options *o, const struct sources *sources,
			  const struct placement_choice *place, struct result *r,
			  struct failure *why)
{
	struct progress progress = progress_start(o->quiet);
	const struct direct_settings settings = {
		.path = sources->warm,
		.size = sources->size,
		.chunk = CHUNK_DEFAULT,
		.cpu = place->sender_cpu,
		.peer_cpu = place->receiver_cpu,
		.stop = &stop,
	};
	json_t *direct;
	int err;

	progress_show(&progress, true, -1, "measuring a call, a copy, a fault and a switch one by one");
	err = direct_measure(&settings, &direct, why);
	progress_end(&progress);
	if (!err)
		json_object_set_new(r->prices, "direct", direct);
	return err;
}

static int measure(struct options *o, const char *dir, int argc, char **argv, struct result *r,
		   struct sources *sources, struct failure *why)
{
	struct placement_choice place;
	struct plan_case *cases = NULL;
	struct study_settings settings = { .dir = dir,
					   .link = o->conditions.link,
					   .warmup = o->warmup,
					   .seed = o->seed,
					   .time_limit_s = o->conditions.time_limit_s,
					   .events = o->events,
					   .profile = o->profile,
					   .watched = o->watched < WATCHED_MAX ? o->watched : WATCHED_MAX,
					   .stop = &stop };
	json_t *facts = NULL;
	sigset_t blocked;
	uint16_t port;
	size_t count;
	int err = plan_expand(&o->plan, &o->lines, &cases, &count, why), listener, saved;

	if (!err)
		err = placement_choose(o->conditions.placement, &place, why);
	if (!err) {
		/* a port or a congestion control that can't be had fails here, before the payload is made */
		listener = link_listen(&o->conditions.link, &port, why);
		err = listener < 0 ? listener : close(listener);
	}
	if (!err)
		err = find_sources(o, dir, plan_wants(cases, count, CACHE_WARM),
				   plan_wants(cases, count, CACHE_COLD), sources, why);
	if (!err)
		err = host_facts(dir, sources->warm, &facts, why);
	if (err) {
		free(cases);
		return err;
	}
	json_decref(r->host);
	r->host = facts;
	describe(o, &place, sources, argc, argv, r);
	warn_of_findings(o, sources, r);
	settings.payload = sources->warm;
	settings.payload_cold = sources->cold;
	settings.size = sources->size;
	settings.sender_cpu = place.sender_cpu;
	settings.receiver_cpu = place.receiver_cpu;
	if (o->calibrate && plan_wants(cases, count, CACHE_WARM))
		err = measure_prices(o, sources, &place, r, why);
	if (err) {
		free(cases);
		return err;
	}
	/* from here on the study looks for signals, while it waits for a transfer */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGHUP);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	err = study_run(&settings, cases, count, o->quiet, r, why);
	free(cases);
	json_object_set_new(r->run, "interrupted", json_boolean(err));
	set_time(r->run, "finished");
	saved = result_save(r, dir, err ? NULL : why);
	return err ? err : saved;
}

int cmd_run(int argc, char **argv)
{
	static const struct argp_child children[] = { { &conditions_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = option_table, .parser = parse, .children = children,
		.doc = "Moves a payload from a file to a socket by every method of a plan, in interleaved "
		       "rounds, and writes what it measured to DIR/result.json.",
	};
	struct options o = { .conditions = conditions_default(), .plan = { .warmup = -1 },
			     .warmup = WARMUP_DEFAULT, .watched = WATCHED_DEFAULT, .events = "default", .seed = 1 };
	struct sigaction act = { .sa_handler = on_signal }, before;
	struct sources sources = { 0 };
	struct result *r = NULL;
	struct failure why = { 0 };
	char dated[64];
	time_t now = time(NULL);
	struct tm tm;
	int err = 0, code;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	/* under nohup it stays ignored */
	if (!sigaction(SIGHUP, NULL, &before) && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &act, NULL);
	if (o.plan_file)
		err = plan_load(&o.plan, o.plan_file, &why);
	if (o.rounds || !o.plan.rounds)
		o.plan.rounds = o.rounds ? o.rounds : ROUNDS_DEFAULT;
	if (!o.warmup_given && o.plan.warmup >= 0)
		o.warmup = (unsigned int)o.plan.warmup;
	if (!o.size_given)
		o.size = o.plan.size_given ? o.plan.size : PAYLOAD_DEFAULT;
	if (!o.out) {
		localtime_r(&now, &tm);
		strftime(dated, sizeof(dated), "results/%Y%m%d-%H%M%S", &tm);
		o.out = dated;
	}
	r = result_new();
	if (!r) {
		fail(&why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
		return cmd_failed(&why);
	}
	if (!err)
		err = make_folders(o.out, &why);
	if (!err) {
		err = measure(&o, o.out, argc, argv, r, &sources, &why);
		remove_sources(&sources, o.keep);
	}
	if (r->case_count && (!err || why.exit_code == EXIT_INTERRUPTED)) {
		name_failures(r);
		(void)print_result(&o, o.out, r);
	}
	code = err ? cmd_failed(&why) : exit_code_of(r);
	result_free(r);
	return code;
}
