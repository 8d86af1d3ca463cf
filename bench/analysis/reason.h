/* SPDX-License-Identifier: MIT */
/* The reason of a missing number in few words, for a sentence or a caption. */
#ifndef COPYTAX_ANALYSIS_REASON_H
#define COPYTAX_ANALYSIS_REASON_H

#define REASON_SHORT_MAX 160

/*
 * A probe's reason lists every attempt: "fexit f: EPERM at load (why); kretprobe f: ENOENT at load (why)". The
 * short one is the first attempt's why, or the first attempt itself when it has none; NULL is "not
 * counted". The whole reason stays in the document. Returns `out`.
 */
const char *reason_short(const char *reason, char out[static REASON_SHORT_MAX]);

#endif
