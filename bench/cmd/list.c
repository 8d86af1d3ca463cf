// SPDX-License-Identifier: MIT
/* copytax list: what there is, and what this machine can't do. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "measure/event_list.h"
#include "study/plan.h"
#include "transfer/payload.h"
#include "transfer/transfer.h"

struct options {
	const char *dir, *what;
};

static const struct argp_option option_table[] = {
	{ "dir", 'd', "DIR", 0, "try the methods on the file system of DIR (the current folder)", 0 },
	{ 0 },
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'd':
		o->dir = text;
		return 0;
	case ARGP_KEY_ARG:
		o->what = text;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void list_methods(const char *trial)
{
	printf("Methods (--methods); the first five are 'classic', the default:\n");
	for (size_t i = 0; methods[i]; i++) {
		const struct method *m = methods[i];
		const struct job job = { .path = trial, .file = -1, .socket = -1,
					 .size = CHUNK_DEFAULT, .chunk = CHUNK_DEFAULT };
		char reason[256] = "";

		printf("  %-22s %s\n", m->name, m->summary);
		if (m->probe && trial[0] && m->probe(&job, reason, sizeof(reason)))
			printf("  %-22s   not here: %s\n", "", reason);
	}
}

static void list_sinks(void)
{
	printf("Sinks (--sink):\n");
	for (int i = 0; i < SINKS; i++)
		printf("  %-14s %s\n", sink_names[i], sink_summaries[i]);
}

static void list_caches(void)
{
	printf("Page cache (--cache):\n"
	       "  %-14s the whole payload is resident, verified before every sample\n"
	       "  %-14s none of it is, verified before every sample\n"
	       "  %-14s every second stretch of 1 MiB is, verified before every sample\n",
	       cache_names[CACHE_WARM], cache_names[CACHE_COLD], cache_names[CACHE_HALF]);
}

static void list_links(void)
{
	printf("Links (--link):\n");
	for (int i = 0; i < LINKS; i++)
		printf("  %-14s %s\n", link_names[i], link_summaries[i]);
}

int cmd_list(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table, .parser = parse,
		.args_doc = "[methods|sinks|caches|links|events|all-events]",
		.doc = "Lists what there is, and tries each method on the file system at hand.",
	};
	struct options o = { .dir = "." };
	char trial[4096];
	struct failure why = { 0 };

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (o.what && strcmp(o.what, "methods") && strcmp(o.what, "sinks") &&
	    strcmp(o.what, "caches") && strcmp(o.what, "links") && strcmp(o.what, "events") &&
	    strcmp(o.what, "all-events")) {
		fail(&why, EXIT_WRONG_USE, EINVAL,
		     "there is no list of '%s'; there are: methods, sinks, caches, links, events, all-events", o.what);
		return cmd_failed(&why);
	}
	if (access(o.dir, X_OK)) {
		fail(&why, EXIT_WRONG_USE, errno, "can't use the folder %s: %s", o.dir, strerror(errno));
		return cmd_failed(&why);
	}
	if (!o.what || !strcmp(o.what, "methods")) {
		snprintf(trial, sizeof(trial), "%s/.copytax-trial-%ld", o.dir, (long)getpid());
		if (payload_create(trial, CHUNK_DEFAULT, 1, NULL, &why)) {
			fprintf(stderr, "copytax: methods not tried: %s\n", why.text);
			trial[0] = '\0';
		}
		list_methods(trial);
		if (trial[0])
			unlink(trial);
	}
	if (!o.what || !strcmp(o.what, "sinks"))
		list_sinks();
	if (!o.what || !strcmp(o.what, "caches"))
		list_caches();
	if (!o.what || !strcmp(o.what, "links"))
		list_links();
	if (!o.what || !strcmp(o.what, "events") || !strcmp(o.what, "all-events"))
		(void)event_list_print(stdout, o.what && !strcmp(o.what, "all-events"));
	return EXIT_DONE;
}
