/* SPDX-License-Identifier: MIT */
/*
 * A mutator that knows JSON: bytes changed at random are hardly ever a document again, and then only the JSON
 * library is tested. It replaces, removes or repeats one value somewhere in the document.
 */
#ifndef COPYTAX_TESTS_FUZZ_JSON_MUTATE_H
#define COPYTAX_TESTS_FUZZ_JSON_MUTATE_H

#include <jansson.h>
#include <stdint.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

struct json_place {
	json_t *parent;
	const char *key; /* of an object's member */
	size_t index;	 /* of an array's item */
	unsigned int seen, random;
};

static unsigned int json_random(unsigned int *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Every value but the document itself, each as likely as any. */
static void json_choose(json_t *parent, struct json_place *place)
{
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach(parent, key, value) {
		if (json_random(&place->random) % ++place->seen == 0) {
			place->parent = parent;
			place->key = key;
		}
		json_choose(value, place);
	}
	json_array_foreach(parent, i, value) {
		if (json_random(&place->random) % ++place->seen == 0) {
			place->parent = parent;
			place->key = NULL;
			place->index = i;
		}
		json_choose(value, place);
	}
}

static json_t *json_other(unsigned int random)
{
	static const double reals[] = { 0, -1, 1e308, -1e308, 1e-308, 0.5, 4294967296.0 };
	static const char *const texts[] = { "", "<b>&\"'|`*_", "read_write", "sendfile", "ok", "failed",
					     "\t\n", "ff", "%s%n", "../../x" };
	char long_text[700];

	switch (random % 11) {
	case 0:
		return json_null();
	case 1:
		return json_boolean(random & 64);
	case 2:
		return json_integer(0);
	case 3:
		return json_integer(-(json_int_t)random);
	case 4:
		return json_integer(INT64_MAX);
	case 5:
		return json_real(reals[random / 16 % (sizeof(reals) / sizeof(reals[0]))]);
	case 6:
		return json_array();
	case 7:
		return json_object();
	case 8:
		memset(long_text, 'x', sizeof(long_text) - 1);
		long_text[sizeof(long_text) - 1] = '\0';
		return json_string(long_text);
	case 9:
		return json_pack("[n, f, {s:i}]", 0.25, "value", 1);
	default:
		return json_string(texts[random / 16 % (sizeof(texts) / sizeof(texts[0]))]);
	}
}

static json_t *json_at(const struct json_place *place)
{
	return place->key ? json_object_get(place->parent, place->key) :
			    json_array_get(place->parent, place->index);
}

static void json_change(json_t *doc, struct json_place *place)
{
	struct json_place from = { .random = json_random(&place->random) };
	json_t *value;

	switch (json_random(&place->random) % 4) {
	case 0: /* gone */
		if (place->key)
			json_object_del(place->parent, place->key);
		else
			json_array_remove(place->parent, place->index);
		return;
	case 1: /* another value of the document in its place */
		json_choose(doc, &from);
		value = json_deep_copy(json_at(&from));
		break;
	case 2: /* twice */
		if (!place->key) {
			json_array_insert_new(place->parent, place->index, json_deep_copy(json_at(place)));
			return;
		}
		/* fall through */
	default:
		value = json_other(json_random(&place->random));
	}
	if (place->key)
		json_object_set_new(place->parent, place->key, value);
	else
		json_array_set_new(place->parent, place->index, value);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	json_t *doc = seed % 16 ? json_loadb((const char *)data, size, 0, NULL) : NULL;
	unsigned int random = seed, times = 1 + json_random(&random) % 4;
	size_t len = 0;
	char *text;

	if (!doc)
		return LLVMFuzzerMutate(data, size, max_size);
	while (times--) {
		struct json_place place = { .random = json_random(&random) };

		json_choose(doc, &place);
		if (place.parent)
			json_change(doc, &place);
	}
	text = json_dumps(doc, JSON_COMPACT);
	if (text && (len = strlen(text)) <= max_size)
		memcpy(data, text, len);
	else
		len = size;
	free(text);
	json_decref(doc);
	return len;
}

#endif
