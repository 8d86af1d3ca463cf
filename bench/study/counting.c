// SPDX-License-Identifier: MIT
#include "study/counting.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/apart.h"
#include "analysis/stats.h"
#include "measure/calibrate.h"
#include "measure/probes.h"
#include "measure/probes_json.h"
#include "study/counts.h"
#include "transfer/payload.h"
#include "transfer/veth.h"

#define TRANSFERS_MAX 9
/* With smaller chunks the hooks fire so often that the dearer ones would cost more than they tell. */
#define LIGHT_BELOW (32u << 10)

struct watched {
	struct probe_counts counts;
	unsigned int lacks; /* of two transfers the one with less of it is the better one */
	double sender_cpu_s;
	double latency_before_s, latency_after_s; /* core-to-core, NaN when not measured */
	long voluntary, involuntary; /* by getrusage, over the same span */
	struct method_figure figures[METHOD_FIGURES_MAX];
};

struct counting {
	struct probes *probes;
	struct deduction deduction; /* of the source of the last transfer */
	struct watched watched[TRANSFERS_MAX], best;
	size_t count;
	char refused[sizeof(
		((struct failure *)0)->text)]; /* why a transfer went uncounted; "" : none did */
};

static void set_probes(struct result *result, json_t *rows)
{
	if (!rows)
		return;
	json_decref(result->probes);
	result->probes = rows;
}

#define KNOWN_TRIES 3

/* A transfer whose counts are known: a probe that gets it wrong is not asked about one that is not. */
static void check_probes(struct probes *probes, const char *dir, struct result *result)
{
	struct failure why = { 0 };
	int wrong = -EAGAIN;

	/* a known transfer that did not come to its end says nothing of the probes: another one does */
	for (int try = 0; try < KNOWN_TRIES && wrong < 0; try++)
		wrong = calibrate(probes, dir, &why);

	if (wrong < 0)
		result_warn(result, "not_calibrated", why.text,
			    "the probes were not held against a known transfer");
	if (wrong > 0)
		result_warn(result, "probes_distrusted",
			    "some probes counted a known transfer wrong and are not used",
			    "the section on how each number was counted has both numbers");
}

int counting_open(struct counting **out, const char *dir, struct result *result,
		  struct failure *why)
{
	struct failure inner = { 0 };
	struct counting *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory for the counting pass");
	if (probes_open(&c->probes, NULL, &inner)) {
		set_probes(result, probes_json_none(inner.text));
		result_warn(result, "not_counted", inner.text,
			    "calls, switches and copies are not known: the timings stand without "
			    "their proof");
		free(c);
		return 0;
	}
	check_probes(c->probes, dir, result);
	set_probes(result, probes_json(c->probes));
	*out = c;
	return 0;
}

void counting_close(struct counting *c)
{
	if (!c)
		return;
	probes_close(c->probes);
	free(c);
}

struct session {
	struct probes *probes;
	struct probe_target target;
	struct probe_counts *counts;
	bool begun, counted;
	struct failure
		refused; /* why the probes could not be begun; the transfer goes on without them */
};

static int on_born(void *arg, pid_t sender, pid_t receiver, struct failure *why)
{
	struct session *s = arg;

	(void)why;
	s->target.sender = sender;
	s->target.receiver = receiver;
	s->begun = !probes_begin(s->probes, &s->target, &s->refused);
	s->counted = s->begun;
	return 0;
}

static void on_over(void *arg)
{
	struct session *s = arg;

	if (s->begun)
		probes_end(s->probes, s->counts);
	s->begun = false;
}

/* The source's descriptors: of connections with a file each, all of them. */
struct opened {
	int *file;
	unsigned int count;
};

static void close_sources(struct opened *o)
{
	while (o->count)
		close(o->file[--o->count]);
	free(o->file);
	o->file = NULL;
}

static int open_sources(const struct transfer_spec *spec, struct opened *o, struct failure *why)
{
	unsigned int wanted = spec->many_files ? spec->connections : 1;
	int err = 0;

	*o = (struct opened) { .file = calloc(wanted, sizeof(*o->file)) };
	if (!o->file)
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory for the counting pass");
	while (o->count < wanted && !err) {
		char *own = spec->many_files ? payload_path(spec->path, o->count) : NULL;
		const char *path = own ? own : spec->path;
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			err = fail(why, EXIT_TRANSFER_FAILED, errno,
				   "can't open the payload %s: %s", path, strerror(errno));
		else
			o->file[o->count++] = fd;
		free(own);
	}
	if (err)
		close_sources(o);
	return err;
}

static int watch(struct counting *c, const struct transfer_spec *spec, struct failure *why)
{
	struct watched *w = &c->watched[c->count < TRANSFERS_MAX ? c->count : TRANSFERS_MAX - 1];
	struct session session = {
		.probes = c->probes,
		.target = { .source = -1,
			    .tcp = link_is_tcp(spec->link.kind),
			    .device = spec->link.kind == LINK_VETH ? VETH_SENDER_DEVICE : NULL,
			    .light = spec->chunk && spec->chunk < LIGHT_BELOW },
		.counts = &w->counts
	};
	struct transfer_hooks hooks = {
		.arg = &session,
		.born = on_born,
		.over = on_over,
		.sender_phase = probes_phase(c->probes, ROLE_SENDER),
		.receiver_phase = probes_phase(c->probes, ROLE_RECEIVER),
	};
	struct transfer_spec watched = *spec;
	struct transfer_outcome out;
	struct opened opened;
	int err = open_sources(spec, &opened, why);

	if (err)
		return err;
	session.target.source = opened.file[0];
	session.target.more = opened.file + 1;
	session.target.more_count = opened.count - 1;
	if (!c->count)
		deduce_from(&c->deduction, session.target.source);
	watched.hooks = &hooks;
	err = transfer_run(&watched, &out, why);
	/* a transfer that failed before it was over */
	on_over(&session);
	close_sources(&opened);
	if (err)
		return err;
	if (!session.counted) {
		snprintf(c->refused, sizeof(c->refused), "%s", session.refused.text);
		return 0;
	}
	w->sender_cpu_s = out.sender_cpu_s;
	w->latency_before_s = out.core_latency_s;
	w->latency_after_s = out.core_latency_after_s;
	w->voluntary = out.switches_voluntary;
	w->involuntary = out.switches_involuntary;
	memcpy(w->figures, out.figures, sizeof(w->figures));
	return 1;
}

/* Did pages come into a cache that held them all? A host's proactive reclaim takes some away now and then. */
static bool came_in(const struct probe_counts *counts)
{
	for (unsigned int phase = PHASE_SETUP; phase < PHASES; phase++)
		if (counts->of[ROLE_SENDER][phase].pages_added)
			return true;
	return false;
}

/*
 * What is wrong with a transfer as a count of its case: subjects whose programs were left out, and, worse, since it is known of
 * none of its figures, another cache state than the case's.
 */
static unsigned int lacks(const struct probe_counts *counts, bool warm)
{
	unsigned int n = warm && came_in(counts) ? PROBE_SUBJECTS + 1 : 0;

	for (int subject = 0; subject < PROBE_SUBJECTS; subject++)
		n += counts->missed[subject] > 0;
	return n;
}

static void take_in(struct counting *c)
{
	if (c->count < TRANSFERS_MAX)
		c->count++;
	c->refused[0] = '\0';
}

int counting_transfer(struct counting *c, const struct transfer_spec *spec, bool warm, unsigned int try,
		      struct failure *why)
{
	struct watched *w = &c->watched[c->count < TRANSFERS_MAX ? c->count : TRANSFERS_MAX - 1];
	int counted = watch(c, spec, why);

	if (counted < 0 || (!counted && try == 1))
		return counted;
	if (counted) {
		w->lacks = lacks(&w->counts, warm);
		if (try == 1 || w->lacks <= c->best.lacks)
			c->best = *w;
		if (try < COUNTING_TRIES && w->lacks)
			return 1;
	}
	/* the last try, one that lacks nothing, or one that was refused after others were counted */
	*w = c->best;
	take_in(c);
	return 0;
}

/* Those that lack least first, and by sender CPU among equals. */
static int by_cpu(const void *a, const void *b)
{
	const struct watched *p = a, *q = b;
	double x = p->sender_cpu_s, y = q->sender_cpu_s;

	return p->lacks != q->lacks ? (p->lacks > q->lacks) - (p->lacks < q->lacks) :
				      (x > y) - (x < y);
}

/* The median of those that lack least. */
static const struct watched *choose(struct counting *c)
{
	size_t n = 0;

	qsort(c->watched, c->count, sizeof(c->watched[0]), by_cpu);
	while (n < c->count && c->watched[n].lacks == c->watched[0].lacks)
		n++;
	return &c->watched[n / 2];
}

void counting_begin(struct counting *c)
{
	c->count = 0;
	c->refused[0] = '\0';
}

/* What watching cost: transfers at another distance of the CPUs than the timed ones would tell of that. */
static void store_observation(const struct counting *c, const struct result *result,
			      struct case_result *kase)
{
	double *values = malloc((kase->samples.count + 1) * sizeof(*values)),
	       mine[TRANSFERS_MAX], distance = apart_distance(result, kase);
	struct interval timed, watched;
	size_t n = 0, near = 0;
	json_t *said;

	for (size_t i = 0; values && i < kase->samples.count; i++)
		if (sample_counts(&kase->samples, i))
			values[n++] = kase->samples.value[SAMPLE_SENDER_CPU_S][i];
	timed = stats_median(values, n, 0.95);
	free(values);
	for (size_t i = 0; i < c->count; i++)
		if (apart_stayed(c->watched[i].latency_before_s, c->watched[i].latency_after_s,
				 distance))
			mine[near++] = c->watched[i].sender_cpu_s;
	watched = stats_median(mine, near, 0.95);
	if (!timed.n || timed.median <= 0)
		said = unmeasured("no timed sample to compare with");
	else if (!watched.n)
		said = unmeasured(
			"all counted transfers were at another distance of the CPUs than the timed ones");
	else
		said = json_pack("{s:f, s:f, s:I, s:s}", "value", watched.median / timed.median,
				 "sender_cpu_s", watched.median, "transfers", (json_int_t)near,
				 "source",
				 "sender CPU of the counting pass ÷ of the timed pass, medians");
	json_object_set_new(kase->counts, "observation", said);
}

/* The kernel's own count of the same transfer, beside the probe's. */
static void second_opinion(json_t *counts, const char *key, long value)
{
	json_t *entry = json_object_get(counts, key);

	if (json_is_number(json_object_get(entry, "value")))
		json_object_set_new(entry, "second",
				    json_pack("{s:I, s:s}", "value", (json_int_t)value, "source",
					      "getrusage of the same transfer"));
}

void counting_store(struct counting *c, struct result *result, struct case_result *kase)
{
	const struct watched *w;

	if (!c->count) {
		counting_unknown(kase, c->refused[0] ? c->refused
						     : "the counting pass did not reach this case");
		if (c->refused[0])
			result_warn(result, "not_counted", c->refused,
				    "calls, switches and copies are not known: the timings stand "
				    "without their proof");
		c->refused[0] = '\0';
		return;
	}
	w = choose(c);
	deduce_completions(&c->deduction, w->figures);
	counts_store(c->probes, &w->counts, &c->deduction, result, kase);
	second_opinion(kase->counts, "context_switches_voluntary", w->voluntary);
	second_opinion(kase->counts, "context_switches_involuntary", w->involuntary);
	counts_from_samples(kase);
	store_observation(c, result, kase);
	c->count = 0;
	c->refused[0] = '\0';
}

void counting_unknown(struct case_result *kase, const char *reason)
{
	static const char *const counts[] = {
		"syscalls",
		"syscalls_setup",
		"receiver_syscalls",
		"crossings",
		"context_switches_voluntary",
		"context_switches_involuntary",
		"context_switches_process",
		"context_switches_thread",
		"interrupts",
		"softirqs",
		"page_faults_user",
		"page_faults_kernel",
		"page_cache_pages_added",
		"page_cache_pages_touched",
		"observation",
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		json_object_set_new(kase->counts, counts[i], unmeasured(reason));
	for (int site = 0; site < SITES; site++)
		json_object_set_new(
			kase->copies, probes_site_name((enum site)site),
			json_pack("{s:n, s:n, s:s}", "bytes", "calls", "reason", reason));
	json_object_set_new(kase->copies, "factor", unmeasured(reason));
	counts_from_samples(kase);
}
