/* SPDX-License-Identifier: MIT */
/* cmocka compares floats in single precision; our numbers are doubles. Include after cmocka.h. */
#ifndef COPYTAX_TESTS_NEAR_H
#define COPYTAX_TESTS_NEAR_H

#include <math.h>

static inline void assert_near_at(double got, double wanted, double apart, const char *file, int line)
{
	if (fabs(got - wanted) <= apart)
		return;
	print_error("%.17g is not %.17g to %g\n", got, wanted, apart);
	_fail(file, line);
}

#define assert_near(got, wanted, apart) assert_near_at(got, wanted, apart, __FILE__, __LINE__)

#endif
