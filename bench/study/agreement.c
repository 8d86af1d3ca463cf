// SPDX-License-Identifier: MIT
#include "study/agreement.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analysis/copy_price.h"
#include "analysis/counts.h"
#include "analysis/sites.h"
#include "analysis/summary.h"

static double timed_cpu(const struct result *result, const struct case_result *c)
{
	struct case_summary summary;

	if (summarize(result, c, &summary) || !summary.field[SAMPLE_SENDER_CPU_S].n)
		return NAN;
	return summary.field[SAMPLE_SENDER_CPU_S].median;
}

/* From the document's shares back to samples; false when the profile has no sites. */
static bool shares_of(const struct case_result *c, struct site_shares *out)
{
	const json_t *sites = json_object_get(c->profile, "sites");

	*out = (struct site_shares){ 0 };
	for (int site = 0; site < CPU_SITES; site++) {
		const json_t *n = json_object_get(json_object_get(sites, cpu_site_names[site]),
						  "samples");

		if (json_is_integer(n))
			out->samples[site] = (uint64_t)json_integer_value(n);
		out->all += out->samples[site];
	}
	return out->all > 0;
}

/* Were most of its transfers at another distance of the CPUs than the timed ones, whose CPU time it divides? */
static bool elsewhere(const json_t *profile)
{
	return 2 * json_integer_value(json_object_get(profile, "transfers_apart")) >
	       json_integer_value(json_object_get(profile, "transfers"));
}

static json_t *judge(const struct result *result, const struct case_result *c,
		     const struct site_shares *shares)
{
	double copied = sender_copied_bytes(c);
	const char *source = "", *reason = NULL;
	double price = copy_price(result, c, &source, &reason), direct = copy_price_direct(result, c);
	json_t *said = sites_agreement(shares, timed_cpu(result, c), copied, price);

	if (!said)
		return NULL;
	if (price > 0)
		json_object_set_new(said, "counted_source", json_string(source));
	/* the particular reason, where it is the price that is missing */
	else if (copied > 0 && reason)
		json_object_set_new(said, "reason", json_string(reason));
	if (json_is_boolean(json_object_get(said, "agree")) && elsewhere(c->profile)) {
		/* the shares of one distance, the CPU time of another: no price at all */
		json_object_set_new(said, "profile_ns_per_kib", json_null());
		json_object_set_new(said, "difference", json_null());
		json_object_set_new(said, "agree", json_null());
		json_object_set_new(
			said, "reason",
			json_string(
				"most sampled transfers were at another distance of the CPUs than the timed ones"));
	}
	if (direct > 0)
		json_object_set_new(said, "direct_ns_per_kib", json_real(direct));
	return said;
}

void agreement_judge(struct result *result)
{
	char list[400] = "", text[520];

	for (size_t i = 0; i < result->case_count; i++) {
		struct case_result *c = &result->cases[i];
		struct site_shares shares;
		size_t used = strlen(list);
		json_t *said = shares_of(c, &shares) ? judge(result, c, &shares) : NULL;

		if (!said)
			continue;
		if (json_is_false(json_object_get(said, "agree")) && used + 80 < sizeof(list))
			snprintf(list + used, sizeof(list) - used, "%s%.30s %.0f and %.0f ns per KiB",
				 used ? ", " : "", c->method,
				 json_number_value(json_object_get(said, "profile_ns_per_kib")),
				 json_number_value(json_object_get(said, "counted_ns_per_kib")));
		json_object_set_new(c->profile, "agreement", said);
	}
	if (!list[0])
		return;
	snprintf(text, sizeof(text),
		 "by the profile and by the counted bytes a copy costs differently, by more than a quarter: %s", list);
	result_warn(result, "copy_prices_apart", text,
		    "a fitted price is an average over all copies and holds what comes with them (buffers, segments, wake-ups); the profile has the moves alone, and few samples of them where they are cheap: don't take one for the other");
}
