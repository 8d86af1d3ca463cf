/* SPDX-License-Identifier: MIT */
/* Going on with an interrupted study: only with the same cases, settings and machine. */
#ifndef COPYTAX_CMD_RESUME_H
#define COPYTAX_CMD_RESUME_H

#include "result/result.h"
#include "study/plan.h"

/*
 * The words of the command that began the study, from the document's run.argv without "copytax": words[0] is
 * "run", the last is NULL. The document owns the strings, the caller the array. Returns 0 or -errno with `why`.
 */
int resume_words(const struct result *old, char ***words, int *count, struct failure *why);

/*
 * Is `old`, of DIR, what these cases, settings and this machine began? Returns 0 or -errno with `why` naming
 * the first thing that differs.
 */
int resume_check(const struct result *old, const char *dir, const struct plan_case *cases,
		 size_t count, const json_t *settings, const json_t *host, struct failure *why);

#endif
