// SPDX-License-Identifier: MIT
#include "report/sweep.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/summary.h"
#include "base/size.h"
#include "report/families.h"
#include "report/format.h"
#include "report/machine.h"

/* A group under construction: cases that differ in the condition and the method only. */
struct group {
	const struct case_result *leader;
	size_t count;
};

static bool known_value(const struct sweep *s, json_t *value)
{
	for (size_t i = 0; i < s->value_count; i++)
		if (json_equal(s->values[i], value))
			return true;
	return false;
}

/* Numbers ascend; words, which stand for "no number" too, come behind them as they were first met. */
static bool before(json_t *a, json_t *b)
{
	if (json_is_integer(a) && json_is_integer(b))
		return json_integer_value(a) < json_integer_value(b);
	return json_is_integer(a) && !json_is_integer(b);
}

static int add_value(struct sweep *s, json_t *value)
{
	json_t **grown;
	size_t at;

	if (known_value(s, value))
		return 0;
	grown = realloc(s->values, (s->value_count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	s->values = grown;
	for (at = s->value_count; at && before(value, grown[at - 1]); at--)
		grown[at] = grown[at - 1];
	grown[at] = json_incref(value);
	s->value_count++;
	return 0;
}

static int largest_group(const struct result *r, const char *key, const struct case_result **leader)
{
	struct group *groups = calloc(r->case_count ? r->case_count : 1, sizeof(*groups));
	size_t count = 0, most = 0;

	*leader = NULL;
	if (!groups)
		return -ENOMEM;
	for (size_t i = 0; i < r->case_count; i++) {
		const struct case_result *c = &r->cases[i];
		json_t *value = case_condition(c, key);
		bool applies = !json_is_null(value) && case_measured(c);
		size_t g = 0;

		json_decref(value);
		if (!applies)
			continue;
		while (g < count && !case_same_conditions(groups[g].leader, c, key, NULL))
			g++;
		if (g == count)
			groups[count++].leader = c;
		groups[g].count++;
	}
	for (size_t g = 0; g < count; g++)
		if (groups[g].count > most) {
			most = groups[g].count;
			*leader = groups[g].leader;
		}
	free(groups);
	return 0;
}

static bool varies(const struct result *r, const char *key)
{
	json_t *first = r->case_count ? case_condition(&r->cases[0], key) : NULL;
	bool found = false;

	for (size_t i = 1; i < r->case_count && !found; i++) {
		json_t *value = case_condition(&r->cases[i], key);

		found = !json_equal(value, first);
		json_decref(value);
	}
	json_decref(first);
	return found;
}

int sweep_find(const struct result *r, enum dimension dimension, struct sweep *out)
{
	const char *key = dimensions[dimension].key;
	const struct case_result *leader;
	int err;

	*out = (struct sweep){ 0 };
	if (!varies(r, key))
		return 0;
	err = largest_group(r, key, &leader);
	if (!err && leader) {
		out->cases = calloc(r->case_count, sizeof(*out->cases));
		err = out->cases ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < r->case_count && leader && !err; i++) {
		const struct case_result *c = &r->cases[i];
		json_t *value = case_condition(c, key);

		if (!json_is_null(value) && case_measured(c) &&
		    case_same_conditions(leader, c, key, NULL)) {
			out->cases[out->count++] = c;
			err = add_value(out, value);
		}
		json_decref(value);
	}
	if (out->value_count < 2)
		out->count = 0;
	return err;
}

void sweep_free(struct sweep *s)
{
	for (size_t i = 0; i < s->value_count; i++)
		json_decref(s->values[i]);
	free(s->values);
	free(s->cases);
	*s = (struct sweep){ 0 };
}

void sweep_name(enum dimension dimension, char name[static SWEEP_NAME_MAX])
{
	snprintf(name, SWEEP_NAME_MAX, "sweep-%s", dimensions[dimension].name);
}

static const char *value_text(enum dimension d, const json_t *value, char text[static SIZE_TEXT_MAX])
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_boolean(value))
		return json_is_true(value) ? "on" : "off";
	if (d == DIM_CONNECTIONS || d == DIM_MTU)
		snprintf(text, SIZE_TEXT_MAX, "%lld", (long long)json_integer_value(value));
	else
		size_format((uint64_t)json_integer_value(value), text);
	return text;
}

/* A log axis needs numbers above 0; a word among them stands one step behind the last. */
static bool log_axis(enum dimension d, const struct sweep *s)
{
	return dimensions[d].doubles && json_is_integer(s->values[0]) &&
	       json_integer_value(s->values[0]) > 0;
}

static double position(enum dimension d, const struct sweep *s, size_t i)
{
	double last = 1;

	if (!log_axis(d, s))
		return (double)(i + 1);
	for (size_t k = 0; k <= i; k++)
		last = json_is_integer(s->values[k]) ? (double)json_integer_value(s->values[k]) :
						       2 * last;
	return last;
}

static void put_interval(FILE *out, const struct interval *i, double scale)
{
	const double values[] = { i->median, i->low, i->high };

	for (size_t k = 0; k < 3; k++)
		put_tsv_number(out, i->n ? values[k] * scale : NAN);
}

struct range {
	double from, to;
};

static void widen(struct range *r, const struct interval *i, double scale)
{
	if (!i->n)
		return;
	if (i->low > 0)
		r->from = fmin(r->from, i->low * scale);
	r->to = fmax(r->to, i->high * scale);
}

static int write_points(const struct result *result, enum dimension d, const struct sweep *s,
			FILE *data, struct range *cpu, struct range *rate, size_t *least)
{
	char text[SIZE_TEXT_MAX];

	fprintf(data, "method\t%s\tposition\tsender\tsender_low\tsender_high\tthroughput\t"
		      "throughput_low\tthroughput_high\tn\n",
		dimensions[d].key);
	/* method by method, so that each line is drawn from left to right */
	for (size_t m = 0; m < s->count; m++) {
		bool seen = false;

		for (size_t k = 0; k < m; k++)
			seen |= !strcmp(s->cases[k]->method, s->cases[m]->method);
		for (size_t v = 0; v < s->value_count && !seen; v++)
			for (size_t i = 0; i < s->count; i++) {
				json_t *value = case_condition(s->cases[i], dimensions[d].key);
				bool mine = !strcmp(s->cases[i]->method, s->cases[m]->method) &&
					    json_equal(value, s->values[v]);
				struct case_summary sum;

				json_decref(value);
				if (!mine)
					continue;
				if (summarize(result, s->cases[i], &sum))
					return -ENOMEM;
				put_tsv(data, s->cases[i]->method);
				fprintf(data, "\t%s\t%.9g", value_text(d, s->values[v], text),
					position(d, s, v));
				put_interval(data, &sum.sender_cpu_per_gb, 1);
				put_interval(data, &sum.throughput, 1e-9);
				fprintf(data, "\t%zu\n", sum.throughput.n);
				widen(cpu, &sum.sender_cpu_per_gb, 1);
				widen(rate, &sum.throughput, 1e-9);
				*least = sum.throughput.n < *least ? sum.throughput.n : *least;
			}
	}
	return 0;
}

static unsigned int write_methods(const struct sweep *s, FILE *labels)
{
	unsigned int count = 0;

	fprintf(labels, "array sweep_method[%zu]\n", s->count);
	for (size_t m = 0; m < s->count; m++) {
		bool seen = false;

		for (size_t k = 0; k < m; k++)
			seen |= !strcmp(s->cases[k]->method, s->cases[m]->method);
		if (seen)
			continue;
		fprintf(labels, "sweep_method[%u] = ", ++count);
		put_gnuplot(labels, s->cases[m]->method);
		putc('\n', labels);
	}
	fprintf(labels, "sweep_method_count = %u\n", count);
	return count;
}

/* Tics as many as can be read: of many values every second or third. */
static void write_axis(enum dimension d, const struct sweep *s, FILE *labels)
{
	size_t step = (s->value_count + 8) / 9, last = s->value_count - 1;
	char text[SIZE_TEXT_MAX];
	bool log = log_axis(d, s);
	double from = position(d, s, 0), to = position(d, s, last);

	fprintf(labels, "sweep_log = %d\n", log);
	fprintf(labels, "sweep_from = %.9g\nsweep_to = %.9g\n", log ? from / 1.4 : from - 0.5,
		log ? to * 1.4 : to + 0.5);
	fprintf(labels,
		"sweep_tic_count = %zu\narray sweep_tic_at[%zu]\narray sweep_tic_label[%zu]\n",
		s->value_count, s->value_count, s->value_count);
	for (size_t i = 0; i < s->value_count; i++) {
		fprintf(labels, "sweep_tic_at[%zu] = %.9g\nsweep_tic_label[%zu] = ", i + 1,
			position(d, s, i), i + 1);
		put_gnuplot(labels, i % step ? "" : value_text(d, s->values[i], text));
		putc('\n', labels);
	}
}

static void write_words(const struct result *result, enum dimension d, const struct sweep *s,
			size_t least, FILE *labels)
{
	const struct case_result *c = s->cases[0];
	bool interrupted = json_is_true(json_object_get(result->run, "interrupted"));
	char title[400], text[500], chunk[FORMAT_MAX], bytes[FORMAT_MAX], cache[40] = "",
		link[40] = "", sink[40] = "";

	snprintf(title, sizeof(title), "%s and cost", dimensions[d].name);
	title[0] = (char)(title[0] >= 'a' && title[0] <= 'z' ? title[0] - 'a' + 'A' : title[0]);
	put_label(labels, "sweep_title", title);
	format_chunk(c->chunk, chunk);
	/* what was varied is at the axis */
	if (d != DIM_CACHE)
		snprintf(cache, sizeof(cache), "%.20s cache, ", c->cache);
	if (d != DIM_LINK)
		snprintf(link, sizeof(link), "%.20s link, ", c->link);
	if (d != DIM_SINK)
		snprintf(sink, sizeof(sink), "%.20s sink, ", c->sink);
	snprintf(text, sizeof(text), "%s%s%s in chunks of %s, %s%s%s%u connection%s",
		 interrupted ? "INTERRUPTED RUN: " : "",
		 d == DIM_SIZE || d == DIM_EACH ? "" : format_count((double)c->payload, bytes),
		 d == DIM_SIZE || d == DIM_EACH ? "Payloads" : " bytes", chunk,
		 cache, link, sink, c->connections, c->connections == 1 ? "" : "s");
	if (d == DIM_CONNECTIONS)
		*strrchr(text, ',') = '\0';
	put_label(labels, "sweep_compared", text);
	put_label(labels, "sweep_axis", dimensions[d].unit);
	snprintf(text, sizeof(text), "Medians; bands: 95%% intervals of the median%s",
		 least < 6 ? " (with fewer than 6 samples the whole range)." : ".");
	put_label(labels, "sweep_note_1", text);
	put_label(labels, "sweep_note_2",
		 d == DIM_SINK ? "The truncate sink is an upper bound. Other load moves wall time." :
				 "Other load moves throughput; CPU time is steadier.");
}

int sweep_write(const struct result *result, enum dimension d, const struct sweep *s, FILE *data,
		FILE *labels)
{
	struct range cpu = { INFINITY, 0 }, rate = { INFINITY, 0 };
	size_t least = SIZE_MAX;
	int err = write_points(result, d, s, data, &cpu, &rate, &least);

	if (err)
		return err;
	fputs("# texts and positions of one picture; made from result.json by copytax report\n", labels);
	write_methods(s, labels);
	write_axis(d, s, labels);
	write_words(result, d, s, least, labels);
	fprintf(labels, "sweep_cpu_from = %.9g / 1.2\nsweep_cpu_to = %.9g * 1.5\n",
		isfinite(cpu.from) ? cpu.from : 0.01, cpu.to > 0 ? cpu.to : 1);
	fprintf(labels, "sweep_rate_from = %.9g / 1.2\nsweep_rate_to = %.9g * 1.5\n",
		isfinite(rate.from) ? rate.from : 0.01, rate.to > 0 ? rate.to : 1);
	return 0;
}
