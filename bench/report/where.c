// SPDX-License-Identifier: MIT
#include "report/where.h"

#include <math.h>
#include <string.h>

#include "analysis/sites.h"
#include "report/families.h"
#include "report/grid.h"

static double number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static const json_t *site_of(const struct case_result *c, enum cpu_site site)
{
	return json_object_get(json_object_get(c->profile, "sites"), cpu_site_names[site]);
}

static bool profiled(const struct family *family, const struct case_result *c)
{
	return c->chunk == family->chunk && number_of(c->profile, "samples") > 0 &&
	       json_is_object(site_of(c, CPU_COPYING));
}

static bool site_seen(const struct family *family, enum cpu_site site)
{
	for (size_t i = 0; i < family->count; i++)
		if (profiled(family, family->cases[i]) &&
		    number_of(site_of(family->cases[i], site), "samples") > 0)
			return true;
	return false;
}

/* "22.6% (20.2–25.1)" */
static void share_cell(struct grid *grid, const json_t *site)
{
	double share = number_of(site, "share");

	if (isnan(share))
		grid_cell(grid, "%s", UNKNOWN);
	else
		grid_cell(grid, "%.1f%% (%.1f–%.1f)", 100 * share, 100 * number_of(site, "low"),
			  100 * number_of(site, "high"));
}

static int write_family(const struct family *family, enum style style, FILE *out)
{
	struct grid grid = { 0 };
	char title[400], text[FORMAT_MAX];
	bool any = false;
	int err;

	for (size_t i = 0; i < family->count; i++)
		any |= profiled(family, family->cases[i]);
	if (!any)
		return 0;
	family_title(family, &family->chunk, title, sizeof(title));
	fputs(style == STYLE_MARKDOWN ? "**" : "", out);
	put_text(out, style, title);
	fputs(style == STYLE_MARKDOWN ? "**\n\n" : "\n", out);
	grid_column(&grid, "", "part", true);
	for (size_t i = 0; i < family->count; i++)
		if (profiled(family, family->cases[i]))
			grid_column(&grid, "", family->cases[i]->method, false);
	for (int s = 0; s < CPU_SITES; s++) {
		if (!site_seen(family, (enum cpu_site)s))
			continue;
		grid_row(&grid);
		grid_cell(&grid, "%s", cpu_site_titles[s]);
		for (size_t i = 0; i < family->count; i++)
			if (profiled(family, family->cases[i]))
				share_cell(&grid, site_of(family->cases[i], (enum cpu_site)s));
	}
	grid_row(&grid);
	grid_cell(&grid, "stacks sampled");
	for (size_t i = 0; i < family->count; i++)
		if (profiled(family, family->cases[i]))
			grid_cell(&grid, "%s",
				  format_count(number_of(family->cases[i]->profile, "samples"),
					       text));
	err = grid_finish(&grid, style, out);
	putc('\n', out);
	return err;
}

/* The reason of the first case that has one: why there is no table at all. */
static const char *reason_of(const struct result *result)
{
	for (size_t i = 0; i < result->case_count; i++) {
		const json_t *profile = result->cases[i].profile;
		const char *reason = json_string_value(json_object_get(profile, "reason"));

		if (!reason)
			reason = json_string_value(
				json_object_get(json_object_get(profile, "sites"), "reason"));
		if (reason)
			return reason;
	}
	return "no stacks were sampled; 'copytax run --profile' does";
}

/* Links to the flame graphs; only to names that the profile pass gives its files. */
static void put_flames(const struct result *result, enum style style, FILE *out)
{
	const char *before = "Flame graphs: ";

	if (style != STYLE_MARKDOWN)
		return;
	for (size_t i = 0; i < result->case_count; i++) {
		const struct case_result *c = &result->cases[i];
		const char *file = json_string_value(json_object_get(c->profile, "flame"));
		static const char safe[] = "abcdefghijklmnopqrstuvwxyz0123456789_-.KMG";
		size_t len = file ? strlen(file) : 0;

		if (len < 14 || strncmp(file, "profile/", 8) || strcmp(file + len - 5, ".html") ||
		    strspn(file + 8, safe) != len - 8)
			continue;
		fputs(before, out);
		putc('[', out);
		put_markdown(out, c->method);
		fprintf(out, "](%s)", file);
		before = ", ";
	}
	if (before[0] == ',')
		fputs(".\n", out);
}

int where_write(const struct result *result, enum style style, FILE *out)
{
	struct families families;
	int err = families_find(result, &families);
	long before = ftell(out);

	for (size_t i = 0; i < families.count && !err; i++)
		err = write_family(&families.list[i], style, out);
	families_free(&families);
	if (!err && ftell(out) != before) {
		put_text(out, style,
			 "In brackets the 95% interval of a share, by the number of stacks. Copying "
			 "is the payload's own moves alone.");
		fputs("\n\n", out);
		put_flames(result, style, out);
	} else if (!err && result->case_count) {
		fputs("No figures: ", out);
		put_text(out, style, reason_of(result));
		fputs(".\n", out);
	}
	return err;
}
