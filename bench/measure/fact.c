// SPDX-License-Identifier: MIT
#include "measure/fact.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096

json_t *fact_known(json_t *value, const char *source)
{
	if (!value)
		return fact_unknown("out of memory");
	return json_pack("{s:o, s:s}", "value", value, "source", source);
}

json_t *fact_unknown(const char *format, ...)
{
	char reason[512];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	return json_pack("{s:n, s:s}", "value", "reason", reason);
}

void fact_put(json_t *host, const char *group, const char *name, json_t *fact)
{
	json_t *facts = json_object_get(host, group);

	if (!facts) {
		facts = json_object();
		if (json_object_set_new(host, group, facts)) {
			json_decref(fact);
			return;
		}
	}
	json_object_set_new(facts, name, fact);
}

static const json_t *find(const json_t *host, const char *name)
{
	const char *dot = strchr(name, '.');
	char group[32];

	if (!dot || (size_t)(dot - name) >= sizeof(group))
		return NULL;
	snprintf(group, sizeof(group), "%.*s", (int)(dot - name), name);
	return json_object_get(json_object_get(host, group), dot + 1);
}

const json_t *fact_value(const json_t *host, const char *name)
{
	const json_t *value = json_object_get(find(host, name), "value");

	return json_is_null(value) ? NULL : value;
}

const char *fact_reason(const json_t *host, const char *name)
{
	const char *reason = json_string_value(json_object_get(find(host, name), "reason"));

	return reason ? reason : "not recorded";
}

int first_line(const char *path, char *text, size_t size)
{
	ssize_t got;
	int file, err = 0;

	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -errno;
	got = read(file, text, size - 1);
	if (got < 0)
		err = -errno;
	close(file);
	if (err)
		return err;
	text[got] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return text[0] ? 0 : -ENODATA;
}

static json_t *number(const char *text, long long scale)
{
	long long value;
	char *end;

	errno = 0;
	value = strtoll(text, &end, 0);
	if (errno || end == text || *end)
		return NULL;
	return json_integer(value * scale);
}

static json_t *list(char *text, bool numbers)
{
	json_t *values = json_array();
	char *word, *rest;

	for (word = strtok_r(text, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		json_t *value = numbers ? number(word, 1) : json_string(word);

		if (!value || json_array_append_new(values, value)) {
			json_decref(values);
			return NULL;
		}
	}
	return values;
}

static json_t *bracketed(const char *text)
{
	const char *from = strchr(text, '['), *to = from ? strchr(from, ']') : NULL;

	/* a file with a single choice may leave out the brackets */
	if (!to)
		return json_string(text);
	return json_stringn(from + 1, (size_t)(to - from) - 1);
}

json_t *fact_from_file(const char *path, enum fact_kind kind, const char *absent)
{
	char text[LINE_MAX_BYTES], shown[LINE_MAX_BYTES];
	json_t *value = NULL;
	int err;

	err = first_line(path, text, sizeof(text));
	if (err == -ENOENT && absent)
		return fact_unknown("%s (no %s)", absent, path);
	if (err)
		return fact_unknown("%s: %s", path, err == -ENODATA ? "empty" : strerror(-err));
	/* list() takes the text apart */
	memcpy(shown, text, sizeof(shown));

	switch (kind) {
	case FACT_TEXT:
		value = json_string(text);
		break;
	case FACT_NUMBER:
		value = number(text, 1);
		break;
	case FACT_KIB:
		value = number(text, 1024);
		break;
	case FACT_NUMBERS:
	case FACT_WORDS:
		value = list(text, kind == FACT_NUMBERS);
		break;
	case FACT_BRACKETED:
		value = bracketed(text);
		break;
	}
	if (!value)
		return fact_unknown("%s says \"%.60s\", which is not understood", path, shown);
	return fact_known(value, path);
}
