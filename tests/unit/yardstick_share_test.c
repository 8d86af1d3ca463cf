// SPDX-License-Identifier: MIT
#include "analysis/yardstick_share.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "made.h"
#include "near.h"

#define SEEN 0.08 /* how much the host's speed changes */

static void add(struct case_result *c, double yardstick_s, double cpu_s)
{
	long row = samples_add(&c->samples);

	assert_true(row >= 0);
	c->samples.value[SAMPLE_YARDSTICK_S][row] = yardstick_s;
	c->samples.value[SAMPLE_SENDER_CPU_S][row] = cpu_s;
	c->samples.value[SAMPLE_WARMUP][row] = 0;
	c->samples.value[SAMPLE_APART][row] = MARK_NONE;
}

/* Cases of a method that feels `felt` of what changes, beside a yardstick that scatters by `scatter` of itself. */
static double share(double felt, double scatter, int samples)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct result *r = result_new();
	double out;

	for (int c = 0; c < 4; c++) {
		struct case_result *k = made_case(r, c == 3 ? "splice" : "sendfile");

		for (int i = 0; i < samples; i++) {
			double slow = gsl_ran_gaussian(rng, SEEN);

			/* another method feels nothing: it has no say */
			add(k, 2e-3 * exp(slow + gsl_ran_gaussian(rng, scatter)),
			    0.01 * (c + 1) * exp((c == 3 ? 0 : felt) * slow + gsl_ran_gaussian(rng, 0.005)));
		}
	}
	out = yardstick_share(r, "sendfile");
	result_free(r);
	gsl_rng_free(rng);
	return out;
}

static void what_a_method_feels_is_found(void **state)
{
	(void)state;
	assert_near(share(1, 0, 50), 1, 0.05);
	assert_near(share(0.5, 0, 50), 0.5, 0.05);
	assert_near(share(0, 0, 50), 0, 0.05);
}

/* Fuller, Measurement Error Models (1987), section 1.1: scatter of what is regressed on takes the slope down to var(x) / (var(x) + var(scatter)). */
static void a_yardstick_that_scatters_is_trusted_less(void **state)
{
	(void)state;
	assert_near(share(1, SEEN, 200), 0.5, 0.08);
}

static void more_than_all_and_less_than_nothing_are_not_believed(void **state)
{
	(void)state;
	assert_true(share(2, 0, 50) == 1);
	assert_true(share(-1, 0, 50) == 0);
}

static void few_samples_tell_nothing(void **state)
{
	(void)state;
	assert_true(share(1, 0, 3) == 0);
	assert_true(share(1, 0, 4) > 0.5);
}

static void a_steady_yardstick_tells_nothing(void **state)
{
	struct result *r = result_new();
	struct case_result *c = made_case(r, "sendfile");

	(void)state;
	for (int i = 0; i < 50; i++)
		add(c, 2e-3, 0.1 + 0.001 * i);
	assert_true(yardstick_share(r, "sendfile") == 0);
	assert_true(yardstick_share(r, "no_such") == 0);
	result_free(r);
}

/* One sample in ten that took much longer for another reason does not decide. */
static void outliers_do_not_decide(void **state)
{
	struct result *r = result_new();
	struct case_result *c = made_case(r, "sendfile");

	(void)state;
	for (int i = 0; i < 100; i++) {
		double slow = 0.002 * (i - 50), odd = i % 10 == 9 ? 3 : 1;

		add(c, 2e-3 * exp(slow), 0.1 * odd * exp(0.4 * slow + 0.001 * (i % 3)));
	}
	assert_near(yardstick_share(r, "sendfile"), 0.4, 0.05);
	result_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_method_feels_is_found),
		cmocka_unit_test(a_yardstick_that_scatters_is_trusted_less),
		cmocka_unit_test(more_than_all_and_less_than_nothing_are_not_believed),
		cmocka_unit_test(few_samples_tell_nothing),
		cmocka_unit_test(a_steady_yardstick_tells_nothing),
		cmocka_unit_test(outliers_do_not_decide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
