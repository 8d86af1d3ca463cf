// SPDX-License-Identifier: MIT
#include "study/study.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/size.h"
#include "analysis/apart.h"
#include "analysis/claims.h"
#include "analysis/host_speed.h"
#include "analysis/marks.h"
#include "analysis/prices.h"
#include "analysis/slowed.h"
#include "analysis/stolen.h"
#include "measure/clock.h"
#include "study/agreement.h"
#include "study/backed.h"
#include "study/counting.h"
#include "study/feasible.h"
#include "study/pass.h"
#include "study/rounds.h"
#include "transfer/backing.h"
#include "transfer/cache.h"
#include "transfer/payload.h"
#include "transfer/transfer.h"
#include "transfer/veth.h"

/*
 * What watching costs is a ratio of two noisy figures: short transfers with the default chunk are watched
 * several times. What is counted is the same every time.
 */
#define WATCHED_ONCE_ABOVE_S 0.5

void pass_set_status(struct case_result *c, enum case_status status, const char *reason)
{
	c->status = status;
	free(c->reason);
	c->reason = strdup(reason);
}

bool study_stopped(const struct study *s)
{
	return s->settings->stop && *s->settings->stop;
}

static const char *source_of(const struct study *s, const struct plan_case *plan)
{
	return plan->cache == CACHE_WARM ? s->settings->payload : s->settings->payload_cold;
}

/* What the transfer is given: the source, or the folder with one for each connection. */
static const char *path_of(const struct study *s, const struct plan_case *plan, char *folder,
			   size_t size)
{
	if (plan->files == FILES_ONE)
		return source_of(s, plan);
	study_files(s->settings->payload_many, plan, folder, size);
	return folder;
}

static void remember_note(struct case_result *c, const char *note)
{
	json_t *known;
	size_t i;

	if (!note[0])
		return;
	json_array_foreach(c->notes, i, known)
		if (!strcmp(json_string_value(known), note))
			return;
	json_array_append_new(c->notes, json_string(note));
}

void pass_figures(struct case_result *c, const struct method_figure *figures)
{
	for (size_t i = 0; i < METHOD_FIGURES_MAX && figures[i].name[0]; i++) {
		const json_t *known = json_object_get(c->method_figures, figures[i].name);
		double value = figures[i].value, low = value, high = value;

		if (known) {
			low = fmin(low, json_number_value(json_object_get(known, "low")));
			high = fmax(high, json_number_value(json_object_get(known, "high")));
		}
		json_object_set_new(c->method_figures, figures[i].name,
				    json_pack("{s:f, s:f, s:f}", "value", value, "low", low, "high",
					      high));
	}
}

static int add_cases(struct study *s)
{
	if (s->result->case_count) {
		s->resumed = true;
		return s->result->case_count == s->count ? 0 : -EINVAL;
	}
	for (size_t i = 0; i < s->count; i++) {
		const struct plan_case *plan = &s->cases[i];
		struct case_result *c = result_add_case(s->result);

		if (!c)
			return -ENOMEM;
		c->method = strdup(plan->method->name);
		c->cache = strdup(cache_names[plan->cache]);
		c->sink = strdup(sink_names[plan->sink]);
		c->link = strdup(link_names[plan->link.kind]);
		c->chunk = plan->chunk;
		c->payload = plan_payload(plan);
		c->connections = plan->connections;
		case_conditions(plan, c->conditions);
		json_object_set_new(c->verified, "bytes", json_null());
		json_object_set_new(c->verified, "hash", json_null());
		json_object_set_new(c->verified, "ok", json_null());
		json_object_set_new(c->verified, "reason", json_string("not verified yet"));
		if (!c->method || !c->cache || !c->sink || !c->link)
			return -ENOMEM;
	}
	return 0;
}

/* What the machine can't do is found out before anything is measured. */
static void probe_cases(struct study *s)
{
	char reason[256];

	for (size_t i = 0; i < s->count; i++) {
		const struct plan_case *plan = &s->cases[i];
		const struct job job = {
			.path = source_of(s, plan),
			.file = -1,
			.socket = -1,
			.size = plan_share(plan),
			.chunk = transfer_chunk(plan->chunk, plan_share(plan)),
		};

		if (s->result->cases[i].status != CASE_OK)
			continue;
		reason[0] = '\0';
		if (feasible(plan, &s->settings->refused, reason, sizeof(reason)) ||
		    (plan->method->probe && plan->method->probe(&job, reason, sizeof(reason))))
			pass_set_status(&s->result->cases[i], CASE_SKIPPED, reason);
	}
}

/* `path` is the caller's room for a folder's name. */
static struct transfer_spec spec_of(const struct study *s, size_t index, enum sink sink,
				    char path[static PATH_MAX])
{
	const struct plan_case *plan = &s->cases[index];
	const struct study_settings *set = s->settings;
	struct link_settings link = plan->link;

	link.port = set->port;
	link.veth = set->veth;
	return (struct transfer_spec){
		.method = plan->method,
		.path = path_of(s, plan, path, PATH_MAX),
		.size = plan_share(plan),
		.connections = plan->connections,
		.many_files = plan->files == FILES_MANY,
		.chunk = plan->chunk,
		.sink = sink,
		.link = link,
		.sender_cpu = set->places[plan->placement].sender_cpu,
		.receiver_cpu = set->places[plan->placement].receiver_cpu,
		.time_limit_s = set->time_limit_s,
		.stop = set->stop,
		.backing = s->backing,
		.remote = link.kind == LINK_REMOTE ? set->remote : NULL,
	};
}

static json_t *link_json(const struct link_actual *a)
{
	json_t *out = json_pack("{s:i, s:i}", "sndbuf", a->send_buffer, "rcvbuf", a->receive_buffer);

	if (a->congestion[0]) {
		json_object_set_new(out, "congestion_control", json_string(a->congestion));
		json_object_set_new(out, "nodelay", json_boolean(a->nodelay));
	}
	return out;
}

static void note_link(struct study *s, size_t index, const struct transfer_outcome *out)
{
	const struct link_actual *a = &out->sender_link, *b = &out->receiver_link;
	const struct link_settings *asked = &s->cases[index].link;
	struct case_result *c = &s->result->cases[index];

	json_decref(c->link_actual);
	c->link_actual = json_pack("{s:o, s:o}", "sender", link_json(a), "receiver", link_json(b));
	/* the first case's, for readers that know of one only */
	if (!json_object_get(s->result->settings, "link_actual"))
		json_object_set(s->result->settings, "link_actual", c->link_actual);
	if (asked->congestion[0] && (strcmp(a->congestion, asked->congestion) ||
				     strcmp(b->congestion, asked->congestion)))
		result_warn(s->result, "congestion_not_set",
			    "the kernel did not take the congestion control that was asked for",
			    "methods may be paced by the sender's congestion control and not by their cost");
	if (!strcmp(a->congestion, "bbr"))
		result_warn(s->result, "congestion_bbr",
			    "the transfers ran under bbr, which paces loopback",
			    "cheap methods look slow and dear: use --cc reno");
	/* the kernel doubles what it is asked for, so less than asked means cut short */
	if ((uint32_t)a->send_buffer < asked->send_buffer ||
	    (uint32_t)b->receive_buffer < asked->receive_buffer)
		result_warn(s->result, "socket_buffers_cut",
			    "the kernel gave smaller socket buffers than asked for (net.core.wmem_max, rmem_max)",
			    "the sender sleeps more often; not comparable with a run that got them");
}

int pass_failed(struct study *s, size_t index, const struct failure *inner, struct failure *why)
{
	struct case_result *c = &s->result->cases[index];
	/* what this machine can't do, unless it did it before: then something went wrong on the way */
	bool never = inner->exit_code == EXIT_MACHINE_CANT && !c->samples.count;

	/* a failed transfer fails its case; only an interruption ends the study */
	if (inner->exit_code == EXIT_INTERRUPTED)
		return fail(why, EXIT_INTERRUPTED, EINTR, "%s", inner->text);
	pass_set_status(c, never ? CASE_SKIPPED : CASE_FAILED, inner->text);
	return 1;
}

/* Out of the cache, so that what comes next reads it whole. Where that can't be (tmpfs), it stays as it is. */
static void read_anew(const char *path, uint64_t size)
{
	(void)cache_set(path, size, CACHE_COLD, NULL);
	(void)cache_set(path, size, CACHE_WARM, NULL);
}

/* Every payload of warm cases, once. */
static void read_all_anew(const struct study *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct plan_case *plan = &s->cases[i];
		bool done = plan->cache != CACHE_WARM || plan->files != FILES_ONE;

		for (size_t k = 0; k < i && !done; k++)
			done = s->cases[k].cache == CACHE_WARM && s->cases[k].files == FILES_ONE &&
			       !strcmp(source_of(s, &s->cases[k]), source_of(s, plan));
		if (!done)
			read_anew(source_of(s, plan), plan_share(plan));
	}
}

/*
 * Pages that somebody took out of a warm payload's cache come back into folios of other sizes, and what is
 * around them stays: mmap's faults and sendfile's pieces would drift over the study. So everything is read
 * anew then, as it was at the start of the study, which gives the same folios every time.
 */
static void mend_eviction(struct study *s, const char *path, uint64_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t resident, pages;
	bool evicted;

	if (fd < 0)
		return;
	evicted = !cache_resident(fd, size, &resident, &pages) && resident < pages;
	close(fd);
	if (!evicted)
		return;
	s->evictions++;
	read_anew(path, size);
}

/*
 * Other bytes under the same name would be measured without a word: the same inode, and not written since the
 * case was verified? Shorter and gone have words of their own elsewhere.
 */
static int check_source(struct study *s, size_t index, struct failure *why)
{
	struct stat *was = &s->sources[index], is;
	char folder[PATH_MAX];
	const char *path = path_of(s, &s->cases[index], folder, sizeof(folder));

	if (stat(path, &is))
		return 0;
	if (!was->st_ino) {
		*was = is;
		return 0;
	}
	if (is.st_size < was->st_size)
		return 0;
	if (is.st_dev != was->st_dev || is.st_ino != was->st_ino)
		return fail(why, EXIT_TRANSFER_FAILED, ESTALE,
			    "the payload %s was replaced by another file during the run", path);
	if (is.st_size == was->st_size && is.st_mtim.tv_sec == was->st_mtim.tv_sec &&
	    is.st_mtim.tv_nsec == was->st_mtim.tv_nsec)
		return 0;
	return fail(why, EXIT_TRANSFER_FAILED, ESTALE, "the payload %s was written to during the run",
		    path);
}

/* The cache of what a connection reads: all read the same, or each its own. */
static int set_caches(struct study *s, const struct plan_case *plan, struct failure *why)
{
	unsigned int files = plan->files == FILES_MANY ? plan->connections : 1;
	char folder[PATH_MAX];
	const char *path = path_of(s, plan, folder, sizeof(folder));
	int err = 0;

	for (unsigned int i = 0; i < files && !err; i++) {
		char *own = plan->files == FILES_MANY ? payload_path(path, i) : NULL;

		if (plan->files == FILES_MANY && !own)
			return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
		if (plan->cache == CACHE_WARM)
			mend_eviction(s, own ? own : path, plan_share(plan));
		err = cache_set(own ? own : path, plan_share(plan), plan->cache, why);
		free(own);
	}
	return err;
}

int pass_prepare(struct study *s, size_t index)
{
	const struct plan_case *plan = &s->cases[index];
	struct failure inner = { 0 };
	int err;

	if (check_source(s, index, &inner)) {
		pass_set_status(&s->result->cases[index], CASE_FAILED, inner.text);
		return 1;
	}
	err = set_caches(s, plan, &inner);
	if (!err && plan->link.kind == LINK_VETH &&
	    veth_set(s->settings->veth, &plan->veth, &inner))
		return pass_failed(s, index, &inner, NULL);
	if (!err) {
		backing_hold(s->backing, backed_bytes(s->result->host, plan));
		return 0;
	}
	/* the same cache state was there for the bytes to be verified */
	if (json_is_true(json_object_get(s->result->cases[index].verified, "ok")))
		inner.exit_code = EXIT_TRANSFER_FAILED;
	return pass_failed(s, index, &inner, NULL);
}

/* Hashes of the payload's beginnings are taken once for each length. */
static int hash_of(struct study *s, uint64_t size, uint64_t *hash, struct failure *why)
{
	struct payload_hashes *grown;
	int err;

	for (size_t i = 0; i < s->hash_count; i++)
		if (s->hashes[i].size == size) {
			*hash = s->hashes[i].hash;
			return 0;
		}
	err = payload_hash(s->settings->payload, size, hash, why);
	if (err)
		return err;
	grown = realloc(s->hashes, (s->hash_count + 1) * sizeof(*grown));
	if (!grown)
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	s->hashes = grown;
	grown[s->hash_count++] = (struct payload_hashes){ size, *hash };
	return 0;
}

/* A transfer without the clock. */
static int verify_case(struct study *s, size_t index, struct failure *why)
{
	const struct plan_case *plan = &s->cases[index];
	struct case_result *c = &s->result->cases[index];
	struct transfer_outcome out;
	struct failure inner = { 0 };
	char text[32], path[PATH_MAX];
	struct transfer_spec spec = spec_of(s, index, SINK_VERIFY, path);
	uint64_t hash = 0;
	bool ok;
	int err;

	err = hash_of(s, plan_share(plan), &hash, why);
	if (err)
		return err;
	if (pass_prepare(s, index))
		return 0;
	err = transfer_run(&spec, &out, &inner);
	if (err)
		return pass_failed(s, index, &inner, why) < 0 ? err : 0;
	/* every connection's bytes are the same, so are their hashes */
	ok = out.received == plan_payload(plan) && out.hash == hash && !out.odd_hashes;
	snprintf(text, sizeof(text), "xxh3:%016" PRIx64, out.hash);
	json_decref(c->verified);
	c->verified = json_pack("{s:I, s:s, s:b, s:i}", "bytes", (json_int_t)out.received, "hash", text,
				"ok", ok, "connections",
				(int)(plan->connections - out.odd_hashes));
	remember_note(c, out.note);
	pass_figures(c, out.figures);
	note_link(s, index, &out);
	if (!ok)
		pass_set_status(c, CASE_FAILED,
			   "the bytes that arrived are not the file's: their hashes differ");
	return 0;
}

static int verify_all(struct study *s, struct failure *why)
{
	int err = 0;
	char text[STUDY_CASE_TEXT_MAX];

	for (size_t i = 0; i < s->count && !err; i++) {
		double before = clock_wall();

		if (study_stopped(s))
			return fail(why, EXIT_INTERRUPTED, EINTR, "interrupted");
		if (s->result->cases[i].status != CASE_OK)
			continue;
		if (json_is_true(json_object_get(s->result->cases[i].verified, "ok")))
			continue;
		study_case_text(&s->cases[i], text, sizeof(text));
		progress_show(&s->progress, i == 0, -1, "verifying the bytes, case %zu of %zu: %s",
			      i + 1, s->count, text);
		err = verify_case(s, i, why);
		s->seconds[i] = clock_wall() - before;
	}
	return err;
}

struct transfer_spec pass_spec(const struct study *s, size_t index, char path[static PATH_MAX])
{
	return spec_of(s, index, s->cases[index].sink, path);
}

int pass_transfer(struct study *s, size_t index, const struct transfer_hooks *hooks,
		  struct transfer_outcome *out, struct failure *why)
{
	char path[PATH_MAX];
	struct transfer_spec spec = pass_spec(s, index, path);
	struct failure inner = { 0 };

	if (pass_prepare(s, index))
		return 1;
	spec.hooks = hooks;
	if (transfer_run(&spec, out, &inner))
		return pass_failed(s, index, &inner, why);
	return 0;
}

int pass_each(struct study *s, const char *doing,
	      int (*one)(struct study *s, size_t index, void *arg, struct failure *why), void *arg,
	      struct failure *why)
{
	char text[STUDY_CASE_TEXT_MAX];
	int err = 0;

	for (size_t i = 0; i < s->count && !err; i++) {
		if (study_stopped(s))
			return fail(why, EXIT_INTERRUPTED, EINTR, "interrupted");
		if (s->result->cases[i].status != CASE_OK || s->cases[i].sink == SINK_VERIFY)
			continue;
		study_case_text(&s->cases[i], text, sizeof(text));
		progress_show(&s->progress, i == 0, -1, "%s, case %zu of %zu: %s", doing, i + 1,
			      s->count, text);
		err = one(s, i, arg, why);
	}
	return err;
}

static int count_case(struct study *s, size_t index, void *arg, struct failure *why)
{
	struct case_result *c = &s->result->cases[index];
	char path[PATH_MAX];
	struct transfer_spec spec = pass_spec(s, index, path);
	bool once = s->seconds[index] > WATCHED_ONCE_ABOVE_S || c->chunk != CHUNK_DEFAULT;
	unsigned int times = once ? 1 : s->settings->watched;
	struct counting *counting = arg;
	struct failure inner = { 0 };
	int err = 0;

	if (json_is_number(json_object_get(json_object_get(c->counts, "syscalls"), "value")))
		return 0; /* by the study that this one goes on with */
	counting_begin(counting);
	for (unsigned int i = 0; i < times && err >= 0; i++) {
		err = 1;
		for (unsigned int try = 1; try <= COUNTING_TRIES && err > 0; try++) {
			if (pass_prepare(s, index))
				return 0;
			err = counting_transfer(counting, &spec, s->cases[index].cache == CACHE_WARM, try,
						&inner);
		}
	}
	if (err < 0)
		return pass_failed(s, index, &inner, why) < 0 ? err : 0;
	counting_store(counting, s->result, c);
	return 0;
}

static int count_all(struct study *s, struct failure *why)
{
	struct counting *counting = NULL;
	int err = counting_open(&counting, s->settings->dir, s->result, why);

	if (!err && counting)
		err = pass_each(s, "counting", count_case, counting, why);
	counting_close(counting);
	return err;
}

/* A machine that changes its speed changes every figure; only what was interleaved stays comparable. */
static void note_host_speed(struct study *s)
{
	struct host_speed speed;
	char text[200];

	if (host_speed(s->result, &speed))
		return;
	json_object_set_new(s->result->run, "yardstick", host_speed_json(&speed));
	if (!speed.n || speed.high_s <= HOST_SPEED_STEADY * speed.low_s)
		return;
	snprintf(text, sizeof(text),
		 "the same piece of work took %.2f to %.2f ms (10th to 90th percentile): this machine's own speed changed by %.0f %% during the run",
		 speed.low_s * 1e3, speed.high_s * 1e3, 100 * (speed.high_s / speed.low_s - 1));
	result_warn(s->result, "host_speed", text,
		    "seconds of this run may not repeat in the next one to better than that; ratios between methods do, since their samples took turns");
}

/* Once the marks are there for good. */
static void note_slowed(struct study *s)
{
	json_t *yardstick = json_object_get(s->result->run, "yardstick");
	struct slowed slowed;

	slowed_count(s->result, &slowed);
	if (isfinite(slowed.usual_s))
		json_object_set_new(yardstick, "usual_s", json_real(slowed.usual_s));
	json_object_set_new(yardstick, "slowed", json_integer((json_int_t)slowed.slowed));
}

static void note_stolen(struct study *s)
{
	struct stolen stolen;

	stolen_count(s->result, &stolen);
	json_object_set_new(s->result->run, "steal", stolen_json(&stolen));
}

static void note_distance(struct study *s)
{
	struct apart apart;

	if (marks_conclude(s->result))
		return;
	apart_count(s->result, &apart);
	json_object_set_new(s->result->run, "core_latency", apart_json(&apart));
	distance_conclude(s);
	note_slowed(s);
	note_stolen(s);
}

/* Every case says why it has no counts, if it has none; then the claims can be tested. */
static void conclude(struct study *s)
{
	char text[160];
	const json_t *all = json_array_get(s->result->probes, 0);
	const char *reason = json_string_value(json_object_get(all, "reason"));
	json_t *claims, *prices;

	if (json_array_size(s->result->probes) != 1 || !reason)
		reason = s->settings->watched ? "the counting pass did not reach this case" :
						"the counting pass was left out (--watched 0)";
	if (s->evictions) {
		snprintf(text, sizeof(text),
			 "parts of the payload had left the page cache before %u transfers; it was read anew each time",
			 s->evictions);
		result_warn(s->result, "payload_evicted", text,
			    "something on this machine works against the page cache: the samples after a reading come from other memory than those before, in folios of the same sizes");
	}
	for (size_t i = 0; i < s->result->case_count; i++)
		if (!json_object_get(s->result->cases[i].counts, "syscalls"))
			counting_unknown(&s->result->cases[i], reason);
	note_host_speed(s);
	note_distance(s);
	prices = prices_fit(s->result, s->settings->seed);
	if (prices) {
		json_decref(s->result->prices);
		s->result->prices = prices;
	}
	agreement_judge(s->result);
	claims = claims_test(s->result);
	if (claims) {
		json_decref(s->result->claims);
		s->result->claims = claims;
	}
}

int study_run(const struct study_settings *settings, const struct plan_case *cases, size_t count,
	      bool quiet, struct result *result, struct failure *why)
{
	struct backing backing = { 0 };
	struct study s = {
		.backing = &backing,
		.settings = settings,
		.cases = cases,
		.count = count,
		.result = result,
		.progress = progress_start(quiet),
	};
	int err;

	s.seconds = calloc(count ? count : 1, sizeof(*s.seconds));
	s.sources = calloc(count ? count : 1, sizeof(*s.sources));
	err = s.seconds && s.sources ? add_cases(&s) : -ENOMEM;
	if (err) {
		err = fail(why, EXIT_MACHINE_CANT, -err, "out of memory for the study");
		goto out;
	}
	read_all_anew(&s);
	probe_cases(&s);
	err = verify_all(&s, why);
	if (!err)
		err = rounds_measure(&s, why);
	if (!err && settings->watched)
		err = count_all(&s, why);
	if (!err && strcmp(settings->events, "none"))
		err = pass_events(&s, why);
	if (!err && settings->profile)
		err = pass_profile(&s, why);
	conclude(&s);
	progress_end(&s.progress);
out:
	backing_release(&backing);
	free(s.sources);
	free(s.seconds);
	free(s.hashes);
	return err;
}
