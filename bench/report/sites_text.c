// SPDX-License-Identifier: MIT
#include "report/sites_text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/members.h"
#include "analysis/sites.h"
#include "report/by_method.h"
#include "report/table.h"

static bool has_profile(const struct case_result *kase)
{
	return json_object_size(kase->profile) > 0;
}

static const json_t *site_of(const struct case_result *kase, enum cpu_site site)
{
	return json_object_get(json_object_get(kase->profile, "sites"), cpu_site_names[site]);
}

static bool has_sites(const struct case_result *kase)
{
	return !isnan(member_number(site_of(kase, CPU_COPYING), "share"));
}

/* "102 (25%)"; without the CPU time of a transfer the share alone. */
static void site_cell(struct grid *grid, const json_t *site)
{
	double ns = member_number(site, "ns_per_kib"), share = member_number(site, "share");
	char text[FORMAT_MAX];

	if (isnan(share))
		grid_cell(grid, UNKNOWN);
	else if (share == 0)
		grid_cell(grid, "0");
	else if (isnan(ns))
		grid_cell(grid, "%.1f%%", 100 * share);
	else
		grid_cell(grid, "%s (%.*f%%)", format_number(ns, text), share < 0.0995 ? 1 : 0,
			  100 * share);
}

static void put_sites(struct grid *grid, const struct by_method *by_method)
{
	char text[FORMAT_MAX];

	for (enum cpu_site site = 0; site < CPU_SITES; site++) {
		double all = 0;

		for (size_t i = 0; i < by_method->count; i++)
			all += fmax(0, member_number(site_of(by_method->cases[i], site), "samples"));
		if (all <= 0)
			continue;
		grid_row(grid);
		grid_cell(grid, "%s", cpu_site_titles[site]);
		for (size_t i = 0; i < by_method->count; i++)
			site_cell(grid, site_of(by_method->cases[i], site));
	}
	grid_row(grid);
	grid_cell(grid, "samples");
	for (size_t i = 0; i < by_method->count; i++)
		grid_cell(grid, "%s",
			  format_count(member_number(by_method->cases[i]->profile, "samples"), text));
}

static void say_how(const struct by_method *by_method, FILE *note)
{
	const json_t *profile = by_method->cases[0]->profile;
	const char *event = json_string_value(json_object_get(profile, "event"));
	double most = NAN;

	fputs("ns of sender CPU per KiB of payload, by samples of its stacks", note);
	if (event && !strcmp(event, "cpu-clock"))
		fprintf(note, " (CPU clock, every %.1f ms)", member_number(profile, "period") / 1e6);
	else if (event)
		fprintf(note, " (every %.0f cycles)", member_number(profile, "period"));
	fputs("; in brackets the share of the samples. ", note);
	for (size_t i = 0; i < by_method->count; i++)
		most = fmax(most, member_number(by_method->cases[i]->profile, "observation"));
	if (!isnan(most))
		fprintf(note, "Sampled transfers took up to %.2f times the CPU of timed ones. ", most);
}

static void say_agreement(const struct by_method *by_method, FILE *note)
{
	const char *before = "A copied KiB by the profile, and by the prices of the counts: ";
	bool any = false;

	for (size_t i = 0; i < by_method->count; i++) {
		const struct case_result *kase = by_method->cases[i];
		const json_t *said = json_object_get(kase->profile, "agreement");
		double ours = member_number(said, "profile_ns_per_kib");
		double theirs = member_number(said, "counted_ns_per_kib");
		double difference = member_number(said, "difference");
		double direct = member_number(said, "direct_ns_per_kib");
		char a[FORMAT_MAX], b[FORMAT_MAX], d[FORMAT_MAX];

		if (isnan(difference))
			continue;
		fprintf(note, "%s%s %s and %s ns (%+.0f%%%s", before, kase->method,
			format_number(ours, a), format_number(theirs, b), 100 * difference,
			json_is_false(json_object_get(said, "agree")) ? ": too far apart" : "");
		if (isfinite(direct))
			fprintf(note, "; measured one by one: %s", format_number(direct, d));
		putc(')', note);
		before = ", ";
		any = true;
	}
	if (any)
		fputs(". ", note);
}

/* Why the two ways could not be held against each other, where something was copied. */
static void say_no_agreement(const struct by_method *by_method, FILE *note)
{
	for (size_t i = 0; i < by_method->count; i++) {
		const json_t *said = json_object_get(by_method->cases[i]->profile, "agreement");
		const char *reason = json_string_value(json_object_get(said, "reason"));

		if (!reason || strstr(reason, "copies nothing"))
			continue;
		fprintf(note, "Profile and prices of %s not compared: %s. ",
			by_method->cases[i]->method, reason);
		return;
	}
}

static void say_other(const struct by_method *by_method, FILE *note)
{
	const char *before = "Other: ";

	for (size_t i = 0; i < by_method->count; i++) {
		const json_t *other = site_of(by_method->cases[i], CPU_OTHER), *one;
		size_t k;

		json_array_foreach(json_object_get(other, "functions"), k, one) {
			const char *name = json_string_value(json_object_get(one, "name"));

			if (!name || k == 3)
				break;
			fprintf(note, "%s%s (%s, %.0f)", before, name, by_method->cases[i]->method,
				member_number(one, "samples"));
			before = ", ";
		}
	}
	if (before[0] == ',')
		fputs(". ", note);
}

/* What keeps a method from having sites: no samples, or no names. */
static void say_missing(const struct by_method *all, FILE *note)
{
	json_t *said = json_object();

	for (size_t i = 0; i < all->count; i++) {
		const json_t *profile = all->cases[i]->profile;
		const char *names = json_string_value(json_object_get(profile, "names"));
		const char *reason = json_string_value(json_object_get(profile, "reason"));

		reason = reason ? reason : names;
		reason = reason ? reason :
				  json_string_value(json_object_get(
					  json_object_get(profile, "sites"), "reason"));
		if (has_sites(all->cases[i]) || !reason || json_object_get(said, reason))
			continue;
		fprintf(note, "No sites of %s: %s. ", all->cases[i]->method, reason);
		json_object_set_new(said, reason, json_true());
	}
	json_decref(said);
}

static int put_notes(const struct by_method *shown, const struct by_method *all, enum style style,
		     FILE *out)
{
	char *text = NULL;
	size_t size = 0;
	FILE *note = open_memstream(&text, &size);

	if (!note)
		return -ENOMEM;
	if (shown->count) {
		say_how(shown, note);
		say_agreement(shown, note);
		say_no_agreement(shown, note);
		say_other(shown, note);
	}
	say_missing(all, note);
	if (fclose(note))
		return -ENOMEM;
	if (text[0]) {
		text[strlen(text) - 1] = 0;
		by_method_note(text, style, out);
	}
	free(text);
	return 0;
}

static int family_sites(const struct family *family, enum style style, FILE *out)
{
	struct by_method all, shown = { 0 };
	struct grid grid = { 0 };
	int err = by_method_find(family, has_profile, &all);

	if (!err)
		err = by_method_find(family, has_sites, &shown);
	if (!err && all.count) {
		by_method_title(family, "Where the sender's CPU time went: ", style, out);
		if (shown.count) {
			by_method_columns(&grid, &shown, "ns per KiB");
			put_sites(&grid, &shown);
		}
		err = grid_finish(&grid, style, out);
		if (!err)
			err = put_notes(&shown, &all, style, out);
		putc('\n', out);
	}
	by_method_free(&shown);
	by_method_free(&all);
	return err;
}

int table_sites(const struct result *result, enum style style, FILE *out)
{
	struct families families;
	int err = families_find(result, &families);

	for (size_t i = 0; i < families.count && !err; i++)
		err = family_sites(&families.list[i], style, out);
	families_free(&families);
	return err;
}

/* A name out of the document becomes a link only when it is one that a run gives. */
static bool is_profile_file(const char *name)
{
	if (!name || strncmp(name, "profile/", 8) || strstr(name, ".."))
		return false;
	for (name += 8; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("_-.", *name))
			return false;
	return true;
}

void sites_links(const struct result *result, FILE *out)
{
	const char *before = "Flame graphs, and the stacks behind them in the common folded format: ";

	for (size_t i = 0; i < result->case_count; i++) {
		const struct case_result *kase = &result->cases[i];
		const char *flame = json_string_value(json_object_get(kase->profile, "flame"));
		const char *folded = json_string_value(json_object_get(kase->profile, "folded"));

		if (!is_profile_file(flame) || !is_profile_file(folded))
			continue;
		/* by the file's name: a method may have several */
		fprintf(out, "%s[%.*s](%s) ([stacks](%s))", before, (int)strcspn(flame + 8, "."),
			flame + 8, flame, folded);
		before = ", ";
	}
	if (before[0] == ',')
		fputs(".\n\n", out);
}
