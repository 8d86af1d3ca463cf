// SPDX-License-Identifier: MIT
#include "result/result.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const field_names[SAMPLE_FIELDS] = {
	[SAMPLE_WALL_S] = "wall_s",
	[SAMPLE_SENDER_CPU_S] = "sender_cpu_s",
	[SAMPLE_RECEIVER_CPU_S] = "receiver_cpu_s",
	[SAMPLE_SYSTEM_CPU_S] = "system_cpu_s",
	[SAMPLE_STEAL_S] = "steal_s",
	[SAMPLE_YARDSTICK_S] = "yardstick_s",
	[SAMPLE_SETUP_CPU_S] = "setup_cpu_s",
	[SAMPLE_RELEASE_CPU_S] = "release_cpu_s",
	[SAMPLE_CORE_LATENCY_S] = "core_latency_s",
	[SAMPLE_CORE_LATENCY_AFTER_S] = "core_latency_after_s",
	[SAMPLE_SHARE_MIN] = "share_min",
	[SAMPLE_SHARE_MAX] = "share_max",
	[SAMPLE_SHARE_JAIN] = "share_jain",
	[SAMPLE_FAULTS_MINOR] = "faults_minor",
	[SAMPLE_FAULTS_MAJOR] = "faults_major",
	[SAMPLE_SWITCHES_VOLUNTARY] = "switches_voluntary",
	[SAMPLE_SWITCHES_INVOLUNTARY] = "switches_involuntary",
	[SAMPLE_RECEIVER_SWITCHES_VOLUNTARY] = "receiver_switches_voluntary",
	[SAMPLE_DELIVERIES] = "deliveries",
	[SAMPLE_ROUND] = "round",
	[SAMPLE_POSITION] = "position",
	[SAMPLE_WARMUP] = "warmup",
	[SAMPLE_APART] = "apart",
	[SAMPLE_GATHER_S] = "gather_s",
};

const char *sample_field_name(enum sample_field field)
{
	return field_names[field];
}

struct result *result_new(void)
{
	struct result *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->tool = json_object();
	r->run = json_object();
	r->host = json_object();
	r->settings = json_object();
	r->prices = json_object();
	r->warnings = json_array();
	r->probes = json_array();
	r->claims = json_array();
	if (r->tool && r->run && r->host && r->settings && r->prices && r->warnings && r->probes &&
	    r->claims)
		return r;
	result_free(r);
	return NULL;
}

static void case_clear(struct case_result *c)
{
	free(c->method);
	free(c->cache);
	free(c->sink);
	free(c->link);
	free(c->reason);
	for (int f = 0; f < SAMPLE_FIELDS; f++)
		free(c->samples.value[f]);
	json_decref(c->conditions);
	json_decref(c->link_actual);
	json_decref(c->notes);
	json_decref(c->method_figures);
	json_decref(c->counts);
	json_decref(c->copies);
	json_decref(c->events);
	json_decref(c->figures);
	json_decref(c->energy);
	json_decref(c->profile);
	json_decref(c->verified);
}

void result_free(struct result *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->case_count; i++)
		case_clear(&r->cases[i]);
	free(r->cases);
	json_decref(r->tool);
	json_decref(r->run);
	json_decref(r->host);
	json_decref(r->settings);
	json_decref(r->prices);
	json_decref(r->warnings);
	json_decref(r->probes);
	json_decref(r->claims);
	free(r);
}

struct case_result *result_add_case(struct result *r)
{
	struct case_result *cases, *c;

	cases = realloc(r->cases, (r->case_count + 1) * sizeof(*cases));
	if (!cases)
		return NULL;
	r->cases = cases;
	c = &cases[r->case_count];
	memset(c, 0, sizeof(*c));
	c->conditions = json_object();
	c->link_actual = json_object();
	c->notes = json_array();
	c->method_figures = json_object();
	c->counts = json_object();
	c->copies = json_object();
	c->events = json_array();
	c->figures = json_object();
	c->energy = json_object();
	c->profile = json_object();
	c->verified = json_object();
	if (!c->conditions || !c->link_actual || !c->notes || !c->method_figures || !c->counts || !c->copies || !c->events || !c->figures || !c->energy || !c->profile ||
	    !c->verified) {
		case_clear(c);
		return NULL;
	}
	r->case_count++;
	return c;
}

json_t *case_condition(const struct case_result *c, const char *key)
{
	json_t *known = json_object_get(c->conditions, key);

	if (known)
		return json_incref(known);
	if (!strcmp(key, "chunk"))
		return json_integer((json_int_t)c->chunk);
	if (!strcmp(key, "connections"))
		return json_integer((json_int_t)c->connections);
	if (!strcmp(key, "payload") || !strcmp(key, "size"))
		return json_integer((json_int_t)c->payload);
	if (!strcmp(key, "cache"))
		return json_string(c->cache);
	if (!strcmp(key, "sink"))
		return json_string(c->sink);
	if (!strcmp(key, "link"))
		return json_string(c->link);
	return json_null();
}

/* Some conditions change with another whether one wants it or not. */
static bool follows(const char *key, const char *from)
{
	static const struct {
		const char *from, *keys[8];
	} all[] = {
		{ "size", { "payload" } },
		{ "connections", { "payload", "each", "files" } },
		{ "each", { "payload" } },
		{ "link", { "congestion_control", "nodelay", "lead", "mtu", "offload", "scatter_gather" } },
		{ "scatter_gather", { "offload" } },
	};

	if (!from)
		return false;
	if (!strcmp(key, from))
		return true;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (size_t k = 0; !strcmp(from, all[i].from) && all[i].keys[k]; k++)
			if (!strcmp(key, all[i].keys[k]))
				return true;
	return false;
}

bool case_same_conditions(const struct case_result *a, const struct case_result *b, const char *but,
			  const char *nor)
{
	static const char *const own[] = { "chunk", "payload", "connections", "cache", "sink", "link" };
	const char *key;
	json_t *value;

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		json_t *x, *y;
		bool same;

		if (follows(own[i], but) || follows(own[i], nor))
			continue;
		x = case_condition(a, own[i]);
		y = case_condition(b, own[i]);
		same = json_equal(x, y);
		json_decref(x);
		json_decref(y);
		if (!same)
			return false;
	}
	/* a document from before there were any says nothing against */
	if (!json_object_size(a->conditions) || !json_object_size(b->conditions))
		return true;
	json_object_foreach(a->conditions, key, value)
		if (!follows(key, but) && !follows(key, nor) &&
		    !json_equal(value, json_object_get(b->conditions, key)))
			return false;
	/* one that only the other has */
	json_object_foreach(b->conditions, key, value)
		if (!follows(key, but) && !follows(key, nor) && !json_object_get(a->conditions, key))
			return false;
	return true;
}

long samples_add(struct samples *s)
{
	if (s->count == s->capacity) {
		size_t capacity = s->capacity ? 2 * s->capacity : 16;

		for (int f = 0; f < SAMPLE_FIELDS; f++) {
			double *grown = realloc(s->value[f], capacity * sizeof(*grown));

			if (!grown)
				return -ENOMEM;
			s->value[f] = grown;
		}
		s->capacity = capacity;
	}
	for (int f = 0; f < SAMPLE_FIELDS; f++)
		s->value[f][s->count] = NAN;
	return (long)s->count++;
}

void result_warn(struct result *r, const char *code, const char *text, const char *effect)
{
	json_t *known;
	size_t i;

	json_array_foreach(r->warnings, i, known) {
		const char *there = json_string_value(json_object_get(known, "code"));

		if (there && !strcmp(there, code))
			return;
	}
	json_array_append_new(r->warnings, json_pack("{s:s, s:s, s:s}", "code", code, "text", text,
						     "effect", effect));
}

json_t *measured(double value, const char *source)
{
	/* counts are whole numbers; doubles hold them exactly up to 2^53 */
	json_t *number = value == floor(value) && fabs(value) < 9e15 ?
				 json_integer((json_int_t)value) :
				 json_real(value);

	return json_pack("{s:o, s:s}", "value", number, "source", source);
}

json_t *unmeasured(const char *reason)
{
	return json_pack("{s:n, s:s}", "value", "reason", reason);
}
