// SPDX-License-Identifier: MIT
#include "measure/findings_ground.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "measure/fact.h"

void finding_say(struct finding *f, enum finding_level level, const char *format, ...)
{
	va_list args;

	f->level = level;
	va_start(args, format);
	vsnprintf(f->what, sizeof(f->what), format, args);
	va_end(args);
}

void finding_change(struct finding *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->change, sizeof(f->change), format, args);
	va_end(args);
}

const json_t *ground_need(const struct ground *g, struct finding *f, const char *name)
{
	const json_t *value = fact_value(g->host, name);

	if (!value)
		finding_say(f, FINDING_UNKNOWN, "%s", fact_reason(g->host, name));
	return value;
}

const char *ground_need_text(const struct ground *g, struct finding *f, const char *name)
{
	const json_t *value = ground_need(g, f, name);

	if (value && !json_is_string(value))
		finding_say(f, FINDING_UNKNOWN, "%s is not a text", name);
	return json_string_value(value);
}

bool ground_need_number(const struct ground *g, struct finding *f, const char *name, double *number)
{
	const json_t *value = ground_need(g, f, name);

	if (value && !json_is_number(value))
		finding_say(f, FINDING_UNKNOWN, "%s is not a number", name);
	*number = json_number_value(value);
	return json_is_number(value);
}

const char *ground_text(const struct ground *g, const char *name)
{
	const char *value = json_string_value(fact_value(g->host, name));

	return value ? value : "";
}

bool ground_is_guest(const struct ground *g)
{
	const char *name = ground_text(g, "cpu.hypervisor");

	return name[0] && strcmp(name, "none") != 0;
}

bool ground_has_word(const json_t *list, const char *word)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const char *one = json_string_value(json_array_get(list, i));

		if (one && !strcmp(one, word))
			return true;
	}
	return false;
}

bool ground_one_of(const char *name, const char *const *names, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}
