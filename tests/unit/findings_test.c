// SPDX-License-Identifier: MIT
/* From facts made up for the purpose to findings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "measure/fact.h"
#include "measure/findings.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#define MIB (1024LL * 1024)

static const struct findings_plan usual = { .payload_bytes = 327680000 };

/* Sets one fact: "net.congestion_control". */
static void set(json_t *host, const char *name, json_t *value)
{
	char group[32];
	const char *dot = strchr(name, '.');

	assert_non_null(dot);
	assert_true((size_t)(dot - name) < sizeof(group));
	memcpy(group, name, (size_t)(dot - name));
	group[dot - name] = '\0';
	fact_put(host, group, dot + 1, fact_known(value, "test"));
}

/* A machine on which nothing misleads. */
static json_t *quiet_machine(void)
{
	static const struct {
		const char *name, *text;
	} texts[] = {
		{ "net.congestion_control", "reno" },
		{ "cpu.governor", "performance" },
		{ "cpu.frequency_driver", "acpi-cpufreq" },
		{ "cpu.turbo", "off" },
		{ "cpu.smt", "off" },
		{ "cpu.hypervisor", "none" },
		{ "cpu.quota", "none" },
		{ "kernel.clocksource", "tsc" },
		{ "kernel.user_system_split", "sampled" },
		{ "kernel.idle_driver", "none" },
		{ "security.lockdown", "none" },
		{ "storage.file_system", "ext4" },
		{ "storage.device", "nvme0n1" },
		{ "storage.direct_io", "works" },
		{ "memory.limit_bytes", "none" },
		{ "memory.damon", "off" },
		{ "memory.free_page_reporting", "off" },
	};
	static const struct {
		const char *name;
		long long number;
	} numbers[] = {
		{ "cpu.usable", 8 },
		{ "cpu.threads", 8 },
		{ "cpu.kinds", 1 },
		{ "cpu.numa_nodes", 1 },
		{ "load.busy_cpus_now", 0 },
		{ "load.steal_share", 0 },
		{ "net.loopback_mtu", 65536 },
		{ "net.wmem_max_bytes", 4 * MIB },
		{ "net.rmem_max_bytes", 4 * MIB },
		{ "net.optmem_max_bytes", 131072 },
		{ "limits.pipe_max_bytes", MIB },
		{ "limits.memlock_bytes", 64 * MIB },
		{ "security.io_uring_disabled", 0 },
		{ "memory.available_bytes", 8192 * MIB },
		{ "storage.free_bytes", 8192 * MIB },
		{ "storage.direct_io_alignment", 512 },
		{ "storage.read_ahead_bytes", 131072 },
	};
	json_t *host = json_object();
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		set(host, texts[i].name, json_string(texts[i].text));
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		set(host, numbers[i].name, json_integer(numbers[i].number));
	set(host, "kernel.softirq_charged_to_task", json_true());
	set(host, "storage.direct_io_bypasses_cache", json_true());
	set(host, "kernel.build", json_pack("{s:s}", "CONFIG_HZ", "250"));
	set(host, "cpu.mitigations", json_pack("{s:s}", "mds", "Not affected"));
	return host;
}

static struct finding judged(json_t *host, const struct findings_plan *plan, const char *code)
{
	struct findings findings;
	size_t i;

	findings_judge(host, plan, &findings);
	for (i = 0; i < findings.count; i++)
		if (!strcmp(findings.item[i].code, code))
			return findings.item[i];
	fail_msg("no finding has the code %s", code);
	return (struct finding) { 0 };
}

static void memory_that_the_host_takes_back_is_a_note(void **state)
{
	const struct findings_plan plan = { .payload_bytes = 320 * MIB };
	json_t *host = quiet_machine();
	struct finding f;

	(void)state;
	assert_int_equal(judged(host, &plan, "free_page_reporting").level, FINDING_OK);
	set(host, "memory.free_page_reporting", json_string("on"));
	f = judged(host, &plan, "free_page_reporting");
	assert_int_equal(f.level, FINDING_NOTE);
	assert_non_null(strstr(f.what, "takes it back"));
	assert_non_null(strstr(f.effect, "just before the clock"));
	json_decref(host);
	/* a result from before it was looked for */
	host = json_object();
	assert_int_equal(judged(host, &plan, "free_page_reporting").level, FINDING_UNKNOWN);
	json_decref(host);
}

static void quiet_machine_has_no_warning(void **state)
{
	json_t *host = quiet_machine();
	struct findings findings;
	size_t i;

	(void)state;
	findings_judge(host, &usual, &findings);
	assert_true(findings.count >= 20);
	for (i = 0; i < findings.count; i++) {
		if (findings.item[i].level == FINDING_WARN ||
		    findings.item[i].level == FINDING_UNKNOWN)
			fail_msg("%s: %s", findings.item[i].code, findings.item[i].what);
		assert_true(findings.item[i].what[0]);
	}
	json_decref(host);
}

static void without_facts_nothing_is_claimed(void **state)
{
	json_t *host = json_object();
	struct findings findings;
	size_t i;

	(void)state;
	findings_judge(host, &usual, &findings);
	for (i = 0; i < findings.count; i++) {
		assert_int_equal(findings.item[i].level, FINDING_UNKNOWN);
		assert_string_equal(findings.item[i].what, "not recorded");
		assert_string_equal(findings.item[i].change, "");
	}
	json_decref(host);
}

static void unknown_gives_the_facts_reason(void **state)
{
	json_t *host = quiet_machine();
	struct finding f;

	(void)state;
	fact_put(host, "cpu", "governor", fact_unknown("no cpufreq %s", "driver"));
	f = judged(host, &usual, "governor");
	assert_int_equal(f.level, FINDING_UNKNOWN);
	assert_string_equal(f.what, "no cpufreq driver");
	json_decref(host);
}

static void fact_of_the_wrong_type_is_unknown(void **state)
{
	json_t *host = quiet_machine();

	(void)state;
	set(host, "net.loopback_mtu", json_string("wide"));
	set(host, "net.congestion_control", json_integer(7));
	assert_int_equal(judged(host, &usual, "loopback").level, FINDING_UNKNOWN);
	assert_int_equal(judged(host, &usual, "congestion_control").level, FINDING_UNKNOWN);
	json_decref(host);
}

/* One fact changed on the quiet machine, and what becomes of one finding. */
static const struct change {
	const char *fact, *value; /* JSON */
	const char *code;
	enum finding_level level;
} changes[] = {
	{ "net.congestion_control", "\"bbr\"", "congestion_control", FINDING_WARN },
	{ "net.congestion_control", "\"bbr3\"", "congestion_control", FINDING_WARN },
	{ "net.congestion_control", "\"cubic\"", "congestion_control", FINDING_OK },
	{ "cpu.governor", "\"schedutil\"", "governor", FINDING_WARN },
	{ "cpu.governor", "\"performance,powersave\"", "governor", FINDING_WARN },
	{ "cpu.governor", "\"powersave\"", "governor", FINDING_WARN },
	{ "cpu.turbo", "\"on\"", "turbo", FINDING_NOTE },
	{ "cpu.smt", "\"on\"", "smt", FINDING_NOTE },
	{ "cpu.smt", "\"notsupported\"", "smt", FINDING_OK },
	{ "cpu.hypervisor", "\"kvm\"", "virtualisation", FINDING_NOTE },
	{ "cpu.hypervisor", "\"kvm\"", "smt", FINDING_NOTE },
	{ "cpu.hypervisor", "\"pvm\"", "virtualisation", FINDING_WARN },
	{ "cpu.usable", "1", "cores", FINDING_WARN },
	{ "cpu.usable", "2", "cores", FINDING_OK },
	{ "cpu.quota", "1.5", "cpu_quota", FINDING_WARN },
	{ "cpu.quota", "4", "cpu_quota", FINDING_NOTE },
	{ "cpu.kinds", "2", "cpu_kinds", FINDING_NOTE },
	{ "cpu.numa_nodes", "2", "numa", FINDING_NOTE },
	{ "load.steal_share", "0.005", "steal", FINDING_NOTE },
	{ "load.steal_share", "0.05", "steal", FINDING_WARN },
	{ "load.busy_cpus_now", "1", "load", FINDING_NOTE },
	{ "load.busy_cpus_now", "7", "load", FINDING_WARN },
	{ "kernel.clocksource", "\"kvm-clock\"", "clocksource", FINDING_OK },
	{ "kernel.clocksource", "\"hpet\"", "clocksource", FINDING_WARN },
	{ "kernel.user_system_split", "\"measured\"", "accounting", FINDING_NOTE },
	{ "kernel.softirq_charged_to_task", "false", "softirq_accounting", FINDING_WARN },
	{ "kernel.build", "{\"CONFIG_KASAN\": \"y\"}", "kernel_build", FINDING_WARN },
	{ "kernel.build", "{\"CONFIG_INIT_ON_ALLOC_DEFAULT_ON\": \"y\"}", "kernel_build",
	  FINDING_NOTE },
	{ "cpu.mitigations", "{\"meltdown\": \"Mitigation: PTI\"}", "mitigations", FINDING_NOTE },
	{ "cpu.mitigations", "{\"mds\": \"Vulnerable\"}", "mitigations", FINDING_NOTE },
	{ "memory.available_bytes", "330000000", "page_cache_room", FINDING_WARN },
	{ "memory.limit_bytes", "67108864", "page_cache_room", FINDING_WARN },
	{ "storage.free_bytes", "1000", "disk_room", FINDING_WARN },
	{ "storage.file_system", "\"tmpfs\"", "file_system", FINDING_WARN },
	{ "storage.file_system", "\"nfs4\"", "file_system", FINDING_WARN },
	{ "storage.file_system", "\"overlay\"", "file_system", FINDING_NOTE },
	{ "storage.mount_options", "[\"rw\", \"compress=zstd:1\"]", "file_system", FINDING_WARN },
	{ "storage.direct_io", "\"refused\"", "direct_io", FINDING_WARN },
	{ "storage.direct_io_bypasses_cache", "false", "direct_io", FINDING_WARN },
	{ "net.loopback_mtu", "1500", "loopback", FINDING_WARN },
	{ "net.loopback_tso", "false", "loopback", FINDING_WARN },
	{ "net.optmem_max_bytes", "20480", "optmem", FINDING_NOTE },
	{ "limits.pipe_max_bytes", "65536", "pipe_size", FINDING_NOTE },
	{ "limits.memlock_bytes", "8388608", "memlock", FINDING_NOTE },
	{ "limits.memlock_bytes", "\"unlimited\"", "memlock", FINDING_OK },
	{ "security.lockdown", "\"integrity\"", "lockdown", FINDING_OK },
	{ "security.lockdown", "\"confidentiality\"", "lockdown", FINDING_WARN },
	{ "security.io_uring_disabled", "2", "io_uring", FINDING_WARN },
};

static void one_fact_changes_one_finding(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const struct change *c = &changes[i];
		json_t *host = quiet_machine();
		struct finding f;

		set(host, c->fact, json_loads(c->value, JSON_DECODE_ANY, NULL));
		f = judged(host, &usual, c->code);
		if (f.level != c->level)
			fail_msg("%s = %s: %s is %s, not %s (%s)", c->fact, c->value, c->code,
				 finding_level_name(f.level), finding_level_name(c->level), f.what);
		if (f.level == FINDING_WARN) {
			assert_true(f.effect[0]);
			assert_true(f.change[0]);
		}
		json_decref(host);
	}
}

static void frequency_driver_that_chooses_by_itself(void **state)
{
	json_t *host = quiet_machine();

	(void)state;
	set(host, "cpu.governor", json_string("powersave"));
	set(host, "cpu.frequency_driver", json_string("intel_pstate"));
	assert_int_equal(judged(host, &usual, "governor").level, FINDING_NOTE);
	json_decref(host);
}

static void what_the_plan_sets_overrides_the_default(void **state)
{
	struct findings_plan plan = usual;
	json_t *host = quiet_machine();

	(void)state;
	set(host, "net.congestion_control", json_string("bbr"));
	plan.congestion_control = "reno";
	assert_int_equal(judged(host, &plan, "congestion_control").level, FINDING_NOTE);
	plan.congestion_control = "bbr";
	assert_int_equal(judged(host, &plan, "congestion_control").level, FINDING_WARN);
	json_decref(host);
}

static void buffers_beyond_the_limit(void **state)
{
	struct findings_plan plan = usual;
	json_t *host = quiet_machine();

	(void)state;
	set(host, "net.wmem_max_bytes", json_integer(212992));
	plan.send_buffer = 1 << 20;
	assert_int_equal(judged(host, &plan, "socket_buffers").level, FINDING_WARN);
	set(host, "security.capabilities", json_pack("[s]", "net_admin"));
	assert_int_equal(judged(host, &plan, "socket_buffers").level, FINDING_OK);
	json_decref(host);
}

static void capabilities_lift_limits(void **state)
{
	json_t *host = quiet_machine();

	(void)state;
	set(host, "limits.memlock_bytes", json_integer(65536));
	set(host, "limits.pipe_max_bytes", json_integer(65536));
	set(host, "security.capabilities", json_pack("[s, s]", "ipc_lock", "sys_resource"));
	assert_int_equal(judged(host, &usual, "memlock").level, FINDING_OK);
	assert_int_equal(judged(host, &usual, "pipe_size").level, FINDING_OK);
	json_decref(host);
}

static void payload_that_is_there_needs_no_room(void **state)
{
	json_t *host = quiet_machine();

	(void)state;
	set(host, "storage.free_bytes", json_integer(0));
	assert_int_equal(judged(host, &usual, "disk_room").level, FINDING_WARN);
	set(host, "storage.payload_bytes", json_integer(327680000));
	assert_int_equal(judged(host, &usual, "disk_room").level, FINDING_OK);
	set(host, "storage.payload_bytes", json_integer(1));
	assert_int_equal(judged(host, &usual, "disk_room").level, FINDING_WARN);
	json_decref(host);
}

static void command_to_change_it_is_exact(void **state)
{
	json_t *host = quiet_machine();

	(void)state;
	set(host, "net.congestion_control", json_string("bbr"));
	set(host, "net.congestion_controls_available", json_pack("[s, s]", "reno", "bbr"));
	assert_string_equal(judged(host, &usual, "congestion_control").change,
			    "sysctl -w net.ipv4.tcp_congestion_control=reno");
	set(host, "net.congestion_controls_available", json_pack("[s, s]", "bbr", "cubic"));
	assert_string_equal(judged(host, &usual, "congestion_control").change,
			    "sysctl -w net.ipv4.tcp_congestion_control=cubic");
	json_decref(host);
}

static void only_warnings_reach_the_result(void **state)
{
	struct result *result = result_new();
	json_t *host = quiet_machine(), *first;
	struct findings findings;

	(void)state;
	assert_non_null(result);
	findings_judge(host, &usual, &findings);
	findings_warn(result, &findings);
	assert_int_equal(json_array_size(result->warnings), 0);

	set(host, "net.congestion_control", json_string("bbr"));
	set(host, "cpu.turbo", json_string("on"));
	findings_judge(host, &usual, &findings);
	findings_warn(result, &findings);
	assert_int_equal(json_array_size(result->warnings), 1);
	first = json_array_get(result->warnings, 0);
	assert_string_equal(json_string_value(json_object_get(first, "code")),
			    "congestion_control");
	assert_true(strlen(json_string_value(json_object_get(first, "effect"))) > 0);
	json_decref(host);
	result_free(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet_machine_has_no_warning),
		cmocka_unit_test(memory_that_the_host_takes_back_is_a_note),
		cmocka_unit_test(without_facts_nothing_is_claimed),
		cmocka_unit_test(unknown_gives_the_facts_reason),
		cmocka_unit_test(fact_of_the_wrong_type_is_unknown),
		cmocka_unit_test(one_fact_changes_one_finding),
		cmocka_unit_test(frequency_driver_that_chooses_by_itself),
		cmocka_unit_test(what_the_plan_sets_overrides_the_default),
		cmocka_unit_test(buffers_beyond_the_limit),
		cmocka_unit_test(capabilities_lift_limits),
		cmocka_unit_test(payload_that_is_there_needs_no_room),
		cmocka_unit_test(command_to_change_it_is_exact),
		cmocka_unit_test(only_warnings_reach_the_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
