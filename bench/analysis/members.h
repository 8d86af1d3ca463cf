/* SPDX-License-Identifier: MIT */
/* Members of JSON documents that may lack them. */
#ifndef COPYTAX_ANALYSIS_MEMBERS_H
#define COPYTAX_ANALYSIS_MEMBERS_H

#include <jansson.h>

/* NaN where there is no such member, or it is no number. */
double member_number(const json_t *object, const char *key);

/* The first object of a list whose "id" this is, or NULL; the list's. */
json_t *member_by_id(const json_t *list, const char *id);

#endif
