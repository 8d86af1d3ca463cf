/* SPDX-License-Identifier: MIT */
/* Results made up for tests of what is computed from results: known prices in, samples and counts out. */
#ifndef COPYTAX_TESTS_SYNTHETIC_H
#define COPYTAX_TESTS_SYNTHETIC_H

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/terms.h"
#include "result/result.h"

#define SYNTHETIC_PAYLOAD 327680000ull

/* What the made-up machine does, and how well it can be seen. */
struct synthetic {
	double price[TERMS];
	double noise; /* standard deviation of a sample, as share of it */
	double carry; /* share of a round's noise that the next round has, too: other load, all cases alike */
	unsigned int rounds;
	/* mmap faults this often per transfer; a second number for cold caches, which can tell faults from copies */
	double faults_warm, faults_cold;
	double slower; /* what read_write's samples are multiplied by; 1 for nothing */
	bool counted; /* with a counting pass */
};

struct synthetic_method {
	const char *name;
	double calls, sends; /* per chunk */
	bool reads, writes, maps, direct;
};

static const struct synthetic_method synthetic_methods[] = {
	{ "read_write", 2, 1, true, true, false, false },
	{ "mmap_write", 1, 1, false, true, true, false },
	{ "sendfile", 1, 1, false, false, false, false },
	{ "splice", 2, 1, false, false, false, false },
	{ "direct_write", 2, 1, false, true, false, true },
};

static inline void synthetic_copy(json_t *copies, const char *site, double bytes, double calls)
{
	json_object_set_new(copies, site, json_pack("{s:f, s:f, s:s}", "bytes", bytes, "calls", calls,
						    "source", "made up"));
}

/* Counts of a case by the method's nature; in the order of enum term. */
static inline void synthetic_counts(const struct synthetic *s, const struct synthetic_method *m,
				    uint64_t chunk, bool cold, double count[TERMS])
{
	double gb = SYNTHETIC_PAYLOAD / 1e9, pieces = (double)(SYNTHETIC_PAYLOAD / chunk);

	memset(count, 0, TERMS * sizeof(count[0]));
	count[TERM_CARRIED] = gb;
	count[TERM_CALLS] = pieces * m->calls + 3;
	count[m->writes ? TERM_SENDS : TERM_LENDS] = pieces * m->sends;
	/* by reference at most 16 pages go at a time */
	if (!m->writes && chunk > 65536)
		count[TERM_LENDS] = (double)(SYNTHETIC_PAYLOAD / 65536);
	/* into the pipe, too: within sendfile as often as out of it, by one call of splice into a large one */
	if (!m->writes)
		count[TERM_LENDS] += m->calls > 1 ? pieces : count[TERM_LENDS];
	count[TERM_FILE_TO_USER] = m->reads ? gb : 0;
	count[TERM_USER_TO_SOCKET] = m->writes && !m->maps ? gb : 0;
	count[TERM_MAPPED_TO_SOCKET] = m->writes && m->maps ? gb : 0;
	/* large pieces go out in few segments; what is lent sooner than what is copied */
	count[TERM_DELIVERIES] = m->writes ? (chunk > 65536 ? 3000 : m->maps ? 8000 : 6500) :
					     (chunk < 32768 ? 4500 : 1100);
	count[TERM_WAKES] = m->direct ? pieces : chunk < 16384 ? 10000 : chunk > 65536 ? 1600 : 4500;
	count[TERM_FAULTS] = !m->maps ? 0 : cold ? s->faults_cold : s->faults_warm;
	count[m->direct || cold ? TERM_WAITS : TERM_ROOM_WAITS] = m->direct ? pieces : 20;
	count[TERM_DELIVERED_WAITS] = fmin(count[TERM_WAITS], count[TERM_DELIVERIES]);
	count[TERM_DISK_TO_CACHE] = cold && !m->direct ? gb : 0;
	count[TERM_DISK_TO_USER] = m->direct ? gb : 0;
}

static inline void synthetic_case(const struct synthetic *s, const struct synthetic_method *m,
				  uint64_t chunk, bool cold, gsl_rng *rng, const double *load,
				  struct result *r)
{
	struct case_result *c = result_add_case(r);
	double count[TERMS], cpu = 0;

	synthetic_counts(s, m, chunk, cold, count);
	for (int t = 0; t < TERMS; t++)
		cpu += s->price[t] * count[t];
	c->method = strdup(m->name);
	c->cache = strdup(cold ? "cold" : "warm");
	c->sink = strdup("drain");
	c->link = strdup("tcp");
	c->chunk = chunk;
	c->payload = SYNTHETIC_PAYLOAD;
	c->connections = 1;
	c->status = CASE_OK;
	for (unsigned int round = 0; round < s->rounds; round++) {
		long row = samples_add(&c->samples);
		double own = sqrt(1 - s->carry) * gsl_ran_gaussian(rng, 1),
		       value = cpu * exp(s->noise * (own + sqrt(s->carry) * load[round]));

		if (!strcmp(m->name, "read_write") && s->slower > 0)
			value *= s->slower;
		c->samples.value[SAMPLE_SENDER_CPU_S][row] = value;
		c->samples.value[SAMPLE_RECEIVER_CPU_S][row] = 0.04 * exp(s->noise * own);
		c->samples.value[SAMPLE_WALL_S][row] = value + 0.02;
		c->samples.value[SAMPLE_FAULTS_MINOR][row] = count[TERM_FAULTS];
		c->samples.value[SAMPLE_FAULTS_MAJOR][row] = 0;
		c->samples.value[SAMPLE_SWITCHES_VOLUNTARY][row] = count[TERM_WAITS] + count[TERM_ROOM_WAITS];
		c->samples.value[SAMPLE_SWITCHES_INVOLUNTARY][row] = 0;
		c->samples.value[SAMPLE_ROUND][row] = round;
		c->samples.value[SAMPLE_WARMUP][row] = 0;
	}
	if (!s->counted) {
		json_object_set_new(c->counts, "syscalls", unmeasured("not allowed here"));
		return;
	}
	json_object_set_new(c->counts, "syscalls", measured(count[TERM_CALLS], "made up"));
	if (!m->writes)
		json_object_set_new(json_object_get(c->counts, "syscalls"), "by",
				    json_pack("{s:f}", m->name, count[TERM_CALLS] - 3));
	json_object_set_new(c->counts, "softirqs", measured(count[TERM_DELIVERIES], "made up"));
	json_object_set_new(c->counts, "receiver_syscalls", measured(count[TERM_WAKES], "made up"));
	synthetic_copy(c->copies, "file_to_user", count[TERM_FILE_TO_USER] * 1e9, 0);
	synthetic_copy(c->copies, "user_to_socket",
		       (count[TERM_USER_TO_SOCKET] + count[TERM_MAPPED_TO_SOCKET]) * 1e9,
		       count[TERM_SENDS]);
	synthetic_copy(c->copies, "by_reference", m->writes ? 0 : SYNTHETIC_PAYLOAD,
		       m->writes    ? 0 :
		       m->calls > 1 ? count[TERM_LENDS] - (count[TERM_CALLS] - 3) / 2 :
				      count[TERM_LENDS] / 2);
}

/* Methods × chunks, warm, and one chunk cold. The caller frees it. */
static inline struct result *synthetic_result(const struct synthetic *s, const uint64_t *chunks,
					      size_t chunk_count, size_t method_count, gsl_rng *rng)
{
	struct result *r = result_new();
	double *load = calloc(s->rounds + 1, sizeof(*load)), last = gsl_ran_gaussian(rng, 1);

	for (unsigned int i = 0; i < s->rounds; i++) {
		load[i] = last;
		last = 0.7 * last + sqrt(1 - 0.49) * gsl_ran_gaussian(rng, 1);
	}
	for (size_t m = 0; m < method_count; m++) {
		for (size_t k = 0; k < chunk_count; k++)
			synthetic_case(s, &synthetic_methods[m], chunks[k], false, rng, load, r);
		if (s->faults_cold > 0)
			synthetic_case(s, &synthetic_methods[m], 32768, true, rng, load, r);
	}
	free(load);
	return r;
}

#endif
