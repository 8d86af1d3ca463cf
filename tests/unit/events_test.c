// SPDX-License-Identifier: MIT
/* Events: lists and encodings, refusals in words, a real count, what is derived from counts, and energy. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analysis/figures.h"
#include "measure/energy.h"
#include "measure/events.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

static const struct pmu_machine no_pmu = { .own = -1, .virtual = true };

static const struct event_code *find(const struct event_codes *codes, const char *name,
				     enum event_scope scope)
{
	for (size_t i = 0; i < codes->count; i++)
		if (!strcmp(codes->code[i].name, name) && codes->code[i].scope == scope)
			return &codes->code[i];
	return NULL;
}

/* ---- lists ---- */

static void software_events_are_always_there(void **state)
{
	struct event_codes codes;
	struct failure why = { 0 };

	(void)state;
	assert_int_equal(event_codes_of("none", &no_pmu, &codes, &why), 0);
	assert_non_null(find(&codes, "task-clock", EVENT_ALL));
	assert_non_null(find(&codes, "context-switches", EVENT_ALL));
	assert_non_null(find(&codes, "minor-faults", EVENT_USER));
	assert_non_null(find(&codes, "minor-faults", EVENT_KERNEL));
	assert_non_null(find(&codes, "emulation-faults", EVENT_USER));
	assert_null(find(&codes, "cycles", EVENT_USER));
	event_codes_free(&codes);
	/* named again they are not counted twice */
	assert_int_equal(event_codes_of("task-clock,minor-faults:u", &no_pmu, &codes, &why), 0);
	assert_null(find(&codes, "task-clock", EVENT_USER));
	event_codes_free(&codes);
}

static void modes_become_scopes(void **state)
{
	const struct event_code *code;
	struct event_codes codes;
	struct failure why = { 0 };

	(void)state;
	assert_int_equal(event_codes_of("cycles, instructions:u,branch-misses:k=1,cache-misses:u:k",
					&no_pmu, &codes, &why),
			 0);
	code = find(&codes, "cycles", EVENT_USER);
	assert_non_null(code);
	assert_true(code->attr.exclude_kernel && !code->attr.exclude_user);
	code = find(&codes, "cycles", EVENT_KERNEL);
	assert_non_null(code);
	assert_true(!code->attr.exclude_kernel && code->attr.exclude_user);
	assert_non_null(find(&codes, "instructions", EVENT_USER));
	assert_null(find(&codes, "instructions", EVENT_KERNEL));
	assert_null(find(&codes, "branch-misses", EVENT_USER));
	assert_non_null(find(&codes, "branch-misses", EVENT_KERNEL));
	assert_non_null(find(&codes, "cache-misses", EVENT_USER));
	assert_non_null(find(&codes, "cache-misses", EVENT_KERNEL));
	event_codes_free(&codes);
}

static void the_default_set(void **state)
{
	static const char *const names[] = { "cycles", "instructions", "cache-references",
					     "cache-misses", "dTLB-load-misses", "branch-misses",
					     "stalled-cycles-frontend", "stalled-cycles-backend" };
	struct event_codes codes;
	struct failure why = { 0 };

	(void)state;
	assert_int_equal(event_codes_of("default,LLC-load-misses", &no_pmu, &codes, &why), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct event_code *code = find(&codes, names[i], EVENT_KERNEL);

		assert_non_null(code);
		assert_string_equal(code->reason, "");
	}
	assert_non_null(find(&codes, "LLC-load-misses", EVENT_USER));
	event_codes_free(&codes);
}

static void the_unknown_is_kept_with_its_reason(void **state)
{
	const struct event_code *code;
	struct event_codes codes;
	struct failure why = { 0 };

	(void)state;
	assert_int_equal(event_codes_of("no-such-event,cycles:zz,cycles:h", &no_pmu, &codes, &why), 0);
	code = find(&codes, "no-such-event", EVENT_USER);
	assert_non_null(code);
	assert_non_null(strstr(code->reason, "not found"));
	code = find(&codes, "cycles:zz", EVENT_KERNEL);
	assert_non_null(code);
	assert_non_null(strstr(code->reason, "attribute"));
	code = find(&codes, "cycles:h", EVENT_KERNEL);
	assert_non_null(code);
	assert_non_null(strstr(code->reason, "user and kernel mode"));
	event_codes_free(&codes);
}

static void what_is_no_list_is_wrong_use(void **state)
{
	static const char *const lists[] = { "", "cycles,,instructions", "cycles instructions", ",",
					     "a,b,"};
	struct event_codes codes;

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct failure why = { 0 };

		assert_int_equal(event_codes_of(lists[i], &no_pmu, &codes, &why), -EINVAL);
		assert_int_equal(why.exit_code, EXIT_WRONG_USE);
	}
}

/* ---- PMUs ---- */

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	for (char *at = path + strlen(dir) + 1; (at = strchr(at, '/')); *at++ = '/') {
		*at = '\0';
		mkdir(path, 0755);
	}
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void remove_all(const char *dir)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	assert_int_equal(system(command), 0);
}

static void cpu_lists(void **state)
{
	(void)state;
	assert_true(pmu_list_contains("0-3,8,10-11", 0));
	assert_true(pmu_list_contains("0-3,8,10-11", 8));
	assert_true(pmu_list_contains("0-3,8,10-11", 11));
	assert_false(pmu_list_contains("0-3,8,10-11", 9));
	assert_false(pmu_list_contains("", 0));
	assert_false(pmu_list_contains("x", 0));
}

static void a_hybrid_cpu_counts_on_the_workers_kind_of_core(void **state)
{
	char dir[] = "/tmp/copytax-pmu-XXXXXX";
	const struct event_code *code;
	struct event_codes codes;
	struct failure why = { 0 };
	struct pmu_machine m;

	(void)state;
	assert_non_null(mkdtemp(dir));
	write_file(dir, "cpu_core/type", "4\n");
	write_file(dir, "cpu_core/cpus", "0-3\n");
	write_file(dir, "cpu_atom/type", "10\n");
	write_file(dir, "cpu_atom/cpus", "4-7\n");
	write_file(dir, "uncore_imc/type", "20\n");
	write_file(dir, "uncore_imc/cpumask", "0\n");
	write_file(dir, "software/type", "1\n");

	pmu_machine_read(dir, 5, &m);
	assert_int_equal(m.count, 2);
	assert_string_equal(m.kinds[m.own].name, "cpu_atom");
	assert_int_equal(event_codes_of("cycles", &m, &codes, &why), 0);
	code = find(&codes, "cycles", EVENT_USER);
	assert_int_equal(code->attr.config >> 32, 10);
	assert_int_equal(code->attr.config & UINT32_MAX, PERF_COUNT_HW_CPU_CYCLES);
	event_codes_free(&codes);

	pmu_machine_read(dir, 2, &m);
	assert_int_equal(event_codes_of("cycles", &m, &codes, &why), 0);
	assert_int_equal(find(&codes, "cycles", EVENT_USER)->attr.config >> 32, 4);
	assert_string_equal(find(&codes, "task-clock", EVENT_ALL)->reason, "");
	event_codes_free(&codes);

	pmu_machine_read(dir, -1, &m);
	assert_int_equal(m.own, -1);
	assert_int_equal(event_codes_of("cycles", &m, &codes, &why), 0);
	assert_non_null(strstr(find(&codes, "cycles", EVENT_USER)->reason, "2 kinds"));
	assert_string_equal(find(&codes, "task-clock", EVENT_ALL)->reason, "");
	event_codes_free(&codes);
	remove_all(dir);
}

static void where_all_cores_are_alike(void **state)
{
	char dir[] = "/tmp/copytax-pmu-XXXXXX";
	struct event_codes codes;
	struct failure why = { 0 };
	struct pmu_machine m;

	(void)state;
	assert_non_null(mkdtemp(dir));
	write_file(dir, "cpu/type", "4\n");
	pmu_machine_read(dir, 1, &m);
	assert_int_equal(m.count, 1);
	assert_int_equal(m.own, 0);
	assert_int_equal(event_codes_of("cycles", &m, &codes, &why), 0);
	assert_int_equal(find(&codes, "cycles", EVENT_USER)->attr.config, PERF_COUNT_HW_CPU_CYCLES);
	event_codes_free(&codes);
	remove_all(dir);
	pmu_machine_read("/nowhere", 1, &m);
	assert_int_equal(m.count, 0);
}

static void every_refusal_has_a_sentence(void **state)
{
	static const int errors[] = { ENOENT, ENODEV, EACCES, EPERM, EOPNOTSUPP, EBUSY, EINVAL, ENOSYS,
				      EMFILE, E2BIG, ESRCH, EIO };
	struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE };
	struct pmu_machine with = { .kinds = { { "cpu", 4 } }, .count = 1, .own = 0 };
	char reason[PMU_REASON_MAX], previous[PMU_REASON_MAX] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		reason[0] = '\0';
		pmu_explain(&no_pmu, &attr, errors[i], reason, sizeof(reason));
		assert_true(strlen(reason) > 10);
	}
	pmu_explain(&no_pmu, &attr, ENOENT, reason, sizeof(reason));
	assert_string_equal(reason, "no PMU in this virtual machine");
	pmu_explain(&with, &attr, ENOENT, previous, sizeof(previous));
	assert_string_equal(previous, "the PMU here (cpu) has no such event");
	attr.type = PERF_TYPE_SOFTWARE;
	pmu_explain(&no_pmu, &attr, ENOENT, reason, sizeof(reason));
	assert_non_null(strstr(reason, "software event"));
}

/* ---- counting ---- */

#define PAGES 200

/* A worker of a kind: waits for a word, touches pages, waits for the next. */
static pid_t start_worker(int *to, int *from)
{
	int go[2], done[2];
	char word = 1;
	pid_t pid;

	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(done), 0);
	pid = fork();
	if (!pid) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE);
		volatile unsigned long sum = 0;
		volatile char *at;

		close(go[1]);
		close(done[0]);
		if (read(go[0], &word, 1) != 1)
			_exit(1);
		at = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			  0);
		madvise((void *)at, PAGES * page, MADV_NOHUGEPAGE);
		for (size_t i = 0; i < PAGES; i++)
			at[i * page] = 1;
		for (unsigned long i = 0; i < 20000000; i++)
			sum += i;
		_exit(!sum || write(done[1], &word, 1) != 1 || read(go[0], &word, 1) < 0);
	}
	close(go[0]);
	close(done[1]);
	*to = go[1];
	*from = done[0];
	return pid;
}

static json_t *count_worker(struct events *events)
{
	struct failure why = { 0 };
	int to, from, status;
	char word = 1;
	pid_t pid = start_worker(&to, &from);

	assert_int_equal(events_born(events, pid, 0, &why), 0);
	assert_int_equal(events_ready(events, &why), 0);
	assert_int_equal(write(to, &word, 1), 1);
	assert_int_equal(read(from, &word, 1), 1);
	events_over(events);
	close(to);
	close(from);
	waitpid(pid, &status, 0);
	return events_json(events);
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

static double value_of(const json_t *list, const char *name, const char *scope)
{
	const json_t *value = json_object_get(entry_of(list, name, scope), "value");

	if (json_is_null(value))
		print_message("%s: %s\n", name,
			      json_string_value(json_object_get(entry_of(list, name, scope), "reason")));
	return json_is_number(value) ? json_number_value(value) : NAN;
}

static void a_worker_is_counted(void **state)
{
	struct events *events = NULL;
	struct failure why = { 0 };
	const json_t *entry;
	double faults, clock;
	size_t i;
	json_t *list;

	(void)state;
	assert_int_equal(events_new("default,no-such-event", -1, &events, &why), 0);
	/* twice: what the first transfer counted must not show in the second */
	json_decref(count_worker(events));
	list = count_worker(events);

	clock = value_of(list, "task-clock", "all");
	if (isnan(clock))
		skip(); /* perf events are forbidden here, and the reason was printed */
	assert_true(clock > 1e6 && clock < 60e9);
	assert_string_equal(json_string_value(json_object_get(entry_of(list, "task-clock", "all"),
							      "unit")),
			    "ns");
	faults = value_of(list, "minor-faults", "user");
	assert_true(faults >= PAGES && faults < PAGES + 100);
	assert_true(value_of(list, "major-faults", "user") >= 0);
	assert_true(json_is_null(json_object_get(entry_of(list, "no-such-event", "user"), "value")));

	json_array_foreach(list, i, entry) {
		const json_t *value = json_object_get(entry, "value");
		const char *reason = json_string_value(json_object_get(entry, "reason"));

		/* a value or a reason, never both and never neither */
		assert_true(json_is_number(value) != (reason != NULL));
		assert_true(!reason || strlen(reason) > 10);
	}
	/* both modes of cycles at 0 would be a PMU that counts nothing, and must be null */
	assert_true(isnan(value_of(list, "cycles", "user")) || value_of(list, "cycles", "user") > 0);
	json_decref(list);
	events_free(events);
}

static void a_process_that_is_gone(void **state)
{
	struct events *events = NULL;
	struct failure why = { 0 };
	json_t *list;

	(void)state;
	assert_int_equal(events_new("none", -1, &events, &why), 0);
	assert_int_equal(events_born(events, 0x3fffff, 0, &why), 0);
	assert_int_equal(events_ready(events, &why), 0);
	events_over(events);
	list = events_json(events);
	assert_non_null(json_string_value(
		json_object_get(entry_of(list, "task-clock", "all"), "reason")));
	json_decref(list);
	events_free(events);
}

/* ---- figures ---- */

static const struct figure *figure(const char *name)
{
	for (const struct figure *f = figures; f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	fail_msg("no figure %s", name);
	return NULL;
}

static void figures_follow_from_events(void **state)
{
	json_t *events = json_pack(
		"[{s:s,s:s,s:i},{s:s,s:s,s:i,s:f},{s:s,s:s,s:i},{s:s,s:s,s:i},{s:s,s:s,s:n,s:s}]", "name",
		"cycles", "scope", "user", "value", 1000, "name", "cycles", "scope", "kernel", "value",
		9000, "multiplexed", 0.5, "name", "instructions", "scope", "user", "value", 2000, "name",
		"instructions", "scope", "kernel", "value", 4500, "name", "cache-misses", "scope", "user",
		"value", "reason", "no PMU");
	const char *reason = NULL;
	json_t *all, *entry;

	(void)state;
	assert_true(fabs(figure_value(figure("cycles_per_byte"), events, 5000, NULL) - 2) < 1e-12);
	assert_true(fabs(figure_value(figure("cycles_per_byte_user"), events, 5000, NULL) - 0.2) < 1e-12);
	assert_true(fabs(figure_value(figure("ipc_user"), events, 5000, NULL) - 2) < 1e-12);
	assert_true(fabs(figure_value(figure("ipc_kernel"), events, 5000, NULL) - 0.5) < 1e-12);
	assert_true(isnan(figure_value(figure("cache_misses_per_kib"), events, 5000, &reason)));
	assert_string_equal(reason, "no PMU");
	assert_true(isnan(figure_value(figure("stalled_share_backend"), events, 5000, &reason)));
	assert_non_null(strstr(reason, "not counted"));
	assert_true(isnan(figure_value(figure("cycles_per_byte"), events, 0, &reason)));
	assert_non_null(reason);

	all = figures_json(events, 5000);
	entry = json_object_get(all, "cycles_per_byte");
	assert_true(fabs(json_number_value(json_object_get(entry, "multiplexed")) - 0.5) < 1e-12);
	assert_null(json_object_get(json_object_get(all, "ipc_user"), "multiplexed"));
	entry = json_object_get(all, "cache_misses_per_kib");
	assert_true(json_is_null(json_object_get(entry, "value")));
	assert_string_equal(json_string_value(json_object_get(entry, "reason")), "no PMU");
	json_decref(all);
	json_decref(events);
}

/* ---- energy ---- */

static void energy_is_net_of_the_idle_machine(void **state)
{
	char dir[] = "/tmp/copytax-energy-XXXXXX";
	struct energy *energy = NULL;
	struct failure why = { 0 };
	json_t *all, *package;
	double idle, joules;

	(void)state;
	assert_non_null(mkdtemp(dir));
	write_file(dir, "class/powercap/intel-rapl:0/name", "package-0\n");
	write_file(dir, "class/powercap/intel-rapl:0/max_energy_range_uj", "1000000000\n");
	write_file(dir, "class/powercap/intel-rapl:0/energy_uj", "999000000\n");
	write_file(dir, "class/powercap/intel-rapl-mmio:0/name", "package-0\n");
	write_file(dir, "class/powercap/intel-rapl-mmio:0/energy_uj", "5\n");
	assert_int_equal(energy_new(dir, &energy, &why), 0);

	/* without a baseline nothing is said */
	all = energy_json(energy, 1000000000);
	assert_true(json_is_null(json_object_get(json_object_get(all, "package"), "value")));
	json_decref(all);

	energy_baseline(energy, 0.01);
	energy_start(energy);
	/* the counter starts again at its range: 1 J to the end and 2 J from there */
	write_file(dir, "class/powercap/intel-rapl:0/energy_uj", "2000000\n");
	energy_stop(energy);
	all = energy_json(energy, 2000000000);
	package = json_object_get(all, "package");
	joules = json_number_value(json_object_get(package, "joules"));
	idle = json_number_value(json_object_get(package, "idle_joules"));
	assert_true(fabs(joules - 3) < 1e-6);
	assert_true(fabs(json_number_value(json_object_get(package, "value")) - (joules - idle) / 2) <
		    1e-9);
	assert_string_equal(json_string_value(json_object_get(package, "source")), "powercap");
	assert_non_null(json_string_value(json_object_get(json_object_get(all, "dram"), "reason")));
	json_decref(all);
	energy_free(energy);
	remove_all(dir);
}

static void no_energy_counter_is_said_so(void **state)
{
	struct energy *energy = NULL;
	struct failure why = { 0 };
	json_t *all;

	(void)state;
	assert_int_equal(energy_new("/nowhere", &energy, &why), 0);
	energy_baseline(energy, 10); /* returns at once: there is nothing to read */
	all = energy_json(energy, 1);
	assert_true(json_is_null(json_object_get(json_object_get(all, "package"), "value")));
	assert_non_null(strstr(json_string_value(json_object_get(json_object_get(all, "package"),
								 "reason")),
			       "power PMU"));
	json_decref(all);
	energy_free(energy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(software_events_are_always_there),
		cmocka_unit_test(modes_become_scopes),
		cmocka_unit_test(the_default_set),
		cmocka_unit_test(the_unknown_is_kept_with_its_reason),
		cmocka_unit_test(what_is_no_list_is_wrong_use),
		cmocka_unit_test(cpu_lists),
		cmocka_unit_test(a_hybrid_cpu_counts_on_the_workers_kind_of_core),
		cmocka_unit_test(where_all_cores_are_alike),
		cmocka_unit_test(every_refusal_has_a_sentence),
		cmocka_unit_test(a_worker_is_counted),
		cmocka_unit_test(a_process_that_is_gone),
		cmocka_unit_test(figures_follow_from_events),
		cmocka_unit_test(energy_is_net_of_the_idle_machine),
		cmocka_unit_test(no_energy_counter_is_said_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
