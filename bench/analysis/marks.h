/* SPDX-License-Identifier: MIT */
/* The marks of samples (enum sample_mark) together: which come first, what a case goes by that has no sample without one, and what is said of it. */
#ifndef COPYTAX_ANALYSIS_MARKS_H
#define COPYTAX_ANALYSIS_MARKS_H

#include "result/result.h"

/*
 * A method that sleeps thousands of times in a transfer leaves its CPUs to the host, which puts idle ones where it likes: of so many timed samples that
 * have a latency and are neither slowed nor stolen, fewer than this share were at the run's distance from beginning to end. Then those that were are the odd ones.
 */
#define MARKS_ELSEWHERE_LEAST 20
#define MARKS_ELSEWHERE_SHARE 0.25

/*
 * Marks all samples anew: at another distance, slowed, stolen. A sample has one mark, the first of these. Those of a method that is hardly ever at the distance,
 * in all its cases of a placement together, count wherever they were (MARK_SETTLED), but for stolen ones. 0 or -ENOMEM.
 */
int marks_set(struct result *result);

/* Slowed and stolen ones, and marks_settle(), for one of two results that are compared: apart_align() has marked their distances, and only what is at one distance is compared. 0 or -ENOMEM. */
int marks_set_aligned(struct result *result);

/*
 * Marks the samples of a case that would be left without a single one, as in runs of a round or two, as counting all the same
 * (MARK_SETTLED): such figures are better than none, as long as it is said. Slowed samples come before those that time was stolen from,
 * and these before those of another distance. Returns how many cases that are.
 */
size_t marks_settle(struct result *result);

/* Why a case has no sample that counts. A static string. */
const char *marks_why_none(const struct case_result *kase);

/*
 * Marks and settles for good, and warns: cpus_apart, cpu_slowed and cpu_stolen when there are such, with what that cost some of the
 * cases; cpus_elsewhere for methods that are hardly ever at the distance; cpus_mixed, cpu_slowed_only and cpu_stolen_only for cases that have no sample but such. 0 or -ENOMEM.
 */
int marks_conclude(struct result *result);

#endif
