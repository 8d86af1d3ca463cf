// SPDX-License-Identifier: MIT
#include "measure/findings.h"

#include <stdio.h>
#include <string.h>

#include "measure/findings_ground.h"

/* One line per thing that can mislead, in the order of the printed list. */
static const struct rule {
	const char *code, *title;
	void (*judge)(const struct ground *g, struct finding *f);
} rules[] = {
	{ "congestion_control", "congestion control", judge_congestion_control },
	{ "load", "other load", judge_load },
	{ "steal", "steal time", judge_steal },
	{ "cores", "CPUs", judge_cores },
	{ "cpu_quota", "CPU limit", judge_quota },
	{ "governor", "frequency governor", judge_governor },
	{ "turbo", "turbo", judge_turbo },
	{ "smt", "SMT", judge_smt },
	{ "cpu_kinds", "kinds of core", judge_kinds },
	{ "numa", "NUMA", judge_numa },
	{ "idle", "idle states", judge_idle },
	{ "virtualisation", "hypervisor", judge_virtualisation },
	{ "mitigations", "CPU mitigations", judge_mitigations },
	{ "kernel_build", "kernel build", judge_kernel_build },
	{ "clocksource", "clock", judge_clocksource },
	{ "accounting", "user/system split", judge_accounting },
	{ "softirq_accounting", "softirq accounting", judge_softirq_accounting },
	{ "page_cache_room", "page cache room", judge_page_cache_room },
	{ "proactive_reclaim", "proactive reclaim", judge_proactive_reclaim },
	{ "free_page_reporting", "free memory", judge_free_page_reporting },
	{ "disk_room", "disk room", judge_disk_room },
	{ "file_system", "file system", judge_file_system },
	{ "direct_io", "direct I/O", judge_direct_io },
	{ "cold_cache", "device", judge_cold_cache },
	{ "socket_buffers", "socket buffers", judge_socket_buffers },
	{ "loopback", "loopback", judge_loopback },
	{ "pipe_size", "pipe size", judge_pipe_size },
	{ "memlock", "locked memory", judge_memlock },
	{ "optmem", "socket option memory", judge_optmem },
	{ "lockdown", "kernel lockdown", judge_lockdown },
	{ "io_uring", "io_uring", judge_io_uring },
};

_Static_assert(COUNT(rules) <= FINDINGS_MAX, "every rule needs room for its finding");

void findings_judge(const json_t *host, const struct findings_plan *plan, struct findings *findings)
{
	const struct ground ground = { .host = host, .plan = plan };
	size_t i;

	memset(findings, 0, sizeof(*findings));
	for (i = 0; i < COUNT(rules); i++) {
		struct finding *f = &findings->item[findings->count++];

		f->code = rules[i].code;
		f->title = rules[i].title;
		f->effect = "";
		rules[i].judge(&ground, f);
	}
}

const char *finding_level_name(enum finding_level level)
{
	static const char *const names[] = { "ok", "note", "warn", "unknown" };

	return names[level];
}

json_t *findings_json(const struct findings *findings)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < findings->count; i++) {
		const struct finding *f = &findings->item[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "code",
						      f->code, "title", f->title, "level",
						      finding_level_name(f->level), "what", f->what,
						      "effect", f->effect, "change", f->change));
	}
	return list;
}

void findings_warn(struct result *result, const struct findings *findings)
{
	char told[400];
	size_t i;

	for (i = 0; i < findings->count; i++) {
		const struct finding *f = &findings->item[i];

		if (f->level != FINDING_WARN)
			continue;
		snprintf(told, sizeof(told), "%s: %s", f->title, f->what);
		result_warn(result, f->code, told, f->effect);
	}
}
