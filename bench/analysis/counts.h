/* SPDX-License-Identifier: MIT */
/* Reading a case's counts and copies: numbers where they were measured, NaN where they were not. */
#ifndef COPYTAX_ANALYSIS_COUNTS_H
#define COPYTAX_ANALYSIS_COUNTS_H

#include "result/result.h"

/* A member of case->counts: calls, switches, faults, …; `part` names a member of its "by" or is NULL. */
double count_of(const struct case_result *kase, const char *name, const char *part);

/* Bytes copied at a site of case->copies. */
double copied_bytes(const struct case_result *kase, const char *site);

/*
 * Bytes the sender's side copied: file_to_user + file_to_kernel + user_to_socket + deferred + linearized. NaN when
 * one of them is not known.
 */
double sender_copied_bytes(const struct case_result *kase);

/* Why a count or copy is null, or NULL. */
const char *count_reason(const struct case_result *kase, const char *name);
const char *copy_reason(const struct case_result *kase, const char *site);

/*
 * The case of a method at the result's main conditions: its default chunk, `cache`, drain, one
 * connection; NULL when the result has none that went well.
 */
const struct case_result *main_case(const struct result *result, const char *method,
				    const char *cache);

/* Chunks of a payload: how often the loop goes round. */
double rounds_of(const struct case_result *kase);

#endif
