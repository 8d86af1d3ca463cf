/* SPDX-License-Identifier: MIT */
/* The subcommands. Each takes its own argv (argv[0] is "copytax NAME") and returns the exit code. */
#ifndef COPYTAX_CMD_CMD_H
#define COPYTAX_CMD_CMD_H

#include <signal.h>

#include "base/failure.h"

#ifndef COPYTAX_VERSION
#define COPYTAX_VERSION "0.1.0"
#endif
#ifndef COPYTAX_COMMIT
#define COPYTAX_COMMIT "unknown"
#endif

int cmd_run(int argc, char **argv);
int cmd_send(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_calibrate(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_explain(int argc, char **argv);

/* Version, commit, and the libraries that do the work, on standard output. */
void version_print(void);

/* Says what went wrong, once, on stderr; returns the exit code that belongs to it. */
int cmd_failed(const struct failure *why);

#endif
