/* SPDX-License-Identifier: MIT */
/* Holds the profile against the counts: both can say what a copied KiB costs. */
#ifndef COPYTAX_STUDY_AGREEMENT_H
#define COPYTAX_STUDY_AGREEMENT_H

#include "result/result.h"

/*
 * Adds "agreement" (analysis/sites.h) to the profile of every case that has sites, and warns of those where the two
 * are too far apart. Wants the prices in the result.
 */
void agreement_judge(struct result *result);

#endif
