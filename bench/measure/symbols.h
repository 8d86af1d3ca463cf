/* SPDX-License-Identifier: MIT */
/* Names of code addresses: the kernel's from /proc/kallsyms, a process's from the ELF files it maps. */
#ifndef COPYTAX_MEASURE_SYMBOLS_H
#define COPYTAX_MEASURE_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct symbols;

/*
 * `path`: "/proc/kallsyms", or a recorded one. Returns 0; -ENODATA, -errno with a `reason` that names what hides
 * the addresses (kptr_restrict, a missing file): then *out is NULL, which symbol_of() takes.
 */
int symbols_of_kernel(const char *path, struct symbols **out, char *reason, size_t size);

/* The process must still exist. Returns 0 or -errno. */
int symbols_of_process(pid_t pid, struct symbols **out);

/*
 * The function at `address`; where there is none, the file in brackets ("[libc.so.6]") or "[unknown]". Never NULL;
 * lives as long as `symbols`.
 */
const char *symbol_of(const struct symbols *symbols, uint64_t address);

void symbols_free(struct symbols *symbols);

#endif
