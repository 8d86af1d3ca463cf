/* SPDX-License-Identifier: MIT */
/*
 * Why something could not be done, in words a user can act on, together with the exit code it leads to.
 * A function that can fail for many reasons fills a struct failure and returns -errno; the command at
 * the top prints the text, once.
 */
#ifndef COPYTAX_BASE_FAILURE_H
#define COPYTAX_BASE_FAILURE_H

enum exit_code {
	EXIT_DONE = 0,
	EXIT_COMPARISON_FAILED = 1,
	EXIT_WRONG_USE = 2,
	EXIT_MACHINE_CANT = 3,
	EXIT_TRANSFER_FAILED = 4,
	EXIT_INTERRUPTED = 130,
};

struct failure {
	enum exit_code exit_code;
	char text[640];
};

/*
 * Records a failure unless one is recorded already (the first cause is the one that matters).
 * `err` is a positive errno value and is returned negated; strerror(err) is not added to the text.
 */
int fail(struct failure *why, enum exit_code code, int err, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
