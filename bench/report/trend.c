// SPDX-License-Identifier: MIT
#include "report/trend.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/apart.h"
#include "analysis/host_speed.h"
#include "analysis/pairs.h"
#include "analysis/summary.h"
#include "base/signals.h"
#include "measure/fact.h"
#include "report/grid.h"
#include "report/plots.h"
#include "report/tool.h"

static const char *text_or(const json_t *value, const char *otherwise)
{
	return json_is_string(value) ? json_string_value(value) : otherwise;
}

static const char *started(const struct trend_entry *e)
{
	return text_or(json_object_get(e->result->run, "started"), "");
}

static const char *model(const struct result *r)
{
	return text_or(fact_value(r->host, "cpu.model"), "unknown CPU");
}

static const char *hypervisor(const struct result *r)
{
	return text_or(fact_value(r->host, "cpu.hypervisor"), "");
}

static bool same_host(const struct result *a, const struct result *b)
{
	return !strcmp(model(a), model(b)) && !strcmp(hypervisor(a), hypervisor(b)) &&
	       json_equal(fact_value(a->host, "cpu.threads"), fact_value(b->host, "cpu.threads"));
}

static int by_time(const void *a, const void *b)
{
	return strcmp(started(a), started(b));
}

size_t trend_sort(struct trend_entry *entries, size_t count)
{
	size_t hosts = 0;

	/* ISO 8601 in UTC sorts as text does */
	qsort(entries, count, sizeof(*entries), by_time);
	for (size_t i = 0; i < count; i++) {
		entries[i].host = 0;
		for (size_t k = 0; k < i && !entries[i].host; k++)
			if (same_host(entries[i].result, entries[k].result))
				entries[i].host = entries[k].host;
		if (!entries[i].host)
			entries[i].host = ++hosts;
	}
	return hosts;
}

static struct interval sender_cpu(const struct trend_entry *e, const struct case_result *c)
{
	const struct case_result *own = pairs_counterpart(e->result, c);
	struct case_summary s;

	if (!own || own->status != CASE_OK || summarize(e->result, own, &s))
		return (struct interval) { .median = NAN, .low = NAN, .high = NAN };
	return s.field[SAMPLE_SENDER_CPU_S];
}

/* A case that an earlier result has, too, was taken up there. */
static bool seen_before(const struct trend_entry *entries, size_t i, const struct case_result *c)
{
	for (size_t k = 0; k < i; k++)
		if (pairs_counterpart(entries[k].result, c))
			return true;
	return false;
}

/* Core-to-core latency of the samples that count; NaN when the result has none. */
static double distance(const struct result *r)
{
	struct apart apart;

	apart_count(r, &apart);
	return apart.median_s;
}

static double yardstick(const struct result *r)
{
	struct host_speed speed;

	return host_speed(r, &speed) ? NAN : speed.median_s;
}

static void put_list(const struct trend_entry *entries, size_t count, enum style style, FILE *out)
{
	char number[FORMAT_MAX];

	for (size_t i = 0; i < count; i++) {
		const struct result *r = entries[i].result;

		/* a numbered list in Markdown, too */
		fprintf(out, "%zu. ", i + 1);
		put_text(out, style, entries[i].path);
		fprintf(out, ": ");
		put_text(out, style,
			 started(&entries[i])[0] ? started(&entries[i]) : "at an unknown time");
		fprintf(out, ", host %zu (", entries[i].host);
		put_text(out, style, model(r));
		fprintf(out, ", kernel ");
		put_text(out, style, text_or(fact_value(r->host, "kernel.release"), "unknown"));
		fprintf(out, "), yardstick %s ms", format_number(yardstick(r) * 1e3, number));
		if (isfinite(distance(r)))
			fprintf(out, ", CPUs %.0f ns apart", distance(r) * 1e9);
		putc('\n', out);
	}
	putc('\n', out);
}

static void put_row(const struct trend_entry *entries, size_t count, const struct case_result *c,
		    struct grid *grid)
{
	char chunk[FORMAT_MAX], text[FORMAT_MAX];

	grid_row(grid);
	grid_cell(grid, "%s %s %s", c->method, format_chunk(c->chunk, chunk), c->cache);
	for (size_t i = 0; i < count; i++) {
		struct interval v = sender_cpu(&entries[i], c);

		grid_cell(grid, "%s",
			  format_spread_short(&(struct interval) { v.n, v.median * 1e3, v.low * 1e3,
								   v.high * 1e3, v.confidence },
					      text));
	}
}

int trend_table(const struct trend_entry *entries, size_t count, enum style style, FILE *out)
{
	struct grid grid = { 0 };

	put_list(entries, count, style, out);
	grid_column(&grid, "", "case", true);
	for (size_t i = 0; i < count; i++) {
		char over[40], name[24];

		snprintf(over, sizeof(over), "sender CPU, ms, host %zu", entries[i].host);
		snprintf(name, sizeof(name), "%zu.", i + 1);
		grid_column(&grid, over, name, false);
	}
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < entries[i].result->case_count; k++) {
			const struct case_result *c = &entries[i].result->cases[k];

			if (c->status == CASE_OK && !seen_before(entries, i, c))
				put_row(entries, count, c, &grid);
		}
	return grid_finish(&grid, style, out);
}

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *case_json(const struct trend_entry *entries, size_t count,
			 const struct case_result *c)
{
	json_t *values = json_array();

	for (size_t i = 0; i < count; i++) {
		struct interval v = sender_cpu(&entries[i], c);

		json_array_append_new(values, v.n ? json_pack("{s:f, s:f, s:f}", "median", v.median,
							      "low", v.low, "high", v.high)
						  : json_null());
	}
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:i, s:I, s:o}", "method", c->method, "chunk",
			 (json_int_t)c->chunk, "cache", c->cache, "sink", c->sink, "link", c->link,
			 "connections", (int)c->connections, "payload", (json_int_t)c->payload,
			 "sender_cpu_s", values);
}

json_t *trend_json(const struct trend_entry *entries, size_t count)
{
	json_t *results = json_array(), *cases = json_array();
	size_t hosts = 0;

	for (size_t i = 0; i < count; i++) {
		const struct result *r = entries[i].result;
		const json_t *kernel = fact_value(r->host, "kernel.release");
		json_t *one = json_object();

		hosts = entries[i].host > hosts ? entries[i].host : hosts;
		json_object_set_new(one, "path", json_string(entries[i].path));
		json_object_set_new(one, "started", json_string(started(&entries[i])));
		json_object_set_new(one, "host", json_integer((json_int_t)entries[i].host));
		json_object_set_new(one, "cpu", json_string(model(r)));
		json_object_set_new(one, "kernel",
				    json_is_string(kernel) ? json_string(json_string_value(kernel))
							   : json_null());
		json_object_set_new(one, "yardstick_s", number(yardstick(r)));
		json_object_set_new(one, "core_latency_s", number(distance(r)));
		json_array_append_new(results, one);
		for (size_t k = 0; k < r->case_count; k++)
			if (r->cases[k].status == CASE_OK && !seen_before(entries, i, &r->cases[k]))
				json_array_append_new(cases,
						      case_json(entries, count, &r->cases[k]));
	}
	return json_pack("{s:I, s:o, s:o}", "hosts", (json_int_t)hosts, "results", results, "cases",
			 cases);
}

/* ---- the picture ---- */

#define SERIES_MAX 64

static bool drawable(const struct result *r, const struct case_result *c)
{
	const json_t *chunk = json_object_get(r->settings, "chunk_default");

	return c->status == CASE_OK && !strcmp(c->cache, "warm") &&
	       (!json_is_integer(chunk) || c->chunk == (uint64_t)json_integer_value(chunk));
}

/* The cases that are drawn: warm ones under the conditions of the first, so that a method has one line. */
static bool drawn(const struct result *r, const struct case_result *c)
{
	const struct case_result *first = r->cases;

	if (!drawable(r, c))
		return false;
	while (!drawable(r, first))
		first++;
	return c->chunk == first->chunk && c->payload == first->payload &&
	       c->connections == first->connections && !strcmp(c->sink, first->sink) &&
	       !strcmp(c->link, first->link);
}

static void put_data(const struct trend_entry *entries, size_t count, FILE *data, FILE *labels)
{
	const struct result *first = entries[0].result;
	size_t series = 0;
	char chunk[FORMAT_MAX], text[256];

	fputs("method\tplace\tmedian\tlow\thigh\n", data);
	for (size_t k = 0; k < first->case_count && series < SERIES_MAX; k++) {
		const struct case_result *c = &first->cases[k];

		if (!drawn(first, c))
			continue;
		for (size_t i = 0; i < count; i++) {
			struct interval v = sender_cpu(&entries[i], c);
			double gb = (double)c->payload / 1e9;

			put_tsv(data, c->method);
			fprintf(data, "\t%zu\t%.9g\t%.9g\t%.9g\n", i + 1, v.median / gb, v.low / gb,
				v.high / gb);
		}
		if (!series++)
			fprintf(labels, "array trend_method[%d]\n", SERIES_MAX);
		fprintf(labels, "trend_method[%zu] = ", series);
		put_gnuplot(labels, c->method);
		snprintf(text, sizeof(text),
			 "warm, %.32s, %.32s, chunk %s; whiskers: 95 %% interval of the median",
			 c->sink, c->link, format_chunk(c->chunk, chunk));
		fputs("\ncompared_text = ", labels);
		put_gnuplot(labels, text);
		putc('\n', labels);
	}
	fprintf(labels, "trend_method_count = %zu\ntrend_count = %zu\narray trend_name[%zu]\n",
		series, count, count);
	for (size_t i = 0; i < count; i++) {
		/* 2026-11-22T01:02:10Z: day and minute */
		snprintf(text, sizeof(text), "%.5s %.5s",
			 strlen(started(&entries[i])) > 16 ? started(&entries[i]) + 5 : "?",
			 strlen(started(&entries[i])) > 16 ? started(&entries[i]) + 11 : "");
		fprintf(labels, "trend_name[%zu] = ", i + 1);
		put_gnuplot(labels, text);
		putc('\n', labels);
	}
	fputs("machine_text = ", labels);
	snprintf(text, sizeof(text), "%.120s, %.60s", model(first), hypervisor(first));
	put_gnuplot(labels, text);
	putc('\n', labels);
}

static int write_data(const struct trend_entry *entries, size_t count, const char *dir,
		      struct failure *why)
{
	char path[PATH_MAX + 16];
	FILE *data, *labels;
	int err = 0;

	snprintf(path, sizeof(path), "%s/trend.tsv", dir);
	data = fopen(path, "we");
	snprintf(path, sizeof(path), "%s/labels.gp", dir);
	labels = fopen(path, "we");
	if (data && labels)
		put_data(entries, count, data, labels);
	if (!data || !labels || ferror(data) || ferror(labels))
		err = fail(why, EXIT_MACHINE_CANT, EIO, "can't write the data of the plot in %s",
			   dir);
	if (data && fclose(data))
		err = -EIO;
	if (labels && fclose(labels))
		err = -EIO;
	return err;
}

static void remove_data(const char *dir)
{
	static const char *const files[] = { "trend.tsv", "labels.gp" };
	char path[PATH_MAX + 16];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
}

int trend_draw(const struct trend_entry *entries, size_t count, const char *picture,
	       struct failure *why)
{
	const char *tmp = getenv("TMPDIR"), *slash = strrchr(picture, '/'),
		   *ending = strrchr(picture, '.');
	char dir[PATH_MAX], sources[PATH_MAX], folder[PATH_MAX], target[2 * PATH_MAX];
	const char *const argv[] = { "gnuplot", "-d", "-c", "trend.gp", dir, target, NULL };
	const struct tool tool = {
		"gnuplot", "gnuplot-nox", "trend.gp", argv, sources, target, NULL
	};
	size_t cases = 0;
	sigset_t before;
	int err;

	for (size_t i = 0; i < count; i++)
		if (entries[i].host != 1)
			return fail(why, EXIT_WRONG_USE, EINVAL,
				    "these results are of several hosts, and a trend is of one: "
				    "leave --plot out for the table");
	for (size_t k = 0; k < entries[0].result->case_count; k++)
		cases += drawn(entries[0].result, &entries[0].result->cases[k]);
	if (!cases)
		return fail(why, EXIT_WRONG_USE, EINVAL, "%s has no warm case to draw",
			    entries[0].path);
	if (!ending || (strcmp(ending, ".svg") != 0 && strcmp(ending, ".png") != 0))
		return fail(why, EXIT_WRONG_USE, EINVAL,
			    "'%s' is no picture: use a name in .svg or .png", picture);
	err = plots_sources(sources, sizeof(sources), why);
	if (err)
		return err;
	/* gnuplot runs in the folder of its sources */
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - picture + 1) : 1,
		 slash ? picture : ".");
	if (!realpath(folder, target))
		return fail(why, EXIT_WRONG_USE, errno, "%s: %s", folder, strerror(errno));
	snprintf(target + strlen(target), sizeof(target) - strlen(target), "/%s",
		 slash ? slash + 1 : picture);
	snprintf(dir, sizeof(dir), "%.*s/copytax-trend.XXXXXX", PATH_MAX - 32, tmp ? tmp : "/tmp");
	/* a signal that comes as long as the folder is there ends the program after it */
	signals_hold(&before);
	if (!mkdtemp(dir)) {
		signals_let_go(&before);
		return fail(why, EXIT_MACHINE_CANT, errno, "no temporary folder %s: %s", dir,
			    strerror(errno));
	}
	err = write_data(entries, count, dir, why);
	if (!err)
		err = tool_run(&tool, why);
	remove_data(dir);
	signals_let_go(&before);
	return err;
}
