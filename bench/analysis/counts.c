// SPDX-License-Identifier: MIT
#include "analysis/counts.h"

#include <math.h>
#include <string.h>

#include "analysis/members.h"

double count_of(const struct case_result *kase, const char *name, const char *part)
{
	const json_t *entry = json_object_get(kase->counts, name);
	double value = member_number(entry, "value");

	if (!part)
		return value;
	if (isnan(value))
		return NAN;
	entry = json_object_get(json_object_get(entry, "by"), part);
	/* the parts are a whole table: what is not in it did not happen */
	return json_is_number(entry) ? json_number_value(entry) : 0;
}

double copied_bytes(const struct case_result *kase, const char *site)
{
	return member_number(json_object_get(kase->copies, site), "bytes");
}

double sender_copied_bytes(const struct case_result *kase)
{
	/* documents from before there was this site had no link that needs it */
	double linearized = json_object_get(kase->copies, "linearized") ?
				    copied_bytes(kase, "linearized") :
				    0;

	return copied_bytes(kase, "file_to_user") + copied_bytes(kase, "file_to_kernel") +
	       copied_bytes(kase, "user_to_socket") + copied_bytes(kase, "deferred") + linearized;
}

const char *count_reason(const struct case_result *kase, const char *name)
{
	return json_string_value(json_object_get(json_object_get(kase->counts, name), "reason"));
}

const char *copy_reason(const struct case_result *kase, const char *site)
{
	return json_string_value(json_object_get(json_object_get(kase->copies, site), "reason"));
}

const struct case_result *main_case(const struct result *result, const char *method,
				    const char *cache)
{
	const json_t *set = json_object_get(result->settings, "chunk_default");
	uint64_t wanted = json_is_integer(set) ? (uint64_t)json_integer_value(set) : 0;

	for (size_t i = 0; i < result->case_count; i++) {
		const struct case_result *c = &result->cases[i];

		if (c->status == CASE_OK && !strcmp(c->method, method) && !strcmp(c->cache, cache) &&
		    !strcmp(c->sink, "drain") && c->connections == 1 && c->chunk == wanted)
			return c;
	}
	return NULL;
}

double rounds_of(const struct case_result *kase)
{
	uint64_t chunk = kase->chunk ? kase->chunk : kase->payload;

	return chunk ? (double)((kase->payload + chunk - 1) / chunk) : 0;
}
