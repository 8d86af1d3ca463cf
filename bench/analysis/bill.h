/* SPDX-License-Identifier: MIT */
/* Where a transfer's CPU time goes, by this run's own prices: count × price, line by line. */
#ifndef COPYTAX_ANALYSIS_BILL_H
#define COPYTAX_ANALYSIS_BILL_H

#include <stddef.h>

#include "result/result.h"

/*
 * The bill of a case by result->prices; a new reference, or NULL when out of memory:
 *
 *   {method, chunk, cache, measured_s, predicted_s, unexplained_s,
 *    lines: [{id, name, quantity, count, price, cost_s, low_s, high_s, with: [{id, count}]}]} or
 *   {method, chunk, cache, measured_s, lines: null, reason}
 *
 * Lines add up to predicted_s, and with unexplained_s (negative when the prices ask too much) to measured_s.
 * Terms that the case has none of have no line. `with` names what a price had to take in. An id may be
 * calls, file_to_user, user_to_socket, sends, lends, faults, waits, disk_to_page_cache, disk_to_user,
 * carried (the stack), and they come in that order.
 */
json_t *bill_of(const struct result *result, const struct case_result *kase);

/*
 * The bill as one sentence: "20,002 system calls 6.6 ms, 0.655 GB copied 68.2 ms, the stack 12.0 ms,
 * unexplained 1.9 ms = 88.7 ms measured". Returns `text`.
 */
char *bill_sentence(const json_t *bill, char *text, size_t size);

/*
 * What going over from one bill to another changes, by line: [{id, name, saved_s}], the largest first,
 * unexplained among them; negative is dearer. A new reference; null when one of them has no lines.
 */
json_t *bill_savings(const json_t *from, const json_t *to);

#endif
