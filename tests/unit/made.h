/* SPDX-License-Identifier: MIT */
/* A case made up for a test: 10^9 bytes by one method, in pieces of 32 KiB, warm, drained, over TCP. Include after cmocka.h. */
#ifndef COPYTAX_TESTS_MADE_H
#define COPYTAX_TESTS_MADE_H

#include <string.h>

#include "result/result.h"

/* Without samples and conditions. Valid until the next one is made of the same result. */
static inline struct case_result *made_case(struct result *r, const char *method)
{
	struct case_result *c = result_add_case(r);

	assert_non_null(c);
	c->method = strdup(method);
	c->cache = strdup("warm");
	c->sink = strdup("drain");
	c->link = strdup("tcp");
	c->chunk = 32768;
	c->payload = 1000000000;
	c->connections = 1;
	return c;
}

#endif
