// SPDX-License-Identifier: MIT
#include "report/where_data.h"

#include <math.h>
#include <string.h>

#include "analysis/reason.h"
#include "analysis/sites.h"
#include "report/counted.h"
#include "report/events_text.h"
#include "report/format.h"
#include "report/table.h"

static bool shown(const struct family *family, const struct case_result *kase)
{
	return kase->chunk == family->chunk && kase->status == CASE_OK;
}

/* Under the title, as in the other pictures, but of one cache state. */
static void put_compared(FILE *labels, const char *name, const struct family *family)
{
	char title[400];

	put_label(labels, name, family_title(family, &family->chunk, title, sizeof(title)));
}

/* Names of the bars, from the top: bar i of n stands at n - i. */
static unsigned int put_names(const struct family *family, const char *prefix,
			      bool (*wanted)(const struct case_result *), FILE *labels)
{
	unsigned int count = 0, at = 0;

	for (size_t i = 0; i < family->count; i++)
		count += shown(family, family->cases[i]) && wanted(family->cases[i]);
	fprintf(labels, "%s_count = %u\narray %s_name[%u]\n", prefix, count, prefix, count + 1);
	for (size_t i = 0; i < family->count; i++) {
		if (!shown(family, family->cases[i]) || !wanted(family->cases[i]))
			continue;
		fprintf(labels, "%s_name[%u] = ", prefix, ++at);
		put_gnuplot(labels, family->cases[i]->method);
		putc('\n', labels);
	}
	return count;
}

/* ---- cycles ---- */

static const json_t *figure_of(const struct case_result *kase, const char *name)
{
	return json_object_get(kase->figures, name);
}

static bool any_case(const struct case_result *kase)
{
	(void)kase;
	return true;
}

/* What the cycles of a bar lack to be whole, and the number over it. */
static void cycles_label(double user, double kernel, bool scaled, char *label, size_t size)
{
	char text[FORMAT_MAX];
	bool whole = !isnan(user) && !isnan(kernel);

	snprintf(label, size, "%s%s", !whole ? "≥" : scaled ? "≈" : "",
		 format_number((isnan(user) ? 0 : user) + (isnan(kernel) ? 0 : kernel), text));
}

static bool cycles_bar(const struct case_result *kase, unsigned int at, double *most, double *most_copied,
		       FILE *out)
{
	double user = counted(figure_of(kase, "cycles_per_byte_user"));
	double kernel = counted(figure_of(kase, "cycles_per_byte_kernel"));
	bool scaled = json_is_number(
		json_object_get(figure_of(kase, "cycles_per_byte_kernel"), "multiplexed"));
	char label[FORMAT_MAX + 8] = "", factor_label[FORMAT_MAX + 8] = "", text[FORMAT_MAX];
	char why[REASON_SHORT_MAX] = "";
	bool known = !isnan(user) || !isnan(kernel), whole;
	double factor = known_factor(kase, &whole);
	const char *reason = known ? "" : event_missing(kase, "cycles", why);

	*most = fmax(*most, (isnan(user) ? 0 : user) + (isnan(kernel) ? 0 : kernel));
	*most_copied = fmax(*most_copied, factor);
	if (known)
		cycles_label(user, kernel, scaled, label, sizeof(label));
	if (!isnan(factor))
		snprintf(factor_label, sizeof(factor_label), "%s%s", whole ? "" : "≥",
			 format_number(factor, text));
	fprintf(out, "%u", at);
	put_tsv_field(out, kase->method);
	put_tsv_number(out, user);
	put_tsv_number(out, kernel);
	put_tsv_field(out, label);
	put_tsv_field(out, reason);
	put_tsv_number(out, factor);
	put_tsv_field(out, factor_label);
	put_tsv_field(out, isnan(factor) ? "not counted" : "");
	putc('\n', out);
	return known;
}

bool cycles_data(const struct family *family, FILE *out, FILE *labels,
		 char reason[static WHERE_REASON_MAX])
{
	unsigned int count = put_names(family, "cycles", any_case, labels), at = count;
	double most = 0, most_copied = 0;
	char why[REASON_SHORT_MAX];
	bool any = false;

	put_compared(labels, "cycles_compared_text", family);
	put_label(labels, "cycles_note_1",
		  "Counted in a pass of their own. Cycles of the sender, those of softirqs that ran on its CPU "
		  "in its time included.");
	put_label(labels, "cycles_note_2",
		  "≈: the counters were shared, and the count was scaled up. ≥: a part could not be counted.");
	fputs("y\tmethod\tuser\tkernel\tlabel\tnote\tcopied\tcopied_label\tcopied_note\n", out);
	snprintf(reason, WHERE_REASON_MAX, "nothing was measured");
	for (size_t i = 0; i < family->count; i++) {
		const struct case_result *kase = family->cases[i];

		if (!shown(family, kase))
			continue;
		if (cycles_bar(kase, at--, &most, &most_copied, out))
			any = true;
		else if (!any && event_missing(kase, "cycles", why))
			snprintf(reason, WHERE_REASON_MAX, "%s", why);
	}
	/* room for the numbers at the ends */
	fprintf(labels, "cycles_to = %.9g\ncycles_copied_to = %.9g\n", most > 0 ? most * 1.2 : 1,
		most_copied > 0 ? most_copied * 1.25 : 1);
	return any;
}

/* ---- sites ---- */

static double site_number(const struct case_result *kase, enum cpu_site site, const char *key)
{
	const json_t *value = json_object_get(
		json_object_get(json_object_get(kase->profile, "sites"), cpu_site_names[site]), key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static bool has_sites(const struct case_result *kase)
{
	return !isnan(site_number(kase, CPU_COPYING, "ns_per_kib"));
}

static const char *why_no_sites(const struct case_result *kase)
{
	const json_t *profile = kase->profile;
	const char *names = json_string_value(json_object_get(profile, "names"));
	const char *reason = json_string_value(json_object_get(profile, "reason"));

	if (!json_object_size(profile))
		return "no stacks were sampled (copytax run --profile does)";
	reason = reason ? reason : names;
	return reason ? reason : "the CPU time of a transfer is not known";
}

static void put_site_texts(const struct family *family, FILE *labels)
{
	fprintf(labels, "array site_title[%d]\narray site_rgb[%d]\nsite_count = %d\n", CPU_SITES,
		CPU_SITES, CPU_SITES);
	for (int site = 0; site < CPU_SITES; site++) {
		double seen = 0;

		for (size_t i = 0; i < family->count; i++)
			if (shown(family, family->cases[i]) && has_sites(family->cases[i]))
				seen += site_number(family->cases[i], (enum cpu_site)site, "samples");
		/* what has no sample has no key either */
		fprintf(labels, "site_title[%d] = ", site + 1);
		put_gnuplot(labels, seen > 0 ? cpu_site_titles[site] : "");
		fprintf(labels, "\nsite_rgb[%d] = 0x%s\n", site + 1, cpu_site_colours[site] + 1);
	}
}

static double sites_bar(const struct case_result *kase, unsigned int at, FILE *out)
{
	char text[FORMAT_MAX];
	double sum = 0;

	fprintf(out, "%u", at);
	put_tsv_field(out, kase->method);
	for (int site = 0; site < CPU_SITES; site++) {
		double ns = site_number(kase, (enum cpu_site)site, "ns_per_kib");

		put_tsv_number(out, ns);
		sum += isnan(ns) ? 0 : ns;
	}
	put_tsv_number(out, sum);
	put_tsv_field(out, format_number(sum, text));
	putc('\n', out);
	return sum;
}

bool sites_data(const struct family *family, FILE *out, FILE *labels,
		char reason[static WHERE_REASON_MAX])
{
	unsigned int at = put_names(family, "sites", has_sites, labels);
	double most = 0;

	put_compared(labels, "sites_compared_text", family);
	put_site_texts(family, labels);
	put_label(labels, "sites_note_1",
		  "Share of the samples of the sender's stacks × its CPU time in the timed transfers. Number at the "
		  "end: all of it.");
	put_label(labels, "sites_note_2",
		  strcmp(family->conditions->link, "tcp") ?
			  "" :
			  "Loopback: the receive path's softirqs run in the sender's time.");
	fputs("y\tmethod", out);
	for (int site = 0; site < CPU_SITES; site++)
		fprintf(out, "\t%s", cpu_site_names[site]);
	fputs("\tall\tlabel\n", out);
	snprintf(reason, WHERE_REASON_MAX, "nothing was measured");
	for (size_t i = 0; i < family->count; i++) {
		const struct case_result *kase = family->cases[i];

		if (!shown(family, kase))
			continue;
		if (has_sites(kase))
			most = fmax(most, sites_bar(kase, at--, out));
		else if (most <= 0)
			snprintf(reason, WHERE_REASON_MAX, "%s", why_no_sites(kase));
	}
	fprintf(labels, "sites_to = %.9g\n", most > 0 ? most * 1.2 : 1);
	return most > 0;
}

/* ---- events ---- */

void events_data(const struct result *result, FILE *out)
{
	fputs("method\tchunk_bytes\tcache\tsink\tlink\tconnections\tpayload_bytes\tname\tscope\tvalue\tunit\t"
	      "enabled_s\trunning_s\tsource\treason\n",
	      out);
	for (size_t i = 0; i < result->case_count; i++) {
		const struct case_result *c = &result->cases[i];
		const json_t *entry;
		size_t k;

		json_array_foreach(c->events, k, entry) {
			put_tsv(out, c->method);
			fprintf(out, "\t%llu", (unsigned long long)c->chunk);
			put_tsv_field(out, c->cache);
			put_tsv_field(out, c->sink);
			put_tsv_field(out, c->link);
			fprintf(out, "\t%u\t%llu", c->connections, (unsigned long long)c->payload);
			put_tsv_field(out, json_string_value(json_object_get(entry, "name")));
			put_tsv_field(out, json_string_value(json_object_get(entry, "scope")));
			put_tsv_number(out, counted(entry));
			put_tsv_field(out, json_string_value(json_object_get(entry, "unit")));
			put_tsv_number(out, counted(json_object_get(entry, "enabled_s")));
			put_tsv_number(out, counted(json_object_get(entry, "running_s")));
			put_tsv_field(out, json_string_value(json_object_get(entry, "source")));
			put_tsv_field(out, json_string_value(json_object_get(entry, "reason")));
			putc('\n', out);
		}
	}
}
