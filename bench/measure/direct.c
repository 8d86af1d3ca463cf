// SPDX-License-Identifier: MIT
#include "measure/direct.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "analysis/direct_values.h"
#include "analysis/stats.h"
#include "measure/clock.h"
#include "measure/core_latency.h"
#include "measure/delivered_wait.h"
#include "measure/handed_copy.h"
#include "measure/sent_copy.h"
#include "measure/yardstick.h"
#include "transfer/cache.h"
#include "transfer/child.h"
#include "transfer/placement.h"

#define CONFIDENCE 0.95
#define NULL_CALLS 50000
#define SMALL_READS 20000
#define SMALL_READ_BYTES 64u
#define SMALL_CHUNK 4096u
#define LARGE_CHUNK (1u << 20)
#define TURNS 2000
#define HANDED_PIECE 32768u
#define HANDED_BYTES (64u << 20)
#define DISK_LARGE (1u << 20)
#define DELIVERED_MAX (32u << 10) /* a piece goes out as one segment */
#define DISK_READS 64
/* Copies out of a new mapping until its pages are where the kernel finds them: a touch in user mode is not enough where it has tables of its own. */
#define TOUCHING 2
#define DISK_ALIGN 4096u

enum id { NULL_CALL, READ_CALL, READ_COPY, READ_COPY_4K, READ_COPY_1M, MEMCPY_COPY, FAULT, FAULT_PAGES, FRESH_MAPPING,
	  HANDED_COPY, MAPPED_COPY, QUEUED_COPY, QUEUED_MAPPED_COPY, SENT_COPY, SENT_MAPPED_COPY, SWITCH_SAME, SWITCH_CROSS, DISK_WAIT, DISK_READ, DELIVERED_WAIT, DELIVERED_BYTES, IDS };

static const struct {
	const char *id, *name, *unit, *how;
} texts[IDS] = {
	[NULL_CALL] = { "null_call", "a system call that does nothing", "s per call",
			"getppid by syscall(2), 50,000 in a loop" },
	[READ_CALL] = { "read_call", "a system call that reads next to nothing", "s per call",
			"pread() of the cached file's first 64 bytes, 20,000 in a loop" },
	[READ_COPY] = { "read_copy", "a copy by read(), at the run's chunk", "s per GB",
			"read() of the cached file from end to end into one buffer, less as many reads of 64 bytes" },
	[READ_COPY_4K] = { "read_copy_4K", "a copy by read() of 4 KiB", "s per GB",
			   "read() of the cached file from end to end into one buffer, less as many reads of 64 bytes" },
	[READ_COPY_1M] = { "read_copy_1M", "a copy by read() of 1 MiB", "s per GB",
			   "read() of the cached file from end to end into one buffer, less as many reads of 64 bytes" },
	[MEMCPY_COPY] = { "memcpy_copy", "a copy by memcpy(), at the run's chunk", "s per GB",
			  "memcpy() from the mapped and touched file, end to end, into one buffer" },
	[FAULT] = { "fault", "a page fault on the cached file", "s per fault",
		    "the first touch of every page of a fresh mapping, less that of a fresh mapping that was populated, by faults that getrusage counted" },
	[FAULT_PAGES] = { "fault_pages", "pages that a fault maps", "pages per fault",
			  "pages of the file by faults that getrusage counted" },
	[FRESH_MAPPING] = { "fresh_mapping", "the first touch of what is mapped already", "s per GB",
			    "the first touch of every page of a fresh mapping that was populated, less that of a second pass" },
	[HANDED_COPY] = { "handed_copy", "a copy from a buffer into memory that the receiver's CPU reads", "s per GB",
			  "memcpy() from a buffer in the caches into 32 MiB that go round, read by a thread on the receiver's CPU; waiting not included" },
	[MAPPED_COPY] = { "mapped_copy", "a copy from a mapping into memory that the receiver's CPU reads", "s per GB",
			  "the same from the mapped and touched file, end to end" },
	[QUEUED_COPY] = { "queued_copy", "a copy from a buffer into memory that the receiver's CPU reads later", "s per GB",
			  "the same from a buffer, but the thread on the receiver's CPU reads a mebibyte at a time, while this one waits" },
	[QUEUED_MAPPED_COPY] = { "queued_mapped_copy", "a copy from a mapping into memory that the receiver's CPU reads later", "s per GB",
				 "the same from the mapped and touched file, end to end" },
	[SENT_COPY] = { "sent_copy", "a copy from a buffer into a socket that the receiver's CPU reads", "s per GB",
			"send() from a buffer in the caches over TCP, read by a thread on the receiver's CPU that never sleeps, less its null calls and its deliveries at what one costs that carries 64 bytes; waiting not included" },
	[SENT_MAPPED_COPY] = { "sent_mapped_copy", "a copy from a mapping into a socket that the receiver's CPU reads", "s per GB",
			       "the same from the mapped and touched file, end to end" },
	[SWITCH_SAME] = { "switch_same_cpu", "a context switch on one CPU", "s per switch",
			  "two processes and two pipes: the CPU time of both by switches, less a write and a read of a pipe that nobody waits at" },
	[SWITCH_CROSS] = { "switch_cross_cpu", "a wait for another CPU", "s per switch",
			   "the same with the other process on the receiver's CPU: the CPU time of this one by its voluntary switches, the other's waking included, less the same" },
	[DISK_WAIT] = { "disk_wait", "a wait for the disk", "s per switch",
			"O_DIRECT reads of the run's chunk (of 4 KiB where that is no whole number of pages up to 512 KiB) and of 1 MiB: what of their CPU time does not grow with the size" },
	[DISK_READ] = { "disk_read", "a byte from the disk past the page cache", "s per GB",
			"O_DIRECT reads of the run's chunk (of 4 KiB where that is no whole number of pages up to 512 KiB) and of 1 MiB: what of their CPU time grows with the size" },
	[DELIVERED_WAIT] = { "delivered_wait", "what a wait for the disk and sending what came cost more in turns", "s per switch",
			     "O_DIRECT reads of the same two sizes (the smaller up to 32 KiB), each sent over TCP to a thread on the receiver's CPU, less the same reads by themselves and as many sends by themselves to a thread that sleeps: what does not grow with the size" },
	[DELIVERED_BYTES] = { "delivered_bytes", "what a byte from the disk costs more when it is sent", "s per GB",
			      "the same: what grows with the size" },
};

/* One measurement as the measuring process tells it. */
struct word {
	int id;
	char reason[160]; /* when it could not be done */
	double value[DIRECT_SAMPLES];
	double yardstick_s; /* before and after it, the mean */
	double core_latency_s; /* of what needs both CPUs, before and after it, the larger; NaN: of the others */
};

/* The measuring process. */
struct bench {
	const struct direct_settings *settings;
	char *buffer; /* of the largest chunk, aligned for direct I/O */
	double null_call, read_call; /* medians */
	struct yardstick yardstick;
	struct word words[IDS];
};

static void cannot(struct bench *b, int first, int last, const char *what, int err)
{
	for (int id = first; id <= last; id++)
		snprintf(b->words[id].reason, sizeof(b->words[id].reason), "%s: %s", what,
			 strerror(err));
}

static void not_two_cpus(struct bench *b, int first, int last)
{
	for (int id = first; id <= last; id++)
		snprintf(b->words[id].reason, sizeof(b->words[id].reason),
			 "sender and receiver are not pinned to two CPUs");
}

static void null_calls(struct bench *b)
{
	for (int s = 0; s < b->settings->samples; s++) {
		double cpu = clock_process_cpu();

		for (int i = 0; i < NULL_CALLS; i++)
			syscall(SYS_getppid);
		b->words[NULL_CALL].value[s] = (clock_process_cpu() - cpu) / NULL_CALLS;
	}
	b->null_call = stats_median(b->words[NULL_CALL].value,
				    (size_t)b->settings->samples, CONFIDENCE).median;
}

/* What a read costs beside its bytes: the call, the file's and the page's looking up. */
static int small_reads(struct bench *b, int fd)
{
	for (int s = 0; s < b->settings->samples; s++) {
		double cpu = clock_process_cpu();

		for (int i = 0; i < SMALL_READS; i++) {
			ssize_t n = pread(fd, b->buffer, SMALL_READ_BYTES, 0);

			if (n <= 0)
				return n < 0 ? -errno : -ENODATA;
		}
		b->words[READ_CALL].value[s] = (clock_process_cpu() - cpu) / SMALL_READS;
	}
	b->read_call = stats_median(b->words[READ_CALL].value,
				    (size_t)b->settings->samples, CONFIDENCE).median;
	return 0;
}

/* One pass over the file. *per_gb: its CPU seconds per GB less those of as many small reads. Returns 0 or -errno. */
static int read_pass(const struct bench *b, int fd, size_t chunk, double *per_gb)
{
	double cpu, calls = 0, bytes = 0;
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET))
		return -errno;
	cpu = clock_process_cpu();
	while ((n = read(fd, b->buffer, chunk)) > 0) {
		calls++;
		bytes += (double)n;
	}
	cpu = clock_process_cpu() - cpu;
	if (n < 0)
		return -errno;
	if (bytes <= 0)
		return -ENODATA;
	*per_gb = (cpu - calls * b->read_call) / bytes * 1e9;
	return 0;
}

static void read_copies(struct bench *b)
{
	const size_t chunks[] = { b->settings->chunk, SMALL_CHUNK, LARGE_CHUNK };
	int fd = open(b->settings->path, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 ? -errno : small_reads(b, fd);

	for (int k = 0; k < 3; k++)
		for (int s = 0; s < b->settings->samples && !err; s++)
			err = read_pass(b, fd, chunks[k], &b->words[READ_COPY + k].value[s]);
	if (err)
		cannot(b, READ_CALL, READ_COPY_1M, "reading the file", -err);
	if (fd >= 0)
		close(fd);
}

/* The whole file, with all its pages; MAP_FAILED with errno otherwise. The caller unmaps. */
static void *map_populated(const char *path, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	void *map = MAP_FAILED;

	if (fd < 0)
		return map;
	map = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	err = errno;
	close(fd);
	errno = err;
	return map;
}

/* One byte of every page, `from` its beginning. */
static double touch_pages(const volatile char *map, size_t size, size_t page, size_t from)
{
	double cpu = clock_process_cpu();

	for (size_t at = from; at < size; at += page)
		(void)map[at];
	return clock_process_cpu() - cpu;
}

static double memcpy_pass(const struct bench *b, const char *map, size_t size)
{
	size_t chunk = b->settings->chunk;
	double cpu = clock_process_cpu();

	for (size_t at = 0; at < size; at += chunk) {
		memcpy(b->buffer, map + at, size - at < chunk ? size - at : chunk);
		/* nobody reads the buffer: keep the compiler from seeing that */
		__asm__ volatile("" : : "r"(b->buffer) : "memory");
	}
	return clock_process_cpu() - cpu;
}

static long faults_so_far(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

static void faults_and_memcpy(struct bench *b)
{
	size_t size = (size_t)b->settings->size, page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = open(b->settings->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		cannot(b, MEMCPY_COPY, FRESH_MAPPING, "opening the file", errno);
		return;
	}
	for (int s = 0; s < b->settings->samples; s++) {
		/* each pass touches other bytes: none finds in the caches what the one before left there */
		char *map = map_populated(b->settings->path, size);
		double populated = NAN, again = NAN, first, faults;

		if (map != MAP_FAILED) {
			populated = touch_pages(map, size, page, 0);
			again = touch_pages(map, size, page, page / 4);
			munmap(map, size);
			map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
		}
		if (map == MAP_FAILED) {
			cannot(b, MEMCPY_COPY, FRESH_MAPPING, "mapping the file", errno);
			break;
		}
		faults = (double)-faults_so_far();
		first = touch_pages(map, size, page, page / 2);
		faults += (double)faults_so_far();
		b->words[FAULT].value[s] = faults > 0 ? (first - populated) / faults : NAN;
		b->words[FRESH_MAPPING].value[s] = (populated - again) / (double)size * 1e9;
		b->words[FAULT_PAGES].value[s] =
			faults > 0 ? (double)((size + page - 1) / page) / faults : NAN;
		b->words[MEMCPY_COPY].value[s] = memcpy_pass(b, map, size) / (double)size * 1e9;
		munmap(map, size);
	}
	close(fd);
}

/* The ring's pieces: the run's chunk where it divides the receiver's buffer. */
static size_t handed_piece(const struct bench *b)
{
	size_t chunk = b->settings->chunk;

	return chunk >= SMALL_CHUNK && chunk <= HANDED_PIECE && !(chunk & (chunk - 1)) ?
		       chunk :
		       HANDED_PIECE;
}

/*
 * What is copied to another CPU: a buffer over and over, and the mapped and touched file from end to end, which the caller unmaps. False when
 * that can't be had, with the reason in the words from `first` to `last`; `what` is what it was for.
 */
static bool open_sources(struct bench *b, int first, int last, const char *what,
			 struct handed_source *hot, struct handed_source *mapped)
{
	size_t piece = handed_piece(b), size = (size_t)b->settings->size / piece * piece;
	void *map = MAP_FAILED;
	int err = 0;

	if (b->settings->peer_cpu < 0 || b->settings->peer_cpu == b->settings->cpu) {
		not_two_cpus(b, first, last);
		return false;
	}
	if (size)
		map = map_populated(b->settings->path, size);
	if (map == MAP_FAILED)
		err = size ? -errno : -ENODATA;
	if (err)
		cannot(b, first, last, what, -err);
	*hot = (struct handed_source){ b->buffer, piece, piece };
	*mapped = (struct handed_source){ map, size, piece };
	return !err;
}

static void handed_copies(struct bench *b)
{
	static const char what[] = "copying to another CPU";
	struct handed_source hot, mapped;
	int err = 0;

	if (!open_sources(b, HANDED_COPY, QUEUED_MAPPED_COPY, what, &hot, &mapped))
		return;
	for (int k = 0; k < 4; k++)
		for (int s = 0; s < b->settings->samples && !err; s++)
			err = handed_copy(k & 1 ? &mapped : &hot, k & 2 ? HANDED_READER_WAITS : HANDED_READER_CLOSE,
					  HANDED_BYTES, b->settings->peer_cpu,
					  &b->words[HANDED_COPY + k].value[s]);
	if (err)
		cannot(b, HANDED_COPY, QUEUED_MAPPED_COPY, what, -err);
	munmap((void *)mapped.from, mapped.span);
}

static void sent_copies(struct bench *b)
{
	static const char what[] = "sending to another CPU";
	struct handed_source hot, mapped;
	double unused;
	int err = 0;

	if (!open_sources(b, SENT_COPY, SENT_MAPPED_COPY, what, &hot, &mapped))
		return;
	for (int k = 0; k < 2; k++)
		for (int s = k ? -TOUCHING : 0; s < b->settings->samples && !err; s++)
			err = sent_copy(k ? &mapped : &hot, HANDED_BYTES, b->settings->cpu,
					b->settings->peer_cpu, b->null_call,
					s < 0 ? &unused : &b->words[SENT_COPY + k].value[s]);
	if (err)
		cannot(b, SENT_COPY, SENT_MAPPED_COPY, what, -err);
	munmap((void *)mapped.from, mapped.span);
}

/* A token goes out on one pipe and comes back on the other. */
struct table {
	int to_peer[2], to_me[2];
};

static int move_token(int from, int to)
{
	char token;

	return read(from, &token, 1) == 1 && write(to, &token, 1) == 1 ? 0 : -EIO;
}

/* The other player: plays until the table is closed, and tells its CPU time when it is asked. */
static void play_back(const struct table *t, int cpu, int samples, const struct child *c)
{
	double used;

	(void)placement_pin(cpu);
	close(t->to_peer[1]);
	for (int s = 0; s < samples; s++) {
		used = clock_process_cpu();
		for (int i = 0; i < TURNS; i++)
			if (move_token(t->to_peer[0], t->to_me[1]))
				child_exit(EXIT_FAILURE);
		used = clock_process_cpu() - used;
		if (send(c->control, &used, sizeof(used), MSG_NOSIGNAL) < 0)
			child_exit(EXIT_FAILURE);
	}
	child_exit(EXIT_SUCCESS);
}

/* A write and a read of a pipe at which nobody waits. */
static double quiet_turn(const struct table *t)
{
	double cpu = clock_process_cpu();
	char token = 1;

	for (int i = 0; i < TURNS; i++)
		if (write(t->to_me[1], &token, 1) != 1 || read(t->to_me[0], &token, 1) != 1)
			return NAN;
	return (clock_process_cpu() - cpu) / TURNS;
}

static int play(const struct table *t, const struct child *peer, bool both, double quiet,
		double *per_switch)
{
	struct rusage before, after;
	double own, other, switches;
	char token = 1;

	getrusage(RUSAGE_SELF, &before);
	own = clock_process_cpu();
	for (int i = 0; i < TURNS; i++)
		if (write(t->to_peer[1], &token, 1) != 1 || read(t->to_me[0], &token, 1) != 1)
			return -EIO;
	own = clock_process_cpu() - own;
	getrusage(RUSAGE_SELF, &after);
	if (recv(peer->control, &other, sizeof(other), 0) != sizeof(other))
		return -EIO;
	switches = (double)(after.ru_nvcsw - before.ru_nvcsw);
	/* on one CPU whoever is woken may take it at once, before the other has gone to sleep */
	if (both)
		switches += (double)(after.ru_nivcsw - before.ru_nivcsw);
	if (switches < TURNS / 2) /* they hardly ever slept: nothing was measured */
		return -ENODATA;
	/* on one CPU the other leaves it as often as this one */
	*per_switch = both ? (own + other - 2 * TURNS * quiet) / (2 * switches) :
			     (own - TURNS * quiet) / switches;
	return 0;
}

static void switches(struct bench *b, int id, int peer_cpu, bool both)
{
	struct table t = { { -1, -1 }, { -1, -1 } };
	struct child peer = { 0, -1 };
	double quiet;
	int err = 0;
	pid_t pid;

	if (pipe2(t.to_peer, O_CLOEXEC) || pipe2(t.to_me, O_CLOEXEC))
		err = -errno;
	quiet = err ? NAN : quiet_turn(&t);
	if (!err) {
		pid = child_fork(&peer);
		if (!pid)
			play_back(&t, peer_cpu, b->settings->samples, &peer);
		err = pid < 0 ? (int)pid : 0;
		/* the read end must see the other's death, not wait for itself */
		close(t.to_me[1]);
		t.to_me[1] = -1;
	}
	for (int s = 0; s < b->settings->samples && !err; s++)
		err = play(&t, &peer, both, quiet, &b->words[id].value[s]);
	if (err == -ENODATA)
		snprintf(b->words[id].reason, sizeof(b->words[id].reason),
			 "the other side answered before this one slept");
	else if (err)
		cannot(b, id, id, "passing a token", -err);
	child_end(&peer);
	for (int i = 0; i < 2; i++) {
		if (t.to_peer[i] >= 0)
			close(t.to_peer[i]);
		if (t.to_me[i] >= 0)
			close(t.to_me[i]);
	}
}

static int disk_pass(const struct bench *b, int fd, size_t piece, double *per_read)
{
	uint64_t pieces = b->settings->size / piece;
	double cpu = clock_process_cpu();

	for (uint64_t i = 0; i < DISK_READS; i++) {
		ssize_t n = pread(fd, b->buffer, piece, (off_t)(i % pieces * piece));

		if (n != (ssize_t)piece)
			return n < 0 ? -errno : -ENODATA;
	}
	*per_read = (clock_process_cpu() - cpu) / DISK_READS;
	return 0;
}

/* Reads cost in no straight line of their size: the price that is held against this one is of the run's chunk. */
static size_t disk_small(const struct bench *b)
{
	size_t chunk = b->settings->chunk;

	return chunk >= DISK_ALIGN && chunk <= DISK_LARGE / 2 && !(chunk % DISK_ALIGN) ? chunk :
											  DISK_ALIGN;
}

static void disk_reads(struct bench *b)
{
	const size_t piece = disk_small(b);
	int fd = open(b->settings->path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	int err = fd < 0 ? -errno : b->settings->size < DISK_LARGE ? -ENODATA : 0;
	double unused;

	/* the first reads after a pause cost a third less: a transfer has no pauses */
	if (!err)
		err = disk_pass(b, fd, piece, &unused);
	if (!err)
		err = disk_pass(b, fd, DISK_LARGE, &unused);
	for (int s = 0; s < b->settings->samples && !err; s++) {
		double small = NAN, large = NAN, per_byte;

		err = disk_pass(b, fd, piece, &small);
		if (!err)
			err = disk_pass(b, fd, DISK_LARGE, &large);
		if (err)
			break;
		per_byte = (large - small) / (double)(DISK_LARGE - piece);
		b->words[DISK_READ].value[s] = per_byte * 1e9;
		b->words[DISK_WAIT].value[s] = small - per_byte * (double)piece;
	}
	if (err)
		cannot(b, DISK_WAIT, DISK_READ, "reading the file with O_DIRECT", -err);
	if (fd >= 0)
		close(fd);
}

static void delivered_waits(struct bench *b)
{
	const size_t piece = disk_small(b) < DELIVERED_MAX ? disk_small(b) : DELIVERED_MAX;
	struct delivered_wait w = { .buffer = b->buffer, .size = b->settings->size,
				    .peer_cpu = b->settings->peer_cpu };
	int err;

	if (w.peer_cpu < 0 || w.peer_cpu == b->settings->cpu) {
		not_two_cpus(b, DELIVERED_WAIT, DELIVERED_BYTES);
		return;
	}
	w.fd = open(b->settings->path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	err = w.fd < 0 ? -errno : w.size < DISK_LARGE ? -ENODATA : 0;
	for (int s = 0; s < b->settings->samples && !err; s++) {
		double small = NAN, large = NAN, per_byte;

		w.piece = piece;
		err = delivered_wait(&w, DISK_READS, &small);
		w.piece = DISK_LARGE;
		if (!err)
			err = delivered_wait(&w, DISK_READS, &large);
		if (err)
			break;
		per_byte = (large - small) / (double)(DISK_LARGE - piece);
		b->words[DELIVERED_BYTES].value[s] = per_byte * 1e9;
		b->words[DELIVERED_WAIT].value[s] = small - per_byte * (double)piece;
	}
	if (err)
		cannot(b, DELIVERED_WAIT, DELIVERED_BYTES,
		       "reading the file with O_DIRECT and sending it", -err);
	if (w.fd >= 0)
		close(w.fd);
}

/* One group of measurements, between two looks at how fast the CPU is. */
static void timed(struct bench *b, int first, int last, void (*measure)(struct bench *b))
{
	double before = yardstick_read(&b->yardstick), mean;

	measure(b);
	/* where a host keeps the page tables, much that was unmapped makes the next touch of any page slow: not counted */
	(void)yardstick_read(&b->yardstick);
	mean = (before + yardstick_read(&b->yardstick)) / 2;
	for (int id = first; id <= last; id++)
		b->words[id].yardstick_s = mean;
}

/* The same for what needs both CPUs. */
static void timed_between(struct bench *b, int first, int last, void (*measure)(struct bench *b))
{
	int cpu = b->settings->cpu, peer = b->settings->peer_cpu;
	double before, after;

	(void)core_approach(cpu, peer, b->settings->goal, NULL);
	(void)core_latency(cpu, peer, &before);
	timed(b, first, last, measure);
	(void)core_latency(cpu, peer, &after);
	for (int id = first; id <= last; id++)
		b->words[id].core_latency_s = isnan(before) || isnan(after) ? NAN :
									       fmax(before, after);
}

static void all_switches(struct bench *b)
{
	const struct direct_settings *settings = b->settings;

	switches(b, SWITCH_SAME, settings->cpu, true);
	if (settings->cpu >= 0 && settings->cpu == settings->peer_cpu)
		snprintf(b->words[SWITCH_CROSS].reason, sizeof(b->words[SWITCH_CROSS].reason),
			 "sender and receiver share a CPU");
	else
		switches(b, SWITCH_CROSS, settings->peer_cpu, false);
	if (settings->cpu < 0)
		snprintf(b->words[SWITCH_SAME].reason, sizeof(b->words[SWITCH_SAME].reason),
			 "the sender is not pinned to a CPU");
}

static void measure_all(const struct direct_settings *settings, const struct child *c)
{
	size_t largest = settings->chunk > LARGE_CHUNK ? settings->chunk : LARGE_CHUNK;
	struct bench *b = calloc(1, sizeof(*b));
	void *buffer;

	if (!b || posix_memalign(&buffer, DISK_ALIGN, largest))
		child_exit(EXIT_FAILURE);
	memset(buffer, 1, largest);
	b->settings = settings;
	b->buffer = buffer;
	for (int id = 0; id < IDS; id++)
		b->words[id] = (struct word) { .id = id, .core_latency_s = NAN };
	if (placement_pin(settings->cpu))
		child_exit(EXIT_FAILURE);
	/* without it the measurements stand as they are */
	(void)yardstick_open(&b->yardstick);
	timed(b, NULL_CALL, NULL_CALL, null_calls);
	timed(b, READ_CALL, READ_COPY_1M, read_copies);
	timed(b, MEMCPY_COPY, FRESH_MAPPING, faults_and_memcpy);
	timed_between(b, HANDED_COPY, QUEUED_MAPPED_COPY, handed_copies);
	timed_between(b, SENT_COPY, SENT_MAPPED_COPY, sent_copies);
	timed_between(b, SWITCH_SAME, SWITCH_CROSS, all_switches);
	timed(b, DISK_WAIT, DISK_READ, disk_reads);
	timed_between(b, DELIVERED_WAIT, DELIVERED_BYTES, delivered_waits);
	for (int id = 0; id < IDS; id++)
		if (send(c->control, &b->words[id], sizeof(b->words[id]), MSG_NOSIGNAL) < 0)
			child_exit(EXIT_FAILURE);
	child_exit(EXIT_SUCCESS);
}

/* A measurement and what this sitting found; values come from all sittings together. */
static json_t *word_json(const struct word *w, int samples)
{
	json_t *out = json_object(), *sittings = json_array(), *sitting = json_object(),
	       *list = json_array();

	json_object_set_new(out, "id", json_string(texts[w->id].id));
	json_object_set_new(out, "name", json_string(texts[w->id].name));
	json_object_set_new(out, "unit", json_string(texts[w->id].unit));
	json_object_set_new(out, "how", json_string(texts[w->id].how));
	for (int s = 0; s < samples && !w->reason[0]; s++)
		json_array_append_new(list, isfinite(w->value[s]) ? json_real(w->value[s]) :
								    json_null());
	json_object_set_new(sitting, "samples", list);
	if (w->reason[0])
		json_object_set_new(sitting, "reason", json_string(w->reason));
	json_object_set_new(sitting, "yardstick_s",
			    isfinite(w->yardstick_s) ? json_real(w->yardstick_s) : json_null());
	if (isfinite(w->core_latency_s) && w->id != SWITCH_SAME)
		json_object_set_new(sitting, "core_latency_s", json_real(w->core_latency_s));
	json_array_append_new(sittings, sitting);
	json_object_set_new(out, "sittings", sittings);
	return out;
}

/* Waits for a word. Signals that are blocked get through while it waits, if there is a *stop that they may set. */
static int receive(const struct child *c, const volatile sig_atomic_t *stop, struct word *w)
{
	const struct timespec quarter = { .tv_nsec = 250000000L };
	struct pollfd wait = { .fd = c->control, .events = POLLIN };
	sigset_t none;

	sigemptyset(&none);
	for (;;) {
		if (stop && *stop)
			return -EINTR;
		if (ppoll(&wait, 1, &quarter, stop ? &none : NULL) <= 0)
			continue;
		return recv(c->control, w, sizeof(*w), 0) == sizeof(*w) && w->id >= 0 &&
				       w->id < IDS ?
			       0 :
			       -EPIPE;
	}
}

/* A goal that the measuring process keeps the books of; NULL when none is wanted, or out of memory: then it is not tried for. */
static struct core_goal *share_goal(const struct core_goal *goal)
{
	struct core_goal *shared;

	if (!goal)
		return NULL;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return NULL;
	*shared = *goal;
	return shared;
}

static void take_goal_back(struct core_goal *shared, struct core_goal *goal)
{
	if (!shared)
		return;
	*goal = *shared;
	munmap(shared, sizeof(*shared));
}

int direct_measure(const struct direct_settings *settings, json_t **out, struct failure *why)
{
	struct direct_settings own = *settings;
	struct child child = { 0, -1 };
	json_t *list = json_array(), *doc = json_object();
	char how[96];
	struct word w;
	int err = cache_set(settings->path, settings->size, CACHE_WARM, why);
	pid_t pid;

	own.goal = share_goal(settings->goal);
	if (!err) {
		fflush(NULL);
		pid = child_fork(&child);
		if (!pid)
			measure_all(&own, &child);
		if (pid < 0)
			err = fail(why, EXIT_MACHINE_CANT, (int)-pid,
				   "can't start a process for the direct measurements: %s",
				   strerror((int)-pid));
	}
	for (int id = 0; id < IDS && !err; id++) {
		err = receive(&child, settings->stop, &w);
		if (!err)
			json_array_append_new(list, word_json(&w, settings->samples));
	}
	if (err == -EPIPE) {
		child_how_it_ended(&child, how, sizeof(how));
		err = fail(why, EXIT_MACHINE_CANT, EPIPE, "the direct measurements' process %s", how);
	} else if (err == -EINTR) {
		err = fail(why, EXIT_INTERRUPTED, EINTR, "interrupted");
	}
	child_end(&child);
	take_goal_back(own.goal, settings->goal);
	json_object_set_new(doc, "cpu", settings->cpu < 0 ? json_null() : json_integer(settings->cpu));
	json_object_set_new(doc, "peer_cpu",
			    settings->peer_cpu < 0 ? json_null() : json_integer(settings->peer_cpu));
	json_object_set_new(doc, "chunk", json_integer((json_int_t)settings->chunk));
	json_object_set_new(doc, "bytes", json_integer((json_int_t)settings->size));
	json_object_set_new(doc, "measurements", list);
	if (err) {
		json_decref(doc);
		return err;
	}
	direct_summarise(doc);
	*out = doc;
	return 0;
}
