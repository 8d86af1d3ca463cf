/* SPDX-License-Identifier: MIT */
/* The rows of a regression that cases make: one for each case, by its medians, and one for each of their samples. */
#ifndef COPYTAX_ANALYSIS_FIT_ROWS_H
#define COPYTAX_ANALYSIS_FIT_ROWS_H

#include "analysis/fit.h"
#include "analysis/nnls.h"

/* Room for them; what is made of it points into it. */
struct fit_rows {
	double *x, *y, *leverage; /* cases */
	size_t rows; /* samples */
	double *sample_x, *sample_y, *sample_sigma;
	size_t *start; /* of a case's samples; one more for the end */
};

/* For these cases; from all zeros. 0 or -ENOMEM; fit_rows_free() in any case. */
int fit_rows_alloc(struct fit_rows *rows, const struct fit_case *cases, size_t count);
void fit_rows_free(struct fit_rows *rows);

/* Of the fit's terms and sigmas, which must be there. */
struct regression fit_rows_of_cases(const struct fit_case *cases, size_t count, const struct fit *fit,
				    struct fit_rows *rows);

/* The same; a case's samples together weigh what its median would, so 15 of one case are not fifteen witnesses. */
struct regression fit_rows_of_samples(const struct fit_case *cases, size_t count,
				      const struct fit *fit, struct fit_rows *rows);

#endif
