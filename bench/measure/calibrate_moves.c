// SPDX-License-Identifier: MIT
#include "measure/calibrate_moves.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "counters.h"

static int write_all(int fd, const char *bytes, size_t left)
{
	while (left) {
		ssize_t n = write(fd, bytes, left);

		if (n < 0)
			return -errno;
		bytes += n;
		left -= (size_t)n;
	}
	return 0;
}

static int by_buffer(const struct known_bench *bench, int file, char *buffer)
{
	for (int i = 0; i < KNOWN_CALLS; i++) {
		int err;

		if (read(file, buffer, KNOWN_CHUNK) != (ssize_t)KNOWN_CHUNK)
			return -EIO;
		err = write_all(bench->sender, buffer, KNOWN_CHUNK);
		if (err)
			return err;
	}
	return 0;
}

static int by_map(const struct known_bench *bench, const char *map)
{
	int err = 0;

	for (int i = 0; i < KNOWN_CALLS && !err; i++)
		err = write_all(bench->sender, map + (size_t)i * KNOWN_CHUNK, KNOWN_CHUNK);
	return err;
}

static int by_sendfile(const struct known_bench *bench)
{
	for (size_t left = KNOWN_BYTES; left;) {
		ssize_t n = sendfile(bench->sender, bench->file, NULL, KNOWN_CHUNK);

		if (n <= 0)
			return n ? -errno : -EIO;
		left -= (size_t)n;
	}
	return 0;
}

/* From the file, or from the mapping of it. */
static int by_splice(const struct known_bench *bench, const int pipe[2], char *map)
{
	for (size_t left = KNOWN_BYTES; left;) {
		struct iovec piece = { map ? map + KNOWN_BYTES - left : NULL, KNOWN_CHUNK };
		ssize_t n = map ? vmsplice(pipe[1], &piece, 1, 0) :
				  splice(bench->file, NULL, pipe[1], NULL, KNOWN_CHUNK, 0);

		if (n <= 0)
			return n ? -errno : -EIO;
		left -= (size_t)n;
		while (n) {
			ssize_t out = splice(pipe[0], NULL, bench->sender, NULL, (size_t)n, 0);

			if (out <= 0)
				return out ? -errno : -EIO;
			n -= out;
		}
	}
	return 0;
}

/* KNOWN_PAGES fresh pages, each touched here, and as many touched by the kernel. */
static int touch(char *fresh, int zero)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), half = KNOWN_PAGES * page;

	for (size_t i = 0; i < half; i += page)
		*(volatile char *)(fresh + i) = 1;
	return read(zero, fresh + half, half) == (ssize_t)half ? 0 : -EIO;
}

static int nap(const struct known_bench *bench)
{
	char byte;

	for (int i = 0; i < KNOWN_NAPS; i++)
		if (read(bench->naps[0], &byte, 1) != 1)
			return -EIO;
	return 0;
}

int known_send(const struct known_bench *bench, enum known which)
{
	size_t fresh_size = 2UL * KNOWN_PAGES * (size_t)sysconf(_SC_PAGESIZE);
	int pipes[2] = { -1, -1 }, zero = open("/dev/zero", O_RDONLY | O_CLOEXEC), err = 0;
	char *buffer = aligned_alloc(4096, KNOWN_CHUNK);
	char *map = mmap(NULL, KNOWN_BYTES, PROT_READ, MAP_SHARED, bench->file, 0);
	char *fresh =
		mmap(NULL, fresh_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct rusage before, after;

	if (!buffer || map == MAP_FAILED || fresh == MAP_FAILED || pipe2(pipes, O_CLOEXEC)) {
		err = -errno;
		goto done;
	}
	memset(buffer, 0, KNOWN_CHUNK);
	(void)madvise(fresh, fresh_size,
		      MADV_NOHUGEPAGE); /* a kernel without huge pages has no such advice */
	if (lseek(bench->file, 0, SEEK_SET) ||
	    (bench->direct >= 0 && lseek(bench->direct, 0, SEEK_SET))) {
		err = -errno;
		goto done;
	}
	getrusage(RUSAGE_SELF, &before);
	*bench->sender_phase = PHASE_TRANSFER;
	switch (which) {
	case KNOWN_READ_WRITE:
	case KNOWN_TRUNCATE:
	case KNOWN_COLD:
		err = by_buffer(bench, bench->file, buffer);
		break;
	case KNOWN_DIRECT:
		err = by_buffer(bench, bench->direct, buffer);
		break;
	case KNOWN_MMAP_WRITE:
		err = by_map(bench, map);
		break;
	case KNOWN_SENDFILE:
		err = by_sendfile(bench);
		break;
	case KNOWN_SPLICE:
		err = by_splice(bench, pipes, NULL);
		break;
	case KNOWN_VMSPLICE:
		err = by_splice(bench, pipes, map);
		break;
	case KNOWN_URING:
		err = known_uring(bench, buffer);
		break;
	case KNOWN_FAULTS:
		err = touch(fresh, zero);
		break;
	case KNOWN_SWITCHES:
		err = nap(bench);
		break;
	case KNOWNS:
		break;
	}
	*bench->sender_phase = PHASE_OFF;
	getrusage(RUSAGE_SELF, &after);
	bench->notes->voluntary = after.ru_nvcsw - before.ru_nvcsw;
	bench->notes->involuntary = after.ru_nivcsw - before.ru_nivcsw;
done:
	free(buffer);
	if (map != MAP_FAILED)
		munmap(map, KNOWN_BYTES);
	if (fresh != MAP_FAILED)
		munmap(fresh, fresh_size);
	for (int i = 0; i < 2; i++)
		if (pipes[i] >= 0)
			close(pipes[i]);
	if (zero >= 0)
		close(zero);
	return err;
}

int known_receive(const struct known_bench *bench, enum known which)
{
	static char buffer[KNOWN_CHUNK];
	int err = 0;

	if (which == KNOWN_SWITCHES) {
		for (int i = 0; i < KNOWN_NAPS && !err; i++) {
			usleep(1000);
			err = write_all(bench->naps[1], "", 1);
		}
		return err;
	}
	if (which == KNOWN_FAULTS)
		return 0;
	memset(buffer, 0, sizeof(buffer));
	*bench->receiver_phase = PHASE_TRANSFER;
	for (size_t left = KNOWN_BYTES; left && !err;) {
		ssize_t n = recv(bench->receiver, buffer,
				 left < sizeof(buffer) ? left : sizeof(buffer),
				 which == KNOWN_TRUNCATE ? MSG_TRUNC : 0);

		if (n <= 0)
			err = n ? -errno : -EPIPE;
		else
			left -= (size_t)n;
	}
	*bench->receiver_phase = PHASE_OFF;
	return err;
}
