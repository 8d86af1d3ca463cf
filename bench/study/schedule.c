// SPDX-License-Identifier: MIT
#include "study/schedule.h"

#include <errno.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <stdlib.h>

/* k of n rounds, evenly: the rounds at which the running share round × k / n passes a whole number. */
static bool takes_part(unsigned int round, unsigned int k, unsigned int n)
{
	return (uint64_t)(round + 1) * k / n > (uint64_t)round * k / n;
}

int schedule_make(const unsigned int *rounds, size_t cases, unsigned int warmup, uint64_t seed,
		  struct turn **turns, size_t *count)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	size_t *order = malloc((cases ? cases : 1) * sizeof(*order)), total = 0;
	unsigned int timed = 0;

	*turns = NULL;
	*count = 0;
	for (size_t i = 0; i < cases; i++) {
		timed = rounds[i] > timed ? rounds[i] : timed;
		total += warmup + rounds[i];
	}
	*turns = calloc(total ? total : 1, sizeof(**turns));
	if (!rng || !order || !*turns) {
		if (rng)
			gsl_rng_free(rng);
		free(order);
		free(*turns);
		*turns = NULL;
		return -ENOMEM;
	}
	/* the generator looks at 32 bits of it */
	gsl_rng_set(rng, (unsigned long)((seed ^ seed >> 32) & UINT32_MAX));
	for (unsigned int r = 0; r < warmup + timed; r++) {
		size_t n = 0;

		for (size_t i = 0; i < cases; i++)
			if (r < warmup || takes_part(r - warmup, rounds[i], timed))
				order[n++] = i;
		if (n > 1)
			gsl_ran_shuffle(rng, order, n, sizeof(*order));
		for (size_t i = 0; i < n; i++)
			(*turns)[(*count)++] =
				(struct turn){ order[i], r, (unsigned int)i, r < warmup };
	}
	gsl_rng_free(rng);
	free(order);
	return 0;
}
