// SPDX-License-Identifier: MIT
#include "study/pass.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis/apart.h"
#include "analysis/counts.h"
#include "analysis/sites.h"
#include "analysis/summary.h"
#include "base/file.h"
#include "base/size.h"
#include "measure/profile.h"
#include "report/flame.h"

/* A thousand samples put a share of one half within three points; fewer transfers where that is slow. */
#define SAMPLES_WANTED 1000
#define TRANSFERS_MAX 20

/* A method under several conditions has several profiles: METHOD, METHOD-2, … in the order of the cases. */
static FILE *open_named(const struct study *s, const struct case_result *c, const char *ending,
			char *name, size_t size)
{
	unsigned int before = 0;
	char path[PATH_MAX];

	for (const struct case_result *o = s->result->cases; o < c; o++)
		before += !strcmp(o->method, c->method) && json_object_get(o->profile, "folded");
	if (before)
		snprintf(name, size, "profile/%s-%u.%s", c->method, before + 1, ending);
	else
		snprintf(name, size, "profile/%s.%s", c->method, ending);
	if (snprintf(path, sizeof(path), "%s/%s", s->settings->dir, name) >= (int)sizeof(path))
		return NULL;
	return file_create(path);
}

static double timed_cpu(const struct result *result, const struct case_result *c)
{
	struct case_summary summary;

	return summarize(result, c, &summary) ? NAN :
	       summary.field[SAMPLE_SENDER_CPU_S].n ? summary.field[SAMPLE_SENDER_CPU_S].median :
						      NAN;
}

/* ", link=unix …": the conditions that are not those of a plain run; empty when there are none. */
static const char *unusual(const struct plan_case *plan, char *text, size_t size)
{
	char *at = text + 1;

	study_case_text(plan, at, size - 1);
	/* behind method, chunk and cache */
	for (int words = 0; words < 3 && at; words++)
		at = strchr(at + 1, ' ');
	if (!at)
		return "";
	at[-1] = ',';
	return at - 1;
}

static int write_stacks(struct study *s, struct case_result *c, const struct folded *stacks,
			double cpu_s, json_t *profile)
{
	char name[256], title[480], conditions[256], chunk[SIZE_TEXT_MAX];
	struct flame_text text = { .title = title, .cpu_s = cpu_s, .payload = c->payload };
	const char *event = json_string_value(json_object_get(profile, "event"));
	bool clock = !event || !strcmp(event, "cpu-clock");
	char note[256];
	FILE *file = open_named(s, c, "folded", name, sizeof(name));
	int err = file ? folded_write(stacks, file) : -errno;

	if (file && fclose(file) && !err)
		err = -errno;
	if (err)
		return err;
	json_object_set_new(profile, "folded", json_string(name));
	snprintf(title, sizeof(title), "%s, chunks of %s, %s cache%s", c->method,
		 c->chunk ? size_format(c->chunk, chunk) : "whole", c->cache,
		 unusual(&s->cases[c - s->result->cases], conditions, sizeof(conditions)));
	snprintf(note, sizeof(note),
		 "The sender's stacks, sampled by %s%s.",
		 clock ? "the CPU clock" : event,
		 clock ? "; what ran with interrupts off shows where they were switched on again" : "");
	text.note = note;
	file = open_named(s, c, "html", name, sizeof(name));
	err = file ? flame_write(stacks, &text, file) : -errno;
	if (file && fclose(file) && !err)
		err = -errno;
	if (!err)
		json_object_set_new(profile, "flame", json_string(name));
	return err;
}

/* The chunk that the tables are about: the default one; without it the first that a case has. */
static uint64_t main_chunk(const struct study *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->cases[i].chunk == CHUNK_DEFAULT)
			return CHUNK_DEFAULT;
	return s->cases[0].chunk;
}

static const char *main_cache(const struct study *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->cases[i].cache == CACHE_WARM)
			return cache_names[CACHE_WARM];
	return cache_names[s->cases[0].cache];
}

static int one(struct study *s, size_t index, void *arg, struct failure *why)
{
	struct transfer_hooks hooks = {
		.arg = arg, .born = profile_born, .ready = profile_ready, .over = profile_over
	};
	struct case_result *c = &s->result->cases[index];
	double cpu_s = timed_cpu(s->result, c), watched = 0, distance = apart_distance(s->result, c);
	struct transfer_outcome out;
	const struct folded *stacks;
	json_t *profile;
	int err, n = 0, near = 0;

	if (c->chunk != main_chunk(s) || strcmp(c->cache, main_cache(s)) != 0)
		return 0;
	profile_clear(arg);
	do {
		err = pass_transfer(s, index, &hooks, &out, why);
		if (err)
			return err < 0 ? err : 0;
		/* what it costs at another distance of the CPUs is no price of sampling */
		if (apart_stayed(out.core_latency_s, out.core_latency_after_s, distance)) {
			watched += out.sender_cpu_s;
			near++;
		}
		stacks = profile_stacks(arg);
	} while (++n < TRANSFERS_MAX && stacks->samples && stacks->samples < SAMPLES_WANTED);
	profile = profile_json(arg);
	if (!profile)
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory for the profile");
	if (stacks->samples) {
		json_object_set_new(profile, "sites",
				    sites_json(stacks, cpu_s, c->payload));
		json_object_set_new(profile, "observation",
				    isfinite(cpu_s) && cpu_s > 0 && near ?
					    json_real(watched / near / cpu_s) :
					    json_null());
		json_object_set_new(profile, "transfers_apart", json_integer(n - near));
		err = write_stacks(s, c, stacks, cpu_s, profile);
	}
	json_decref(c->profile);
	c->profile = profile;
	if (err)
		return fail(why, EXIT_MACHINE_CANT, -err, "can't write the stacks into %s/profile: %s",
			    s->settings->dir, strerror(-err));
	return 0;
}

int pass_profile(struct study *s, struct failure *why)
{
	struct profile *profile = NULL;
	char path[PATH_MAX];
	int err;

	if (snprintf(path, sizeof(path), "%s/profile", s->settings->dir) >= (int)sizeof(path) ||
	    file_make_folder(path))
		return fail(why, EXIT_MACHINE_CANT, errno, "can't make the folder %s/profile: %s",
			    s->settings->dir, strerror(errno));
	err = profile_new(s->settings->sender_cpu, &profile, why);
	if (!err)
		err = pass_each(s, "sampling stacks", one, profile, why);
	profile_free(profile);
	return err;
}
