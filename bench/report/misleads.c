// SPDX-License-Identifier: MIT
#include "report/misleads.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "report/families.h"
#include "report/grid.h"

/* Sender CPU after the clock is worth a word from this share of what the clock saw. */
#define RELEASE_SHARE 0.02
/* An interval wider than this share of its median is named. */
#define WIDE_SHARE 0.05

static int add(json_t *list, const char *code, const char *effect, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int add(json_t *list, const char *code, const char *effect, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	json_t *known;
	size_t i;
	int n;

	json_array_foreach(list, i, known)
	{
		const char *there = json_string_value(json_object_get(known, "code"));

		if (there && !strcmp(there, code))
			return 0;
	}
	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		return -ENOMEM;
	n = json_array_append_new(
		list, json_pack("{s:s, s:s, s:s}", "code", code, "text", text, "effect", effect));
	free(text);
	return n ? -ENOMEM : 0;
}

/* A list of names under construction: "a, b, c". */
struct names {
	char text[400];
	size_t count;
};

/* A whole entry, not a part of one: splice is not uring_splice. */
static bool named(const struct names *names, const char *one)
{
	size_t len = strlen(one);

	for (const char *at = names->text; (at = strstr(at, one)); at++)
		if ((at == names->text || at[-1] == ' ') && (!at[len] || at[len] == ','))
			return true;
	return false;
}

static void name(struct names *names, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void name(struct names *names, const char *format, ...)
{
	size_t len = strlen(names->text);
	char one[160];
	va_list args;

	va_start(args, format);
	vsnprintf(one, sizeof(one), format, args);
	va_end(args);
	if (named(names, one))
		return;
	names->count++;
	if (len + strlen(one) + 8 < sizeof(names->text))
		sprintf(names->text + len, "%s%s", len ? ", " : "", one);
	else if (!strstr(names->text, " …"))
		strcat(names->text, " …");
}

/* What a walk over the measured cases at the main chunks finds. */
struct seen {
	struct names copied, direct, direct_alone, truncate, loopback, few, same, release, wide, bad_hash;
	struct names outliers, drift, modes;
	double least_confidence;
	double steal; /* seconds, the most that a case's interval holds */
	size_t fewest;
	bool system_cpu;
};

static void look_at_release(struct seen *f, const struct case_result *kase,
			    const struct case_summary *s)
{
	double inside = s->field[SAMPLE_SENDER_CPU_S].median;
	double after = s->field[SAMPLE_RELEASE_CPU_S].median;
	char ms[FORMAT_MAX];

	/* once per method: the unmapping is the same under every condition */
	if (inside > 0 && after > RELEASE_SHARE * inside && !strstr(f->release.text, kase->method))
		name(&f->release, "%.40s %s ms (%+.0f%%)", kase->method,
		     format_number(after * 1e3, ms), 100 * after / inside);
}

/* What a median and its interval don't show. */
static void look_at_steadiness(struct seen *f, const struct case_result *kase,
			       const struct steadiness *s)
{
	char low[FORMAT_MAX], high[FORMAT_MAX];

	if (s->outliers)
		name(&f->outliers, "%.40s (%.40s) %zu of %zu", kase->method, kase->cache,
		     s->outliers, s->n);
	if (s->drifts)
		name(&f->drift, "%.40s (%.40s) %+.0f%%", kase->method, kase->cache,
		     s->drift_share * 100);
	if (s->two_modes)
		name(&f->modes, "%.40s (%.40s) %s and %s ms", kase->method, kase->cache,
		     format_number(s->low_mode * 1e3, low), format_number(s->high_mode * 1e3, high));
}

static void look_at_case(struct seen *f, const struct case_result *kase,
			 const struct case_summary *s)
{
	const struct interval *cpu = &s->sender_cpu_per_gb;
	char copied[FORMAT_MAX];

	if (case_direct(kase) && s->baseline)
		name(&f->direct, "%.40s", kase->method);
	else if (case_direct(kase))
		name(&f->direct_alone, "%.40s", kase->method);
	if (case_lends(kase) && !(case_copied_share(kase) <= 0))
		name(&f->copied, "%.40s (%s)", kase->method,
		     case_copied_text(kase, copied, sizeof(copied)));
	if (!strcmp(kase->sink, "truncate"))
		name(&f->truncate, "%.40s", kase->sink);
	if (!strcmp(kase->link, "tcp"))
		name(&f->loopback, "%.40s", kase->link);
	if (s->throughput.confidence < SUMMARY_CONFIDENCE) {
		name(&f->few, "%.40s", kase->method);
		f->least_confidence = fmin(f->least_confidence, s->throughput.confidence);
		if (s->throughput.n < f->fewest)
			f->fewest = s->throughput.n;
	}
	if (s->baseline && s->baseline != kase && s->sender_cpu_ratio.n &&
	    ratio_tells(&s->sender_cpu_ratio) == CANT_TELL)
		name(&f->same, "%.40s (%.40s, sender CPU)", kase->method, kase->cache);
	if (s->baseline && s->baseline != kase && s->wall_ratio.n &&
	    ratio_tells(&s->wall_ratio) == CANT_TELL)
		name(&f->same, "%.40s (%.40s, wall)", kase->method, kase->cache);
	if (cpu->n > 1 && cpu->median > 0 &&
	    fmax(cpu->high - cpu->median, cpu->median - cpu->low) > WIDE_SHARE * cpu->median)
		name(&f->wide, "%.40s (%.40s)", kase->method, kase->cache);
	if (s->field[SAMPLE_STEAL_S].n && s->field[SAMPLE_STEAL_S].high > 0)
		f->steal = fmax(f->steal, s->field[SAMPLE_STEAL_S].high);
	f->system_cpu |= s->field[SAMPLE_SYSTEM_CPU_S].n > 0;
	look_at_release(f, kase, s);
	look_at_steadiness(f, kase, &s->steadiness);
}

static int look(const struct result *result, struct seen *f)
{
	struct families families;
	struct case_summary s;
	int err = families_find(result, &families);

	*f = (struct seen) { .least_confidence = 1, .fewest = SIZE_MAX };
	for (size_t i = 0; i < families.count && !err; i++) {
		const struct family *family = &families.list[i];

		for (size_t k = 0; k < family->count && !err; k++) {
			const struct case_result *kase = family->cases[k];

			if (json_is_false(json_object_get(kase->verified, "ok")))
				name(&f->bad_hash, "%.40s", kase->method);
			if (kase->chunk != family->chunk || !case_measured(kase))
				continue;
			err = summarize(result, kase, &s);
			if (!err)
				look_at_case(f, kase, &s);
		}
	}
	families_free(&families);
	return err;
}

static int state(json_t *list, const struct seen *f)
{
	int err = 0;

	if (f->bad_hash.count)
		err |= add(list, "bytes_differ",
			   "its numbers are of a broken transfer: don't use them",
			   "what arrived was not the file: %s", f->bad_hash.text);
	if (f->few.count && f->fewest == 1)
		err |= add(
			list, "few_samples",
			"differences may be chance, and nothing here can tell; take more --rounds",
			"one sample has no interval: %s", f->few.text);
	else if (f->few.count)
		err |= add(
			list, "few_samples",
			"differences as large as the intervals may be chance; take more --rounds",
			"with %zu samples an interval is their whole range and covers the median "
			"with "
			"%.0f%%, not 95%%",
			f->fewest, floor(100 * f->least_confidence));
	if (f->same.count)
		err |= add(list, "cant_tell",
			   "don't rank them by these numbers; more rounds may tell them apart",
			   "these can't be told from read_write: %s", f->same.text);
	if (f->wide.count)
		err |= add(list, "wide", "something else was running, or the method itself varies",
			   "sender CPU is known no better than to %.0f%%: %s", 100 * WIDE_SHARE,
			   f->wide.text);
	if (f->modes.count)
		err |= add(list, "two_modes",
			   "a median is of the one or the other, as it happens; look at the dots of the plot",
			   "sender CPU falls into two modes: %s", f->modes.text);
	if (f->drift.count)
		err |= add(list, "drift",
			   "the machine or the case changed during the run; rounds share that out among the methods",
			   "sender CPU drifts over the run, first to last: %s", f->drift.text);
	if (f->outliers.count)
		err |= add(list, "outliers",
			   "they are in all figures: none is removed, and medians hardly feel them",
			   "samples far from their median (robust z above %.1f): %s", OUTLIER_Z,
			   f->outliers.text);
	if (f->release.count)
		err |= add(list, "release_outside_clock",
			   "a process that ends after one transfer pays it too (see hyperfine's "
			   "figures)",
			   "sender CPU spent after the clock stopped, on unmapping and closing: %s",
			   f->release.text);
	if (f->direct.count)
		err |= add(
			list, "direct_against_cold",
			"compare it with the cold rows only; against warm ones it times the disk",
			"%s reads the disk, not the page cache: its ratio is to read_write from a "
			"cold "
			"cache",
			f->direct.text);
	if (f->direct_alone.count)
		err |= add(list, "direct_alone", "it has no peer here; add --cache cold for one",
			   "%s reads the disk, and this run has no read_write from a cold cache",
			   f->direct_alone.text);
	if (f->copied.count)
		err |= add(list, "lent_but_copied",
			   "it paid for lending pages and for a copy as well; a network card that gathers "
			   "from memory needs no such copy, loopback always does",
			   "what was sent by reference was copied after all: %s", f->copied.text);
	if (f->truncate.count)
		err |= add(list, "truncate_sink",
			   "an upper bound of throughput: no real receiver drops the bytes unread",
			   "the truncate sink lets the kernel throw the bytes away uncopied");
	if (f->loopback.count)
		err |= add(list, "loopback_softirq",
			   "a real network card moves that work elsewhere and adds its own",
			   "over loopback the sender's CPU time carries the receive path's softirq "
			   "work "
			   "too");
	if (f->steal > 0)
		err |= add(list, "steal_during_run",
			   "wall time is longer than the work by it; it is in no CPU column, but what emptied caches cost is",
			   "the hypervisor took CPU time away: up to %s ms of a transfer, over all "
			   "CPUs",
			   format_number(f->steal * 1e3, (char[FORMAT_MAX]) { 0 }));
	if (f->system_cpu)
		err |= add(list, "system_cpu_steps",
			   "read it as a check on the other columns, not as a figure of its own",
			   "CPU time of the whole machine moves in steps of 10 ms and counts "
			   "everything "
			   "that ran");
	return err ? -ENOMEM : 0;
}

json_t *misleads_find(const struct result *result)
{
	json_t *list = json_array(), *warning;
	struct seen f;
	size_t i;
	int err = list ? 0 : -ENOMEM;

	if (!err && json_is_true(json_object_get(result->run, "interrupted")))
		err = add(list, "interrupted", "cases may lack rounds, or be missing",
			  "the run was interrupted");
	json_array_foreach(result->warnings, i, warning)
	{
		const char *code = json_string_value(json_object_get(warning, "code"));
		const char *text = json_string_value(json_object_get(warning, "text"));
		const char *effect = json_string_value(json_object_get(warning, "effect"));

		if (!err && text)
			err = add(list, code ? code : text, effect ? effect : "", "%s", text);
	}
	err = err ? err : look(result, &f);
	err = err ? err : state(list, &f);
	if (!err)
		return list;
	json_decref(list);
	return NULL;
}

/* "Text. Effect.": both as sentences, whichever way the document wrote them. */
static char *sentences(const char *text, const char *effect)
{
	const char *parts[] = { text, effect };
	char *out = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&out, &size);

	if (!file)
		return NULL;
	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(parts[i]);

		if (!len)
			continue;
		if (i)
			putc(' ', file);
		/* a method's name keeps its small letter */
		if (!memchr(parts[i], '_', strcspn(parts[i], " ")))
			putc(toupper((unsigned char)parts[i][0]), file);
		else
			putc(parts[i][0], file);
		fputs(parts[i] + 1, file);
		if (!strchr(".!?", parts[i][len - 1]))
			putc('.', file);
	}
	if (fclose(file)) {
		free(out);
		return NULL;
	}
	return out;
}

int misleads_write(const struct result *result, enum style style, FILE *out)
{
	json_t *list = misleads_find(result), *item;
	size_t i;

	if (!list)
		return -ENOMEM;
	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(json_object_get(item, "text"));
		const char *effect = json_string_value(json_object_get(item, "effect"));
		char *line = NULL;

		line = sentences(text ? text : "", effect ? effect : "");
		if (!line) {
			json_decref(list);
			return -ENOMEM;
		}
		if (style == STYLE_MARKDOWN) {
			fputs("- ", out);
			put_markdown(out, line);
		} else {
			fputs("  • ", out);
			put_wrapped(out, line, 4, GRID_WIDTH);
		}
		putc('\n', out);
		free(line);
	}
	json_decref(list);
	return 0;
}
