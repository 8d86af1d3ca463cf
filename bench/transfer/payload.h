/* SPDX-License-Identifier: MIT */
/* The source file: made one fixed way, or the user's own; its hash. */
#ifndef COPYTAX_TRANSFER_PAYLOAD_H
#define COPYTAX_TRANSFER_PAYLOAD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"

/*
 * How the file is written decides how large the page cache's folios are, and with them mmap's faults and
 * the number of pieces sendfile hands to the socket. So it is always written in pieces of this size.
 */
#define PAYLOAD_PIECE_BYTES (1u << 20)

/*
 * Creates `path` (which must not exist) with `size` bytes that do not compress, the same for the same
 * seed, and syncs it. *stop is looked at between pieces (-EINTR). On failure nothing is left behind.
 * Returns 0 or -errno with `why`.
 */
int payload_create(const char *path, uint64_t size, uint64_t seed, const volatile sig_atomic_t *stop,
		   struct failure *why);

/* Has the file system of the folder `dir` room for a payload? Returns 0 or -errno with `why`. */
int payload_room(const char *dir, uint64_t size, struct failure *why);

/* The same without its bytes: a hole of `size`, which reads as zeros and takes no room. */
int payload_create_sparse(const char *path, uint64_t size, struct failure *why);

/*
 * Creates the folder `path` with `count` files of `size` bytes, each the beginning of what payload_create()
 * makes of the same seed; payload_remove_many() undoes it. Returns 0 or -errno with `why`.
 */
int payload_create_many(const char *path, unsigned int count, uint64_t size, uint64_t seed,
			const volatile sig_atomic_t *stop, struct failure *why);
void payload_remove_many(const char *path, unsigned int count);

/* The file of connection `index` in such a folder; the caller frees it. NULL: out of memory. */
char *payload_path(const char *folder, unsigned int index);

/* Does the file begin as payload_create() would have written it, with whatever seed? Empty ones do, too. */
bool payload_is_made(int fd);

/* Is `path` a readable regular file? Its size. Returns 0 or -errno with `why` (exit code 2). */
int payload_check(const char *path, uint64_t *size, struct failure *why);

/* XXH3 (64 bits) of the first `size` bytes. Returns 0 or -errno with `why`. */
int payload_hash(const char *path, uint64_t size, uint64_t *hash, struct failure *why);

#endif
