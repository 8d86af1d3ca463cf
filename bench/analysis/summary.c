// SPDX-License-Identifier: MIT
#include "analysis/summary.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/apart.h"
#include "analysis/marks.h"
#include "analysis/slowed.h"
#include "analysis/stolen.h"
#include "method/method.h"

/* A column's rows that count; returns how many were copied to `out`. */
static size_t timed_column(const struct samples *s, enum sample_field field, double *out)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++)
		if (sample_counts(s, i))
			out[n++] = s->value[field][i];
	return n;
}

static bool same_conditions(const struct case_result *a, const struct case_result *b,
			    const char *cache)
{
	return !strcmp(b->cache, cache) && case_same_conditions(a, b, "cache", NULL);
}

const struct case_result *summary_baseline(const struct result *result,
					   const struct case_result *kase)
{
	const struct method *method = method_find(kase->method);
	const char *cache = kase->cache;

	if (method && method->flags & METHOD_BYPASSES_PAGE_CACHE)
		cache = "cold";
	for (size_t i = 0; i < result->case_count; i++) {
		const struct case_result *other = &result->cases[i];

		if (!strcmp(other->method, BASELINE_METHOD) && other->samples.count &&
		    same_conditions(kase, other, cache))
			return other;
	}
	return NULL;
}

/* Ratios of the rounds that both cases have a timed sample of. */
static struct interval paired_ratio(const struct samples *a, const struct samples *b,
				    double (*value)(const struct samples *, size_t), double *work)
{
	size_t n = 0;

	for (size_t i = 0; i < a->count; i++) {
		if (!sample_counts(a, i))
			continue;
		for (size_t k = 0; k < b->count; k++) {
			double over = value(b, k);

			if (!sample_counts(b, k) ||
			    b->value[SAMPLE_ROUND][k] != a->value[SAMPLE_ROUND][i])
				continue;
			if (over != 0)
				work[n++] = value(a, i) / over;
			break;
		}
	}
	return stats_median(work, n, SUMMARY_CONFIDENCE);
}

static double wall(const struct samples *s, size_t i)
{
	return s->value[SAMPLE_WALL_S][i];
}

static double sender_cpu(const struct samples *s, size_t i)
{
	return s->value[SAMPLE_SENDER_CPU_S][i];
}

static double total_cpu(const struct samples *s, size_t i)
{
	return s->value[SAMPLE_SENDER_CPU_S][i] + s->value[SAMPLE_RECEIVER_CPU_S][i];
}

static struct interval scaled(struct interval in, double factor)
{
	in.median *= factor;
	in.low *= factor;
	in.high *= factor;
	return in;
}

int summarize(const struct result *result, const struct case_result *kase,
	      struct case_summary *summary)
{
	const struct samples *s = &kase->samples;
	double *work = malloc((s->count + 1) * sizeof(*work));
	double gb = (double)kase->payload / 1e9;
	size_t n = 0;

	if (!work)
		return -ENOMEM;
	memset(summary, 0, sizeof(*summary));
	for (int f = 0; f < SAMPLE_FIELDS; f++) {
		n = timed_column(s, (enum sample_field)f, work);
		summary->field[f] = stats_median(work, n, SUMMARY_CONFIDENCE);
	}
	n = timed_column(s, SAMPLE_WALL_S, work);
	for (size_t i = 0; i < n; i++)
		work[i] = work[i] > 0 ? (double)kase->payload / work[i] : NAN;
	summary->throughput = stats_median(work, n, SUMMARY_CONFIDENCE);
	n = 0;
	for (size_t i = 0; i < s->count; i++)
		if (sample_counts(s, i))
			work[n++] = gb > 0 ? total_cpu(s, i) / gb : NAN;
	summary->total_cpu_per_gb = stats_median(work, n, SUMMARY_CONFIDENCE);
	/* an empty payload has no cost per byte */
	summary->sender_cpu_per_gb = scaled(summary->field[SAMPLE_SENDER_CPU_S], gb > 0 ? 1 / gb : NAN);
	summary->receiver_cpu_per_gb =
		scaled(summary->field[SAMPLE_RECEIVER_CPU_S], gb > 0 ? 1 / gb : NAN);

	n = 0;
	for (size_t i = 0; i < s->count; i++)
		if (sample_counts(s, i) && isfinite(s->value[SAMPLE_SENDER_CPU_S][i]))
			work[n++] = s->value[SAMPLE_SENDER_CPU_S][i];
	if (steadiness_of(work, n, &summary->steadiness)) {
		free(work);
		return -ENOMEM;
	}
	summary->baseline = summary_baseline(result, kase);
	if (summary->baseline) {
		const struct samples *base = &summary->baseline->samples;

		summary->wall_ratio = paired_ratio(s, base, wall, work);
		summary->sender_cpu_ratio = paired_ratio(s, base, sender_cpu, work);
		summary->total_cpu_ratio = paired_ratio(s, base, total_cpu, work);
	}
	free(work);
	return 0;
}

static json_t *real_or_null(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *interval_json(const struct interval *i, const struct case_result *kase)
{
	json_t *out = json_object();

	json_object_set_new(out, "median", real_or_null(i->n ? i->median : NAN));
	json_object_set_new(out, "low", real_or_null(i->n ? i->low : NAN));
	json_object_set_new(out, "high", real_or_null(i->n ? i->high : NAN));
	json_object_set_new(out, "n", json_integer((json_int_t)i->n));
	json_object_set_new(out, "confidence", real_or_null(i->n ? i->confidence : NAN));
	if (!i->n)
		json_object_set_new(out, "reason", json_string(marks_why_none(kase)));
	return out;
}

json_t *summary_json(const struct result *result, const struct case_result *kase)
{
	struct case_summary s;
	json_t *out = json_object(), *part;

	if (!out || summarize(result, kase, &s)) {
		json_decref(out);
		return NULL;
	}
	for (int f = 0; f < SAMPLE_FIELDS; f++)
		if (f != SAMPLE_ROUND && f != SAMPLE_POSITION && f != SAMPLE_WARMUP &&
		    f != SAMPLE_APART && f != SAMPLE_GATHER_S &&
		    (kase->connections > 1 || f < SAMPLE_SHARE_MIN || f > SAMPLE_SHARE_JAIN))
			json_object_set_new(out, sample_field_name((enum sample_field)f),
					    interval_json(&s.field[f], kase));
	json_object_set_new(out, "throughput_bytes_per_s", interval_json(&s.throughput, kase));
	part = json_object();
	json_object_set_new(part, "sender", interval_json(&s.sender_cpu_per_gb, kase));
	json_object_set_new(part, "receiver", interval_json(&s.receiver_cpu_per_gb, kase));
	json_object_set_new(part, "total", interval_json(&s.total_cpu_per_gb, kase));
	json_object_set_new(out, "cpu_s_per_gb", part);
	json_object_set_new(out, "steadiness", steadiness_json(&s.steadiness));
	json_object_set_new(out, "apart", apart_case_json(kase));
	json_object_set_new(out, "slowed", slowed_case_json(kase));
	json_object_set_new(out, "stolen", stolen_case_json(kase));
	if (s.baseline) {
		part = json_object();
		json_object_set_new(part, "baseline", json_string(s.baseline->method));
		json_object_set_new(part, "baseline_cache", json_string(s.baseline->cache));
		json_object_set_new(part, "wall", interval_json(&s.wall_ratio, kase));
		json_object_set_new(part, "sender_cpu", interval_json(&s.sender_cpu_ratio, kase));
		json_object_set_new(part, "total_cpu", interval_json(&s.total_cpu_ratio, kase));
		json_object_set_new(out, "ratio", part);
	} else {
		json_object_set_new(out, "ratio", json_null());
	}
	return out;
}
