// SPDX-License-Identifier: MIT
/* Which kernel, as built and as started. */
#include "measure/host_parts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <zlib.h>

#include "measure/fact.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Options of the command line that change what a crossing, a copy, a wake-up or a tick costs. */
static const char options[] =
	"amd_pstate audit clocksource cpufreq.default_governor cpuidle.governor cpuidle.off "
	"cpuidle_haltpoll.force gather_data_sampling haltpoll.guest_halt_poll_ns highres idle "
	"init_on_alloc init_on_free intel_idle.max_cstate intel_pstate isolcpus kpti l1tf lockdown "
	"maxcpus mds mem mitigations mmio_stale_data nohz nohz_full nopti nosmt nospectre_v1 "
	"nospectre_v2 nr_cpus numa_balancing page_poison preempt processor.max_cstate pti "
	"rcu_nocbs reg_file_data_sampling retbleed slub_debug spec_rstack_overflow "
	"spec_store_bypass_disable spectre_bhi spectre_v2 srbds threadirqs transparent_hugepage "
	"tsc tsx_async_abort";

/* Build options with the same bearing, and those that make a kernel a debugging kernel. */
static const char build_options[] =
	"CONFIG_DEBUG_ATOMIC_SLEEP CONFIG_DEBUG_PAGEALLOC_ENABLE_DEFAULT CONFIG_HARDENED_USERCOPY "
	"CONFIG_HZ CONFIG_INIT_ON_ALLOC_DEFAULT_ON CONFIG_INIT_ON_FREE_DEFAULT_ON "
	"CONFIG_IRQ_TIME_ACCOUNTING CONFIG_KASAN CONFIG_KCSAN CONFIG_LOCK_STAT CONFIG_NO_HZ_FULL "
	"CONFIG_PREEMPT CONFIG_PREEMPT_DYNAMIC CONFIG_PREEMPT_LAZY CONFIG_PREEMPT_NONE "
	"CONFIG_PREEMPT_RT CONFIG_PREEMPT_VOLUNTARY CONFIG_PROVE_LOCKING "
	"CONFIG_TICK_CPU_ACCOUNTING CONFIG_UBSAN CONFIG_VIRT_CPU_ACCOUNTING_GEN "
	"CONFIG_VIRT_CPU_ACCOUNTING_NATIVE";

/* The kernel takes "-" and "_" in the name of an option for the same. */
static bool same_name(const char *name, const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (name[i] != (text[i] == '-' ? '_' : text[i]))
			return false;
	return true;
}

/* Is the text, of that length, one of these words? */
static bool listed(const char *words, const char *text, size_t length)
{
	size_t word;

	for (; *words; words += word + strspn(words + word, " ")) {
		word = strcspn(words, " ");
		if (word == length && same_name(words, text, length))
			return true;
	}
	return false;
}

static json_t *command_line(void)
{
	const char *path = "/proc/cmdline";
	char line[8192], *word, *rest;
	json_t *kept;
	int err;

	err = first_line(path, line, sizeof(line));
	if (err && err != -ENODATA)
		return fact_unknown("%s: %s", path, strerror(-err));
	kept = json_array();
	for (word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		/* what follows is for init, not for the kernel */
		if (!strcmp(word, "--"))
			break;
		if (listed(options, word, strcspn(word, "=")))
			json_array_append_new(kept, json_string(word));
	}
	return fact_known(kept, path);
}

/* {"CONFIG_HZ": "250", …}: only what is set; reads plain and compressed files alike. */
static json_t *build(const char *release)
{
	static const char *const places[] = { "/proc/config.gz", "/boot/config-%s",
					      "/lib/modules/%s/config",
					      "/usr/lib/kernel/config-%s" };
	char path[256], line[512];
	json_t *found;
	gzFile file = NULL;
	size_t i;

	for (i = 0; i < COUNT(places) && !file; i++) {
		/* a place without a release is the running kernel's own */
		const char *percent = strstr(places[i], "%s");

		if (percent)
			snprintf(path, sizeof(path), "%.*s%s%s", (int)(percent - places[i]),
				 places[i], release, percent + 2);
		else
			snprintf(path, sizeof(path), "%s", places[i]);
		file = gzopen(path, "re");
	}
	if (!file)
		return fact_unknown(
			"no readable kernel configuration in /proc, /boot or /lib/modules");
	found = json_object();
	while (gzgets(file, line, sizeof(line))) {
		char *equals = strchr(line, '=');

		if (!equals || !listed(build_options, line, (size_t)(equals - line)))
			continue;
		*equals = '\0';
		equals[1 + strcspn(equals + 1, "\n")] = '\0';
		json_object_set_new(found, line, json_string(equals + 1));
	}
	gzclose(file);
	if (!json_object_size(found)) {
		json_decref(found);
		return fact_unknown("%s holds no kernel configuration", path);
	}
	return fact_known(found, path);
}

static json_t *distribution(void)
{
	static const char *const paths[] = { "/etc/os-release", "/usr/lib/os-release" };
	const char key[] = "PRETTY_NAME=";
	json_t *name = NULL;
	char line[512];
	FILE *file;
	size_t i;

	for (i = 0; i < COUNT(paths); i++) {
		file = fopen(paths[i], "re");
		if (!file)
			continue;
		while (!name && fgets(line, sizeof(line), file)) {
			char *value = line + strlen(key);

			if (strncmp(line, key, strlen(key)))
				continue;
			value += strspn(value, "\"'");
			value[strcspn(value, "\"'\n")] = '\0';
			name = json_string(value);
		}
		fclose(file);
		if (name)
			return fact_known(name, paths[i]);
	}
	return fact_unknown("no PRETTY_NAME in os-release");
}

void host_kernel(json_t *host)
{
	struct utsname name;

	if (uname(&name)) {
		fact_put(host, "kernel", "release", fact_unknown("uname: %s", strerror(errno)));
		return;
	}
	fact_put(host, "kernel", "release", fact_known(json_string(name.release), "uname"));
	fact_put(host, "kernel", "version", fact_known(json_string(name.version), "uname"));
	fact_put(host, "kernel", "architecture", fact_known(json_string(name.machine), "uname"));
	fact_put(host, "kernel", "distribution", distribution());
	fact_put(host, "kernel", "options", command_line());
	fact_put(host, "kernel", "build", build(name.release));
}
