// SPDX-License-Identifier: MIT
/* The table of subcommands. */
#include <argp.h>
#include <gsl/gsl_errno.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"

static const struct command {
	const char *name, *summary;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "run", "measure: writes DIR/result.json, prints the table", cmd_run },
	{ "send", "one transfer of one method, for strace, perf or hyperfine to wrap", cmd_send },
	{ "serve", "the receiver, for a sender on another host", cmd_serve },
	{ "list", "methods, sinks, links; what this machine can't do and why", cmd_list },
	{ "doctor", "what this machine can measure, what will mislead, how to mend it", cmd_doctor },
	{ "compare", "what changed between results, with confidence", cmd_compare },
	{ "calibrate", "the price of a call, a copy, a fault, a switch, measured one by one", cmd_calibrate },
	{ "explain", "one method: what the texts say beside what was counted", cmd_explain },
	{ "report", "report.html, report.md, plots and tables from a result", cmd_report },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

int cmd_failed(const struct failure *why)
{
	fprintf(stderr, "copytax: %s\n", why->text[0] ? why->text : "failed for an unknown reason");
	return why->text[0] ? (int)why->exit_code : EXIT_TRANSFER_FAILED;
}

static void usage(FILE *to)
{
	fputs("Usage: copytax COMMAND [OPTION...]\n"
	      "What does a copy cost, and what does avoiding it really buy?\n\n",
	      to);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  copytax %-9s %s\n", commands[i].name, commands[i].summary);
	fputs("\n'copytax COMMAND --help' lists a command's options; 'man copytax' tells the rest.\n"
	      "Exit codes: 0 done, 1 a comparison failed, 2 wrong use, 3 this machine can't,\n"
	      "4 a transfer failed, 130 interrupted.\n",
	      to);
}

/* At exit: output that nobody got is a failure, but a reader who stops reading (head) is not. */
static void check_output(void)
{
	bool failed = fflush(stdout) || ferror(stdout);
	struct failure why = { 0 };

	if (!failed || errno == EPIPE)
		return;
	fail(&why, EXIT_MACHINE_CANT, errno, "can't write the output: %s", strerror(errno));
	_exit(cmd_failed(&why));
}

int main(int argc, char **argv)
{
	char name[64];

	argp_err_exit_status = EXIT_WRONG_USE;
	/* GSL's own handler aborts; its results are checked instead */
	gsl_set_error_handler_off();
	/* a peer that is gone, and a file that may not grow, are error returns, here and in every child */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	(void)atexit(check_output);
	if (argc < 2) {
		usage(stderr);
		return EXIT_WRONG_USE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		version_print();
		return EXIT_DONE;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		snprintf(name, sizeof(name), "copytax %s", commands[i].name);
		argv[1] = name;
		return commands[i].run(argc - 1, argv + 1);
	}
	fprintf(stderr, "copytax: there is no command '%s'; 'copytax --help' lists them\n", argv[1]);
	return EXIT_WRONG_USE;
}
