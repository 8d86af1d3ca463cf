// SPDX-License-Identifier: MIT
/*
 * Hardware events and cycle samples of real transfers. Skipped where there is no PMU. tests/vm/arm64.sh runs it in
 * emulation, where COPYTAX_TEST_PMU says that the PMU is QEMU's neoverse-n1: then also what that one can't do is
 * tested, and what it counts by construction.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/figures.h"
#include "analysis/sites.h"
#include "measure/events.h"
#include "measure/profile.h"
#include "transfer/payload.h"
#include "transfer/transfer.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#define SIZE (16u << 20)
#define PATH "copytax-pmu-test.payload"

static bool emulated(void)
{
	const char *pmu = getenv("COPYTAX_TEST_PMU");

	return pmu && !strcmp(pmu, "qemu-neoverse-n1");
}

static void need_pmu(void)
{
	struct pmu_machine machine;
	struct perf_event_attr attr = { .size = sizeof(attr), .type = PERF_TYPE_HARDWARE };
	int fd;

	pmu_machine_read(PMU_DEVICES, 0, &machine);
	fd = machine.count ? pmu_open(&attr, 0, -1, -1) : -1;
	if (fd >= 0)
		close(fd);
	else if (emulated())
		fail_msg("the emulated machine has no PMU");
	else
		skip();
}

static void transfer(const char *method, const struct transfer_hooks *hooks)
{
	struct transfer_spec spec = { .connections = 1,
		.method = method_find(method), .path = PATH, .size = SIZE,
				      .chunk = 32768, .sink = SINK_DRAIN,
				      .link = { .congestion = "reno" }, .sender_cpu = 0,
				      .receiver_cpu = -1, .time_limit_s = 300, .hooks = hooks };
	struct transfer_outcome out;
	struct failure why = { 0 };

	if (transfer_run(&spec, &out, &why))
		fail_msg("%s", why.text);
}

static json_t *count(const char *list, const char *method)
{
	struct events *events = NULL;
	struct failure why = { 0 };
	struct transfer_hooks hooks = { .born = events_born, .ready = events_ready, .over = events_over };
	json_t *counted;

	assert_int_equal(events_new(list, 0, &events, &why), 0);
	hooks.arg = events;
	transfer(method, &hooks);
	counted = events_json(events);
	events_free(events);
	return counted;
}

static const json_t *entry_of(const json_t *list, const char *name, const char *scope)
{
	const json_t *entry;
	size_t i;

	json_array_foreach((json_t *)list, i, entry)
		if (!strcmp(json_string_value(json_object_get(entry, "name")), name) &&
		    !strcmp(json_string_value(json_object_get(entry, "scope")), scope))
			return entry;
	fail_msg("no %s in %s mode", name, scope);
	return NULL;
}

static double number(const json_t *entry, const char *key)
{
	const json_t *value = json_object_get(entry, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static void assert_reason(const json_t *list, const char *name, const char *words)
{
	const json_t *entry = entry_of(list, name, "kernel");
	const char *reason = json_string_value(json_object_get(entry, "reason"));

	assert_true(json_is_null(json_object_get(entry, "value")));
	if (!reason || !strstr(reason, words))
		fail_msg("%s: '%s' does not say '%s'", name, reason ? reason : "", words);
}

static void cycles_and_instructions_by_mode(void **state)
{
	json_t *read_write, *sendfile;
	double ipc;

	(void)state;
	need_pmu();
	read_write = count("cycles,instructions", "read_write");
	sendfile = count("cycles,instructions", "sendfile");
	for (int i = 0; i < 2; i++) {
		const json_t *list = i ? sendfile : read_write;

		assert_true(number(entry_of(list, "cycles", "user"), "value") > 0);
		assert_true(number(entry_of(list, "instructions", "user"), "value") > 0);
		/* a transfer is the kernel's work */
		assert_true(number(entry_of(list, "cycles", "kernel"), "value") >
			    number(entry_of(list, "cycles", "user"), "value"));
		/* one group: all four ran for the same time */
		assert_true(number(entry_of(list, "cycles", "user"), "running_s") ==
			    number(entry_of(list, "instructions", "kernel"), "running_s"));
		for (const struct figure *f = figures; f->name; f++)
			if (!strcmp(f->name, "ipc_kernel")) {
				ipc = figure_value(f, list, SIZE, NULL);
				assert_true(ipc > 0.01 && ipc < 16);
				if (emulated())
					assert_true(fabs(ipc - 0.5) < 0.01);
			}
	}
	json_decref(read_write);
	json_decref(sendfile);
}

static void too_many_events_share_the_counters_and_say_so(void **state)
{
	/* six by two modes: the same two by their generic, kernel and raw names (arm64's) */
	static const char list[] = "cycles,instructions,CPU-CYCLES,PERF_COUNT_HW_INSTRUCTIONS,r11,r8";
	double alone, shared, share;
	json_t *one, *many;

	(void)state;
	need_pmu();
	one = count("cycles,instructions", "read_write");
	many = count(list, "read_write");
	share = number(entry_of(many, "cycles", "kernel"), "multiplexed");
	if (isnan(share)) {
		/* a PMU with counters for all of them */
		assert_false(emulated());
	} else {
		assert_true(share > 0.1 && share < 1);
		assert_true(fabs(share - number(entry_of(many, "cycles", "kernel"), "running_s") /
						 number(entry_of(many, "cycles", "kernel"),
							"enabled_s")) < 1e-9);
	}
	/* scaled up, it is the same count, give or take what two transfers differ by */
	alone = number(entry_of(one, "instructions", "kernel"), "value");
	shared = number(entry_of(many, "instructions", "kernel"), "value");
	if (emulated() && fabs(shared / alone - 1) > 0.5)
		fail_msg("%.0f instructions alone, %.0f multiplexed", alone, shared);
	json_decref(one);
	json_decref(many);
}

static void what_this_pmu_lacks_is_null(void **state)
{
	json_t *list;

	(void)state;
	if (!emulated())
		skip();
	need_pmu();
	list = count("default,arm_n1::L1D_CACHE_REFILL,arm_n1::NO_SUCH", "read_write");
	assert_reason(list, "cache-misses", "has no such event");
	assert_reason(list, "branch-misses", "has no such event");
	assert_reason(list, "arm_n1::L1D_CACHE_REFILL", "counted nothing");
	assert_reason(list, "arm_n1::NO_SUCH", "not found");
	json_decref(list);
}

static void samples_come_by_cycles(void **state)
{
	struct transfer_hooks hooks = { .born = profile_born, .ready = profile_ready,
					.over = profile_over };
	struct profile *profile = NULL;
	struct failure why = { 0 };
	struct site_shares shares;
	json_t *json;

	(void)state;
	need_pmu();
	assert_int_equal(profile_new(0, &profile, &why), 0);
	hooks.arg = profile;
	for (int i = 0; i < 3; i++)
		transfer("read_write", &hooks);
	json = profile_json(profile);
	assert_string_equal(json_string_value(json_object_get(json, "event")), "cycles");
	assert_true(number(json, "samples") > 20);
	assert_int_equal(json_integer_value(json_object_get(json, "lost")), 0);
	if (!json_object_get(json, "names")) {
		sites_count(profile_stacks(profile), &shares);
		assert_true(shares.samples[CPU_COPYING] * 10 > shares.all);
		assert_true(shares.samples[CPU_OTHER] * 10 < shares.all);
	}
	json_decref(json);
	profile_free(profile);
}

static int make_payload(void **state)
{
	struct failure why = { 0 };

	(void)state;
	if (!payload_create(PATH, SIZE, 1, NULL, &why))
		return 0;
	fprintf(stderr, "%s\n", why.text);
	return -1;
}

static int remove_payload(void **state)
{
	(void)state;
	return unlink(PATH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cycles_and_instructions_by_mode),
		cmocka_unit_test(too_many_events_share_the_counters_and_say_so),
		cmocka_unit_test(what_this_pmu_lacks_is_null),
		cmocka_unit_test(samples_come_by_cycles),
	};
	const char *tmp = getenv("TMPDIR");

	/* the payload is not for the source tree */
	if (chdir(tmp ? tmp : "/tmp"))
		return 1;
	return cmocka_run_group_tests(tests, make_payload, remove_payload);
}
