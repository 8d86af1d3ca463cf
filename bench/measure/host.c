// SPDX-License-Identifier: MIT
#include "measure/host.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "measure/host_parts.h"
#include "measure/page_reporting.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CPU "/sys/devices/system/cpu/"
#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/"
#define THP "/sys/kernel/mm/transparent_hugepage/"
#define NET "/proc/sys/net/"

/* Everything that one file tells in one line. */
static const struct {
	const char *group, *name, *path;
	enum fact_kind kind;
	const char *absent;
} files[] = {
	{ "kernel", "clocksource", CLOCKSOURCE "current_clocksource", FACT_TEXT, NULL },
	{ "kernel", "clocksources", CLOCKSOURCE "available_clocksource", FACT_WORDS, NULL },
	{ "kernel", "idle_driver", CPU "cpuidle/current_driver", FACT_TEXT,
	  "this kernel is built without cpuidle" },
	{ "kernel", "idle_governor", CPU "cpuidle/current_governor_ro", FACT_TEXT,
	  "this kernel is built without cpuidle" },
	{ "kernel", "idle_poll_ns", "/sys/module/haltpoll/parameters/guest_halt_poll_ns",
	  FACT_NUMBER, "no haltpoll governor in this kernel" },

	{ "cpu", "smt", CPU "smt/control", FACT_TEXT, "this kernel doesn't tell" },

	{ "memory", "transparent_hugepages", THP "enabled", FACT_BRACKETED,
	  "this kernel is built without transparent huge pages" },
	{ "memory", "transparent_hugepages_shmem", THP "shmem_enabled", FACT_BRACKETED,
	  "this kernel is built without transparent huge pages" },
	{ "memory", "numa_balancing", "/proc/sys/kernel/numa_balancing", FACT_NUMBER,
	  "this kernel is built without NUMA balancing" },

	/* "on": a DAMON scheme may take pages out of the page cache that nobody used for a while */
	{ "memory", "damon", "/sys/kernel/mm/damon/admin/kdamonds/0/state", FACT_TEXT, "off" },

	{ "net", "congestion_control", NET "ipv4/tcp_congestion_control", FACT_TEXT, NULL },
	{ "net", "congestion_controls_available", NET "ipv4/tcp_available_congestion_control",
	  FACT_WORDS, NULL },
	{ "net", "congestion_controls_allowed", NET "ipv4/tcp_allowed_congestion_control",
	  FACT_WORDS, NULL },
	{ "net", "tcp_wmem", NET "ipv4/tcp_wmem", FACT_NUMBERS, NULL },
	{ "net", "tcp_rmem", NET "ipv4/tcp_rmem", FACT_NUMBERS, NULL },
	{ "net", "wmem_max_bytes", NET "core/wmem_max", FACT_NUMBER,
	  "not told in a net namespace" },
	{ "net", "rmem_max_bytes", NET "core/rmem_max", FACT_NUMBER,
	  "not told in a net namespace" },
	{ "net", "optmem_max_bytes", NET "core/optmem_max", FACT_NUMBER,
	  "not told in a net namespace" },
	{ "net", "loopback_mtu", "/sys/class/net/lo/mtu", FACT_NUMBER, "no loopback device" },

	{ "limits", "pipe_max_bytes", "/proc/sys/fs/pipe-max-size", FACT_NUMBER, NULL },
	{ "limits", "pipe_user_pages_soft", "/proc/sys/fs/pipe-user-pages-soft", FACT_NUMBER,
	  NULL },

	{ "security", "lockdown", "/sys/kernel/security/lockdown", FACT_BRACKETED,
	  "no lockdown in this kernel, or securityfs isn't mounted" },
	{ "security", "perf_event_paranoid", "/proc/sys/kernel/perf_event_paranoid", FACT_NUMBER,
	  "this kernel is built without perf events" },
	{ "security", "kptr_restrict", "/proc/sys/kernel/kptr_restrict", FACT_NUMBER, NULL },
	{ "security", "unprivileged_bpf_disabled", "/proc/sys/kernel/unprivileged_bpf_disabled",
	  FACT_NUMBER, "this kernel is built without the bpf system call" },
	{ "security", "io_uring_disabled", "/proc/sys/kernel/io_uring_disabled", FACT_NUMBER,
	  "kernels before 6.6 have no such switch" },
};

static void memory(json_t *host)
{
	static const struct {
		const char *field, *name;
	} fields[] = { { "MemTotal:", "total_bytes" }, { "MemAvailable:", "available_bytes" } };
	const char *path = "/proc/meminfo";
	char line[256];
	FILE *file;
	size_t i;

	for (i = 0; i < COUNT(fields); i++)
		fact_put(host, "memory", fields[i].name,
			 fact_unknown("no %s in %s", fields[i].field, path));
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		for (i = 0; i < COUNT(fields); i++) {
			size_t length = strlen(fields[i].field);

			if (!strncmp(line, fields[i].field, length))
				fact_put(host, "memory", fields[i].name,
					 fact_known(json_integer(1024 *
								 strtoll(line + length, NULL, 10)),
						    path));
		}
	}
	if (file)
		fclose(file);
	fact_put(host, "memory", "free_page_reporting",
		 fact_known(json_string(page_reporting(PAGE_REPORTING_DEVICES)), PAGE_REPORTING_DEVICES));
	fact_put(host, "memory", "page_bytes",
		 fact_known(json_integer(sysconf(_SC_PAGESIZE)), "sysconf"));
}

/*
 * Without segmentation by the "device", loopback carries packets of one MSS, each through the whole
 * stack.
 */
static void loopback_tso(json_t *host)
{
	struct ethtool_value tso = { .cmd = ETHTOOL_GTSO };
	struct ifreq request = { .ifr_name = "lo", .ifr_data = (char *)&tso };
	json_t *fact;
	int sock;

	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || ioctl(sock, SIOCETHTOOL, &request))
		fact = fact_unknown("ETHTOOL_GTSO on lo: %s", strerror(errno));
	else
		fact = fact_known(json_boolean(tso.data), "ETHTOOL_GTSO");
	if (sock >= 0)
		close(sock);
	fact_put(host, "net", "loopback_tso", fact);
}

static void memlock(json_t *host)
{
	struct rlimit limit;
	json_t *fact;

	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		fact = fact_unknown("getrlimit: %s", strerror(errno));
	else if (limit.rlim_cur == RLIM_INFINITY)
		fact = fact_known(json_string("unlimited"), "getrlimit");
	else
		fact = fact_known(json_integer((json_int_t)limit.rlim_cur), "getrlimit");
	fact_put(host, "limits", "memlock_bytes", fact);
}

/* Of the effective capabilities, those that open something to a measurement. */
static void capabilities(json_t *host)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} caps[] = {
		{ CAP_SYS_ADMIN, "sys_admin" },	      { CAP_BPF, "bpf" },
		{ CAP_PERFMON, "perfmon" },	      { CAP_NET_ADMIN, "net_admin" },
		{ CAP_SYS_RESOURCE, "sys_resource" }, { CAP_IPC_LOCK, "ipc_lock" },
		{ CAP_SYS_NICE, "sys_nice" },	      { CAP_SYSLOG, "syslog" },
	};
	const char *path = "/proc/self/status";
	json_t *names = NULL;
	char line[256];
	uint64_t mask;
	FILE *file;
	size_t i;

	file = fopen(path, "re");
	while (file && !names && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "CapEff: %" SCNx64, &mask) != 1)
			continue;
		names = json_array();
		for (i = 0; i < COUNT(caps); i++)
			if (mask >> caps[i].bit & 1)
				json_array_append_new(names, json_string(caps[i].name));
	}
	if (file)
		fclose(file);
	fact_put(host, "security", "capabilities",
		 names ? fact_known(names, path) : fact_unknown("no CapEff in %s", path));
}

int host_facts(const char *dir, const char *payload, json_t **out, struct failure *why)
{
	const char *at = payload ? payload : dir;
	json_t *host;
	struct stat st;
	size_t i;

	if (stat(at, &st))
		return fail(why, EXIT_WRONG_USE, errno, "%s: %s", at, strerror(errno));
	if (!payload && !S_ISDIR(st.st_mode))
		return fail(why, EXIT_WRONG_USE, ENOTDIR, "%s is not a directory", dir);

	host = json_object();
	if (!host)
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	host_kernel(host);
	host_cpu(host);
	host_load(host);
	memory(host);
	for (i = 0; i < COUNT(files); i++)
		fact_put(host, files[i].group, files[i].name,
			 fact_from_file(files[i].path, files[i].kind, files[i].absent));
	host_cgroup(host);
	host_accounting(host);
	loopback_tso(host);
	memlock(host);
	capabilities(host);
	host_storage(host, dir, payload);
	*out = host;
	return 0;
}
