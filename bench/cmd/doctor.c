// SPDX-License-Identifier: MIT
/* copytax doctor: what this machine can measure, what will mislead, and how to mend each. */
#include "cmd/cmd.h"

#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/failure.h"
#include "base/size.h"
#include "cmd/leftovers.h"
#include "measure/findings.h"
#include "measure/host.h"
#include "measure/probes_json.h"
#include "study/plan.h"

#define WIDTH 100
#define TITLE_WIDTH 22
#define PROBE_WIDTH 28
#define GIB (1024.0 * 1024 * 1024)

struct options {
	const char *dir;
	uint64_t size;
	bool json, leftovers, remove;
};

enum { KEY_LEFTOVERS = 0x200, KEY_REMOVE };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'd':
		options->dir = arg;
		return 0;
	case 's':
		if (size_parse(arg, &options->size))
			argp_failure(state, EXIT_WRONG_USE, 0, "'%s' is no size", arg);
		return 0;
	case 'j':
		options->json = true;
		return 0;
	case KEY_LEFTOVERS:
		options->leftovers = true;
		return 0;
	case KEY_REMOVE:
		options->remove = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_failure(state, EXIT_WRONG_USE, 0, "'%s' is no option; see --help", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Columns that a text takes: its bytes without the continuation bytes of UTF-8. */
static size_t columns(const char *text, size_t bytes)
{
	size_t count = 0, i;

	for (i = 0; i < bytes; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

/* Prints words from column `at` on and breaks lines before WIDTH, to go on at column `indent`. */
static void print_wrapped(const char *text, size_t at, size_t indent)
{
	bool first = true;

	while (*text) {
		size_t length = strcspn(text, " "), wide = columns(text, length);

		if (!first && at + 1 + wide > WIDTH) {
			printf("\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			putchar(' ');
			at++;
		}
		printf("%.*s", (int)length, text);
		at += wide;
		first = false;
		text += length;
		/* one space at a time: those in front of a command's comment are kept */
		if (*text)
			text++;
	}
	putchar('\n');
}

static void print_finding(const struct finding *f)
{
	printf("  %-*s", TITLE_WIDTH, f->title);
	print_wrapped(f->what, 2 + TITLE_WIDTH, 2 + TITLE_WIDTH);
	if (f->level == FINDING_OK)
		return;
	if (f->effect[0]) {
		printf("      ");
		print_wrapped(f->effect, 6, 6);
	}
	/* a command is not broken into lines: it has to be copied whole */
	if (f->change[0])
		printf("      → %s\n", f->change);
}

static void print_group(const struct findings *findings, enum finding_level level,
			const char *heading)
{
	size_t count = 0, i;

	for (i = 0; i < findings->count; i++)
		count += findings->item[i].level == level;
	if (!count)
		return;
	printf("\n%s (%zu)\n", heading, count);
	for (i = 0; i < findings->count; i++)
		if (findings->item[i].level == level)
			print_finding(&findings->item[i]);
}

static const char *text_of(const json_t *host, const char *name)
{
	const char *text = json_string_value(fact_value(host, name));

	return text ? text : "unknown";
}

static void print_number(const json_t *host, const char *name, const char *one, const char *many)
{
	const json_t *value = fact_value(host, name);

	if (!value)
		printf("unknown %s", many);
	else
		printf("%" JSON_INTEGER_FORMAT " %s", json_integer_value(value),
		       json_integer_value(value) == 1 ? one : many);
}

static void print_gib(const json_t *host, const char *name)
{
	const json_t *value = fact_value(host, name);

	if (value)
		printf("%.1f GiB", json_number_value(value) / GIB);
	else
		printf("unknown");
}

static void print_machine(const json_t *host)
{
	const char *hypervisor = text_of(host, "cpu.hypervisor");

	printf("%s: ", text_of(host, "cpu.model"));
	print_number(host, "cpu.packages", "socket", "sockets");
	printf(", ");
	print_number(host, "cpu.cores", "core", "cores");
	printf(", ");
	print_number(host, "cpu.threads", "thread", "threads");
	printf(", ");
	print_number(host, "cpu.numa_nodes", "NUMA node", "NUMA nodes");
	if (!strcmp(hypervisor, "none"))
		printf(", not virtual\n");
	else
		printf(", hypervisor %s\n", hypervisor);
	printf("%s, Linux %s %s\n", text_of(host, "kernel.distribution"),
	       text_of(host, "kernel.release"), text_of(host, "kernel.architecture"));
	printf("memory ");
	print_gib(host, "memory.total_bytes");
	printf(", available ");
	print_gib(host, "memory.available_bytes");
	printf("; %s on %s, free ", text_of(host, "storage.file_system"),
	       text_of(host, "storage.device"));
	print_gib(host, "storage.free_bytes");
	printf("\n");
}

/* By really loading and attaching each hook: no look-up predicts what a kernel refuses. */
static json_t *try_probes(void)
{
	struct probes *probes = NULL;
	struct failure why = { 0 };
	json_t *rows;

	if (probes_open(&probes, NULL, &why))
		return probes_json_none(why.text);
	rows = probes_json(probes);
	probes_close(probes);
	return rows;
}

static void print_probes(const json_t *rows)
{
	json_t *row;
	size_t i;

	printf("\nWhat can be counted here, and how (tried just now)\n");
	json_array_foreach(rows, i, row) {
		const char *how = json_string_value(json_object_get(row, "how"));
		const char *reason = json_string_value(json_object_get(row, "reason"));

		printf("  %-*s", PROBE_WIDTH, json_string_value(json_object_get(row, "name")));
		print_wrapped(how ? how : "not counted", 2 + PROBE_WIDTH, 2 + PROBE_WIDTH);
		if (!reason)
			continue;
		printf("      %s ", how ? "not better, because" : "because");
		print_wrapped(reason, 6 + (how ? 20 : 8), 6);
	}
}

static int print_json(const json_t *host, const struct findings *findings, const json_t *rows)
{
	json_t *all = json_pack("{s:O, s:o, s:O}", "host", host, "findings",
				findings_json(findings), "probes", rows);
	int err;

	err = all ? json_dumpf(all, stdout, JSON_INDENT(2)) : -1;
	json_decref(all);
	putchar('\n');
	return err;
}

int cmd_doctor(int argc, char **argv)
{
	static const struct argp_option known[] = {
		{ "dir", 'd', "DIR", 0, "where the payload will be (the current folder)", 0 },
		{ "size", 's', "SIZE", 0, "its size (320000K)", 0 },
		{ "json", 'j', NULL, 0, "print all facts and findings as JSON", 0 },
		{ "leftovers", KEY_LEFTOVERS, NULL, 0,
		  "instead: list what a copytax that was killed left in DIR and on this machine", 0 },
		{ "remove", KEY_REMOVE, NULL, 0, "with --leftovers: remove it", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = known,
		.parser = parse,
		.doc = "Says what of this machine will mislead a measurement, what it does to the "
		       "numbers and how to change it. Changes nothing itself, but for --leftovers --remove.",
	};
	struct options options = { .dir = ".", .size = PAYLOAD_DEFAULT };
	/* the system's own congestion control is judged: that is what other programs get */
	struct findings_plan plan = { .send_buffer = (uint32_t)dimension_default(DIM_SNDBUF).number,
				      .receive_buffer = (uint32_t)dimension_default(DIM_RCVBUF).number };
	struct failure why = { 0 };
	struct findings findings;
	json_t *host = NULL, *rows;
	int err = 0;

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	if (options.remove && !options.leftovers) {
		fail(&why, EXIT_WRONG_USE, EINVAL, "--remove goes with --leftovers");
		return cmd_failed(&why);
	}
	if (options.leftovers)
		return leftovers(options.dir, options.remove, &why) ? cmd_failed(&why) : EXIT_DONE;
	if (host_facts(options.dir, NULL, &host, &why))
		return cmd_failed(&why);
	plan.payload_bytes = options.size;
	/* the cold cases have a payload of their own */
	plan.disk_bytes = 2 * options.size;
	findings_judge(host, &plan, &findings);
	rows = try_probes();
	if (options.json) {
		err = print_json(host, &findings, rows);
	} else {
		print_machine(host);
		print_group(&findings, FINDING_WARN, "These mislead");
		print_group(&findings, FINDING_NOTE, "These shape the numbers");
		print_group(&findings, FINDING_UNKNOWN, "Not known");
		print_group(&findings, FINDING_OK, "Fine");
		print_probes(rows);
	}
	json_decref(rows);
	json_decref(host);
	if (err || fflush(stdout)) {
		fail(&why, EXIT_MACHINE_CANT, EIO, "the findings can't be written");
		return cmd_failed(&why);
	}
	return EXIT_DONE;
}
