/* SPDX-License-Identifier: MIT */
/* Which case is measured when: rounds of all cases, each round in a freshly shuffled order. */
#ifndef COPYTAX_STUDY_SCHEDULE_H
#define COPYTAX_STUDY_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct turn {
	size_t index; /* of the case */
	unsigned int round; /* warm-up rounds first */
	unsigned int position; /* in its round */
	bool warmup;
};

/*
 * `rounds[i]` is how many timed samples case i gets; the study has as many timed rounds as the largest.
 * A case with fewer takes part in rounds spread evenly over the study. Every case takes part in every
 * warm-up round. The order follows from the seed alone. Returns 0 or -ENOMEM; the caller frees *turns.
 */
int schedule_make(const unsigned int *rounds, size_t cases, unsigned int warmup, uint64_t seed,
		  struct turn **turns, size_t *count);

#endif
