// SPDX-License-Identifier: MIT
#include "cmd/resume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "study/feasible.h"
#include "study/study.h"

#define SHOWN_MAX 80

int resume_words(const struct result *old, char ***words, int *count, struct failure *why)
{
	const json_t *argv = json_object_get(old->run, "argv");
	size_t n = json_array_size(argv);

	*count = 0;
	if (n < 2)
		return fail(why, EXIT_WRONG_USE, EINVAL,
			    "the result does not say how its run was called (run.argv)");
	*words = calloc(n + 1, sizeof(**words));
	if (!*words)
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	for (size_t i = 1; i < n; i++) {
		const char *word = json_string_value(json_array_get(argv, i));

		if (word)
			(*words)[(*count)++] = (char *)word;
	}
	return 0;
}

static void show(const json_t *value, char text[SHOWN_MAX])
{
	char *dumped = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

	snprintf(text, SHOWN_MAX, "%s", dumped ? dumped : "nothing");
	free(dumped);
}

static int differs(const char *dir, const char *what, const json_t *then, const json_t *now,
		   struct failure *why)
{
	char a[SHOWN_MAX], b[SHOWN_MAX];

	show(then, a);
	show(now, b);
	return fail(why, EXIT_WRONG_USE, EINVAL,
		    "can't go on with %s: its %s is %s, and here it is %s; begin anew with another --out",
		    dir, what, a, b);
}

static bool same_case(const struct case_result *old, const struct plan_case *c)
{
	json_t *conditions = json_object();
	bool same;

	case_conditions(c, conditions);
	same = !strcmp(old->method, c->method->name) && old->chunk == c->chunk &&
	       old->connections == c->connections && old->payload == plan_payload(c) &&
	       !strcmp(old->cache, cache_names[c->cache]) && !strcmp(old->sink, sink_names[c->sink]) &&
	       !strcmp(old->link, link_names[c->link.kind]) && json_equal(old->conditions, conditions);
	json_decref(conditions);
	return same;
}

int resume_check(const struct result *old, const char *dir, const struct plan_case *cases,
		 size_t count, const json_t *settings, const json_t *host, struct failure *why)
{
	static const char *const set[] = { "seed",	   "rounds",	   "warmup_rounds",
					   "payload_bytes", "payload_made", "payload_sparse",
					   "watched_transfers", "time_limit_s",
					   "placement" };
	static const struct {
		const char *group, *fact;
	} facts[] = { { "kernel", "release" }, { "cpu", "model" }, { "cpu", "usable" } };

	if (json_is_false(json_object_get(old->run, "interrupted")))
		return fail(why, EXIT_WRONG_USE, EALREADY,
			    "%s is complete: there is nothing to go on with", dir);
	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		const json_t *then = json_object_get(old->settings, set[i]);
		const json_t *now = json_object_get(settings, set[i]);

		if (then && !json_equal(then, now))
			return differs(dir, set[i], then, now, why);
	}
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		const json_t *then = json_object_get(
			json_object_get(json_object_get(old->host, facts[i].group), facts[i].fact),
			"value");
		const json_t *now = json_object_get(
			json_object_get(json_object_get(host, facts[i].group), facts[i].fact),
			"value");

		if (then && !json_equal(then, now))
			return differs(dir, facts[i].fact, then, now, why);
	}
	/* the user's own file; ours is made anew wherever the folder is now */
	if (!json_is_true(json_object_get(settings, "payload_made")) &&
	    !json_equal(json_object_get(old->settings, "payload_path"),
			json_object_get(settings, "payload_path")))
		return differs(dir, "payload_path", json_object_get(old->settings, "payload_path"),
			       json_object_get(settings, "payload_path"), why);
	if (old->case_count != count)
		return fail(why, EXIT_WRONG_USE, EINVAL,
			    "can't go on with %s: it has %zu cases, and its plan is %zu now; begin anew with another --out",
			    dir, old->case_count, count);
	for (size_t i = 0; i < count; i++)
		if (!same_case(&old->cases[i], &cases[i]))
			return fail(why, EXIT_WRONG_USE, EINVAL,
				    "can't go on with %s: its case %zu (%s) is another now; begin anew with another --out",
				    dir, i + 1, old->cases[i].method);
	return 0;
}
