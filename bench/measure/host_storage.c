// SPDX-License-Identifier: MIT
/* Where the payload lies: file system, device, room, and what direct I/O really does there. */
#include "measure/host_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "measure/fact.h"

#define GROUP "storage"
/* The largest alignment tried, and with it the size of the file that is tried on. */
#define ALIGN_MOST ((size_t)65536)
#define ALIGN_LEAST ((size_t)512)

static void put(json_t *host, const char *name, json_t *fact)
{
	fact_put(host, GROUP, name, fact);
}

/* A line of /proc/self/mountinfo, as far as it matters. */
struct mount {
	char type[64], source[PATH_MAX], options[1024], super_options[2048];
};

/* The mount with this ID, or else the last one on this device. */
static bool find_mount(uint64_t id, dev_t dev, struct mount *m)
{
	unsigned int major_nr, minor_nr;
	unsigned long long line_id;
	size_t size = 0;
	char *line = NULL;
	bool found = false;
	FILE *file;

	file = fopen("/proc/self/mountinfo", "re");
	while (file && getline(&line, &size, file) > 0) {
		/* ID parent major:minor root point options [tags…] - type source super_options */
		const char *tail = strstr(line, " - ");
		struct mount one;

		if (sscanf(line, "%llu %*u %u:%u %*s %*s %1023s", &line_id, &major_nr, &minor_nr,
			   one.options) != 4 ||
		    !tail ||
		    sscanf(tail, " - %63s %4095s %2047s", one.type, one.source,
			   one.super_options) != 3)
			continue;
		if (id ? line_id != id : makedev(major_nr, minor_nr) != dev)
			continue;
		*m = one;
		found = true;
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}

/* Only options that bear on reading a file: others may hold names of users and servers. */
static void keep_options(json_t *kept, char *options)
{
	static const char *const names[] = {
		"ro",	       "rw",
		"noatime",     "relatime",
		"strictatime", "sync",
		"compress",    "data",
		"dax",	       "nobarrier",
		"huge",	       "discard",
		"cache",       "compress-force",
		"nodatacow",
	};
	char *word, *rest;
	size_t i, j;

	for (word = strtok_r(options, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			size_t length = strcspn(word, "=");
			bool seen = false;

			for (j = 0; j < json_array_size(kept); j++)
				seen |= !strcmp(json_string_value(json_array_get(kept, j)), word);
			if (!seen && strlen(names[i]) == length && !strncmp(names[i], word, length))
				json_array_append_new(kept, json_string(word));
		}
	}
}

/*
 * The block device under a file: its own number, or that of the mount's source (Btrfs numbers
 * itself).
 */
static bool block_device(dev_t dev, const char *source, dev_t *block)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	if (!stat(path, &st)) {
		*block = dev;
		return true;
	}
	if (source[0] == '/' && !stat(source, &st) && S_ISBLK(st.st_mode)) {
		*block = st.st_rdev;
		return true;
	}
	return false;
}

static json_t *device_file(const char *sys, const char *name, enum fact_kind kind,
			   const char *absent)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", sys, name);
	return fact_from_file(path, kind, absent);
}

static void device(json_t *host, dev_t dev, const struct mount *m)
{
	static const char *const names[] = { "device", "device_model", "rotational", "scheduler",
					     "read_ahead_bytes" };
	const char *no_model = "the device doesn't name a model, as virtual and stacked ones don't";
	char path[64], sys[PATH_MAX], bdi[96];
	json_t *ahead, *rotational;
	struct stat st;
	dev_t block;
	size_t i;

	snprintf(bdi, sizeof(bdi), "/sys/class/bdi/%u:%u/read_ahead_kb", major(dev), minor(dev));
	if (!block_device(dev, m->source, &block)) {
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			put(host, names[i], fact_unknown("%s is not on a block device", m->type));
		if (!access(bdi, R_OK))
			put(host, "read_ahead_bytes", fact_from_file(bdi, FACT_KIB, NULL));
		return;
	}
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(block), minor(block));
	if (!realpath(path, sys)) {
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			put(host, names[i], fact_unknown("%s: %s", path, strerror(errno)));
		return;
	}
	put(host, "device", fact_known(json_string(strrchr(sys, '/') + 1), "sysfs"));
	/* the queue and the model belong to the whole disk */
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", major(block), minor(block));
	if (!stat(path, &st))
		*strrchr(sys, '/') = '\0';

	put(host, "device_model", device_file(sys, "device/model", FACT_TEXT, no_model));
	rotational = device_file(sys, "queue/rotational", FACT_NUMBER, NULL);
	if (json_is_integer(json_object_get(rotational, "value")))
		json_object_set_new(
			rotational, "value",
			json_boolean(json_integer_value(json_object_get(rotational, "value"))));
	put(host, "rotational", rotational);
	put(host, "scheduler", device_file(sys, "queue/scheduler", FACT_BRACKETED, NULL));
	/* the file system's own setting, where it has one, is the one that counts */
	ahead = access(bdi, R_OK) ? device_file(sys, "queue/read_ahead_kb", FACT_KIB, NULL)
				  : fact_from_file(bdi, FACT_KIB, NULL);
	put(host, "read_ahead_bytes", ahead);
}

/* The ID of the mount a path is on; 0 when the kernel (before 5.8) or its headers don't know it. */
static uint64_t mount_id(const char *at)
{
#ifdef STATX_MNT_ID
	struct statx stx;

	if (!statx(AT_FDCWD, at, 0, STATX_MNT_ID, &stx) && stx.stx_mask & STATX_MNT_ID)
		return stx.stx_mnt_id;
#endif
	(void)at;
	return 0;
}

static void mounted(json_t *host, const char *at, dev_t dev)
{
	struct mount m = { .type = "" };
	json_t *options;

	if (!find_mount(mount_id(at), dev, &m)) {
		put(host, "file_system",
		    fact_unknown("%s is on no mount that /proc/self/mountinfo lists", at));
		snprintf(m.type, sizeof(m.type), "an unlisted file system");
		device(host, dev, &m);
		return;
	}
	put(host, "file_system", fact_known(json_string(m.type), "/proc/self/mountinfo"));
	device(host, dev, &m);
	options = json_array();
	keep_options(options, m.options);
	keep_options(options, m.super_options);
	put(host, "mount_options", fact_known(options, "/proc/self/mountinfo"));
}

static json_t *alignment_told(int fd, bool memory)
{
#ifdef STATX_DIOALIGN
	struct statx stx;
	uint32_t align;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx))
		return fact_unknown("statx: %s", strerror(errno));
	if (!(stx.stx_mask & STATX_DIOALIGN))
		return fact_unknown(
			"this kernel (before 6.1) or file system doesn't tell by statx");
	align = memory ? stx.stx_dio_mem_align : stx.stx_dio_offset_align;
	if (!align)
		return fact_unknown("statx says that this file can't be read directly");
	return fact_known(json_integer(align), "statx");
#else
	(void)fd;
	(void)memory;
	return fact_unknown(
		"built with kernel headers older than 6.1, which have no STATX_DIOALIGN");
#endif
}

/*
 * A file of ALIGN_MOST * 2 bytes, on disk and not in the page cache, open for direct reads; or
 * -errno.
 */
static int scratch_file(const char *dir)
{
	static const char bytes[ALIGN_MOST * 2] = "x";
	char path[PATH_MAX], again[64];
	int fd, direct, err;

	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0) {
		snprintf(path, sizeof(path), "%s/.copytax-XXXXXX", dir);
		fd = mkostemp(path, O_CLOEXEC);
		if (fd < 0)
			return -errno;
		unlink(path);
	}
	errno = EIO; /* what a short write means */
	if (pwrite(fd, bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes) || fdatasync(fd)) {
		err = -errno;
		close(fd);
		return err;
	}
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	/* a second open of the same file: whether O_DIRECT is accepted is decided there */
	snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
	direct = open(again, O_RDONLY | O_DIRECT | O_CLOEXEC);
	err = -errno;
	close(fd);
	return direct < 0 ? err : direct;
}

/* How many of the first ALIGN_MOST bytes' pages the page cache holds; -1 unknown. */
static int resident(int fd, size_t length)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (length + page - 1) / page, i;
	unsigned char in_core[ALIGN_MOST / 4096];
	int count = 0;
	void *map;

	if (pages > sizeof(in_core))
		return -1;
	map = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -1;
	if (mincore(map, length, in_core))
		count = -1;
	for (i = 0; count >= 0 && i < pages; i++)
		count += in_core[i] & 1;
	munmap(map, length);
	return count;
}

/* The smallest power of two to which file offset, length and memory may be aligned: by reading. */
static size_t least_alignment(int fd, unsigned char *buffer, uint64_t size, int *err)
{
	size_t align;

	*err = 0;
	for (align = ALIGN_LEAST; align <= ALIGN_MOST; align *= 2) {
		/* odd multiples, so that nothing larger happens to be aligned as well */
		if (size < 2 * align)
			break;
		if (pread(fd, buffer + align, align, (off_t)align) == (ssize_t)align)
			return align;
		*err = errno;
		if (errno != EINVAL)
			break;
	}
	return 0;
}

static void direct_io_unknown(json_t *host, const char *reason)
{
	static const char *const names[] = { "direct_io_alignment", "direct_io_memory_alignment",
					     "direct_io_offset_alignment",
					     "direct_io_bypasses_cache" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		put(host, names[i], fact_unknown("%s", reason));
}

static void direct_io(json_t *host, const char *dir, const char *payload)
{
	unsigned char *buffer = NULL;
	int fd, err, before, after;
	struct stat st;
	char text[256];
	size_t align, length;

	fd = payload ? open(payload, O_RDONLY | O_DIRECT | O_CLOEXEC) : scratch_file(dir);
	if (fd < 0) {
		err = payload ? errno : -fd;
		if (err == EINVAL) {
			put(host, "direct_io",
			    fact_known(json_string("refused"), "trial: open with O_DIRECT"));
			direct_io_unknown(host, "this file system refuses O_DIRECT");
			return;
		}
		snprintf(text, sizeof(text), "can't try direct I/O in %s: %s",
			 payload ? payload : dir, strerror(err));
		put(host, "direct_io", fact_unknown("%s", text));
		direct_io_unknown(host, text);
		return;
	}
	put(host, "direct_io_memory_alignment", alignment_told(fd, true));
	put(host, "direct_io_offset_alignment", alignment_told(fd, false));
	if (fstat(fd, &st) || (size_t)st.st_size < 2 * ALIGN_LEAST ||
	    posix_memalign((void **)&buffer, 2 * ALIGN_MOST, 2 * ALIGN_MOST)) {
		put(host, "direct_io", fact_unknown("the file is too small to try on"));
		put(host, "direct_io_alignment", fact_unknown("the file is too small to try on"));
		put(host, "direct_io_bypasses_cache",
		    fact_unknown("the file is too small to try on"));
		goto out;
	}

	length = (size_t)st.st_size < ALIGN_MOST ? (size_t)st.st_size : ALIGN_MOST;
	before = resident(fd, length);
	align = least_alignment(fd, buffer, (uint64_t)st.st_size, &err);
	after = resident(fd, length);
	if (!align) {
		snprintf(text, sizeof(text),
			 "O_DIRECT opens, but no read up to %zu-byte alignment works: %s",
			 ALIGN_MOST, err ? strerror(err) : "the file is too small to try more");
		put(host, "direct_io", fact_known(json_string("fails"), text));
		put(host, "direct_io_alignment", fact_unknown("%s", text));
		put(host, "direct_io_bypasses_cache", fact_unknown("%s", text));
		goto out;
	}
	put(host, "direct_io", fact_known(json_string("works"), "trial: read with O_DIRECT"));
	put(host, "direct_io_alignment",
	    fact_known(json_integer((json_int_t)align), "trial: least that a read accepts"));
	if (before == 0 && after >= 0)
		put(host, "direct_io_bypasses_cache",
		    fact_known(json_boolean(after == 0), "trial: mincore around a direct read"));
	else if (before > 0 && !payload)
		put(host, "direct_io_bypasses_cache",
		    fact_known(json_false(),
			       "trial: a synced file can't be dropped from the page cache"));
	else
		put(host, "direct_io_bypasses_cache",
		    fact_unknown(before > 0 ? "the payload was in the page cache already, and was "
					      "left there"
					    : "mincore can't be used on this file"));
out:
	free(buffer);
	close(fd);
}

void host_storage(json_t *host, const char *dir, const char *payload)
{
	const char *at = payload ? payload : dir;
	struct statvfs room;
	struct stat st;

	if (stat(at, &st)) {
		put(host, "file_system", fact_unknown("%s: %s", at, strerror(errno)));
		return;
	}
	mounted(host, at, st.st_dev);
	if (statvfs(at, &room))
		put(host, "free_bytes", fact_unknown("statvfs: %s", strerror(errno)));
	else
		put(host, "free_bytes",
		    fact_known(json_integer((json_int_t)room.f_bavail * (json_int_t)room.f_frsize),
			       "statvfs"));
	put(host, "payload_bytes",
	    payload ? fact_known(json_integer((json_int_t)st.st_size), "stat")
		    : fact_unknown("no payload was there when the facts were gathered"));
	direct_io(host, dir, payload);
}
