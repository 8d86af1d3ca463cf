// SPDX-License-Identifier: MIT
#include "report/hyperfine.h"

#include <errno.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/summary.h"
#include "base/size.h"
#include "report/families.h"
#include "report/grid.h"

/* Resamples of the bootstrap; the seed is fixed so that a report made twice is the same. */
#define RESAMPLES 4000
#define SEED 20
#define TIMES_MAX 100000
#define BASE_NAME "base"

struct times {
	double *value;
	size_t count;
};

static int take_times(json_t *entry, struct times *out)
{
	json_t *times = json_object_get(entry, "times"), *one;
	size_t i;

	*out = (struct times) { 0 };
	if (!json_array_size(times) || json_array_size(times) > TIMES_MAX)
		return -EINVAL;
	out->value = calloc(json_array_size(times), sizeof(*out->value));
	if (!out->value)
		return -ENOMEM;
	json_array_foreach(times, i, one)
	{
		if (!json_is_number(one))
			return -EINVAL;
		out->value[out->count++] = json_number_value(one);
	}
	return 0;
}

/* The word after `option` in a command line; false when there is none or it is too long. */
static bool option_value(const char *command, const char *option, char *out, size_t size)
{
	const char *at = strstr(command, option);
	size_t len;

	if (!at)
		return false;
	at += strlen(option);
	/* nothing after "=" is nothing, not the next option */
	if (*at == '=')
		at++;
	else
		at += strspn(at, " ");
	len = strcspn(at, " ");
	if (!len || len >= size)
		return false;
	memcpy(out, at, len);
	out[len] = 0;
	return true;
}

static double median_of_resample(const struct times *t, gsl_rng *rng, double *work)
{
	for (size_t i = 0; i < t->count; i++)
		work[i] = t->value[gsl_rng_uniform_int(rng, t->count)];
	gsl_sort(work, 1, t->count);
	return gsl_stats_median_from_sorted_data(work, 1, t->count);
}

static double median(const struct times *t)
{
	return stats_median(t->value, t->count, SUMMARY_CONFIDENCE).median;
}

static void percentiles(double *values, size_t count, struct interval *out)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (isfinite(values[i]))
			values[n++] = values[i];
	/* a base that isn't clearly below the run leaves a ratio of noise: no interval, no claim */
	if (n < count * 99 / 100) {
		*out = (struct interval) { .median = NAN, .low = NAN, .high = NAN };
		return;
	}
	gsl_sort(values, 1, n);
	out->low = gsl_stats_quantile_from_sorted_data(values, 1, n, (1 - SUMMARY_CONFIDENCE) / 2);
	out->high = gsl_stats_quantile_from_sorted_data(values, 1, n, (1 + SUMMARY_CONFIDENCE) / 2);
	out->confidence = SUMMARY_CONFIDENCE;
}

/*
 * Percentile bootstrap of (t - base) and of its ratio to read_write. hyperfine runs its commands one after
 * the other, so there are no pairs to be had: the three sets of times are resampled independently.
 */
static int bootstrap(const struct times *t, const struct times *base, const struct times *against,
		     struct opinion *out)
{
	/* take_times lets no empty set through; the 1 says so to a checker */
	size_t most = t->count > base->count ? t->count : base->count > 0 ? base->count : 1;
	double *work = NULL, *net = NULL, *ratio = NULL;
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	int err = -ENOMEM;

	if (against && against->count > most)
		most = against->count;
	work = calloc(most, sizeof(*work));
	net = calloc(RESAMPLES, sizeof(*net));
	ratio = calloc(RESAMPLES, sizeof(*ratio));
	if (!rng || !work || !net || !ratio)
		goto out;
	gsl_rng_set(rng, SEED);
	for (size_t i = 0; i < RESAMPLES; i++) {
		double b = median_of_resample(base, rng, work);
		double over = against ? median_of_resample(against, rng, work) - b : NAN;

		net[i] = median_of_resample(t, rng, work) - b;
		ratio[i] = over > 0 ? net[i] / over : NAN;
	}
	out->net_s.n = t->count;
	out->net_s.median = median(t) - median(base);
	percentiles(net, RESAMPLES, &out->net_s);
	if (against) {
		out->ratio.n = t->count < against->count ? t->count : against->count;
		out->ratio.median = out->net_s.median / (median(against) - median(base));
		percentiles(ratio, RESAMPLES, &out->ratio);
	}
	err = 0;
out:
	free(work);
	free(net);
	free(ratio);
	if (rng)
		gsl_rng_free(rng);
	return err;
}

static double whole_time(const struct samples *s, size_t i)
{
	return s->value[SAMPLE_WALL_S][i] + s->value[SAMPLE_SETUP_CPU_S][i] +
	       s->value[SAMPLE_RELEASE_CPU_S][i];
}

/* Wall ratio of our samples with setup and release added: what a whole process pays. */
static int whole_ratio(const struct case_result *a, const struct case_result *b,
		       struct interval *out)
{
	const struct samples *x = &a->samples, *y = &b->samples;
	double *ratios = malloc((x->count + 1) * sizeof(*ratios));
	size_t n = 0;

	if (!ratios)
		return -ENOMEM;
	for (size_t i = 0; i < x->count; i++) {
		for (size_t k = 0; k < y->count; k++) {
			if (!sample_counts(x, i) || !sample_counts(y, k) ||
			    x->value[SAMPLE_ROUND][i] != y->value[SAMPLE_ROUND][k])
				continue;
			ratios[n++] = whole_time(x, i) / whole_time(y, k);
			break;
		}
	}
	*out = stats_median(ratios, n, SUMMARY_CONFIDENCE);
	free(ratios);
	return 0;
}

static bool overlap(const struct interval *a, const struct interval *b)
{
	return a->n && b->n && a->low <= b->high && b->low <= a->high;
}

/* hyperfine finds the file in the page cache after its warm-up, so its peer is the warm, drained case. */
static const struct case_result *peer(const struct result *result, const char *method,
				      uint64_t chunk)
{
	for (size_t i = 0; i < result->case_count; i++) {
		const struct case_result *c = &result->cases[i];

		if (!strcmp(c->method, method) && c->chunk == chunk && !strcmp(c->cache, "warm") &&
		    !strcmp(c->sink, "drain") && case_measured(c))
			return c;
	}
	return NULL;
}

static int compare(const struct result *result, struct opinion *o)
{
	const struct case_result *kase = peer(result, o->method, o->chunk);
	const struct case_result *base = peer(result, BASELINE_METHOD, o->chunk);
	int err;

	o->agreement = NO_PEER;
	if (!kase || !base || kase == base)
		return 0;
	/* the runs are not clearly longer than the base: what is left of them says nothing */
	o->agreement = TOO_NOISY;
	if (!isfinite(o->ratio.low))
		return 0;
	err = paired_ratio(kase, base, SAMPLE_WALL_S, &o->ours);
	err = err ? err : whole_ratio(kase, base, &o->ours_whole);
	if (err)
		return err;
	o->agreement = overlap(&o->ratio, &o->ours)	    ? AGREES
		       : overlap(&o->ratio, &o->ours_whole) ? AGREES_WHOLE
							    : DIFFERS;
	return 0;
}

static json_t *find_entry(json_t *results, const char *method)
{
	char name[64];
	json_t *entry;
	size_t i;

	json_array_foreach(results, i, entry)
	{
		const char *command = json_string_value(json_object_get(entry, "command"));

		if (!command)
			continue;
		if (!strcmp(command, method) ||
		    (option_value(command, "--method", name, sizeof(name)) &&
		     !strcmp(name, method)))
			return entry;
	}
	return NULL;
}

static int add_opinion(const struct result *result, struct hyperfine *h, json_t *entry,
		       const struct times *base, const struct times *against)
{
	const char *command = json_string_value(json_object_get(entry, "command"));
	struct opinion *opinions, *o;
	char chunk[SIZE_TEXT_MAX];
	struct times t = { 0 };
	int err;

	opinions = realloc(h->opinions, (h->count + 1) * sizeof(*opinions));
	if (!opinions)
		return -ENOMEM;
	h->opinions = opinions;
	o = &opinions[h->count];
	*o = (struct opinion) { 0 };
	if (!option_value(command, "--method", o->method, sizeof(o->method)) ||
	    !option_value(command, "--chunk", chunk, sizeof(chunk)))
		return -EINVAL;
	/* "whole" is the schema's 0 */
	if (strcmp(chunk, "whole") != 0 && size_parse(chunk, &o->chunk))
		return -EINVAL;
	err = take_times(entry, &t);
	err = err ? err : bootstrap(&t, base, against->count ? against : NULL, o);
	err = err ? err : compare(result, o);
	free(t.value);
	if (!err)
		h->count++;
	return err;
}

static int read_results(json_t *results, const struct result *result, struct hyperfine *out)
{
	json_t *base_entry = find_entry(results, BASE_NAME), *entry;
	json_t *against_entry = find_entry(results, BASELINE_METHOD);
	struct times base = { 0 }, against = { 0 };
	size_t i;
	int err = base_entry ? take_times(base_entry, &base) : -EINVAL;

	if (!err && against_entry)
		err = take_times(against_entry, &against);
	if (!err)
		out->base_s = stats_median(base.value, base.count, SUMMARY_CONFIDENCE);
	json_array_foreach(results, i, entry)
	{
		if (err)
			break;
		if (!json_is_string(json_object_get(entry, "command")))
			err = -EINVAL;
		else if (entry != base_entry)
			err = add_opinion(result, out, entry, &base, &against);
	}
	free(base.value);
	free(against.value);
	return err;
}

int hyperfine_load(const char *path, const struct result *result, struct hyperfine *out,
		   struct failure *why)
{
	json_error_t error;
	json_t *doc;
	int err;

	*out = (struct hyperfine) { 0 };
	if (access(path, F_OK))
		return -ENOENT;
	doc = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!doc)
		return fail(why, EXIT_WRONG_USE, EINVAL,
			    "%s is no whole JSON document: %s (line %d)", path, error.text,
			    error.line);
	err = read_results(json_object_get(doc, "results"), result, out);
	json_decref(doc);
	if (err == -ENOMEM)
		fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	else if (err)
		fail(why, EXIT_WRONG_USE, EINVAL,
		     "%s was not written by scripts/hyperfine.sh: no \"base\" command, or a "
		     "command without "
		     "--method, --chunk and times",
		     path);
	if (err)
		hyperfine_free(out);
	return err;
}

void hyperfine_free(struct hyperfine *hyperfine)
{
	free(hyperfine->opinions);
	*hyperfine = (struct hyperfine) { 0 };
}

static const char *agreement_text(enum agreement agreement)
{
	switch (agreement) {
	case AGREES:
		return "yes";
	case AGREES_WHOLE:
		return "with set-up and release";
	case DIFFERS:
		return "no";
	case TOO_NOISY:
		return "too noisy";
	case NO_PEER:
		break;
	}
	return UNKNOWN;
}

static void list(FILE *out, const struct hyperfine *h, enum agreement which)
{
	const char *comma = "";
	char ratio[FORMAT_MAX], ours[FORMAT_MAX];

	for (size_t i = 0; i < h->count; i++) {
		const struct opinion *o = &h->opinions[i];

		if (o->agreement != which)
			continue;
		fprintf(out, "%s%s", comma, o->method);
		if (which == DIFFERS)
			fprintf(out, " (hyperfine %s, here %s, here with set-up and release %s)",
				format_range(&o->ratio, ratio), format_range(&o->ours, ours),
				format_range(&o->ours_whole, (char[FORMAT_MAX]) { 0 }));
		comma = ", ";
	}
}

static size_t count_of(const struct hyperfine *h, enum agreement which)
{
	size_t n = 0;

	for (size_t i = 0; i < h->count; i++)
		n += h->opinions[i].agreement == which;
	return n;
}

/* The cross-check in words. */
static void say(const struct hyperfine *h, FILE *out)
{
	size_t agrees = count_of(h, AGREES), whole = count_of(h, AGREES_WHOLE);
	size_t differs = count_of(h, DIFFERS);

	if (!agrees && !whole && !differs && count_of(h, TOO_NOISY)) {
		fputs("No check: hyperfine's times are not clearly above the base's, so what is "
		      "left of them is "
		      "noise. A larger payload or a quieter machine would do.",
		      out);
		return;
	}
	if (!agrees && !whole && !differs) {
		fputs("Nothing to check against: hyperfine and this run have no method and chunk "
		      "in common.",
		      out);
		return;
	}
	fprintf(out,
		"Wall ratios of hyperfine and of this run agree within their intervals for %zu of "
		"%zu "
		"methods",
		agrees + whole, agrees + whole + differs);
	if (agrees) {
		fputs(": ", out);
		list(out, h, AGREES);
	}
	putc('.', out);
	if (whole) {
		fputs(" Only with the CPU before and after our clock added, which hyperfine's "
		      "whole process "
		      "includes (mapping, unmapping, closing): ",
		      out);
		list(out, h, AGREES_WHOLE);
		putc('.', out);
	}
	if (differs) {
		fputs(" They differ for ", out);
		list(out, h, DIFFERS);
		fputs(". Set-up and release don't explain it; hyperfine runs one method after the "
		      "other, so "
		      "a load that drifts lands on some of them, where rounds here share it out.",
		      out);
	}
}

int hyperfine_write(const struct hyperfine *h, enum style style, FILE *out)
{
	struct grid grid = { 0 };
	char text[FORMAT_MAX], *words = NULL;
	size_t size = 0;
	FILE *buffer;
	int err;

	grid_column(&grid, "", "method", true);
	grid_column(&grid, "", "chunk", false);
	grid_column(&grid, "", "runs", false);
	grid_column(&grid, "hyperfine", "ms less base", false);
	grid_column(&grid, "wall ratio to read_write", "hyperfine", false);
	grid_column(&grid, "wall ratio to read_write", "here", false);
	grid_column(&grid, "", "agree", true);
	for (size_t i = 0; i < h->count; i++) {
		const struct opinion *o = &h->opinions[i];
		struct interval ms = interval_times(o->net_s, 1e3);

		grid_row(&grid);
		grid_cell(&grid, "%s", o->method);
		grid_cell(&grid, "%s", format_chunk(o->chunk, text));
		grid_cell(&grid, "%zu", o->net_s.n);
		grid_cell(&grid, "%s", format_range(&ms, text));
		if (!strcmp(o->method, BASELINE_METHOD)) {
			grid_cell(&grid, "1");
			grid_cell(&grid, "1");
			grid_cell(&grid, "%s", "");
			continue;
		}
		grid_cell(&grid, "%s", format_range(&o->ratio, text));
		grid_cell(&grid, "%s", format_range(&o->ours, text));
		grid_cell(&grid, "%s", agreement_text(o->agreement));
	}
	err = grid_finish(&grid, style, out);
	buffer = err ? NULL : open_memstream(&words, &size);
	if (!buffer)
		return -ENOMEM;
	say(h, buffer);
	fprintf(buffer,
		" The base (process start, connecting, an empty file) took %s ms and is taken off.",
		format_range(&(struct interval) { h->base_s.n, h->base_s.median * 1e3,
						  h->base_s.low * 1e3, h->base_s.high * 1e3,
						  h->base_s.confidence },
			     text));
	fclose(buffer);
	putc('\n', out);
	if (words && style == STYLE_MARKDOWN)
		put_markdown(out, words);
	else if (words)
		put_wrapped(out, words, 0, GRID_WIDTH);
	putc('\n', out);
	free(words);
	return 0;
}
