// SPDX-License-Identifier: MIT
/* copytax report: what a person reads, made from a result. */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/prices.h"
#include "base/file.h"
#include "base/signals.h"
#include "cmd/cmd.h"
#include "report/data.h"
#include "report/html.h"
#include "report/markdown.h"
#include "report/misleads.h"
#include "report/paths_draw.h"
#include "report/plots.h"
#include "report/verdict.h"

enum key { KEY_OUT = 'o', KEY_JSON = 'j', KEY_PLOTS_ONLY = 0x200, KEY_NO_PLOTS, KEY_PRICES };

struct options {
	const char *from, *out;
	bool plots_only, no_plots, json, prices;
};

static const struct argp_option option_table[] = {
	{ "out", KEY_OUT, "DIR", 0, "write there instead of beside the result", 0 },
	{ "plots-only", KEY_PLOTS_ONLY, NULL, 0,
	  "draw and write no report; with --out the pictures alone go straight into DIR", 0 },
	{ "no-plots", KEY_NO_PLOTS, NULL, 0, "write the report without pictures", 0 },
	{ "prices", KEY_PRICES, NULL, 0,
	  "print the prices as JSON, by this version's model, and write nothing", 0 },
	{ "json", KEY_JSON, NULL, 0, "print the answer, what misleads and the files as JSON", 0 },
	{ 0 },
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_OUT:
		o->out = text;
		return 0;
	case KEY_PLOTS_ONLY:
		o->plots_only = true;
		return 0;
	case KEY_NO_PLOTS:
		o->no_plots = true;
		return 0;
	case KEY_JSON:
		o->json = true;
		return 0;
	case KEY_PRICES:
		o->prices = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->from)
			argp_failure(state, EXIT_WRONG_USE, 0,
				     "one result at a time: '%s' is the second", text);
		o->from = text;
		return 0;
	case ARGP_KEY_END:
		if (!o->from)
			argp_failure(state, EXIT_WRONG_USE, 0,
				     "which result? name its folder or its result.json");
		if (o->plots_only && o->no_plots)
			argp_failure(state, EXIT_WRONG_USE, 0,
				     "--plots-only and --no-plots leave nothing to do");
		if (o->prices && (o->plots_only || o->no_plots || o->out || o->json))
			argp_failure(state, EXIT_WRONG_USE, 0,
				     "--prices writes nothing: it goes with no other option");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Where everything goes. */
struct places {
	char beside[PATH_MAX]; /* the folder of the result */
	char out[PATH_MAX], data[PATH_MAX], plots[PATH_MAX], paths[PATH_MAX];
	char markdown[PATH_MAX], html[PATH_MAX], hyperfine[PATH_MAX];
	bool data_temporary;
	sigset_t before; /* signals are held as long as data is temporary */
};

static int join(char *out, const char *dir, const char *name, struct failure *why)
{
	if (snprintf(out, PATH_MAX, "%s/%s", dir, name) < PATH_MAX)
		return 0;
	return fail(why, EXIT_WRONG_USE, ENAMETOOLONG, "the path %.80s… is too long", dir);
}

static int make_folder(const char *path, struct failure *why)
{
	if (!mkdir(path, 0777) || errno == EEXIST)
		return 0;
	return fail(why, EXIT_MACHINE_CANT, errno, "can't make the folder %s: %s", path,
		    strerror(errno));
}

static int find_places(const struct options *o, struct places *p, struct failure *why)
{
	struct stat st;
	char *slash;
	int err;

	if (strlen(o->from) >= sizeof(p->beside) || (o->out && strlen(o->out) >= sizeof(p->out)))
		return fail(why, EXIT_WRONG_USE, ENAMETOOLONG, "that path is too long");
	strcpy(p->beside, o->from);
	if (stat(o->from, &st) || !S_ISDIR(st.st_mode)) {
		slash = strrchr(p->beside, '/');
		if (slash == p->beside)
			slash++;
		if (slash)
			*slash = 0;
		else
			strcpy(p->beside, ".");
	}
	strcpy(p->out, o->out ? o->out : p->beside);
	err = join(p->data, p->out, "data", why);
	err = err ? err : join(p->plots, p->out, "plots", why);
	err = err ? err : join(p->paths, p->out, "paths", why);
	err = err ? err : join(p->markdown, p->out, "report.md", why);
	err = err ? err : join(p->html, p->out, "report.html", why);
	return err ? err : join(p->hyperfine, p->beside, HYPERFINE_FILE, why);
}

static int make_places(const struct options *o, const struct places *p, struct failure *why)
{
	int err = make_folder(p->out, why);

	if (!err && p->data_temporary)
		return 0;
	err = err ? err : make_folder(p->data, why);
	if (!err && !o->no_plots)
		err = make_folder(p->plots, why);
	return err || o->no_plots || o->plots_only ? err : make_folder(p->paths, why);
}

/* Pictures alone, into the folder that was named: what they are drawn from goes where it can be thrown away. */
static int pictures_alone(struct places *p, struct failure *why)
{
	const char *tmp = getenv("TMPDIR");

	strcpy(p->plots, p->out);
	if (join(p->data, tmp && tmp[0] ? tmp : "/tmp", "copytax-data.XXXXXX", why))
		return -ENAMETOOLONG;
	signals_hold(&p->before);
	if (!mkdtemp(p->data)) {
		signals_let_go(&p->before);
		return fail(why, EXIT_MACHINE_CANT, errno, "can't make the folder %s: %s", p->data,
			    strerror(errno));
	}
	p->data_temporary = true;
	return 0;
}

static void remove_temporary(const struct places *p)
{
	DIR *dir = p->data_temporary ? opendir(p->data) : NULL;
	const struct dirent *entry;

	if (!p->data_temporary)
		return;
	while (dir && (entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(p->data);
	/* a signal that came meanwhile ends the program here */
	signals_let_go(&p->before);
}

static int write_file(const char *path, const char *text, struct failure *why)
{
	FILE *file = file_create(path);
	int err = 0;

	if (!file)
		return fail(why, EXIT_MACHINE_CANT, errno, "can't write %s: %s", path,
			    strerror(errno));
	if (fputs(text, file) == EOF)
		err = errno;
	if (fclose(file) && !err)
		err = errno;
	if (!err)
		return 0;
	/* half a report is none */
	unlink(path);
	return fail(why, EXIT_MACHINE_CANT, err, "can't write %s: %s", path, strerror(err));
}

static int write_reports(const struct result *result, const struct places *p,
			 const struct report_parts *parts, struct failure *why)
{
	char *markdown = NULL, *html = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&markdown, &size);
	int err = out ? markdown_report(result, parts, out) : -ENOMEM;

	if (out && fclose(out))
		err = -ENOMEM;
	if (err) {
		free(markdown);
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory for the report");
	}
	err = write_file(p->markdown, markdown, why);
	out = err ? NULL : open_memstream(&html, &size);
	if (out) {
		const struct page page = { "copytax: what moving this file cost", "en", "Contents",
					   p->out };

		err = html_page(markdown, &page, out, why);
		if (fclose(out))
			err = err ? err : fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
		err = err ? err : write_file(p->html, html, why);
	} else if (!err) {
		err = fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory for the page");
	}
	free(markdown);
	free(html);
	return err;
}

static void print_json(const struct options *o, const struct result *result, const struct places *p,
		       const struct report_parts *parts)
{
	json_t *out = json_object(), *files = json_object();

	json_object_set_new(out, "answer", verdict_find(result));
	json_object_set_new(out, "misleads", misleads_find(result));
	json_object_set_new(files, "data", p->data_temporary ? json_null() : json_string(p->data));
	json_object_set_new(files, "plots", parts->no_plots ? json_null() : json_string(p->plots));
	if (parts->no_plots)
		json_object_set_new(files, "plots_reason", json_string(parts->no_plots));
	json_object_set_new(files, "paths",
			    parts->no_paths || o->plots_only ? json_null() : json_string(p->paths));
	if (parts->no_paths)
		json_object_set_new(files, "paths_reason", json_string(parts->no_paths));
	json_object_set_new(files, "markdown",
			    o->plots_only ? json_null() : json_string(p->markdown));
	json_object_set_new(files, "html", o->plots_only ? json_null() : json_string(p->html));
	json_object_set_new(out, "files", files);
	json_dumpf(out, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(out);
}

static void print_text(const struct options *o, const struct result *result, const struct places *p,
		       const struct report_parts *parts)
{
	if (!o->plots_only) {
		(void)verdict_write(result, STYLE_TEXT, stdout);
		putchar('\n');
		printf("report: %s\n        %s\n", p->html, p->markdown);
	}
	if (!parts->no_plots)
		printf("plots:  %s\n", p->plots);
	if (!parts->no_paths && !o->plots_only)
		printf("paths:  %s\n", p->paths);
	if (!p->data_temporary)
		printf("data:   %s\n", p->data);
}

/*
 * Draws, and turns what may be missing (gnuplot, its sources) into a sentence of the report. A plot that
 * was drawn with complaints is an error.
 */
static int draw(const struct options *o, const struct places *p, struct report_parts *parts,
		struct failure *no_plots, struct failure *why)
{
	int err;

	if (o->no_plots) {
		parts->no_plots = "they were not asked for (--no-plots).";
		return 0;
	}
	err = plots_draw(p->data, p->plots, &parts->drawable, no_plots);
	if (!err)
		return 0;
	if (err != -ENOENT || o->plots_only) {
		*why = *no_plots;
		return err;
	}
	fprintf(stderr, "copytax: no plots: %s\n", no_plots->text);
	parts->no_plots = no_plots->text;
	return 0;
}

/* The same for the diagrams of the data paths, which graphviz draws. */
static int draw_paths(const struct options *o, const struct result *result, const struct places *p,
		      struct report_parts *parts, struct failure *no_paths, struct failure *why)
{
	int err;

	if (o->plots_only)
		return 0;
	if (o->no_plots) {
		parts->no_paths = "they were not asked for (--no-plots).";
		return 0;
	}
	err = paths_draw(result, p->paths, no_paths);
	if (!err)
		return 0;
	if (err != -ENOENT) {
		*why = *no_paths;
		return err;
	}
	fprintf(stderr, "copytax: no diagrams of the data paths: %s\n", no_paths->text);
	parts->no_paths = no_paths->text;
	return 0;
}

static int make(const struct options *o, const struct result *result, const struct places *p,
		struct failure *why)
{
	struct failure no_plots = { 0 }, no_paths = { 0 }, no_hyperfine = { 0 };
	struct report_parts parts = { 0 };
	struct hyperfine hyperfine = { 0 };
	int err = make_places(o, p, why);

	err = err ? err : data_write(result, p->data, &parts.drawable, why);
	err = err ? err : draw(o, p, &parts, &no_plots, why);
	err = err ? err : draw_paths(o, result, p, &parts, &no_paths, why);
	if (!err && !o->plots_only) {
		int second = hyperfine_load(p->hyperfine, result, &hyperfine, &no_hyperfine);

		parts.hyperfine = second ? NULL : &hyperfine;
		parts.no_hyperfine = second && no_hyperfine.text[0] ? no_hyperfine.text : NULL;
		parts.profiles = !strcmp(p->beside, p->out);
		err = write_reports(result, p, &parts, why);
		hyperfine_free(&hyperfine);
	}
	if (err)
		return err;
	if (o->json)
		print_json(o, result, p, &parts);
	else
		print_text(o, result, p, &parts);
	return 0;
}

int cmd_report(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.args_doc = "DIR|result.json",
		.doc = "Writes report.html, report.md, plots/, paths/ and data/ from a result, next to it. "
		       "Nothing is "
		       "measured: the same result gives the same report on any machine.",
	};
	struct options o = { 0 };
	struct result *result = NULL;
	struct failure why = { 0 };
	struct places places = { 0 };
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	err = result_load(o.from, &result, &why);
	if (!err && prices_of_this_model(result))
		err = fail(&why, EXIT_MACHINE_CANT, ENOMEM, "no memory to fit the prices of '%s'", o.from);
	if (!err && o.prices) {
		json_dumpf(result->prices, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
		putchar('\n');
	} else {
		err = err ? err : find_places(&o, &places, &why);
		if (!err && o.plots_only && o.out)
			err = pictures_alone(&places, &why);
		err = err ? err : make(&o, result, &places, &why);
	}
	remove_temporary(&places);
	result_free(result);
	if (fflush(stdout) && !err)
		err = fail(&why, EXIT_MACHINE_CANT, errno, "can't write the output: %s",
			   strerror(errno));
	return err ? cmd_failed(&why) : EXIT_DONE;
}
