/* SPDX-License-Identifier: MIT */
/*
 * What of this machine shapes the numbers: the result's host{} object. Facts are in the uniform
 * shape of measure/fact.h, in these groups:
 *
 *   kernel    release, version, distribution, architecture, options, build, clocksource,
 *             clocksources, idle_driver, idle_governor, idle_poll_ns, cpu_accounting,
 *             nohz_full, user_system_split, softirq_charged_to_task
 *   cpu       model, hypervisor, machine, packages, cores, threads, usable, numa_nodes, caches,
 *             kinds, smt, governor, frequency_driver, turbo, mitigations, quota
 *   load      average, busy_cpus_now, steal_share
 *   memory    total_bytes, available_bytes, limit_bytes, page_bytes, transparent_hugepages,
 *             transparent_hugepages_shmem, numa_balancing
 *   net       congestion_control, congestion_controls_available, congestion_controls_allowed,
 *             tcp_wmem, tcp_rmem, wmem_max_bytes, rmem_max_bytes, optmem_max_bytes,
 *             loopback_mtu, loopback_tso
 *   limits    pipe_max_bytes, pipe_user_pages_soft, memlock_bytes
 *   security  lockdown, perf_event_paranoid, kptr_restrict, unprivileged_bpf_disabled,
 *             io_uring_disabled, capabilities
 *   storage   file_system, mount_options, device, device_model, rotational, scheduler,
 *             read_ahead_bytes, free_bytes, payload_bytes, direct_io, direct_io_alignment,
 *             direct_io_memory_alignment, direct_io_offset_alignment, direct_io_bypasses_cache
 *
 * Nothing that names the machine or its user is taken: no host name, no address, and of the
 * kernel's command line and the mount options only what bears on a measurement.
 */
#ifndef COPYTAX_MEASURE_HOST_H
#define COPYTAX_MEASURE_HOST_H

#include <jansson.h>

#include "base/failure.h"
#include "measure/fact.h"

/*
 * Gathers all facts; takes about a third of a second, most of it to see how busy the CPUs are now.
 *
 * `dir` is where a payload would be made; `payload` is an existing one, whose place then counts
 * instead, or NULL: then a small unnamed file is written to `dir` to try direct I/O. On success
 * `*out` is the caller's. Fails with -errno and `why` only when `dir` or `payload` isn't there or
 * memory runs out.
 */
int host_facts(const char *dir, const char *payload, json_t **out, struct failure *why);

#endif
