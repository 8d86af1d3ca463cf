// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/summary.h"
#include "base/size.h"
#include "result/result.h"

static const char *const status_names[] = {
	[CASE_OK] = "ok", [CASE_SKIPPED] = "skipped", [CASE_FAILED] = "failed"
};

static json_t *samples_json(const struct samples *s, bool shared)
{
	json_t *out = json_object();

	for (int f = 0; f < SAMPLE_FIELDS; f++) {
		json_t *column = json_array();
		bool whole = f >= SAMPLE_FAULTS_MINOR && f != SAMPLE_GATHER_S;

		if (!shared && f >= SAMPLE_SHARE_MIN && f <= SAMPLE_SHARE_JAIN) {
			json_decref(column);
			continue;
		}
		for (size_t i = 0; i < s->count; i++) {
			double v = s->value[f][i];

			json_array_append_new(column, !isfinite(v) ? json_null() :
						      whole && fabs(v) < 9e15 ? json_integer((json_int_t)v) :
										json_real(v));
		}
		json_object_set_new(out, sample_field_name((enum sample_field)f), column);
	}
	return out;
}

static json_t *case_json(const struct result *result, const struct case_result *c)
{
	json_t *out = json_object();

	json_object_set_new(out, "method", json_string(c->method));
	json_object_set_new(out, "chunk", json_integer((json_int_t)c->chunk));
	json_object_set_new(out, "cache", json_string(c->cache));
	json_object_set_new(out, "sink", json_string(c->sink));
	json_object_set_new(out, "link", json_string(c->link));
	json_object_set_new(out, "connections", json_integer(c->connections));
	json_object_set_new(out, "payload", json_integer((json_int_t)c->payload));
	json_object_set(out, "conditions", c->conditions);
	json_object_set(out, "link_actual", c->link_actual);
	json_object_set_new(out, "status", json_string(status_names[c->status]));
	json_object_set_new(out, "reason", c->reason ? json_string(c->reason) : json_null());
	json_object_set(out, "notes", c->notes);
	json_object_set(out, "method_figures", c->method_figures);
	json_object_set_new(out, "samples", samples_json(&c->samples, c->connections > 1));
	json_object_set_new(out, "summary", summary_json(result, c));
	json_object_set(out, "counts", c->counts);
	json_object_set(out, "copies", c->copies);
	json_object_set(out, "events", c->events);
	json_object_set(out, "figures", c->figures);
	json_object_set(out, "energy", c->energy);
	json_object_set(out, "profile", c->profile);
	json_object_set(out, "verified", c->verified);
	return out;
}

static json_t *document(const struct result *r)
{
	json_t *out = json_object(), *cases = json_array();

	json_object_set_new(out, "schema", json_string(RESULT_SCHEMA));
	json_object_set(out, "tool", r->tool);
	json_object_set(out, "run", r->run);
	json_object_set(out, "host", r->host);
	json_object_set(out, "settings", r->settings);
	json_object_set(out, "warnings", r->warnings);
	json_object_set(out, "probes", r->probes);
	for (size_t i = 0; i < r->case_count; i++)
		json_array_append_new(cases, case_json(r, &r->cases[i]));
	json_object_set_new(out, "cases", cases);
	json_object_set(out, "prices", r->prices);
	json_object_set(out, "claims", r->claims);
	return out;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int result_save(const struct result *result, const char *dir, struct failure *why)
{
	static const char temporary[] = "." RESULT_FILE ".new";
	int dirfd = -1, fd = -1, err = 0;
	bool created = false;
	json_t *doc = document(result);
	char *text = doc ? json_dumps(doc, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) : NULL;

	json_decref(doc);
	if (!text)
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory for the result document");
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0) {
		err = errno;
		goto out;
	}
	/* a temporary file that a killed run left is ours to replace; a link planted there is not followed */
	unlinkat(dirfd, temporary, 0);
	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0) {
		err = errno;
		goto out;
	}
	created = true;
	err = -write_all(fd, text, strlen(text));
	if (!err)
		err = -write_all(fd, "\n", 1);
	if (!err && fsync(fd))
		err = errno;
	if (!err && renameat(dirfd, temporary, dirfd, RESULT_FILE))
		err = errno;
	if (!err) {
		created = false;
		/* the rename itself must survive a power cut; a file system that can't sync a folder is no error */
		(void)fsync(dirfd);
	}
out:
	if (fd >= 0)
		close(fd);
	if (created)
		unlinkat(dirfd, temporary, 0);
	if (dirfd >= 0)
		close(dirfd);
	free(text);
	if (err)
		return fail(why, EXIT_MACHINE_CANT, err, "can't write %s/" RESULT_FILE ": %s", dir,
			    strerror(err));
	return 0;
}
