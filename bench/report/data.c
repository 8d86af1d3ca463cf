// SPDX-License-Identifier: MIT
#include "report/data.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/apart.h"
#include "analysis/slowed.h"
#include "analysis/stolen.h"
#include "base/file.h"
#include "report/bill_text.h"
#include "report/counted_data.h"
#include "report/families.h"
#include "report/format.h"
#include "report/machine.h"
#include "report/sweep.h"
#include "report/where_data.h"

/* From this many bars on the names under them break at the underscore. */
#define BREAK_NAMES_FROM 6
/* From this many on they slant, on a taller page. */
#define TURN_NAMES_FROM 13
/* Longer names would run into their neighbours even where there are few. */
#define NAME_WHOLE_MAX 16
#define NAME_LINE_MAX 10
/* What fits under a slanted page, and into a key. */
#define NAME_MAX_SHOWN 22 /* the longest name of a method */
#define NAME_LINES_MAX 4

static FILE *open_in(const char *dir, const char *name, struct failure *why)
{
	char path[PATH_MAX];
	FILE *file;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path)) {
		fail(why, EXIT_WRONG_USE, ENAMETOOLONG, "the path %.80s… is too long", dir);
		return NULL;
	}
	file = file_create(path);
	if (!file)
		fail(why, EXIT_MACHINE_CANT, errno, "can't write %s: %s", path, strerror(errno));
	return file;
}

static int close_in(FILE *file, const char *dir, const char *name, struct failure *why)
{
	bool bad = ferror(file);
	int err = errno;
	char path[PATH_MAX];

	if (fclose(file)) {
		bad = true;
		err = errno;
	}
	if (!bad)
		return 0;
	/* a table that ends in the middle looks like a whole one */
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path))
		unlink(path);
	return fail(why, EXIT_MACHINE_CANT, err ? err : EIO, "can't write %s/%s: %s", dir, name,
		    strerror(err ? err : EIO));
}

static void put_interval(FILE *out, const struct interval *i)
{
	put_tsv_number(out, i->n ? i->median : NAN);
	put_tsv_number(out, i->n ? i->low : NAN);
	put_tsv_number(out, i->n ? i->high : NAN);
}

static const char *note_of(const struct case_result *kase)
{
	if (case_measured(kase))
		return "";
	return kase->status == CASE_SKIPPED  ? "skipped"
	       : kase->status == CASE_FAILED ? "failed"
					     : "no sample";
}

static void put_conditions(FILE *out, const struct case_result *c)
{
	put_tsv(out, c->method);
	fprintf(out, "\t%llu", (unsigned long long)c->chunk);
	put_tsv_field(out, c->cache);
	put_tsv_field(out, c->sink);
	put_tsv_field(out, c->link);
	fprintf(out, "\t%u\t%llu", c->connections, (unsigned long long)c->payload);
}

#define CONDITIONS "method\tchunk_bytes\tcache\tsink\tlink\tconnections\tpayload_bytes"

static int write_cases(const struct result *result, FILE *out)
{
	static const char *const intervals[] = {
		"throughput_gb_per_s", "sender_cpu_s_per_gb", "receiver_cpu_s_per_gb",
		"total_cpu_s_per_gb",  "sender_cpu_ratio",    "total_cpu_ratio",
		"wall_ratio",
	};

	fputs(CONDITIONS "\tstatus\treason\tn\tconfidence\tbaseline_cache", out);
	for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++)
		fprintf(out, "\t%s\t%s_low\t%s_high", intervals[i], intervals[i], intervals[i]);
	putc('\n', out);
	for (size_t i = 0; i < result->case_count; i++) {
		const struct case_result *c = &result->cases[i];
		struct interval rate;
		struct case_summary s;

		if (summarize(result, c, &s))
			return -ENOMEM;
		rate = interval_times(s.throughput, 1e-9);
		put_conditions(out, c);
		put_tsv_field(out, c->status == CASE_OK ? "ok" : note_of(c));
		put_tsv_field(out, c->reason ? c->reason : "");
		fprintf(out, "\t%zu", s.throughput.n);
		put_tsv_number(out, s.throughput.n ? s.throughput.confidence : NAN);
		put_tsv_field(out, s.baseline ? s.baseline->cache : "");
		put_interval(out, &rate);
		put_interval(out, &s.sender_cpu_per_gb);
		put_interval(out, &s.receiver_cpu_per_gb);
		put_interval(out, &s.total_cpu_per_gb);
		put_interval(out, &s.sender_cpu_ratio);
		put_interval(out, &s.total_cpu_ratio);
		put_interval(out, &s.wall_ratio);
		putc('\n', out);
	}
	return 0;
}

static void write_samples(const struct result *result, FILE *out)
{
	fputs(CONDITIONS, out);
	for (int f = 0; f < SAMPLE_FIELDS; f++)
		fprintf(out, "\t%s", sample_field_name((enum sample_field)f));
	putc('\n', out);
	for (size_t i = 0; i < result->case_count; i++) {
		const struct case_result *c = &result->cases[i];

		for (size_t k = 0; k < c->samples.count; k++) {
			put_conditions(out, c);
			for (int f = 0; f < SAMPLE_FIELDS; f++)
				put_tsv_number(out, c->samples.value[f][k]);
			putc('\n', out);
		}
	}
}

/* The pictures show the main family and those that differ from it in the cache only. */
static bool pictured(const struct family *main, const struct family *family)
{
	const struct case_result *a = main->conditions, *b = family->conditions;

	return case_same_conditions(a, b, "chunk", "cache");
}

/* Rounds of a case without the warm-up ones. */
static size_t timed_samples(const struct case_result *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->samples.count; i++)
		n += sample_counts(&c->samples, i);
	return n;
}

/* The open files of the bar pictures, and where the next bar stands. */
struct bars {
	FILE *throughput, *samples, *cpu, *copies, *crossings, *labels;
	struct drawable *drawable;
	bool break_names, turn_names;
	unsigned int at; /* x of the next bar */
	unsigned int count, groups;
};

/* The first `max` bytes of `text` and no part of a character. */
static void put_head(FILE *out, const char *text, size_t max)
{
	size_t len = strlen(text);
	char *head;

	if (len > max)
		for (len = max; len && ((unsigned char)text[len] & 0xc0) == 0x80;)
			len--;
	head = strndup(text, len);
	put_gnuplot(out, head ? head : "?");
	free(head);
}

/* What the kernel said of sends by reference belongs to the name: no picture shows one without the other. */
static void put_name(const struct bars *bars, const struct case_result *c)
{
	bool broken = !bars->turn_names &&
		      (bars->break_names || strlen(c->method) > NAME_WHOLE_MAX);
	const char *rest = c->method, *newline = "";
	char copied[FORMAT_MAX + 1], *part;
	unsigned int lines = 0;

	while (*rest && lines++ < NAME_LINES_MAX) {
		size_t len = broken ? strcspn(rest, "_") : strlen(rest), more;

		/* behind the first line, as much as fits */
		while (rest != c->method && rest[len]) {
			more = len + 1 + strcspn(rest + len + 1, "_");
			if (more > NAME_LINE_MAX)
				break;
			len = more;
		}
		part = strndup(rest, rest[len] ? len + 1 : len);
		if (!part)
			return;
		fputs(newline, bars->labels);
		put_head(bars->labels, part, NAME_MAX_SHOWN);
		free(part);
		newline = ".\"\\n\".";
		rest += rest[len] ? len + 1 : len;
	}
	if (!c->method[0])
		fputs("''", bars->labels);
	if (!case_measured(c) || !case_copied_text(c, copied, FORMAT_MAX)[0])
		return;
	if (bars->turn_names) { /* the foot has the rest */
		fputs(".' ‡'", bars->labels);
		return;
	}
	fputs(".\"\\n\".", bars->labels);
	/* a name at an axis is a format, too */
	part = strchr(copied, '%');
	if (part) {
		memmove(part + 1, part, strlen(part) + 1);
		*part = '%';
	}
	put_gnuplot(bars->labels, copied);
}

static int write_bar(const struct result *result, const struct case_result *c, struct bars *bars)
{
	size_t all = timed_samples(c);
	struct interval rate;
	struct case_summary s;

	if (summarize(result, c, &s))
		return -ENOMEM;
	rate = interval_times(s.throughput, 1e-9);
	if (!case_measured(c)) {
		s.sender_cpu_per_gb.n = s.receiver_cpu_per_gb.n = s.total_cpu_per_gb.n = 0;
		rate.n = 0;
	}
	fprintf(bars->throughput, "%u", bars->at);
	put_tsv_field(bars->throughput, c->method);
	put_tsv_field(bars->throughput, c->cache);
	put_interval(bars->throughput, &rate);
	put_tsv_field(bars->throughput, note_of(c));
	putc('\n', bars->throughput);
	for (size_t i = 0, taken = 0; i < c->samples.count; i++) {
		if (!sample_counts(&c->samples, i))
			continue;
		fprintf(bars->samples, "%u", bars->at);
		put_tsv_field(bars->samples, c->method);
		put_tsv_number(bars->samples, all > 1 ? (double)taken++ / (double)(all - 1) - 0.5 : 0);
		put_tsv_number(bars->samples,
			   (double)c->payload / c->samples.value[SAMPLE_WALL_S][i] / 1e9);
		putc('\n', bars->samples);
	}
	fprintf(bars->cpu, "%u", bars->at);
	put_tsv_field(bars->cpu, c->method);
	put_tsv_field(bars->cpu, c->cache);
	put_interval(bars->cpu, &s.sender_cpu_per_gb);
	put_interval(bars->cpu, &s.receiver_cpu_per_gb);
	put_interval(bars->cpu, &s.total_cpu_per_gb);
	put_tsv_field(bars->cpu, note_of(c));
	putc('\n', bars->cpu);
	bars->drawable->copies |= copies_bar(c, bars->at, note_of(c), bars->copies);
	bars->drawable->crossings |= crossings_bar(c, bars->at, note_of(c), bars->crossings);
	bars->count++;
	fprintf(bars->labels, "bar_at[%u] = %u\nbar_name[%u] = ", bars->count, bars->at,
		bars->count);
	put_name(bars, c);
	putc('\n', bars->labels);
	bars->at++;
	return 0;
}

/* A family's bars, and one place left free behind them. */
static int write_group(const struct result *result, const struct family *family, struct bars *bars)
{
	unsigned int from = bars->at;

	for (size_t i = 0; i < family->count; i++)
		if (family->cases[i]->chunk == family->chunk &&
		    write_bar(result, family->cases[i], bars))
			return -ENOMEM;
	if (bars->at == from)
		return 0;
	bars->groups++;
	fprintf(bars->labels, "group_at[%u] = %g\ngroup_name[%u] = ", bars->groups,
		(from + bars->at - 1) / 2.0, bars->groups);
	put_gnuplot(bars->labels, family->conditions->cache);
	fputs(".' cache'\n", bars->labels);
	bars->at++;
	return 0;
}

static int write_bars(const struct result *result, const struct families *all,
		      const struct family *main, struct bars *bars)
{
	unsigned int places = 0, groups = 0;

	for (size_t i = 0; i < all->count; i++) {
		unsigned int here = 0;

		for (size_t k = 0; pictured(main, &all->list[i]) && k < all->list[i].count; k++)
			here += all->list[i].cases[k]->chunk == all->list[i].chunk;
		places += here;
		groups += here != 0;
	}
	bars->break_names = places >= BREAK_NAMES_FROM;
	bars->turn_names = places >= TURN_NAMES_FROM;
	fprintf(bars->labels, "names_turned = %d\n", bars->turn_names);
	bars->at = 1;
	fprintf(bars->labels, "bar_count = %u\narray bar_at[%u]\narray bar_name[%u]\n", places,
		places + 1, places + 1);
	fprintf(bars->labels, "separator_count = %u\narray separator[%u]\n", groups - 1, groups);
	fprintf(bars->labels, "group_count = %u\narray group_at[%u]\narray group_name[%u]\n",
		groups, groups, groups);
	fputs("x\tmethod\tcache\tgb_per_s\tlow\thigh\tnote\n", bars->throughput);
	fputs("x\tmethod\tplace\tgb_per_s\n", bars->samples);
	fputs("x\tmethod\tcache\tsender\tsender_low\tsender_high\treceiver\treceiver_low\treceiver_"
	      "high\t"
	      "total\ttotal_low\ttotal_high\tnote\n",
	      bars->cpu);
	copies_heading(bars->copies);
	crossings_heading(bars->crossings);
	groups = 0;
	for (size_t i = 0; i < all->count; i++) {
		unsigned int from = bars->at;

		if (!pictured(main, &all->list[i]))
			continue;
		if (write_group(result, &all->list[i], bars))
			return -ENOMEM;
		/* the gap in front of every group but the first */
		if (bars->at != from && from > 1)
			fprintf(bars->labels, "separator[%u] = %u\n", ++groups, from - 1);
	}
	fprintf(bars->labels, "x_from = 0.4\nx_to = %u.6\n", bars->at > 2 ? bars->at - 2 : 1);
	return 0;
}

/* Where a chunk stands on the axis: "whole" is as large as the payload. */
static double chunk_position(const struct case_result *c)
{
	return (double)(c->chunk ? c->chunk : c->payload);
}

static int write_sweep(const struct result *result, const struct family *family, FILE *out,
		       FILE *labels, bool *any)
{
	double lowest = INFINITY, highest = 0;
	unsigned int methods = 0;
	char text[FORMAT_MAX];

	fputs("method\tchunk_bytes\tchunk\tsender\tsender_low\tsender_high\ttotal\ttotal_low\t"
	      "total_high\tn\n",
	      out);
	fprintf(labels, "array chunk_method[%zu]\narray chunk_title[%zu]\n", family->count + 1,
		family->count + 1);
	for (size_t i = 0; i < family->count; i++) {
		const char *method = family->cases[i]->method;
		size_t points = 0;

		if (!family_first_of_method(family, i))
			continue;
		for (size_t k = 0; k < family->chunk_count; k++) {
			const struct case_result *c =
				family_case(family, method, family->chunks[k]);
			struct case_summary s;

			if (!c || !case_measured(c))
				continue;
			if (summarize(result, c, &s))
				return -ENOMEM;
			put_tsv(out, method);
			put_tsv_number(out, chunk_position(c));
			put_tsv_field(out, format_chunk(c->chunk, text));
			put_interval(out, &s.sender_cpu_per_gb);
			put_interval(out, &s.total_cpu_per_gb);
			fprintf(out, "\t%zu\n", s.throughput.n);
			if (s.sender_cpu_per_gb.low > 0)
				lowest = fmin(lowest, s.sender_cpu_per_gb.low);
			highest = fmax(highest,
				       fmax(s.sender_cpu_per_gb.high, s.total_cpu_per_gb.high));
			points++;
		}
		if (points) {
			fprintf(labels, "chunk_method[%u] = ", ++methods);
			put_gnuplot(labels, method);
			fprintf(labels, "\nchunk_title[%u] = ", methods);
			put_head(labels, method, NAME_MAX_SHOWN);
			if (case_copied_text(family->cases[i], text, sizeof(text))[0]) {
				fputs(".' ('.", labels);
				put_gnuplot(labels, text);
				fputs(".')'", labels);
			}
			putc('\n', labels);
			*any |= points > 1;
		}
	}
	fprintf(labels, "chunk_method_count = %u\n", methods);
	/* the table has them all */
	*any &= methods <= BILL_PANELS_MAX;
	/* both panels on one scale, or the eye compares what can't be compared */
	if (highest > 0 && isfinite(lowest))
		fprintf(labels, "chunk_y_from = %.9g / 1.2\nchunk_y_to = %.9g * 1.5\n", lowest,
			highest);
	else
		*any = false;
	fprintf(labels,
		"chunk_tic_count = %zu\narray chunk_tic_at[%zu]\narray chunk_tic_label[%zu]\n",
		family->chunk_count, family->chunk_count, family->chunk_count);
	for (size_t k = 0; k < family->chunk_count; k++) {
		double at = family->chunks[k] ? (double)family->chunks[k]
					      : (double)family->conditions->payload;

		fprintf(labels, "chunk_tic_at[%zu] = %.0f\nchunk_tic_label[%zu] = ", k + 1, at,
			k + 1);
		put_gnuplot(labels, format_chunk(family->chunks[k], text));
		putc('\n', labels);
		if (!k)
			fprintf(labels, "chunk_from = %.0f / 1.4\n", at);
		if (k + 1 == family->chunk_count)
			fprintf(labels, "chunk_to = %.0f * 1.4\n", at);
	}
	return 0;
}

/* How many samples stand behind what a picture shows: the families of `all` that differ from `main` in their
 * cache at most, or `main` alone with all its chunks. */
static void put_samples_note(FILE *out, const char *name, const struct families *all,
			     const struct family *main, const char *head, bool sweep)
{
	size_t least = SIZE_MAX, most = 0;
	char text[300];

	for (size_t i = 0; i < all->count; i++) {
		const struct family *family = &all->list[i];

		if (sweep ? family != main : !pictured(main, family))
			continue;
		for (size_t k = 0; k < family->count; k++) {
			const struct case_result *c = family->cases[k];
			size_t n = timed_samples(c);

			if (!case_measured(c) || (!sweep && c->chunk != family->chunk))
				continue;
			least = n < least ? n : least;
			most = n > most ? n : most;
		}
	}
	if (least == most)
		snprintf(text, sizeof(text), "%s; %zu samples each%s", head, most,
			 most < 6 ? " (too few: the interval is the whole range)." : ".");
	else
		snprintf(text, sizeof(text), "%s; %zu to %zu samples each%s", head, least, most,
			 least < 6 ? " (below 6 the interval is the whole range)." : ".");
	put_label(out, name, text);
}

/* What the kernel said of sends by reference, for the foot of every picture: the methods of all families shown. */
static void put_copied(FILE *out, const struct families *all, const struct family *main)
{
	char line[400] = "", copied[FORMAT_MAX];

	for (size_t i = 0; i < all->count; i++)
		for (size_t k = 0; pictured(main, &all->list[i]) && k < all->list[i].count; k++) {
			const struct case_result *c = all->list[i].cases[k];
			size_t len = strlen(line);

			if (!case_measured(c) || c->chunk != main->chunk || !case_lends(c) ||
			    strstr(line, c->method))
				continue;
			snprintf(line + len, sizeof(line) - len, "%s%s %s",
				 len ? ", " : "‡ Sent by reference: ", c->method,
				 case_copied_text(c, copied, sizeof(copied)));
		}
	if (line[0]) {
		strncat(line, ".", sizeof(line) - strlen(line) - 1);
		put_label(out, "copied_text", line);
	}
}

static void write_texts(const struct result *result, const struct families *all,
			const struct family *family, FILE *out)
{
	const struct case_result *c = family->conditions;
	bool interrupted = json_is_true(json_object_get(result->run, "interrupted"));
	bool direct = false, refused = false, truncate = !strcmp(c->sink, "truncate");
	const char *loopback =
		strcmp(c->link, "tcp")
			? ""
			: "Loopback: the sender's CPU carries the receive path. ";
	char bytes[FORMAT_MAX], chunk[FORMAT_MAX], text[400], apart_text[96] = "";
	char *machine = machine_line(result);
	struct apart apart;
	struct slowed slowed;
	struct stolen stolen;
	size_t left_out;

	apart_count(result, &apart);
	slowed_count(result, &slowed);
	stolen_count(result, &stolen);
	left_out = apart.apart + slowed.slowed + stolen.stolen;
	if (left_out)
		snprintf(apart_text, sizeof(apart_text), "%zu samples of %s left out. ", left_out,
			 apart.apart == left_out   ? "CPUs apart" :
			 slowed.slowed == left_out ? "a slowed CPU" :
			 stolen.stolen == left_out ? "stolen CPU time" :
			 !stolen.stolen		   ? "CPUs apart or slowed" :
						     "CPUs apart, slowed or stolen");
	for (size_t i = 0; i < all->count; i++) {
		for (size_t k = 0; pictured(family, &all->list[i]) && k < all->list[i].count; k++) {
			direct |= case_direct(all->list[i].cases[k]);
			refused |= all->list[i].cases[k]->status != CASE_OK;
		}
	}
	format_count((double)c->payload, bytes);
	format_chunk(family->chunk, chunk);
	snprintf(text, sizeof(text), "%s%s bytes in chunks of %s, %.40s%s into a %.40s sink",
		 interrupted ? "INTERRUPTED RUN: " : "", bytes, chunk, c->link,
		 loopback[0] ? " over loopback" : "", c->sink);
	put_label(out, "compared_text", text);
	put_label(out, "machine_text", machine ? machine : "");
	put_copied(out, all, family);
	put_samples_note(out, "throughput_note_1", all, family,
			 left_out ? "Bar: median. Whisker: 95% interval of the median. Dots: samples" :
				       "Bar: median. Whisker: 95% interval of the median. Dots: every sample",
			 false);
	snprintf(text, sizeof(text), "%s%s%s%s", apart_text,
		 direct ? "direct_write reads the disk: compare it with the cold bars. " : "",
		 truncate ? "The truncate sink is an upper bound. " : "",
		 refused		      ? "Missing bars: see the report for the reason. " :
		 direct && apart_text[0] ? "" :
					    "Wall time moves with other load; CPU time is steadier.");
	put_label(out, "throughput_note_2", text);
	put_samples_note(out, "cpu_note_1", all, family,
			 "Medians. Dot and whisker: sender + receiver together, with 95% interval",
			 false);
	snprintf(text, sizeof(text), "%s%s%s", loopback, apart_text,
		 direct ? "direct_write: see the cold bars." : "");
	put_label(out, "cpu_note_2", text);
	snprintf(text, sizeof(text), "%s%s bytes, %.40s cache, %.40s%s into a %.40s sink",
		 interrupted ? "INTERRUPTED RUN: " : "", bytes, c->cache, c->link,
		 loopback[0] ? " over loopback" : "", c->sink);
	put_label(out, "chunk_compared_text", text);
	put_samples_note(out, "chunk_note_1", all, family,
			 "Medians; bands: 95% intervals of the median", true);
	snprintf(text, sizeof(text), "%s%s", loopback,
		 direct ? "direct_write reads the disk whatever the cache holds." : "");
	put_label(out, "chunk_note_2", text);
	snprintf(text, sizeof(text), "%s%s bytes in chunks of %s, %.40s cache, %.40s%s into a %.40s sink",
		 interrupted ? "INTERRUPTED RUN: " : "", bytes, chunk, c->cache, c->link,
		 loopback[0] ? " over loopback" : "", c->sink);
	put_label(out, "bill_compared_text", text);
	counted_texts(result, family, out);
	free(machine);
}

struct files {
	const char *dir;
	struct failure *why;
	int err;
};

static FILE *begin(struct files *f, const char *name)
{
	FILE *file = f->err ? NULL : open_in(f->dir, name, f->why);

	if (!file && !f->err)
		f->err = -EIO;
	return file;
}

static void end(struct files *f, FILE *file, const char *name)
{
	int err = file ? close_in(file, f->dir, name, f->why) : 0;

	if (err && !f->err)
		f->err = err;
}

static void write_pictures(const struct result *result, const struct families *all,
			   const struct family *family, struct files *f, struct drawable *drawable)
{
	struct bars bars = { .throughput = begin(f, "throughput.tsv"),
			     .samples = begin(f, "throughput_samples.tsv"),
			     .cpu = begin(f, "cpu.tsv"),
			     .copies = begin(f, "copies.tsv"),
			     .crossings = begin(f, "crossings.tsv"),
			     .drawable = drawable,
			     .labels = begin(f, "labels.gp") };
	FILE *chunk = begin(f, "chunk.tsv"), *bill = begin(f, "bill.tsv");
	FILE *cycles = begin(f, "cycles.tsv"), *sites = begin(f, "sites.tsv");

	if (!f->err) {
		fputs("# texts and positions of the pictures; made from result.json by copytax "
		      "report\n",
		      bars.labels);
		write_texts(result, all, family, bars.labels);
		f->err = write_bars(result, all, family, &bars);
		drawable->bars = true;
		if (!f->err)
			f->err = write_sweep(result, family, chunk, bars.labels, &drawable->sweep);
		if (!f->err)
			f->err = bill_data(result, family, bill, bars.labels, &drawable->bill);
	}
	if (!f->err) {
		drawable->cycles = cycles_data(family, cycles, bars.labels, drawable->no_cycles);
		drawable->sites = sites_data(family, sites, bars.labels, drawable->no_sites);
	}
	end(f, cycles, "cycles.tsv");
	end(f, sites, "sites.tsv");
	end(f, bill, "bill.tsv");
	end(f, bars.throughput, "throughput.tsv");
	end(f, bars.samples, "throughput_samples.tsv");
	end(f, bars.cpu, "cpu.tsv");
	end(f, bars.copies, "copies.tsv");
	end(f, bars.crossings, "crossings.tsv");
	end(f, bars.labels, "labels.gp");
	end(f, chunk, "chunk.tsv");
}

/* A picture for each condition that varied, but the chunk, which has its own. */
static void write_sweeps(const struct result *result, struct files *f, struct drawable *drawable)
{
	for (enum dimension d = 0; d < DIMENSIONS && !f->err; d++) {
		char name[SWEEP_NAME_MAX], table[SWEEP_NAME_MAX + 8], labels[SWEEP_NAME_MAX + 8];
		struct sweep sweep;
		FILE *points, *texts;

		if (d == DIM_CHUNK)
			continue;
		f->err = sweep_find(result, d, &sweep);
		if (!f->err && sweep.count) {
			sweep_name(d, name);
			snprintf(table, sizeof(table), "%s.tsv", name);
			snprintf(labels, sizeof(labels), "%s.gp", name);
			points = begin(f, table);
			texts = begin(f, labels);
			if (points && texts)
				f->err = sweep_write(result, d, &sweep, points, texts);
			end(f, points, table);
			end(f, texts, labels);
			drawable->swept |= 1u << d;
		}
		sweep_free(&sweep);
	}
}

int data_write(const struct result *result, const char *dir, struct drawable *drawable,
	       struct failure *why)
{
	struct files f = { .dir = dir, .why = why };
	struct families all;
	const struct family *family;
	FILE *out;

	*drawable = (struct drawable) { 0 };
	f.err = families_find(result, &all);
	out = begin(&f, "cases.tsv");
	if (out)
		f.err = write_cases(result, out);
	end(&f, out, "cases.tsv");
	out = begin(&f, "samples.tsv");
	if (out)
		write_samples(result, out);
	end(&f, out, "samples.tsv");
	out = begin(&f, "counts.tsv");
	if (out)
		counts_table(result, out);
	end(&f, out, "counts.tsv");
	out = begin(&f, "events.tsv");
	if (out)
		events_data(result, out);
	end(&f, out, "events.tsv");
	family = f.err ? NULL : families_main(&all);
	if (family)
		write_pictures(result, &all, family, &f, drawable);
	families_free(&all);
	if (!f.err)
		write_sweeps(result, &f, drawable);
	if (f.err == -ENOMEM)
		fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	return f.err;
}
