// SPDX-License-Identifier: MIT
#include "transfer/payload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <xxhash.h>

/* splitmix64 (Steele, Lea, Flood 2014): every word follows from the seed and its place in the file. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static int check_room(int fd, const char *path, uint64_t size, struct failure *why)
{
	struct statvfs fs;
	uint64_t room;

	/* some file systems (ramfs, FUSE) don't say; then the write itself will tell */
	if (fstatvfs(fd, &fs) || !fs.f_blocks)
		return 0;
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (size <= room)
		return 0;
	return fail(why, EXIT_MACHINE_CANT, ENOSPC,
		    "no room for the payload in %s: it needs %" PRIu64 " bytes and %" PRIu64
		    " are free; use a smaller --size, or a larger disk by --out (of calibrate: --dir)",
		    path, size, room);
}

int payload_room(const char *dir, uint64_t size, struct failure *why)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	/* what can't be opened is told when the payload is made */
	if (fd < 0)
		return 0;
	err = check_room(fd, dir, size, why);
	close(fd);
	return err;
}

static int write_payload(int fd, uint64_t size, uint64_t seed, const volatile sig_atomic_t *stop)
{
	uint64_t *words = malloc(PAYLOAD_PIECE_BYTES);
	uint64_t at = 0;
	int err = 0;

	if (!words)
		return -ENOMEM;
	while (at < size && !err) {
		size_t piece = size - at < PAYLOAD_PIECE_BYTES ? (size_t)(size - at) :
								 PAYLOAD_PIECE_BYTES;
		const char *p = (const char *)words;

		for (size_t i = 0; i < PAYLOAD_PIECE_BYTES / sizeof(*words); i++)
			words[i] = mix(seed ^ mix(at / sizeof(*words) + i));
		while (piece && !err) {
			ssize_t n = write(fd, p, piece);

			if (n < 0 && errno != EINTR)
				err = -errno;
			if (n > 0) {
				p += n;
				piece -= (size_t)n;
				at += (uint64_t)n;
			}
			if (stop && *stop)
				err = -EINTR;
		}
	}
	free(words);
	return err;
}

int payload_create(const char *path, uint64_t size, uint64_t seed, const volatile sig_atomic_t *stop,
		   struct failure *why)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int err;

	if (fd < 0 && errno == EEXIST)
		return fail(why, EXIT_MACHINE_CANT, EEXIST,
			    "%s is there already, perhaps from a run that is under way or was killed; remove it, or name it with --file to use it",
			    path);
	if (fd < 0)
		return fail(why, EXIT_MACHINE_CANT, errno, "can't create the payload %s: %s", path,
			    strerror(errno));
	err = check_room(fd, path, size, why);
	if (!err)
		err = write_payload(fd, size, seed, stop);
	if (!err && fsync(fd))
		err = -errno;
	close(fd);
	if (!err)
		return 0;
	unlink(path);
	if (err == -EINTR)
		return fail(why, EXIT_INTERRUPTED, EINTR, "interrupted while the payload was written");
	return fail(why, EXIT_MACHINE_CANT, -err, "can't write the payload %s: %s", path,
		    strerror(-err));
}

int payload_create_sparse(const char *path, uint64_t size, struct failure *why)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int err = 0;

	if (fd < 0)
		return fail(why, EXIT_MACHINE_CANT, errno, "can't create the payload %s: %s", path,
			    strerror(errno));
	if (ftruncate(fd, (off_t)size))
		err = errno;
	close(fd);
	if (!err)
		return 0;
	unlink(path);
	return fail(why, EXIT_MACHINE_CANT, err, "can't make %s a sparse file of %" PRIu64 " bytes: %s",
		    path, size, strerror(err));
}

char *payload_path(const char *folder, unsigned int index)
{
	char *path = NULL;

	return asprintf(&path, "%s/%04u.bin", folder, index) < 0 ? NULL : path;
}

void payload_remove_many(const char *folder, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		char *path = payload_path(folder, i);

		if (path)
			unlink(path);
		free(path);
	}
	rmdir(folder);
}

int payload_create_many(const char *folder, unsigned int count, uint64_t size, uint64_t seed,
			const volatile sig_atomic_t *stop, struct failure *why)
{
	int err = 0;

	if (mkdir(folder, 0700))
		return fail(why, EXIT_MACHINE_CANT, errno, "can't create the folder %s: %s", folder,
			    strerror(errno));
	for (unsigned int i = 0; i < count && !err; i++) {
		char *path = payload_path(folder, i);

		err = path ? payload_create(path, size, seed, stop, why) :
			     fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
		free(path);
	}
	if (err)
		payload_remove_many(folder, count);
	return err;
}

/* mix() backwards: each of its steps can be undone. */
static uint64_t unmix(uint64_t x)
{
	x ^= x >> 31 ^ x >> 62;
	x *= 0x319642b2d24d8ec3u; /* the inverses of the two factors, modulo 2^64 */
	x ^= x >> 27 ^ x >> 54;
	x *= 0x96de1b173f119089u;
	x ^= x >> 30 ^ x >> 60;
	return x - 0x9e3779b97f4a7c15u;
}

bool payload_is_made(int fd)
{
	uint64_t words[512], seed;
	ssize_t n = pread(fd, words, sizeof(words), 0);

	/* killed before the first piece: nothing is lost with it */
	if (n == 0)
		return true;
	if (n < (ssize_t)(2 * sizeof(words[0])))
		return false;
	/* the first word gives the seed away, the others must follow from it */
	seed = unmix(words[0]) ^ mix(0);
	for (size_t i = 1; i < (size_t)n / sizeof(words[0]); i++)
		if (words[i] != mix(seed ^ mix(i)))
			return false;
	return true;
}

int payload_check(const char *path, uint64_t *size, struct failure *why)
{
	struct stat st;
	int fd, err = 0;

	/* stat first: opening a FIFO would wait for a writer */
	if (stat(path, &st))
		return fail(why, EXIT_WRONG_USE, errno, "can't use %s as the payload: %s", path,
			    strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail(why, EXIT_WRONG_USE, EINVAL,
			    "can't use %s as the payload: it is a %s, not a regular file", path,
			    S_ISDIR(st.st_mode)	 ? "directory" :
			    S_ISFIFO(st.st_mode) ? "FIFO" :
			    S_ISSOCK(st.st_mode) ? "socket" :
						   "device");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		err = fail(why, EXIT_WRONG_USE, errno, "can't read the payload %s: %s", path,
			   strerror(errno));
	else
		close(fd);
	*size = (uint64_t)st.st_size;
	return err;
}

int payload_hash(const char *path, uint64_t size, uint64_t *hash, struct failure *why)
{
	XXH3_state_t *state = XXH3_createState();
	char *buffer = malloc(PAYLOAD_PIECE_BYTES);
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	uint64_t left = size;

	if (fd < 0)
		err = -errno;
	else if (!state || !buffer || XXH3_64bits_reset(state) != XXH_OK)
		err = -ENOMEM;
	while (left && !err) {
		ssize_t n = read(fd, buffer,
				 left < PAYLOAD_PIECE_BYTES ? (size_t)left : PAYLOAD_PIECE_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err = n < 0 ? -errno : -ENODATA;
			break;
		}
		XXH3_64bits_update(state, buffer, (size_t)n);
		left -= (uint64_t)n;
	}
	if (!err)
		*hash = XXH3_64bits_digest(state);
	if (fd >= 0)
		close(fd);
	free(buffer);
	XXH3_freeState(state);
	if (err)
		return fail(why, EXIT_TRANSFER_FAILED, -err, "can't read the payload %s: %s", path,
			    err == -ENODATA ? "it got shorter during the run" : strerror(-err));
	return 0;
}
