/* SPDX-License-Identifier: MIT */
/*
 * Probes are held against transfers whose every count is known before they are trusted with one that
 * is not.
 */
#ifndef COPYTAX_MEASURE_CALIBRATE_H
#define COPYTAX_MEASURE_CALIBRATE_H

#include "base/failure.h"
#include "measure/probes.h"

/*
 * Moves a few MB of a nameless file in `dir` (the payload's folder: the file system matters) over
 * loopback TCP in every known way, and distrusts each probe that is off: it steps down to the ledger
 * where that was right, and to nothing otherwise, with both numbers in its reason.
 *
 * Returns how many were distrusted, or -errno with `why` when nothing could be moved: then the probes
 * are as they were, uncalibrated. Not inside probes_begin … probes_end.
 */
int calibrate(struct probes *probes, const char *dir, struct failure *why);

#endif
