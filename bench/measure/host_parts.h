/* SPDX-License-Identifier: MIT */
/*
 * The parts of host_facts(), one file each. All add facts to `host` and none can fail: unknown is a
 * fact.
 */
#ifndef COPYTAX_MEASURE_HOST_PARTS_H
#define COPYTAX_MEASURE_HOST_PARTS_H

#include <jansson.h>

void host_kernel(json_t *host);
void host_cpu(json_t *host);
void host_load(json_t *host);
void host_cgroup(json_t *host);
void host_accounting(json_t *host);
/* `payload` may be NULL; otherwise `dir` is not looked at. */
void host_storage(json_t *host, const char *dir, const char *payload);

#endif
