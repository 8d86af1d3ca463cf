/* SPDX-License-Identifier: MIT */
/* From what the probes counted to the words of the document: case->counts and case->copies. */
#ifndef COPYTAX_STUDY_COUNTS_H
#define COPYTAX_STUDY_COUNTS_H

#include "measure/probes.h"
#include "result/result.h"
#include "study/deduced.h"

/* Two rungs that disagree about a site become a warning of the result. */
void counts_store(const struct probes *probes, const struct probe_counts *counts,
		  const struct deduction *deduction, struct result *result, struct case_result *kase);

/* What getrusage knows without any probe: faults, and switches where no probe counted them. */
void counts_from_samples(struct case_result *kase);

#endif
