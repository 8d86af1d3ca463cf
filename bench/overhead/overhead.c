// SPDX-License-Identifier: MIT
/*
 * Holds `copytax send` against the bare loop: both transfer the same file with the same settings, in
 * turns, and the ratio of their sender CPU is printed with its interval.
 * Usage: overhead BARE COPYTAX FILE ROUNDS CHUNK METHOD...
 */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/stats.h"

#define ROUNDS_MAX 1000

struct sample {
	double cpu, wall;
	int sender, receiver; /* CPUs that copytax chose */
};

static int run_copytax(const char *program, const char *method, const char *file, const char *chunk,
		       struct sample *out)
{
	char command[8192];
	json_t *doc;
	FILE *pipe;

	snprintf(command, sizeof(command),
		 "'%s' send --json --method '%s' --chunk '%s' --file '%s'", program, method, chunk, file);
	pipe = popen(command, "re");
	if (!pipe)
		return -errno;
	doc = json_loadf(pipe, 0, NULL);
	if (pclose(pipe) || !doc) {
		json_decref(doc);
		return -EIO;
	}
	out->cpu = json_number_value(json_object_get(doc, "sender_cpu_s"));
	out->wall = json_number_value(json_object_get(doc, "wall_s"));
	out->sender = (int)json_integer_value(json_object_get(doc, "sender_cpu"));
	out->receiver = (int)json_integer_value(json_object_get(doc, "receiver_cpu"));
	json_decref(doc);
	return 0;
}

static int run_bare(const char *program, const char *method, const char *file, const char *chunk,
		    const struct sample *place, struct sample *out)
{
	char command[8192];
	int fields;
	FILE *pipe;

	snprintf(command, sizeof(command), "'%s' '%s' '%s' '%s' %d %d", program, method, file, chunk,
		 place->sender, place->receiver);
	pipe = popen(command, "re");
	if (!pipe)
		return -errno;
	fields = fscanf(pipe, "%lf %lf", &out->cpu, &out->wall);
	return pclose(pipe) || fields != 2 ? -EIO : 0;
}

static void print_row(const char *method, const double *ours, const double *theirs, size_t n)
{
	double ratios[ROUNDS_MAX];
	struct interval a = stats_median(ours, n, 0.95), b = stats_median(theirs, n, 0.95);
	struct interval r = stats_median(ratios, stats_ratios(ours, theirs, n, ratios), 0.95);

	printf("%-14s %9.2f ms %9.2f ms   %.3f  [%.3f, %.3f]  of medians %.3f\n", method,
	       a.median * 1e3, b.median * 1e3, r.median, r.low, r.high, a.median / b.median);
}

int main(int argc, char **argv)
{
	double ours[ROUNDS_MAX], theirs[ROUNDS_MAX];
	struct sample place = { 0 };
	size_t rounds, methods;
	double *all;

	if (argc < 7 || (rounds = strtoul(argv[4], NULL, 10)) < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: overhead BARE COPYTAX FILE ROUNDS CHUNK METHOD...\n");
		return 2;
	}
	methods = (size_t)argc - 6;
	all = calloc(methods * rounds * 2, sizeof(*all));
	if (!all)
		return 3;
	if (run_copytax(argv[2], argv[6], argv[3], argv[5], &place)) {
		fprintf(stderr, "overhead: copytax send failed\n");
		free(all);
		return 4;
	}
	/* round -1 is the warm-up; within a round the two take turns in going first */
	for (int r = -1; r < (int)rounds; r++)
		for (size_t m = 0; m < methods; m++) {
			struct sample mine = { 0 }, bare = { 0 };
			const char *method = argv[6 + m];
			int err = 0;

			/* who runs second finds other caches and a CPU that is awake */
			if (r % 2 == 0)
				err = run_bare(argv[1], method, argv[3], argv[5], &place, &bare);
			if (!err)
				err = run_copytax(argv[2], method, argv[3], argv[5], &mine);
			if (!err && r % 2)
				err = run_bare(argv[1], method, argv[3], argv[5], &place, &bare);
			if (err) {
				fprintf(stderr, "overhead: a transfer by %s failed\n", method);
				free(all);
				return 4;
			}
			if (r >= 0) {
				all[(m * 2) * rounds + (size_t)r] = mine.cpu;
				all[(m * 2 + 1) * rounds + (size_t)r] = bare.cpu;
			}
		}
	printf("sender CPU       copytax         bare      ratio, median of rounds, 95 %% interval\n");
	for (size_t m = 0; m < methods; m++) {
		memcpy(ours, &all[(m * 2) * rounds], rounds * sizeof(*ours));
		memcpy(theirs, &all[(m * 2 + 1) * rounds], rounds * sizeof(*theirs));
		print_row(argv[6 + m], ours, theirs, rounds);
	}
	free(all);
	return 0;
}
