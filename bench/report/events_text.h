/* SPDX-License-Identifier: MIT */
/* What the events pass brought: figures derived from events, the events themselves, energy. */
#ifndef COPYTAX_REPORT_EVENTS_TEXT_H
#define COPYTAX_REPORT_EVENTS_TEXT_H

#include "report/format.h"
#include "result/result.h"

/*
 * A table per family with a line per figure and event and a column per method; for a terminal of the main family
 * alone, and without the events that a figure was made of. What could not be counted is below, with the reason.
 * Writes nothing when the result has no events. Returns 0 or -ENOMEM.
 */
int table_events(const struct result *result, enum style style, FILE *out);

/*
 * Why a case has no value of an event in any mode, shortened for a caption; NULL: it has one. `text`, of
 * REASON_SHORT_MAX, holds it.
 */
const char *event_missing(const struct case_result *kase, const char *event, char *text);

#endif
