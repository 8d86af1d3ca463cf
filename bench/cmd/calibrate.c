// SPDX-License-Identifier: MIT
/* copytax calibrate: what a call, a copy, a fault, a switch and a disk request cost on their own. */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/size.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "measure/direct.h"
#include "study/plan.h"
#include "transfer/payload.h"
#include "transfer/placement.h"


#define SIZE_MIN (1u << 20)

struct options {
	const char *dir;
	uint64_t size, chunk;
	bool json;
	struct failure why;
};

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
	(void)signal;
	stop = 1;
}

static const struct argp_option option_table[] = {
	{ "dir", 'd', "DIR", 0, "where the file that is read is made, and removed again (.)", 0 },
	{ "size", 's', "SIZE", 0, "of that file; larger than the CPU's caches (320000K)", 0 },
	{ "chunk", 'c', "SIZE", 0, "what is copied at a time (32K)", 0 },
	{ "json", 'j', NULL, 0, "print JSON", 0 },
	{ 0 },
};

static int take(struct options *o, int key, const char *text)
{
	switch (key) {
	case 'd':
		o->dir = text;
		return 0;
	case 's':
		return size_parse(text, &o->size) || o->size < SIZE_MIN ?
			       fail(&o->why, EXIT_WRONG_USE, EINVAL,
				    "'%s' is no size of 1M or more", text) :
			       0;
	case 'c':
		return size_parse(text, &o->chunk) || o->chunk < 512 || o->chunk > 1u << 30 ?
			       fail(&o->why, EXIT_WRONG_USE, EINVAL,
				    "'%s' is no chunk of 512 to 1G", text) :
			       0;
	case 'j':
		o->json = true;
		return 0;
	default:
		return 1;
	}
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct options *o = state->input;

	return option_result(state, key, text, take(o, key, text), &o->why);
}

/* "326 ns", "104 ms": seconds with the prefix that leaves one to three digits before the point. */
static void print_seconds(double value)
{
	static const struct {
		double above, times;
		const char *unit;
	} steps[] = { { 1, 1, "s" }, { 1e-3, 1e3, "ms" }, { 1e-6, 1e6, "µs" }, { 0, 1e9, "ns" } };
	size_t i = 0;

	while (i < 3 && fabs(value) < steps[i].above)
		i++;
	printf("%.3g %s", value * steps[i].times, steps[i].unit);
}

static void print_one(const json_t *m)
{
	const char *unit = json_string_value(json_object_get(m, "unit"));
	const json_t *value = json_object_get(m, "value");
	bool seconds = !strncmp(unit, "s ", 2);

	printf("%s: ", json_string_value(json_object_get(m, "name")));
	if (!json_is_number(value)) {
		printf("not known: %s\n", json_string_value(json_object_get(m, "reason")));
		return;
	}
	if (seconds) {
		print_seconds(json_number_value(value));
		printf(" (");
		print_seconds(json_number_value(json_object_get(m, "low")));
		printf(" to ");
		print_seconds(json_number_value(json_object_get(m, "high")));
		printf(") %s\n", unit + 2);
	} else {
		printf("%.4g %s\n", json_number_value(value), unit);
	}
	printf("    %s\n", json_string_value(json_object_get(m, "how")));
}

static void print_text(const json_t *doc, const char *placement)
{
	const json_t *list = json_object_get(doc, "measurements");
	char chunk[SIZE_TEXT_MAX], size[SIZE_TEXT_MAX];

	printf("CPU time, medians of 15 with 95 %% intervals; chunk %s, file of %s;\n%s\n\n",
	       size_format((uint64_t)json_integer_value(json_object_get(doc, "chunk")), chunk),
	       size_format((uint64_t)json_integer_value(json_object_get(doc, "bytes")), size),
	       placement);
	for (size_t i = 0; i < json_array_size(list); i++)
		print_one(json_array_get(list, i));
}

int cmd_calibrate(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.doc = "Measures, one by one, what a system call, a copy, a page fault, a context switch and a disk request cost here: what the prices that a study finds are held against.",
	};
	struct options o = { .dir = ".", .size = PAYLOAD_DEFAULT, .chunk = CHUNK_DEFAULT };
	struct sigaction act = { .sa_handler = on_signal }, before;
	struct placement_choice place;
	struct failure why = { 0 };
	char path[PATH_MAX];
	json_t *doc = NULL;
	bool made = false;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	/* under nohup it stays ignored */
	if (!sigaction(SIGHUP, NULL, &before) && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &act, NULL);
	err = placement_choose(PLACE_CORES, &place, &why);
	if (!err && snprintf(path, sizeof(path), "%s/copytax-calibrate-%ld.bin", o.dir,
			     (long)getpid()) >= (int)sizeof(path))
		err = fail(&why, EXIT_WRONG_USE, ENAMETOOLONG, "the path of --dir is too long");
	if (!err) {
		err = payload_create(path, o.size, 1, &stop, &why);
		made = !err;
	}
	if (!err) {
		struct direct_settings settings = { .path = path, .size = o.size,
						    .chunk = (size_t)o.chunk,
						    .samples = DIRECT_SAMPLES,
						    .cpu = place.sender_cpu,
						    .peer_cpu = place.receiver_cpu, .stop = &stop };

		err = direct_measure(&settings, &doc, &why);
	}
	if (made)
		unlink(path);
	if (err && stop)
		why = (struct failure){ EXIT_INTERRUPTED, "interrupted" };
	if (err)
		return cmd_failed(&why);
	if (o.json) {
		json_dumpf(doc, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
		putchar('\n');
	} else {
		print_text(doc, place.text);
	}
	json_decref(doc);
	return EXIT_DONE;
}
