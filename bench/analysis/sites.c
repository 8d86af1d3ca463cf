// SPDX-License-Identifier: MIT
#include "analysis/sites.h"

#include <fnmatch.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX 160 /* the kernel's own limit is 127, and the worker's two come before */
#define NAME_BYTES 160
#define OTHER_LISTED 8
#define DISAGREEMENT 0.25
#define Z95 1.96
#define NAMELESS ";[kernel]" FOLDED_KERNEL

const char *const cpu_site_names[CPU_SITES] = { "copying",  "file",	 "faults", "tcp_send", "loopback",
						"entry",    "scheduler", "block",  "user",     "other" };

const char *const cpu_site_titles[CPU_SITES] = {
	"copying",
	"file lookup and page cache",
	"page faults and mapping",
	"TCP send path",
	"loopback and softirq receive",
	"system-call entry and exit",
	"scheduler and wake-ups",
	"block layer and driver",
	"user code",
	"other",
};

/* Okabe and Ito's, with grey for what has no name. */
const char *const cpu_site_colours[CPU_SITES] = { "#d55e00", "#009e73", "#f0e442", "#56b4e9", "#0072b2",
						  "#cc79a7", "#e69f00", "#8c6d46", "#b8b8b8", "#7a7a7a" };

/* A stack cut into frames, outermost first. */
struct frames {
	char text[FOLDED_LINE_MAX];
	const char *name[FRAMES_MAX];
	bool kernel[FRAMES_MAX];
	size_t count;
};

static void cut(const char *stack, struct frames *f)
{
	static const size_t mark = sizeof(FOLDED_KERNEL) - 1;
	/* cppcheck-suppress ctuuninitvar ; an array's address is not its content */
	char *rest = f->text, *name;

	f->count = 0;
	strncpy(f->text, stack, sizeof(f->text) - 1);
	f->text[sizeof(f->text) - 1] = '\0';
	while (f->count < FRAMES_MAX && (name = strsep(&rest, ";"))) {
		size_t len = strlen(name);
		bool kernel = len > mark && !strcmp(name + len - mark, FOLDED_KERNEL);

		if (kernel)
			name[len - mark] = '\0';
		/* what the compiler adds to a function it split or cloned */
		if (name[0] != '[')
			name[strcspn(name, ".")] = '\0';
		f->name[f->count] = name;
		f->kernel[f->count++] = kernel;
	}
}

static bool matches_one(const char *const *patterns, const char *name)
{
	for (; *patterns; patterns++)
		if (!fnmatch(*patterns, name, 0))
			return true;
	return false;
}

/* Is frame `i` called, however far off, by a function of the pattern? */
static bool called_by(const struct frames *f, size_t i, const char *const *patterns)
{
	while (i-- > 0 && f->kernel[i]) {
		if (matches_one(patterns, f->name[i]))
			return true;
		if (matches_one(interrupt_functions, f->name[i]))
			return false;
	}
	return false;
}

static const struct site_rule *rule_of(const struct frames *f, size_t i)
{
	for (const struct site_rule *r = site_rules; r->symbol; r++)
		if (!fnmatch(r->symbol, f->name[i], 0) &&
		    (!r->under || called_by(f, i, (const char *const[]){ r->under, NULL })))
			return r;
	return NULL;
}

enum cpu_site site_of_stack(const char *stack)
{
	bool unknown = false;
	struct frames f;

	cut(stack, &f);
	if (!f.count || !f.kernel[f.count - 1])
		return CPU_USER;
	for (size_t i = f.count; i-- > 0 && f.kernel[i];) {
		const struct site_rule *rule = rule_of(&f, i);
		enum cpu_site site;

		if (!rule) {
			unknown = true;
			continue;
		}
		site = called_by(&f, i, softirq_functions) ? rule->in_softirq : rule->site;
		if (site == CPU_BY_CALLER)
			continue;
		/* everything comes through the entry: it answers for what is its own, not for the unknown */
		return site == CPU_ENTRY && unknown ? CPU_OTHER : site;
	}
	return CPU_OTHER;
}

void sites_count(const struct folded *folded, struct site_shares *out)
{
	*out = (struct site_shares){ 0 };
	for (size_t i = 0; i < folded->count; i++) {
		out->samples[site_of_stack(folded->line[i].stack)] += folded->line[i].count;
		out->all += folded->line[i].count;
	}
}

static int by_count(const void *a, const void *b)
{
	const struct folded_line *x = a, *y = b;

	return (y->count > x->count) - (y->count < x->count);
}

/* The innermost functions of what no rule knows, the most frequent first. */
static json_t *list_other(const struct folded *folded)
{
	struct folded names = { 0 };
	json_t *list = json_array();

	for (size_t i = 0; i < folded->count; i++) {
		const char *stack = folded->line[i].stack, *last = strrchr(stack, ';');
		char name[NAME_BYTES];

		if (site_of_stack(stack) != CPU_OTHER)
			continue;
		snprintf(name, sizeof(name), "%s", last ? last + 1 : stack);
		if (strlen(name) > 4 && !strcmp(name + strlen(name) - 4, FOLDED_KERNEL))
			name[strlen(name) - 4] = '\0';
		(void)folded_add(&names, name, folded->line[i].count);
	}
	folded_merge(&names);
	if (names.count)
		qsort(names.line, names.count, sizeof(*names.line), by_count);
	for (size_t i = 0; list && i < names.count && i < OTHER_LISTED; i++)
		json_array_append_new(list, json_pack("{s:s, s:I}", "name", names.line[i].stack,
						      "samples", (json_int_t)names.line[i].count));
	folded_free(&names);
	return list;
}

/* Wilson's interval: stays inside 0 … 1 and holds for the rare. */
static void interval(double k, double n, double *low, double *high)
{
	double p = k / n, z2 = Z95 * Z95, centre = (p + z2 / (2 * n)) / (1 + z2 / n);
	double half = Z95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));

	*low = fmax(0, centre - half);
	*high = fmin(1, centre + half);
}

/* Without names every kernel function is "[kernel]", and shares of sites would be shares of nothing. */
static bool has_names(const struct folded *folded)
{
	for (size_t i = 0; i < folded->count; i++)
		if (strstr(folded->line[i].stack, NAMELESS))
			return false;
	return true;
}

json_t *sites_json(const struct folded *folded, double cpu_s, uint64_t payload)
{
	json_t *all = json_object();
	struct site_shares shares;

	sites_count(folded, &shares);
	if (!shares.all || !has_names(folded)) {
		json_object_set_new(all, "reason",
				    json_string(shares.all ? "the kernel's functions have no names here" :
							     "there are no samples"));
		return all;
	}
	for (enum cpu_site site = 0; all && site < CPU_SITES; site++) {
		double share = (double)shares.samples[site] / (double)shares.all, low, high;
		double ns = share * cpu_s * 1e9 / ((double)payload / 1024);
		json_t *entry;

		interval((double)shares.samples[site], (double)shares.all, &low, &high);
		entry = json_pack("{s:I, s:f, s:f, s:f, s:o}", "samples",
				  (json_int_t)shares.samples[site], "share", share, "low", low,
				  "high", high, "ns_per_kib",
				  isfinite(ns) ? json_real(ns) : json_null());
		if (entry && !isfinite(ns))
			json_object_set_new(entry, "reason",
					    json_string("the CPU time of a transfer is not known"));
		if (entry && site == CPU_OTHER)
			json_object_set_new(entry, "functions", list_other(folded));
		if (json_object_set_new(all, cpu_site_names[site], entry)) {
			json_decref(all);
			all = NULL;
		}
	}
	return all;
}

json_t *sites_agreement(const struct site_shares *shares, double cpu_s, double copied_bytes,
			double counted_ns_per_kib)
{
	double share = (double)shares->samples[CPU_COPYING] / (double)shares->all;
	double profiled = share * cpu_s * 1e9 / (copied_bytes / 1024);
	double difference = profiled / counted_ns_per_kib - 1;
	const char *reason = NULL;
	json_t *object;

	if (!shares->all)
		reason = "there is no profile";
	else if (!isfinite(cpu_s))
		reason = "the CPU time is not known";
	else if (isnan(copied_bytes))
		reason = "the copied bytes were not counted";
	else if (copied_bytes <= 0)
		reason = "this method copies nothing, so there is no price of a copied KiB";
	else if (!(counted_ns_per_kib > 0))
		reason = "the study has no price of a copied KiB";
	object = json_pack("{s:o, s:o, s:o, s:o}", "profile_ns_per_kib",
			   isfinite(profiled) ? json_real(profiled) : json_null(),
			   "counted_ns_per_kib",
			   counted_ns_per_kib > 0 ? json_real(counted_ns_per_kib) : json_null(),
			   "difference", reason ? json_null() : json_real(difference), "agree",
			   reason ? json_null() : json_boolean(fabs(difference) <= DISAGREEMENT));
	if (object && reason)
		json_object_set_new(object, "reason", json_string(reason));
	return object;
}
