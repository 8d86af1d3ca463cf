/* SPDX-License-Identifier: MIT */
/* Sizes as users write them: digits and an optional K, M, G or T, powers of 1024. */
#ifndef COPYTAX_BASE_SIZE_H
#define COPYTAX_BASE_SIZE_H

#include <stddef.h>
#include <stdint.h>

#define SIZE_TEXT_MAX 24

/* Parses all of `text`. Returns 0, -EINVAL for anything else than a size, -ERANGE above 2^63 - 1. */
int size_parse(const char *text, uint64_t *bytes);

/* The shortest exact form: 32768 → "32K", 1000 → "1000". Writes at most SIZE_TEXT_MAX; returns `text`. */
char *size_format(uint64_t bytes, char text[static SIZE_TEXT_MAX]);

#endif
