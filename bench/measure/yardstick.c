// SPDX-License-Identifier: MIT
#include "measure/yardstick.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure/clock.h"

/* Larger than a second-level cache, so that a neighbour's use of the shared one shows. */
#define YARDSTICK_BYTES (16u << 20)
#define PIECE 32768
#define STEPS 400000
#define CALLS 2000

int yardstick_open(struct yardstick *y)
{
	void *memory = mmap(NULL, YARDSTICK_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	y->from = NULL;
	if (memory == MAP_FAILED)
		return -errno;
	memset(memory, 1, YARDSTICK_BYTES);
	y->from = memory;
	return 0;
}

void yardstick_close(struct yardstick *y)
{
	if (y->from)
		munmap(y->from, YARDSTICK_BYTES);
	y->from = NULL;
}

static void compute(void)
{
	uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6;

	for (uint64_t i = 0; i < STEPS; i++) {
		a = a * 3 + i;
		b = b * 5 + i;
		c ^= i + c;
		d += i ^ d;
		e = e * 7 + 1;
		f += i;
		/* keeps the compiler from finding the sums without adding */
		__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
	}
}

static void copy(const char *from)
{
	char piece[PIECE];

	for (size_t at = 0; at < YARDSTICK_BYTES; at += PIECE) {
		memcpy(piece, from + at, PIECE);
		__asm__ volatile("" : : "r"(piece) : "memory");
	}
}

double yardstick_read(const struct yardstick *y)
{
	double before = clock_process_cpu();

	if (!y->from)
		return NAN;
	compute();
	copy(y->from);
	for (int i = 0; i < CALLS; i++)
		syscall(SYS_getppid);
	return clock_process_cpu() - before;
}
