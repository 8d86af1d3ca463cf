// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "result/result.h"

/* A result of the largest plan is a few MB; a larger file is not one of ours. */
#define RESULT_MAX_BYTES (256L << 20)
#define CONNECTIONS_MAX 1000000

struct loader {
	const char *path;
	struct failure *why;
};

static int bad(const struct loader *l, const char *what)
{
	return fail(l->why, EXIT_WRONG_USE, EINVAL,
		    "%s is not a whole copytax result: %s; measure again with 'copytax run'", l->path,
		    what);
}

static int take_text(const struct loader *l, json_t *object, const char *key, char **out)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text)
		return bad(l, "a case lacks its method or a condition");
	*out = strdup(text);
	return *out ? 0 : fail(l->why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
}

static int take_count(const struct loader *l, json_t *object, const char *key, uint64_t *out)
{
	json_t *number = json_object_get(object, key);

	if (!json_is_integer(number) || json_integer_value(number) < 0)
		return bad(l, "a case has a chunk, payload or connection count that is no number");
	*out = (uint64_t)json_integer_value(number);
	return 0;
}

/* Replaces *slot by the member, which must be of the slot's own type. */
static int take_part(const struct loader *l, json_t *object, const char *key, json_t **slot)
{
	json_t *part = json_object_get(object, key);
	char what[64];

	if (!part || json_typeof(part) != json_typeof(*slot)) {
		snprintf(what, sizeof(what), "\"%s\" is missing or of the wrong kind", key);
		return bad(l, what);
	}
	json_decref(*slot);
	*slot = json_incref(part);
	return 0;
}

static int load_samples(const struct loader *l, json_t *object, struct samples *s)
{
	size_t rows = json_array_size(json_object_get(object, sample_field_name(SAMPLE_WALL_S)));

	if (!json_is_object(object))
		return bad(l, "a case has no samples");
	for (size_t i = 0; i < rows; i++)
		if (samples_add(s) < 0)
			return fail(l->why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	for (int f = 0; f < SAMPLE_FIELDS; f++) {
		json_t *column = json_object_get(object, sample_field_name((enum sample_field)f));

		/* a column that a later version added is unknown here, not an error */
		if (!column && f != SAMPLE_WARMUP && f != SAMPLE_ROUND)
			continue;
		if (!json_is_array(column) || json_array_size(column) != rows)
			return bad(l, "the columns of a case's samples differ in length");
		for (size_t i = 0; i < rows; i++) {
			json_t *v = json_array_get(column, i);

			if (!json_is_number(v) && !json_is_null(v))
				return bad(l, "a sample is neither a number nor null");
			s->value[f][i] = json_is_number(v) ? json_number_value(v) : NAN;
		}
	}
	return 0;
}

static int load_status(const struct loader *l, json_t *object, struct case_result *c)
{
	const char *status = json_string_value(json_object_get(object, "status"));
	const char *reason = json_string_value(json_object_get(object, "reason"));

	if (status && !strcmp(status, "ok"))
		c->status = CASE_OK;
	else if (status && !strcmp(status, "skipped"))
		c->status = CASE_SKIPPED;
	else if (status && !strcmp(status, "failed"))
		c->status = CASE_FAILED;
	else
		return bad(l, "a case has an unknown status");
	if (c->status != CASE_OK && !reason)
		return bad(l, "a case is skipped or failed without a reason");
	if (reason) {
		c->reason = strdup(reason);
		if (!c->reason)
			return fail(l->why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	}
	return 0;
}

static int load_case(const struct loader *l, json_t *object, struct result *r)
{
	struct case_result *c;
	uint64_t connections;
	int err;

	if (!json_is_object(object))
		return bad(l, "a case is no object");
	c = result_add_case(r);
	if (!c)
		return fail(l->why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	err = take_text(l, object, "method", &c->method);
	err = err ? err : take_text(l, object, "cache", &c->cache);
	err = err ? err : take_text(l, object, "sink", &c->sink);
	err = err ? err : take_text(l, object, "link", &c->link);
	err = err ? err : take_count(l, object, "chunk", &c->chunk);
	err = err ? err : take_count(l, object, "payload", &c->payload);
	err = err ? err : take_count(l, object, "connections", &connections);
	err = err ? err : load_status(l, object, c);
	err = err ? err : take_part(l, object, "notes", &c->notes);
	err = err ? err : take_part(l, object, "counts", &c->counts);
	err = err ? err : take_part(l, object, "copies", &c->copies);
	err = err ? err : take_part(l, object, "events", &c->events);
	/* parts that older documents lack */
	if (!err && json_object_get(object, "conditions"))
		err = take_part(l, object, "conditions", &c->conditions);
	if (!err && json_object_get(object, "link_actual"))
		err = take_part(l, object, "link_actual", &c->link_actual);
	if (!err && json_object_get(object, "figures"))
		err = take_part(l, object, "figures", &c->figures);
	if (!err && json_object_get(object, "energy"))
		err = take_part(l, object, "energy", &c->energy);
	if (!err && json_object_get(object, "method_figures"))
		err = take_part(l, object, "method_figures", &c->method_figures);
	if (!err && json_object_get(object, "profile"))
		err = take_part(l, object, "profile", &c->profile);
	err = err ? err : take_part(l, object, "verified", &c->verified);
	err = err ? err : load_samples(l, json_object_get(object, "samples"), &c->samples);
	if (err)
		return err;
	if (connections > CONNECTIONS_MAX)
		return bad(l, "a case has an absurd number of connections");
	c->connections = (unsigned int)connections;
	return 0;
}

static int load_document(const struct loader *l, json_t *doc, struct result *r)
{
	const char *schema = json_string_value(json_object_get(doc, "schema"));
	json_t *cases = json_object_get(doc, "cases"), *kase;
	size_t i;
	int err;

	if (!schema)
		return fail(l->why, EXIT_WRONG_USE, EINVAL,
			    "%s is JSON but no copytax result: it has no \"schema\"", l->path);
	if (strcmp(schema, RESULT_SCHEMA))
		return fail(l->why, EXIT_WRONG_USE, EINVAL,
			    "%s has the schema \"%.40s\"; this copytax reads \"" RESULT_SCHEMA
			    "\": use the version that wrote it",
			    l->path, schema);
	err = take_part(l, doc, "tool", &r->tool);
	err = err ? err : take_part(l, doc, "run", &r->run);
	err = err ? err : take_part(l, doc, "host", &r->host);
	err = err ? err : take_part(l, doc, "settings", &r->settings);
	err = err ? err : take_part(l, doc, "warnings", &r->warnings);
	err = err ? err : take_part(l, doc, "probes", &r->probes);
	err = err ? err : take_part(l, doc, "prices", &r->prices);
	err = err ? err : take_part(l, doc, "claims", &r->claims);
	if (err)
		return err;
	if (!json_is_array(cases))
		return bad(l, "it has no cases");
	json_array_foreach(cases, i, kase) {
		err = load_case(l, kase, r);
		if (err)
			return err;
	}
	return 0;
}

static int load_json(const struct loader *l, json_t **doc)
{
	json_error_t error;
	struct stat st;
	/* a FIFO is told by what it is, not waited for */
	int fd = open(l->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), err = 0;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (!file && fd >= 0)
		close(fd);
	if (!file)
		return fail(l->why, EXIT_WRONG_USE, errno, "can't read %s: %s", l->path,
			    strerror(errno));
	if (fstat(fileno(file), &st) || !S_ISREG(st.st_mode) || st.st_size > RESULT_MAX_BYTES) {
		err = fail(l->why, EXIT_WRONG_USE, EINVAL,
			   "%s is no result: not a regular file of a sensible size", l->path);
	} else {
		*doc = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
		if (!*doc)
			err = fail(l->why, EXIT_WRONG_USE, EINVAL,
				   "%s is no whole JSON document: %s (line %d); it may be cut short",
				   l->path, error.text, error.line);
	}
	fclose(file);
	return err;
}

int result_load(const char *path, struct result **out, struct failure *why)
{
	char inside[4096];
	struct loader l = { .path = path, .why = why };
	struct result *r = NULL;
	json_t *doc = NULL;
	struct stat st;
	int err;

	if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
		snprintf(inside, sizeof(inside), "%s/" RESULT_FILE, path);
		l.path = inside;
	}
	err = load_json(&l, &doc);
	if (err)
		return err;
	r = result_new();
	err = r ? load_document(&l, doc, r) :
		  fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	json_decref(doc);
	if (err) {
		result_free(r);
		return err;
	}
	*out = r;
	return 0;
}
