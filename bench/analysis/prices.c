// SPDX-License-Identifier: MIT
#include "analysis/prices.h"

#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/apart.h"
#include "analysis/direct_values.h"
#include "analysis/fit.h"
#include "analysis/host_speed.h"
#include "analysis/members.h"
#include "analysis/price_checks.h"
#include "analysis/stats.h"
#include "analysis/yardstick_share.h"

#define CONFIDENCE 0.95
#define RESAMPLES 2000
#define CASES_MIN 3
/* Beyond these a document is broken or hostile, and arithmetic on it would be, too. */
#define COUNT_MAX 1e15
#define CPU_S_MIN 1e-9
#define CPU_S_MAX 1e9
/* A term of which the other methods have less than this share of a method's own: not theirs to price. */
#define THIN 0.1
/* A change of what a term counts is another model: then this sentence must be another, too. */
static const char model[] =
	"sender CPU seconds of a transfer = sum of price x count; prices >= 0; least squares over the samples, each with what it counted itself, at one speed of the host as far as the method feels it, weighted by the width of its case's interval, with Huber's weights of cases and of samples in them; waits for the disk and for room in the socket apart";

/* The bar for predicting a method from the others, at 32 KiB and above. */
#define ERROR_RATIO_MAX 0.20
#define ERROR_S_MAX 0.003
#define CHUNK_MIN 32768

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static void put_case(json_t *object, const struct case_result *c)
{
	json_object_set_new(object, "method", json_string(c->method));
	json_object_set_new(object, "chunk", json_integer((json_int_t)c->chunk));
	json_object_set_new(object, "cache", json_string(c->cache));
}

/* ---- the cases ---- */

struct collection {
	struct fit_case *cases;
	size_t count;
	json_t *not_used;
	char reason[320]; /* why the last case that was not used was not */
	bool unknown[TERMS]; /* optional terms that some case could not count */
	char unknown_reason[240]; /* of the last of them */
	json_t *direct; /* measurements, at that speed; may be NULL */
	double speed; /* the yardstick that all samples are brought to; NaN: as they were measured */
};

static void collection_free(struct collection *all)
{
	for (size_t i = 0; i < all->count; i++) {
		free(all->cases[i].samples);
		free(all->cases[i].counts);
	}
	free(all->cases);
	json_decref(all->not_used);
	json_decref(all->direct);
}

/* What keeps a case out of the fit, in words, or NULL. */
static const char *unfit(const struct case_result *c, const struct case_result *first)
{
	if (c->status != CASE_OK)
		return c->reason ? c->reason : "not measured";
	if (strcmp(c->sink, "drain"))
		return "another sink than drain";
	if (c->connections != 1)
		return "more than one connection";
	if (first && strcmp(c->link, first->link))
		return "another link than the first case's";
	if (!c->payload)
		return "an empty payload";
	return NULL;
}

/* One sample has no scatter of its own: then it is taken for that of the others' single samples. */
static int pool_errors(struct collection *all)
{
	double *relative = calloc(all->count + 1, sizeof(*relative));
	struct interval typical;
	size_t n = 0;

	if (!relative)
		return -ENOMEM;
	for (size_t i = 0; i < all->count; i++)
		if (isfinite(all->cases[i].error_s))
			relative[n++] = all->cases[i].error_s * sqrt((double)all->cases[i].sample_count) /
					all->cases[i].cpu_s;
	typical = stats_median(relative, n, CONFIDENCE);
	for (size_t i = 0; i < all->count; i++)
		if (!isfinite(all->cases[i].error_s))
			all->cases[i].error_s = typical.median * all->cases[i].cpu_s;
	free(relative);
	return 0;
}

/* What sample `k` of the case counted itself; the case's count for the rest. */
static void take_counts(const struct result *r, const struct fit_case *f, size_t k, double count[TERMS])
{
	for (int t = 0; t < TERMS; t++) {
		double own = term_sample_count(r, f->kase, (enum term)t, k);

		count[t] = own >= 0 && own <= COUNT_MAX ? own : f->count[t];
	}
}

/*
 * Every sample as it would be at one speed of the host, as far as this method's transfers feel what the yardstick shows; `speed` NaN leaves them
 * as they are.
 */
static int take_samples(const struct result *r, struct fit_case *f, double speed)
{
	const struct case_result *c = f->kase;
	struct interval i;
	double z;

	f->samples = calloc(c->samples.count + 1, sizeof(double));
	f->counts = calloc((c->samples.count + 1) * TERMS, sizeof(double));
	if (!f->samples || !f->counts || isnan(f->yardstick_share))
		return -ENOMEM;
	for (size_t k = 0; k < c->samples.count; k++) {
		double cpu = c->samples.value[SAMPLE_SENDER_CPU_S][k];

		if (!isnan(speed))
			cpu *= pow(speed / c->samples.value[SAMPLE_YARDSTICK_S][k], f->yardstick_share);
		if (!sample_counts(&c->samples, k) || !(fabs(cpu) <= CPU_S_MAX))
			continue;
		take_counts(r, f, k, &f->counts[f->sample_count * TERMS]);
		f->samples[f->sample_count++] = cpu;
	}
	i = stats_median(f->samples, f->sample_count, CONFIDENCE);
	f->cpu_s = i.median;
	f->error_s = NAN;
	if (i.n > 1 && i.confidence > 0) {
		z = gsl_cdf_ugaussian_Pinv((1 + fmin(i.confidence, 0.999)) / 2);
		f->error_s = (i.high - i.low) / (2 * z);
	}
	return 0;
}

/* What another case of the method has, for it is the method's. */
static double share_of(const struct result *r, const struct collection *all, const char *method)
{
	for (size_t i = 0; i < all->count; i++)
		if (!strcmp(all->cases[i].kase->method, method))
			return all->cases[i].yardstick_share;
	return isnan(all->speed) ? 0 : yardstick_share(r, method);
}

static int add_case(const struct result *r, const struct case_result *c,
		    const struct case_result *first, struct collection *all)
{
	struct fit_case *f = &all->cases[all->count];
	const char *why = unfit(c, first), *reason;
	json_t *out;
	int err;

	*f = (struct fit_case){ .kase = c };
	all->reason[0] = '\0';
	for (int t = 0; t < TERMS && !why; t++) {
		f->count[t] = term_count(r, c, (enum term)t, &reason);
		if (isnan(f->count[t]) && term_optional((enum term)t)) {
			all->unknown[t] = true;
			snprintf(all->unknown_reason, sizeof(all->unknown_reason),
				 "not counted for every case: %s", reason);
			f->count[t] = 0;
		} else if (isnan(f->count[t])) {
			snprintf(all->reason, sizeof(all->reason), "%s not counted: %s",
				 term_texts[t].name, reason);
			why = all->reason;
		} else if (f->count[t] < 0 || f->count[t] > COUNT_MAX) {
			why = "a count that can't be";
		}
	}
	if (!why) {
		f->yardstick_share = share_of(r, all, c->method);
		err = take_samples(r, f, all->speed);
		if (err) {
			free(f->samples);
			free(f->counts);
			return err;
		}
		if (f->cpu_s >= CPU_S_MIN && f->cpu_s <= CPU_S_MAX) {
			all->count++;
			return 0;
		}
		free(f->samples);
		free(f->counts);
		why = isnan(f->cpu_s) ? "no timed samples" : "a CPU time that can't be";
	}
	if (why != all->reason)
		snprintf(all->reason, sizeof(all->reason), "%s", why);
	out = json_object();
	put_case(out, c);
	json_object_set_new(out, "reason", json_string(why));
	return json_array_append_new(all->not_used, out) ? -ENOMEM : 0;
}

/* The host's median speed in the samples that count, when every timed sample has a yardstick. */
static double common_speed(const struct result *r)
{
	struct host_speed speed;

	for (size_t i = 0; i < r->case_count; i++) {
		const struct samples *s = &r->cases[i].samples;

		for (size_t k = 0; k < s->count; k++)
			if (s->value[SAMPLE_WARMUP][k] == 0 &&
			    !(s->value[SAMPLE_YARDSTICK_S][k] > 0 &&
			      isfinite(s->value[SAMPLE_YARDSTICK_S][k])))
				return NAN;
	}
	return host_speed(r, &speed) ? NAN : speed.counting_s;
}

static int collect(const struct result *r, struct collection *all)
{
	const struct case_result *first = NULL;
	struct apart apart;
	int err = 0;

	*all = (struct collection){ .cases = calloc(r->case_count + 1, sizeof(*all->cases)),
				    .not_used = json_array(), .speed = common_speed(r) };
	all->direct = direct_at_speed(json_object_get(r->prices, "direct"), all->speed);
	apart_count(r, &apart);
	direct_drop_apart(all->direct, apart.median_s);
	if (!all->cases || !all->not_used)
		return -ENOMEM;
	for (size_t i = 0; i < r->case_count && !err; i++) {
		if (!first && !unfit(&r->cases[i], NULL))
			first = &r->cases[i];
		err = add_case(r, &r->cases[i], first, all);
	}
	if (!err)
		err = pool_errors(all);
	/* two ways of counting would make a difference of their own: a term counts in all cases or in none */
	for (int t = 0; t < TERMS; t++)
		for (size_t i = 0; i < all->count && all->unknown[t]; i++) {
			all->cases[i].count[t] = 0;
			for (size_t k = 0; k < all->cases[i].sample_count; k++)
				all->cases[i].counts[k * TERMS + (size_t)t] = 0;
		}
	return err;
}

/* ---- the document ---- */

static json_t *term_json(const struct fit_term *t)
{
	const struct term_text *text = &term_texts[t->term];
	json_t *out = json_object(), *with = json_array();

	json_object_set_new(out, "id", json_string(text->id));
	json_object_set_new(out, "name", json_string(text->name));
	json_object_set_new(out, "unit", json_string(text->unit));
	json_object_set_new(out, "quantity", json_string(text->quantity));
	json_object_set_new(out, "price", number(t->price));
	json_object_set_new(out, "low", number(t->low));
	json_object_set_new(out, "high", number(t->high));
	json_object_set_new(out, "inflation", number(t->inflation));
	for (size_t i = 0; i < t->with_count; i++) {
		json_t *one = json_object();

		json_object_set_new(one, "id", json_string(term_texts[t->with[i].term].id));
		json_object_set_new(one, "per_unit", number(t->with[i].per_unit));
		json_object_set_new(one, "summed", json_boolean(t->with[i].summed));
		json_array_append_new(with, one);
	}
	json_object_set_new(out, "with", with);
	json_object_set_new(out, "source", json_string(text->source));
	return out;
}

static json_t *terms_json(const struct fit *fit)
{
	json_t *out = json_array();

	for (size_t i = 0; i < fit->term_count; i++)
		json_array_append_new(out, term_json(&fit->terms[i]));
	return out;
}

static json_t *absent_json(const struct collection *all, const struct fit *fit)
{
	json_t *out = json_array();

	for (int t = 0; t < TERMS; t++) {
		bool any = false;

		for (size_t i = 0; i < all->count; i++)
			any |= all->cases[i].count[t] > 0;
		if (fit->dropped[t])
			json_array_append_new(out, json_pack("{s:s, s:s}", "id", term_texts[t].id, "reason",
							     "these cases can't tell it from others: what it costs is in their prices"));
		else if (!any)
			json_array_append_new(out, json_pack("{s:s, s:s}", "id", term_texts[t].id,
							     "reason", all->unknown[t] ? all->unknown_reason :
									       "no case of this run has any"));
	}
	return out;
}

static json_t *cases_json(const struct collection *all, const struct fit *fit)
{
	json_t *out = json_array();

	for (size_t i = 0; i < all->count; i++) {
		json_t *one = json_object();

		put_case(one, all->cases[i].kase);
		json_object_set_new(one, "measured_s", number(all->cases[i].cpu_s));
		json_object_set_new(one, "yardstick_share", number(all->cases[i].yardstick_share));
		json_object_set_new(one, "predicted_s", number(fit->predicted[i]));
		json_object_set_new(one, "residual_s",
				    number(all->cases[i].cpu_s - fit->predicted[i]));
		json_object_set_new(one, "weight", number(fit->weight[i]));
		json_array_append_new(out, one);
	}
	return out;
}

/* ---- one method predicted from the others ---- */

/* The most of a term in one case, of this method's cases or of the others'. */
static double most_of(const struct collection *all, const char *method, bool own, enum term t)
{
	double most = 0;

	for (size_t i = 0; i < all->count; i++)
		if (!strcmp(all->cases[i].kase->method, method) == own)
			most = fmax(most, all->cases[i].count[t]);
	return most;
}

/* Of how much of a term a method's prediction must know the price, and how much the others have of it. */
static bool thin(const struct collection *all, const char *method, enum term t)
{
	double own = most_of(all, method, true, t);

	return own > 0 && most_of(all, method, false, t) < THIN * own;
}

/* One price for both directions of copying is one thing; for bytes in the CPU's caches and bytes from memory it is the price of neither. */
static bool one_price(const struct fit_term *t, size_t i)
{
	return t->with[i].summed &&
	       (t->term == TERM_MAPPED_TO_SOCKET) == (t->with[i].term == TERM_MAPPED_TO_SOCKET);
}

/*
 * Terms that the others can't tell apart, of which this method has one nearly without the other: what they have in common
 * is the price of neither. Adds them to `missing`; true when there were any.
 */
static bool mixed_up(const struct collection *all, const char *method, const struct fit *fit,
		     bool missing[TERMS])
{
	bool any = false;

	for (size_t k = 0; k < fit->term_count; k++) {
		const struct fit_term *t = &fit->terms[k];

		for (size_t i = 0; i < t->with_count; i++) {
			/* in the second's unit */
			double first = most_of(all, method, true, t->term) * t->with[i].per_unit,
			       second = most_of(all, method, true, t->with[i].term);

			if (one_price(t, i) ||
			    (first >= THIN * second && second >= THIN * first))
				continue;
			missing[first > second ? t->term : t->with[i].term] = any = true;
		}
	}
	return any;
}

/* Prices that a prediction takes from elsewhere than the other methods' fit. */
struct loan {
	bool missing[TERMS]; /* what it needs */
	double price[TERMS];
	double carried[TERMS]; /* taken off a price that was measured while it sent the bytes */
	json_t *from; /* where each comes from */
	char reason[240]; /* why nothing can be predicted; empty when it can */
};

static bool is_copy(enum term t)
{
	return t == TERM_FILE_TO_USER || t == TERM_USER_TO_SOCKET || t == TERM_MAPPED_TO_SOCKET;
}

/* NaN stays. */
static double less_carried(double price, double carried)
{
	return price < carried ? 0 : price - carried;
}

/*
 * Prices of what only this method does, from elsewhere: a direct measurement, or for a copy the price of a
 * copy the other way. When there is none nothing can be predicted, and the loan's reason says so.
 */
static void borrow(const json_t *direct, const struct fit *fit, struct loan *loan)
{
	double *price = loan->price, carried;
	json_t *terms = terms_json(fit);

	carried = carried_price(terms, NULL, NULL);
	json_decref(terms);
	for (int t = 0; t < TERMS; t++) {
		const char *from = NULL;

		price[t] = 0;
		if (!loan->missing[t])
			continue;
		price[t] = direct_price(direct, (enum term)t, &from);
		loan->carried[t] = direct_carries(from) ? carried : 0;
		price[t] = less_carried(price[t], loan->carried[t]);
		for (size_t k = 0; k < fit->term_count && isnan(price[t]); k++)
			if (is_copy((enum term)t) && is_copy(fit->terms[k].term)) {
				price[t] = fit->terms[k].price;
				from = "a copy the other way";
			}
		if (isnan(price[t])) {
			snprintf(loan->reason, sizeof(loan->reason),
				 "the others have no %s to speak of, or none that can be told from something else, and there is no direct measurement of their price",
				 term_texts[t].name);
			return;
		}
		json_array_append_new(loan->from, json_pack("{s:s, s:f, s:s}", "id", term_texts[t].id,
						     "price", price[t], "from", from));
	}
}

/* What borrowed prices make of a case: those of its own chunk, where that was measured. */
static double owed(const struct collection *all, const struct fit_case *c, const struct loan *loan)
{
	double sum = 0;

	for (int t = 0; t < TERMS; t++) {
		double here = loan->missing[t] ? direct_price_at(all->direct, (enum term)t,
								 (double)c->kase->chunk) :
						 NAN;

		sum += (isnan(here) ? loan->price[t] : less_carried(here, loan->carried[t])) *
		       c->count[t];
	}
	return sum;
}

static json_t *predict_cases(const struct collection *all, const char *method, const struct fit *fit,
			     const struct loan *loan, json_t *out)
{
	double worst_ratio = 0, worst_s = 0;
	json_t *cases = json_array();
	bool good = true, any = false;

	for (size_t i = 0; i < all->count; i++) {
		const struct fit_case *c = &all->cases[i];
		double predicted = fit_predict(fit, c) + owed(all, c, loan), off, ratio;
		json_t *one;

		if (strcmp(c->kase->method, method))
			continue;
		off = predicted - c->cpu_s;
		ratio = off / c->cpu_s;
		one = json_object();
		put_case(one, c->kase);
		json_object_set_new(one, "measured_s", number(c->cpu_s));
		json_object_set_new(one, "predicted_s", number(predicted));
		json_object_set_new(one, "error_s", number(off));
		json_object_set_new(one, "error_ratio", number(ratio));
		json_array_append_new(cases, one);
		if (c->kase->chunk && c->kase->chunk < CHUNK_MIN)
			continue;
		any = true;
		good &= fabs(ratio) <= ERROR_RATIO_MAX || fabs(off) <= ERROR_S_MAX;
		if (fabs(ratio) > fabs(worst_ratio))
			worst_ratio = ratio;
		if (fabs(off) > fabs(worst_s))
			worst_s = off;
	}
	json_object_set_new(out, "worst_ratio", any ? number(worst_ratio) : json_null());
	json_object_set_new(out, "worst_s", any ? number(worst_s) : json_null());
	json_object_set_new(out, "good", any ? json_boolean(good) : json_null());
	return cases;
}

static int predict_method(const struct collection *all, const char *method,
			  enum fit_sums sums, json_t *list)
{
	struct fit_case *others = calloc(all->count + 1, sizeof(*others));
	json_t *out = json_object();
	struct loan loan = { .from = json_array() };
	struct fit fit = { 0 };
	size_t count = 0;
	int err = others && out && loan.from ? 0 : -ENOMEM;

	for (int t = 0; t < TERMS; t++)
		loan.missing[t] = thin(all, method, (enum term)t);
	for (size_t i = 0; i < all->count && !err; i++)
		if (strcmp(all->cases[i].kase->method, method))
			others[count++] = all->cases[i];
	if (!err)
		err = fit_prices(others, count, loan.missing, sums, &fit);
	/* each time with a term less */
	while (!err && mixed_up(all, method, &fit, loan.missing)) {
		fit_free(&fit);
		err = fit_prices(others, count, loan.missing, sums, &fit);
	}
	if (!err) {
		json_object_set_new(out, "method", json_string(method));
		if (!fit.term_count)
			snprintf(loan.reason, sizeof(loan.reason), "too few cases of other methods");
		else
			borrow(all->direct, &fit, &loan);
		json_object_set(out, "borrowed", loan.from);
		json_object_set_new(out, "reason",
				    loan.reason[0] ? json_string(loan.reason) : json_null());
		json_object_set_new(out, "cases",
				    loan.reason[0] ?
					    json_null() :
					    predict_cases(all, method, &fit, &loan, out));
		json_array_append(list, out);
	}
	free(others);
	json_decref(loan.from);
	json_decref(out);
	fit_free(&fit);
	return err;
}

static int predict_each(const struct collection *all, enum fit_sums sums,
			json_t *list)
{
	int err = 0;

	for (size_t i = 0; i < all->count && !err; i++) {
		bool seen = false;

		for (size_t k = 0; k < i; k++)
			seen |= !strcmp(all->cases[k].kase->method, all->cases[i].kase->method);
		if (!seen)
			err = predict_method(all, all->cases[i].kase->method, sums, list);
	}
	return err;
}

/* ---- all of it ---- */

static void put_nothing(json_t *out, const struct collection *all)
{
	size_t left_out = json_array_size(all->not_used);
	char text[480];

	if (!all->count && !left_out)
		snprintf(text, sizeof(text), "the run has no cases");
	else if (left_out)
		snprintf(text, sizeof(text),
			 "only %zu of %zu cases can be used, which is too few; the last of the others: %s",
			 all->count, all->count + left_out, all->reason);
	else
		snprintf(text, sizeof(text),
			 "%zu cases can't carry prices: nothing tells calls, copies and the rest apart; more methods and chunk sizes would",
			 all->count);
	json_object_set_new(out, "terms", json_null());
	json_object_set_new(out, "reason", json_string(text));
}

static int put_fit(const struct collection *all, struct fit *fit,
		   uint64_t seed, json_t *out)
{
	json_t *list = json_array();
	int err = fit_intervals(all->cases, all->count, fit, seed, RESAMPLES, CONFIDENCE);
	enum fit_sums sums = SUM_NONE, more;

	/* at most twice: what is summed is not told apart any more */
	while (!err && (more = fit_is_vague(fit)) > sums) {
		sums = more;
		fit_free(fit);
		err = fit_prices(all->cases, all->count, NULL, sums, fit);
		if (!err)
			err = fit_intervals(all->cases, all->count, fit, seed, RESAMPLES, CONFIDENCE);
	}
	if (!err)
		err = predict_each(all, sums, list);
	json_object_set_new(out, "terms", terms_json(fit));
	json_object_set_new(out, "reason", json_null());
	json_object_set_new(out, "absent", absent_json(all, fit));
	json_object_set_new(out, "cases", cases_json(all, fit));
	json_object_set_new(out, "r_squared", number(fit->r_squared));
	json_object_set_new(out, "model_error", number(fit->model_error));
	json_object_set_new(out, "condition", number(fit->condition));
	json_object_set_new(out, "predicted_from_others", list);
	json_object_set_new(out, "checks",
			    price_checks(json_object_get(out, "terms"), all->direct));
	return err;
}

json_t *prices_fit(const struct result *result, uint64_t seed)
{
	json_t *out = json_object(), *direct = json_object_get(result->prices, "direct");
	struct collection all;
	struct fit fit = { 0 };
	int err = collect(result, &all);

	json_object_set_new(
		out, "model",
		json_string(model));
	json_object_set_new(out, "seed", json_integer((json_int_t)seed));
	json_object_set_new(out, "resamples", json_integer(RESAMPLES));
	json_object_set_new(out, "confidence", json_real(CONFIDENCE));
	if (!err && all.count >= CASES_MIN)
		err = fit_prices(all.cases, all.count, NULL, SUM_NONE, &fit);
	if (!err && fit.term_count)
		err = put_fit(&all, &fit, seed, out);
	else if (!err)
		put_nothing(out, &all);
	json_object_set(out, "not_used", all.not_used);
	json_object_set_new(out, "at_yardstick_s", number(all.speed));
	if (direct)
		json_object_set(out, "direct", direct);
	collection_free(&all);
	fit_free(&fit);
	if (err) {
		json_decref(out);
		return NULL;
	}
	return out;
}

int prices_of_this_model(struct result *result)
{
	const char *made_by = json_string_value(json_object_get(result->prices, "model"));
	double seed = member_number(result->prices, "seed");
	json_t *prices;

	if (!json_is_array(json_object_get(result->prices, "terms")) ||
	    (made_by && !strcmp(made_by, model)))
		return 0;
	prices = prices_fit(result, seed >= 0 && seed <= UINT32_MAX ? (uint64_t)seed : 1);
	if (!prices)
		return -ENOMEM;
	json_object_set_new(prices, "anew", json_true());
	json_decref(result->prices);
	result->prices = prices;
	return 0;
}

const json_t *prices_term(const json_t *prices, const char *id)
{
	return member_by_id(json_object_get(prices, "terms"), id);
}
