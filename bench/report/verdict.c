// SPDX-License-Identifier: MIT
#include "report/verdict.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/bill.h"
#include "report/families.h"
#include "report/grid.h"
#include "study/dimension.h"

/* What two methods are compared by, and how it is said. */
struct measure {
	enum sample_field field;
	const char *wins;	 /* "costs the sender the least CPU" */
	const char *win_several; /* the same for a group */
	const char *ratio_of;	 /* "its CPU", "its time" */
};

static const struct measure sender_cpu = {
	SAMPLE_SENDER_CPU_S,
	"costs the sender the least CPU",
	"cost the sender the least CPU",
	"sender CPU",
};
static const struct measure wall = {
	SAMPLE_WALL_S,
	"takes the least wall time",
	"take the least wall time",
	"wall time",
};

/* The best of a family at one chunk, and which others the samples can't tell from it. */
struct contest {
	const struct case_result *best;
	const struct case_result **level; /* can't be told from the best */
	size_t level_count;
	const struct case_result *next; /* the cheapest that can be told apart */
	struct interval next_ratio;	/* next ÷ best */
	size_t entrants;
	bool too_few; /* told apart by range, but some with too few rounds for 95 % */
	size_t fewest; /* rounds that those had */
};

static double value_of(const struct result *result, const struct case_result *kase,
		       const struct measure *measure, int *err)
{
	struct case_summary s;
	int now = summarize(result, kase, &s);

	if (now) {
		*err = now;
		return NAN;
	}
	return s.field[measure->field].median;
}

static bool enters(const struct family *family, const struct case_result *kase, uint64_t chunk)
{
	return kase->chunk == chunk && case_competes(family, kase);
}

static int hold(const struct result *result, const struct family *family, uint64_t chunk,
		const struct measure *measure, struct contest *out)
{
	double best = NAN, next = NAN;
	int err = 0;

	*out = (struct contest) { .level = calloc(family->count + 1,
						  sizeof(const struct case_result *)) };
	if (!out->level)
		return -ENOMEM;
	for (size_t i = 0; i < family->count; i++) {
		double value;

		if (!enters(family, family->cases[i], chunk))
			continue;
		value = value_of(result, family->cases[i], measure, &err);
		if (!isfinite(value))
			continue;
		out->entrants++;
		if (!(value >= best)) {
			best = value;
			out->best = family->cases[i];
		}
	}
	for (size_t i = 0; i < family->count && !err && out->best; i++) {
		const struct case_result *other = family->cases[i];
		struct interval ratio;
		double value;

		if (other == out->best || !enters(family, other, chunk))
			continue;
		err = paired_ratio(other, out->best, measure->field, &ratio);
		if (err)
			break;
		/* the rounds may say otherwise than the medians, where the machine's speed moved: no winner */
		if (ratio_tells(&ratio) == CANT_TELL || ratio.median < 1) {
			out->level[out->level_count++] = other;
			continue;
		}
		if (ratio_tells(&ratio) == TOO_FEW) {
			out->fewest = out->too_few && out->fewest < ratio.n ? out->fewest : ratio.n;
			out->too_few = true;
		}
		value = value_of(result, other, measure, &err);
		if (!(value >= next)) {
			next = value;
			out->next = other;
			out->next_ratio = ratio;
		}
	}
	return err;
}

static void put_names(FILE *out, const struct contest *c)
{
	fputs(c->best->method, out);
	for (size_t i = 0; i < c->level_count; i++)
		fprintf(out, "%s%s", i + 1 < c->level_count ? ", " : " and ", c->level[i]->method);
}

static void put_value(FILE *out, const struct measure *measure, const struct case_summary *s)
{
	struct interval rate = interval_times(s->throughput, 1e-9);
	char text[FORMAT_MAX];

	if (measure->field == SAMPLE_SENDER_CPU_S)
		fprintf(out, "%s CPU s/GB", format_range(&s->sender_cpu_per_gb, text));
	else
		fprintf(out, "%s GB/s", format_range(&rate, text));
}

static void put_against_baseline(FILE *out, const struct case_result *kase,
				 const struct measure *measure, const struct case_summary *s)
{
	const struct interval *ratio = measure->field == SAMPLE_SENDER_CPU_S ? &s->sender_cpu_ratio
									     : &s->wall_ratio;
	char text[FORMAT_MAX];

	if (!s->baseline) {
		fputs("; there is no " BASELINE_METHOD " in this run to compare with", out);
		return;
	}
	if (s->baseline == kase)
		return;
	if (ratio_tells(ratio) == CANT_TELL)
		fprintf(out, "; it can't be told apart from " BASELINE_METHOD " (%s times its %s)",
			format_range(ratio, text), measure->ratio_of);
	else
		fprintf(out, ", %s times the %s of " BASELINE_METHOD, format_range(ratio, text),
			measure->ratio_of);
}

/* How far this run's own prices go: the rest of the answer is only as good as that. */
static int say_unexplained(FILE *out, const struct result *result, const struct case_result *kase)
{
	json_t *bill = bill_of(result, kase);
	const json_t *rest = json_object_get(bill, "unexplained_s");
	double all = json_number_value(json_object_get(bill, "measured_s"));
	char part[FORMAT_MAX], whole[FORMAT_MAX];

	if (json_is_number(rest) && all > 0)
		fprintf(out,
			json_number_value(rest) < 0 ?
				"; this run's prices ask %s ms more than its %s" :
				"; by this run's prices %s of its %s ms stay unexplained",
			format_number(fabs(json_number_value(rest)) * 1e3, part),
			format_number(all * 1e3, whole));
	json_decref(bill);
	return bill ? 0 : -ENOMEM;
}

static int say_winner(FILE *out, const struct result *result, const struct family *family,
		      const struct measure *measure)
{
	struct case_summary s;
	char text[FORMAT_MAX];
	struct contest c;
	int err = hold(result, family, family->chunk, measure, &c);

	err = err ? err : !c.best ? -ENODATA : summarize(result, c.best, &s);
	if (err)
		goto out;
	put_names(out, &c);
	if (c.level_count) {
		fprintf(out, " %s and can't be told apart; the lowest median is %s's, ",
			measure->win_several, c.best->method);
	} else if (c.entrants < 2) {
		fputs(" is the only method measured here: ", out);
	} else {
		fprintf(out, " %s, ", measure->wins);
	}
	put_value(out, measure, &s);
	put_against_baseline(out, c.best, measure, &s);
	/* read_write's distance is said already */
	if (c.next && c.next != s.baseline && !c.level_count)
		fprintf(out, "; the next, %s, takes %s times as much", c.next->method,
			format_range(&c.next_ratio, text));
	if (measure == &sender_cpu)
		err = say_unexplained(out, result, c.best);
	if (s.throughput.confidence < SUMMARY_CONFIDENCE)
		fprintf(out, " (from %zu sample%s: too few for 95%% confidence)", s.throughput.n,
			s.throughput.n == 1 ? "" : "s");
	else if (c.too_few)
		fprintf(out, " (some others have %zu round%s only: too few for 95%% confidence)",
			c.fewest, c.fewest == 1 ? "" : "s");
	putc('.', out);
out:
	free(c.level);
	return err;
}

/* Is the winner at another chunk or in another family one of the winners of this contest? */
static bool among(const struct contest *c, const char *method)
{
	if (!strcmp(c->best->method, method))
		return true;
	for (size_t i = 0; i < c->level_count; i++)
		if (!strcmp(c->level[i]->method, method))
			return true;
	return false;
}

/* Do the two contests share a winner? Then nothing here says that the answer changed. */
static bool agree(const struct contest *a, const struct contest *b)
{
	if (among(a, b->best->method))
		return true;
	for (size_t i = 0; i < b->level_count; i++)
		if (among(a, b->level[i]->method))
			return true;
	return false;
}

/* "splice" or "sendfile and splice"; the caller frees it. */
static char *names_of(const struct contest *c)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	put_names(out, c);
	if (c->level_count)
		fputs(" (not told apart)", out);
	else if (c->too_few)
		fputs(" (from too few rounds for 95%)", out);
	fclose(out);
	return text;
}

/* Adds a chunk to the list of those that the same methods win. */
static int note_winner(json_t *winners, const struct contest *c, uint64_t chunk)
{
	char *names = names_of(c), *chunks = NULL, text[FORMAT_MAX];
	const char *before;
	int err = -ENOMEM;

	if (!names)
		return err;
	before = json_string_value(json_object_get(winners, names));
	if (asprintf(&chunks, "%s%s%s", before ? before : "", before ? ", " : "",
		     format_chunk(chunk, text)) < 0)
		chunks = NULL;
	if (chunks && !json_object_set_new(winners, names, json_string(chunks)))
		err = 0;
	free(chunks);
	free(names);
	return err;
}

static int say_chunks(FILE *out, const struct result *result, const struct family *family,
		      const struct contest *here)
{
	json_t *winners = json_object(), *chunks;
	size_t same = 0, others = 0;
	const char *names;
	int err = winners ? 0 : -ENOMEM;

	for (size_t i = 0; i < family->chunk_count && !err; i++) {
		struct contest c;

		if (family->chunks[i] == family->chunk)
			continue;
		err = hold(result, family, family->chunks[i], &sender_cpu, &c);
		if (!err && c.best && c.entrants > 1) {
			others++;
			if (agree(here, &c))
				same++;
			else
				err = note_winner(winners, &c, family->chunks[i]);
		}
		free(c.level);
	}
	json_object_foreach(winners, names, chunks) fprintf(
		out, "at chunks of %s the cheapest is %s; ", json_string_value(chunks), names);
	if (others == 1 && same == others)
		fputs("not the chunk size (at the other one measured the cheapest stays the same "
		      "or "
		      "can't be told apart); ",
		      out);
	else if (others && same == others)
		fprintf(out,
			"not the chunk size (at the %zu others measured the cheapest stays the "
			"same or can't be told apart); ",
			others);
	json_decref(winners);
	return err;
}

/* What `other` has that `family` has not: "a cold cache, the truncate sink". */
static void put_difference(FILE *out, const struct family *family, const struct family *other)
{
	const char *key;
	json_t *value;
	const struct case_result *a = family->conditions, *b = other->conditions;
	const char *comma = "";
	char text[FORMAT_MAX];

	if (strcmp(a->cache, b->cache) != 0) {
		fprintf(out, "a %s cache", b->cache);
		comma = ", ";
	}
	if (strcmp(a->sink, b->sink) != 0) {
		fprintf(out, "%sthe %s sink", comma, b->sink);
		comma = ", ";
	}
	if (strcmp(a->link, b->link) != 0) {
		fprintf(out, "%sthe %s link", comma, b->link);
		comma = ", ";
	}
	if (a->connections != b->connections) {
		fprintf(out, "%s%u connections", comma, b->connections);
		comma = ", ";
	}
	if (a->payload != b->payload) {
		fprintf(out, "%s%s bytes", comma, format_count((double)b->payload, text));
		comma = ", ";
	}
	json_object_foreach(b->conditions, key, value)
	{
		char *said;

		/* the payload says these */
		if (!strcmp(key, "size") || !strcmp(key, "each") || strcmp(a->link, b->link) != 0 ||
		    a->connections != b->connections ||
		    json_equal(value, json_object_get(a->conditions, key)))
			continue;
		said = json_is_string(value) ? strdup(json_string_value(value)) :
					       json_dumps(value, JSON_ENCODE_ANY);
		fprintf(out, "%s%s %s", comma, key, said ? said : "other");
		free(said);
		comma = ", ";
	}
	if (family->chunk != other->chunk)
		fprintf(out, "%schunks of %s", comma, format_chunk(other->chunk, text));
}

/* One condition apart: what is two or more away does not tell which of them changed the answer. */
static bool one_apart(const struct case_result *a, const struct case_result *b)
{
	for (enum dimension d = 0; d < DIMENSIONS; d++)
		if (d != DIM_CHUNK && case_same_conditions(a, b, dimensions[d].key, "chunk"))
			return true;
	return case_same_conditions(a, b, "payload", "chunk");
}

static int say_families(FILE *out, const struct result *result, const struct families *all,
			const struct family *family, const struct contest *here)
{
	int err = 0;

	for (size_t i = 0; i < all->count && !err; i++) {
		const struct family *other = &all->list[i];
		struct contest c;

		if (other == family || !one_apart(family->conditions, other->conditions))
			continue;
		err = hold(result, other, other->chunk, &sender_cpu, &c);
		if (!err && c.best && c.entrants > 1) {
			fputs("with ", out);
			put_difference(out, family, other);
			fprintf(out, " the cheapest is %s",
				agree(here, &c) ? "no other: " : "another: ");
			put_names(out, &c);
			fputs(c.level_count ? " (not told apart); " : "; ", out);
		}
		free(c.level);
	}
	return err;
}

/* Methods without a number could be the answer too. */
static void say_missing(FILE *out, const struct family *family)
{
	const char *before = "unknown, for want of a number: ";

	for (size_t i = 0; i < family->count; i++) {
		const struct case_result *kase = family->cases[i];

		if (kase->chunk != family->chunk || kase->status == CASE_OK)
			continue;
		fprintf(out, "%s%s (%s)", before, kase->method,
			kase->status == CASE_SKIPPED ? "skipped" : "failed");
		before = ", ";
	}
	if (before[0] == ',')
		fputs("; ", out);
}

/* With the receiver's CPU on the bill too, is it the same method? */
static int say_total(FILE *out, const struct result *result, const struct family *family,
		     const struct contest *here)
{
	const struct case_result *best = NULL;
	struct interval lowest = { 0 };
	char text[FORMAT_MAX];

	for (size_t i = 0; i < family->count; i++) {
		struct case_summary s;
		int err;

		if (!enters(family, family->cases[i], family->chunk))
			continue;
		err = summarize(result, family->cases[i], &s);
		if (err)
			return err;
		if (s.total_cpu_per_gb.n && (!best || s.total_cpu_per_gb.median < lowest.median)) {
			best = family->cases[i];
			lowest = s.total_cpu_per_gb;
		}
	}
	if (best && !among(here, best->method))
		fprintf(out,
			"with the receiver's CPU on the bill %s has the lowest total, %s CPU "
			"s/GB; ",
			best->method, format_range(&lowest, text));
	return 0;
}

static int say_change(FILE *out, const struct result *result, const struct families *all,
		      const struct family *family)
{
	const char *congestion =
		json_string_value(json_object_get(result->settings, "congestion_control"));
	struct contest here;
	int err = hold(result, family, family->chunk, &sender_cpu, &here);

	if (!err && here.best) {
		fputs("What would change this: ", out);
		err = say_total(out, result, family, &here);
		err = err ? err : say_chunks(out, result, family, &here);
		err = err ? err : say_families(out, result, all, family, &here);
		say_missing(out, family);
		fprintf(out,
			"not varied here, and known to matter: congestion control%s%s%s, a real "
			"network "
			"card in place of %s, TLS, and a receiver that does more than %s.",
			congestion ? " (" : "", congestion ? congestion : "", congestion ? ")" : "",
			strcmp(family->conditions->link, "tcp") ? "this link" : "loopback",
			family->conditions->sink);
	}
	free(here.level);
	return err;
}

typedef int say_function(FILE *out, const struct result *result, const struct families *all,
			 const struct family *family);

static int say_cpu(FILE *out, const struct result *result, const struct families *all,
		   const struct family *family)
{
	(void)all;
	return say_winner(out, result, family, &sender_cpu);
}

static int say_wall(FILE *out, const struct result *result, const struct families *all,
		    const struct family *family)
{
	(void)all;
	return say_winner(out, result, family, &wall);
}

static int add_sentence(json_t *sentences, say_function *say, const struct result *result,
			const struct families *all, const struct family *family)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int err;

	if (!out)
		return -ENOMEM;
	err = say(out, result, all, family);
	if (fclose(out))
		err = err ? err : -ENOMEM;
	/* a measure that no case has (all null) has no sentence */
	if (!err && text[0])
		err = json_array_append_new(sentences, json_string(text)) ? -ENOMEM : 0;
	free(text);
	return err == -ENODATA ? 0 : err;
}

json_t *verdict_find(const struct result *result)
{
	static say_function *const say[] = { say_cpu, say_wall, say_change };
	json_t *out = json_object(), *sentences = json_array();
	struct families all = { 0 };
	const struct family *family;
	char title[400] = "";
	int err = out && sentences ? families_find(result, &all) : -ENOMEM;

	family = err ? NULL : families_main(&all);
	if (family)
		family_title(family, &family->chunk, title, sizeof(title));
	for (size_t i = 0; i < sizeof(say) / sizeof(say[0]) && family && !err; i++)
		err = add_sentence(sentences, say[i], result, &all, family);
	if (!err && !json_array_size(sentences))
		json_array_append_new(sentences,
				      json_string("No case was measured, so there is no answer."));
	json_object_set_new(out, "conditions", family ? json_string(title) : json_null());
	json_object_set_new(out, "sentences", sentences);
	families_free(&all);
	if (!err)
		return out;
	json_decref(out);
	return NULL;
}

int verdict_write(const struct result *result, enum style style, FILE *out)
{
	json_t *verdict = verdict_find(result), *sentence;
	const char *conditions;
	size_t i;

	if (!verdict)
		return -ENOMEM;
	conditions = json_string_value(json_object_get(verdict, "conditions"));
	if (conditions) {
		put_text(out, style, "For ");
		put_text(out, style, conditions);
		fputs(style == STYLE_MARKDOWN ? ":\n\n" : ":\n", out);
	}
	json_array_foreach(json_object_get(verdict, "sentences"), i, sentence)
	{
		if (style == STYLE_MARKDOWN) {
			fprintf(out, "%zu. ", i + 1);
			put_markdown(out, json_string_value(sentence));
		} else {
			fputs("  • ", out);
			put_wrapped(out, json_string_value(sentence), 4, GRID_WIDTH);
		}
		putc('\n', out);
	}
	json_decref(verdict);
	return 0;
}
