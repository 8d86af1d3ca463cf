// SPDX-License-Identifier: MIT
/* What a study will take, before anything is measured; and how its cases and files are called. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "study/study.h"

/* Assumed, not measured: of the right order on machines of the last ten years. */
#define WARM_BYTES_PER_S 1.5e9
#define COLD_BYTES_PER_S 0.4e9
#define DIRECT_BYTES_PER_S 0.25e9
#define HASH_BYTES_PER_S 1e9
#define CALL_S 2e-6
#define TRANSFER_S 0.05 /* starting two processes, and the pause before "go" */
#define CONNECTION_S 1e-4

static double transfer_guess(const struct plan_case *c)
{
	double bytes = (double)plan_payload(c);
	double rate = c->method->flags & METHOD_BYPASSES_PAGE_CACHE ? DIRECT_BYTES_PER_S :
		      c->cache == CACHE_WARM			    ? WARM_BYTES_PER_S :
								      COLD_BYTES_PER_S;
	double calls = c->chunk ? bytes / (double)c->chunk : 1;

	return TRANSFER_S + c->connections * CONNECTION_S + bytes / rate + calls * CALL_S;
}

double study_guess(const struct plan_case *cases, size_t count, unsigned int warmup,
		   unsigned int watched, double *longest)
{
	double sum = 0;

	*longest = 0;
	for (size_t i = 0; i < count; i++) {
		double one = transfer_guess(&cases[i]);
		/* verified, sampled, watched, and once with events */
		double times = 2 + (double)(watched ? 1 : 0) +
			       (cases[i].sink == SINK_VERIFY ? 0 : (double)(warmup + cases[i].rounds));

		*longest = one > *longest ? one : *longest;
		sum += times * one + (double)plan_payload(&cases[i]) / HASH_BYTES_PER_S;
	}
	return sum;
}

void study_case_text(const struct plan_case *c, char *text, size_t size)
{
	static const enum dimension always[] = { DIM_CHUNK, DIM_CACHE };
	char value[DIMENSION_TEXT_MAX];

	snprintf(text, size, "%s", c->method->name);
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		snprintf(text + strlen(text), size - strlen(text), " %s",
			 dimension_format(always[i], &c->at[always[i]], value));
	for (enum dimension d = 0; d < DIMENSIONS; d++) {
		union dimension_value usual = dimension_default(d);

		if (d == DIM_CHUNK || d == DIM_CACHE || d == DIM_SIZE ||
		    dimension_equal(&usual, &c->at[d]))
			continue;
		dimension_format(d, &c->at[d], value);
		if (strcmp(value, "-"))
			snprintf(text + strlen(text), size - strlen(text), " %s=%s",
				 dimensions[d].name, value);
	}
}

void study_files(const char *beginning, const struct plan_case *c, char *path, size_t size)
{
	snprintf(path, size, "%s-%ux%" PRIu64, beginning, c->connections, plan_share(c));
}
