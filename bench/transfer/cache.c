// SPDX-License-Identifier: MIT
#include "transfer/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES (1u << 20)
#define WINDOW_BYTES (1ul << 30) /* mincore's: a vector of 256 KiB */
#define TRIES 4 /* other readers and the kernel's own batches can undo one attempt */
#define PATIENCE_NS 10000000L /* before each next one: a page that is being read can't be dropped */

#ifndef SYS_cachestat
#define SYS_cachestat 451 /* Linux 6.5; the same number on every architecture */
#endif

const char *const cache_names[CACHES] = { [CACHE_WARM] = "warm", [CACHE_COLD] = "cold",
					 [CACHE_HALF] = "half" };

/* The kernel's ABI for cachestat(2), which older headers lack. */
struct cachestat_range {
	uint64_t offset, length;
};

struct cachestat_answer {
	uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

static int resident_by_mincore(int fd, uint64_t size, uint64_t *resident)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *vector = malloc(WINDOW_BYTES / page);
	int err = vector ? 0 : -ENOMEM;

	*resident = 0;
	for (uint64_t at = 0; at < size && !err; at += WINDOW_BYTES) {
		size_t len = size - at < WINDOW_BYTES ? (size_t)(size - at) : WINDOW_BYTES;
		void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, (off_t)at);

		if (map == MAP_FAILED) {
			err = -errno;
			break;
		}
		if (mincore(map, len, vector))
			err = -errno;
		for (size_t i = 0; i < (len + page - 1) / page && !err; i++)
			*resident += vector[i] & 1;
		munmap(map, len);
	}
	free(vector);
	return err;
}

int cache_resident(int fd, uint64_t size, uint64_t *resident, uint64_t *pages)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct cachestat_range range = { 0, size };
	struct cachestat_answer answer;

	*pages = (size + page - 1) / page;
	if (!size) {
		*resident = 0;
		return 0;
	}
	if (!syscall(SYS_cachestat, fd, &range, &answer, 0)) {
		/* a large folio may reach past the end of the file */
		*resident = answer.cached < *pages ? answer.cached : *pages;
		return 0;
	}
	return resident_by_mincore(fd, size, resident);
}

static int read_through(int fd, uint64_t size)
{
	char *buffer = malloc(READ_BYTES);
	uint64_t at = 0;
	int err = buffer ? 0 : -ENOMEM;

	while (at < size && !err) {
		ssize_t n = pread(fd, buffer, READ_BYTES, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = -errno;
		if (n == 0)
			break;
		at += (uint64_t)n;
	}
	free(buffer);
	return err;
}

static int drop(int fd, int attempt)
{
	const struct timespec pause = { .tv_nsec = PATIENCE_NS };

	if (attempt)
		(void)nanosleep(&pause, NULL);
	/* dirty pages stay: write them first. A file that can't be synced (tmpfs) keeps its pages, and is found out */
	(void)fdatasync(fd);
	return -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

/* Every second stretch, and nothing read ahead of it. */
static int read_half(int fd, uint64_t size)
{
	char *buffer = malloc(READ_BYTES);
	int err = buffer ? -posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM) : -ENOMEM;

	for (uint64_t at = 0; at < size && !err; at += 2UL * CACHE_STRETCH_BYTES)
		for (size_t got = 0; got < CACHE_STRETCH_BYTES && at + got < size && !err;) {
			ssize_t n = pread(fd, buffer, CACHE_STRETCH_BYTES - got, (off_t)(at + got));

			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				err = n < 0 ? -errno : -ENODATA;
			else
				got += (size_t)n;
		}
	free(buffer);
	return err;
}

/* Pages that are not as `half` wants them. */
static int astray_by_range(int fd, uint64_t size, uint64_t *astray)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	for (uint64_t at = 0; at < size; at += CACHE_STRETCH_BYTES) {
		uint64_t length = size - at < CACHE_STRETCH_BYTES ? size - at : CACHE_STRETCH_BYTES;
		uint64_t pages = (length + page - 1) / page;
		struct cachestat_range range = { at, length };
		struct cachestat_answer answer;

		if (syscall(SYS_cachestat, fd, &range, &answer, 0))
			return -errno;
		if (answer.cached > pages)
			answer.cached = pages;
		*astray += at / CACHE_STRETCH_BYTES % 2 ? answer.cached : pages - answer.cached;
	}
	return 0;
}

static int astray_by_mincore(int fd, uint64_t size, uint64_t *astray)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char vector[CACHE_STRETCH_BYTES / 4096];

	for (uint64_t at = 0; at < size; at += CACHE_STRETCH_BYTES) {
		size_t len = size - at < CACHE_STRETCH_BYTES ? (size_t)(size - at) :
							       CACHE_STRETCH_BYTES;
		void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, (off_t)at);
		bool wanted = !(at / CACHE_STRETCH_BYTES % 2);
		int err;

		if (map == MAP_FAILED)
			return -errno;
		err = mincore(map, len, vector) ? -errno : 0;
		for (size_t i = 0; i < (len + page - 1) / page && !err; i++)
			*astray += (vector[i] & 1) != wanted;
		munmap(map, len);
		if (err)
			return err;
	}
	return 0;
}

static int half_astray(int fd, uint64_t size, uint64_t *astray)
{
	int err;

	*astray = 0;
	err = astray_by_range(fd, size, astray);
	if (err != -ENOSYS)
		return err;
	*astray = 0;
	return astray_by_mincore(fd, size, astray);
}

/* What another reader left is dropped first: only a state made from nothing is known. */
/* What can't be read went wrong; a state that can't be had is the machine's, or the file system's. */
static int no_state(const char *path, enum cache cache, int err, struct failure *why)
{
	return fail(why, err == -EIO ? EXIT_TRANSFER_FAILED : EXIT_MACHINE_CANT, -err,
		    "can't bring the page cache of %s into the state '%s': %s", path,
		    cache_names[cache], strerror(-err));
}

static int set_half(int fd, const char *path, uint64_t size, struct failure *why)
{
	uint64_t astray = 0;
	int err = 0;

	for (int i = 0; i < TRIES; i++) {
		err = drop(fd, i);
		err = err ? err : read_half(fd, size);
		err = err ? err : half_astray(fd, size, &astray);
		if (err || !astray)
			break;
	}
	if (err)
		return no_state(path, CACHE_HALF, err, why);
	if (!astray)
		return 0;
	return fail(why, EXIT_MACHINE_CANT, EBUSY,
		    "%" PRIu64
		    " pages of %s are not as the cache state 'half' wants them (on tmpfs pages can't be dropped; some file systems read more than they are asked for)",
		    astray, path);
}

int cache_set(const char *path, uint64_t size, enum cache cache, struct failure *why)
{
	uint64_t resident = 0, pages = 0, wanted = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	struct stat st;

	if (fd < 0)
		return fail(why, EXIT_TRANSFER_FAILED, errno, "can't open the payload %s: %s", path,
			    strerror(errno));
	if (!fstat(fd, &st) && (uint64_t)st.st_size < size) {
		close(fd);
		return fail(why, EXIT_TRANSFER_FAILED, ENODATA,
			    "the payload %s got shorter during the run: %lld of %" PRIu64
			    " bytes are left",
			    path, (long long)st.st_size, size);
	}
	if (cache == CACHE_HALF) {
		err = set_half(fd, path, size, why);
		close(fd);
		return err;
	}
	for (int i = 0; i < TRIES; i++) {
		err = cache_resident(fd, size, &resident, &pages);
		wanted = cache == CACHE_WARM ? pages : 0;
		if (err || resident == wanted)
			break;
		err = cache == CACHE_WARM ? read_through(fd, size) : drop(fd, i);
		if (err)
			break;
		err = cache_resident(fd, size, &resident, &pages);
		if (err || resident == wanted)
			break;
	}
	close(fd);
	if (err)
		return no_state(path, cache, err, why);
	if (resident == wanted)
		return 0;
	if (cache == CACHE_WARM)
		return fail(why, EXIT_MACHINE_CANT, ENOMEM,
			    "only %" PRIu64 " of %" PRIu64
			    " pages of %s stay in the page cache: it needs more free memory, or a smaller --size",
			    resident, pages, path);
	return fail(why, EXIT_MACHINE_CANT, EBUSY,
		    "%" PRIu64 " of %" PRIu64
		    " pages of %s can't be dropped from the page cache (on tmpfs they are the file; elsewhere somebody has it mapped)",
		    resident, pages, path);
}
