/* SPDX-License-Identifier: MIT */
/* What the fuzz targets share: the input as a file that a loader can open, and a check that is always on. */
#ifndef COPYTAX_TESTS_FUZZ_H
#define COPYTAX_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_must(int holds)
{
	if (!holds)
		abort();
}

/* A file in memory with the input; `path` opens it. The caller closes the descriptor. */
static inline int fuzz_file(const uint8_t *data, size_t size, char *path, size_t path_size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	fuzz_must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, path_size, "/proc/self/fd/%d", fd);
	return fd;
}

#endif
