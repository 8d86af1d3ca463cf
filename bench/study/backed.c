// SPDX-License-Identifier: MIT
#include "study/backed.h"

#include <string.h>

#include "measure/fact.h"
#include "method/method.h"

#define BACKED_MAX (1ULL << 30)
#define SHARE 4

uint64_t backed_bytes(const json_t *host, const struct plan_case *c)
{
	const char *reporting = json_string_value(fact_value(host, "memory.free_page_reporting"));
	const json_t *available = fact_value(host, "memory.available_bytes"),
		     *limit = fact_value(host, "memory.limit_bytes");
	uint64_t bytes = plan_share(c) * (c->files == FILES_MANY ? c->connections : 1);

	if (c->method->flags & METHOD_BYPASSES_PAGE_CACHE)
		return 0;
	if (c->cache == CACHE_WARM || !reporting || strcmp(reporting, "on") != 0 || bytes > BACKED_MAX)
		return 0;
	if (json_is_number(available) && (double)bytes * SHARE > json_number_value(available))
		return 0;
	if (json_is_number(limit) && (double)bytes * SHARE > json_number_value(limit))
		return 0;
	return bytes;
}
