/* SPDX-License-Identifier: MIT */
/* Reasons in a result that readers of it go by, and so are spelt in one place. */
#ifndef COPYTAX_RESULT_REASONS_H
#define COPYTAX_RESULT_REASONS_H

/* Why a count is not known although its probe was attached (measure/probes.h, `missed`). */
#define REASON_LEFT_OUT                                                                            \
	"the kernel left out its probe, which was running on that CPU already, in each try: a count would be too small"

#endif
