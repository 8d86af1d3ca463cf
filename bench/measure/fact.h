/* SPDX-License-Identifier: MIT */
/*
 * A fact is one thing known, or not known, about the machine. It has one of two shapes, the same
 * two that every count of the result document has:
 *
 *	{"value": <anything but null>, "source": "where it was read, or how it was tried"}
 *	{"value": null, "reason": "why it can't be told"}
 *
 * Facts live in groups: {"net": {"congestion_control": {"value": "bbr", "source": "/proc/…"}}}, and
 * are looked up by "net.congestion_control". Sizes are in bytes and say so in their name.
 */
#ifndef COPYTAX_MEASURE_FACT_H
#define COPYTAX_MEASURE_FACT_H

#include <jansson.h>
#include <stddef.h>

/* A known fact; takes over `value`. A NULL value (out of memory) becomes an unknown one. */
json_t *fact_known(json_t *value, const char *source);

/* An unknown fact. */
json_t *fact_unknown(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Adds `fact` (taken over) to a group of `host`, which is made when it isn't there yet. */
void fact_put(json_t *host, const char *group, const char *name, json_t *fact);

/* The value of "group.name", borrowed from `host`; NULL when it isn't known. */
const json_t *fact_value(const json_t *host, const char *name);

/* Why fact_value() has none; a string that lives as long as `host`, never NULL. */
const char *fact_reason(const json_t *host, const char *name);

/* How the content of a one-line file becomes a value. */
enum fact_kind {
	FACT_TEXT,	/* the line */
	FACT_NUMBER,	/* an integer */
	FACT_KIB,	/* an integer in KiB, kept in bytes */
	FACT_NUMBERS,	/* [1, 2, 3] */
	FACT_WORDS,	/* ["reno", "cubic"] */
	FACT_BRACKETED, /* the chosen one of "always [madvise] never" */
};

/*
 * A fact from a file. `absent`: what it means when the file isn't there; NULL for no more than
 * that.
 */
json_t *fact_from_file(const char *path, enum fact_kind kind, const char *absent);

/* The first line of a file without its newline. Returns 0 or -errno (-ENODATA: it is empty). */
int first_line(const char *path, char *text, size_t size);

#endif
