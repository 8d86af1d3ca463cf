// SPDX-License-Identifier: MIT
/* copytax explain: one method, the textbook beside what was measured. */
#include <argp.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis/prices.h"
#include "cmd/cmd.h"
#include "method/method.h"
#include "report/explain.h"
#include "result/result.h"

struct options {
	const char *method, *result;
};

static const struct argp_option option_table[] = {
	{ "result", 'r', "PATH", 0, "a result or its folder (the newest in results/)", 0 },
	{ 0 },
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'r':
		o->result = text;
		return 0;
	case ARGP_KEY_ARG:
		if (o->method)
			argp_failure(state, EXIT_WRONG_USE, 0, "one method at a time; see --help");
		o->method = text;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The result in results/ that was written last. Returns false when there is none. */
static bool newest_result(char *path, size_t size)
{
	time_t newest = 0;
	struct stat st;
	glob_t found;

	path[0] = '\0';
	if (glob("results/*/" RESULT_FILE, 0, NULL, &found))
		return false;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (stat(found.gl_pathv[i], &st) || st.st_mtime < newest)
			continue;
		newest = st.st_mtime;
		snprintf(path, size, "%s", found.gl_pathv[i]);
	}
	globfree(&found);
	return path[0];
}

int cmd_explain(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.args_doc = "METHOD",
		.doc = "Shows a method's calls, crossings, switches and copies: what the classic texts say beside what a result counted.",
	};
	struct options o = { 0 };
	struct result *result = NULL;
	struct failure why = { 0 };
	const struct method *method;
	char path[4096];

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	method = o.method ? method_find(o.method) : NULL;
	if (!method) {
		fail(&why, EXIT_WRONG_USE, EINVAL, "%s%s%s; 'copytax list methods' names them",
		     o.method ? "there is no method '" : "name a method",
		     o.method ? o.method : "", o.method ? "'" : "");
		return cmd_failed(&why);
	}
	if (!o.result && newest_result(path, sizeof(path)))
		o.result = path;
	if (o.result && result_load(o.result, &result, &why))
		return cmd_failed(&why);
	if (result && prices_of_this_model(result)) {
		fail(&why, EXIT_MACHINE_CANT, ENOMEM, "no memory to fit the prices of '%s'", o.result);
		result_free(result);
		return cmd_failed(&why);
	}
	explain_print(method, result, stdout);
	if (o.result)
		printf("\nfrom %s\n", o.result);
	result_free(result);
	return EXIT_DONE;
}
