/* SPDX-License-Identifier: MIT */
/*
 * What the rules of the findings stand on: the facts, and a way to say what they mean. A rule judges one thing, and
 * fills in a finding; findings.c has them in a table.
 */
#ifndef COPYTAX_MEASURE_FINDINGS_GROUND_H
#define COPYTAX_MEASURE_FINDINGS_GROUND_H

#include <stdbool.h>

#include "measure/findings.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MIB (1024.0 * 1024)

/* What a rule judges by. */
struct ground {
	const json_t *host;
	const struct findings_plan *plan;
};

void finding_say(struct finding *f, enum finding_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void finding_change(struct finding *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The fact a rule can't do without: NULL or false when it isn't known, and the finding says so. */
const json_t *ground_need(const struct ground *g, struct finding *f, const char *name);
const char *ground_need_text(const struct ground *g, struct finding *f, const char *name);
bool ground_need_number(const struct ground *g, struct finding *f, const char *name, double *number);
/* Facts a rule can do without. */
const char *ground_text(const struct ground *g, const char *name);
bool ground_is_guest(const struct ground *g);
bool ground_has_word(const json_t *list, const char *word);
bool ground_one_of(const char *name, const char *const *names, size_t count);

/* findings_network.c */
void judge_congestion_control(const struct ground *g, struct finding *f);
void judge_socket_buffers(const struct ground *g, struct finding *f);
void judge_loopback(const struct ground *g, struct finding *f);
void judge_optmem(const struct ground *g, struct finding *f);
/* findings_cpu.c */
void judge_governor(const struct ground *g, struct finding *f);
void judge_turbo(const struct ground *g, struct finding *f);
void judge_smt(const struct ground *g, struct finding *f);
void judge_idle(const struct ground *g, struct finding *f);
void judge_steal(const struct ground *g, struct finding *f);
void judge_load(const struct ground *g, struct finding *f);
void judge_cores(const struct ground *g, struct finding *f);
void judge_quota(const struct ground *g, struct finding *f);
void judge_kinds(const struct ground *g, struct finding *f);
void judge_numa(const struct ground *g, struct finding *f);
/* findings_kernel.c */
void judge_virtualisation(const struct ground *g, struct finding *f);
void judge_mitigations(const struct ground *g, struct finding *f);
void judge_kernel_build(const struct ground *g, struct finding *f);
void judge_clocksource(const struct ground *g, struct finding *f);
void judge_accounting(const struct ground *g, struct finding *f);
void judge_softirq_accounting(const struct ground *g, struct finding *f);
void judge_memlock(const struct ground *g, struct finding *f);
void judge_lockdown(const struct ground *g, struct finding *f);
void judge_io_uring(const struct ground *g, struct finding *f);
/* findings_storage.c */
void judge_proactive_reclaim(const struct ground *g, struct finding *f);
void judge_free_page_reporting(const struct ground *g, struct finding *f);
void judge_page_cache_room(const struct ground *g, struct finding *f);
void judge_disk_room(const struct ground *g, struct finding *f);
void judge_file_system(const struct ground *g, struct finding *f);
void judge_direct_io(const struct ground *g, struct finding *f);
void judge_cold_cache(const struct ground *g, struct finding *f);
void judge_pipe_size(const struct ground *g, struct finding *f);

#endif
