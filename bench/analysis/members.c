// SPDX-License-Identifier: MIT
#include "analysis/members.h"

#include <math.h>
#include <string.h>

double member_number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

json_t *member_by_id(const json_t *list, const char *id)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *one = json_array_get(list, i);
		const char *own = json_string_value(json_object_get(one, "id"));

		if (own && id && !strcmp(own, id))
			return one;
	}
	return NULL;
}
