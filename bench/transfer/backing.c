// SPDX-License-Identifier: MIT
#include "transfer/backing.h"

#include <sys/mman.h>

#define STEP 4096u /* where the kernel gives no huge pages, each small one has to be touched */

void backing_hold(struct backing *b, uint64_t bytes)
{
	size_t size = (size_t)bytes;
	char *memory;

	backing_release(b);
	if (!size)
		return;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return;
	(void)madvise(memory, size, MADV_HUGEPAGE);
	/* a child's copy of the mapping would keep the pages beyond our letting go */
	if (madvise(memory, size, MADV_DONTFORK)) {
		munmap(memory, size);
		return;
	}
	for (size_t at = 0; at < size; at += STEP)
		((volatile char *)memory)[at] = 1;
	b->memory = memory;
	b->size = size;
}

void backing_release(struct backing *b)
{
	if (!b || !b->memory)
		return;
	munmap(b->memory, b->size);
	b->memory = NULL;
}
