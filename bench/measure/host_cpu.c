// SPDX-License-Identifier: MIT
/* The processors: what they are, who really owns them, and what sets their speed. */
#include "measure/host_parts.h"

#include <errno.h>
#include <glob.h>
#include <hwloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "measure/fact.h"
#include "measure/kernel_log.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CPU "/sys/devices/system/cpu/"
#define DMI "/sys/class/dmi/id/"
#define NO_CPUFREQ                                                                                 \
	"no cpufreq driver: the frequency is not this system's to choose, as in most guests"

/* The value of a "key : value" line of /proc/cpuinfo, of the first CPU. */
static bool cpuinfo(const char *key, char *value, size_t size)
{
	char line[4096];
	bool found = false;
	FILE *file;

	file = fopen("/proc/cpuinfo", "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		char *colon = strchr(line, ':');
		size_t length = strlen(key);

		if (!colon || strncmp(line, key, length) || !strchr(" \t:", line[length]))
			continue;
		colon += 1 + strspn(colon + 1, " ");
		colon[strcspn(colon, "\n")] = '\0';
		snprintf(value, size, "%s", colon);
		found = value[0];
	}
	if (file)
		fclose(file);
	return found;
}

static json_t *model(hwloc_topology_t topology)
{
	hwloc_obj_t package = hwloc_get_obj_by_type(topology, HWLOC_OBJ_PACKAGE, 0);
	const char *named = package ? hwloc_obj_get_info_by_name(package, "CPUModel") : NULL;
	char implementer[64], part[64], value[256];

	if (named && named[0]) {
		size_t n = strlen(named);

		/* the processor fills its name up */
		while (n > 1 && named[n - 1] == ' ')
			n--;
		return fact_known(json_stringn(named, n), "hwloc");
	}
	if (cpuinfo("model name", value, sizeof(value)) || cpuinfo("cpu", value, sizeof(value)) ||
	    cpuinfo("uarch", value, sizeof(value)))
		return fact_known(json_string(value), "/proc/cpuinfo");
	/* arm64 gives numbers only */
	if (cpuinfo("CPU implementer", implementer, sizeof(implementer)) &&
	    cpuinfo("CPU part", part, sizeof(part))) {
		snprintf(value, sizeof(value), "implementer %s, part %s", implementer, part);
		return fact_known(json_string(value), "/proc/cpuinfo");
	}
	return fact_unknown("neither hwloc nor /proc/cpuinfo names the model");
}

static json_t *caches(hwloc_topology_t topology)
{
	int depth, levels = hwloc_topology_get_depth(topology);
	json_t *list = json_array();

	for (depth = levels - 1; depth >= 0; depth--) {
		hwloc_obj_t cache = hwloc_get_obj_by_depth(topology, depth, 0);
		char name[16];

		if (!cache || !hwloc_obj_type_is_cache(cache->type) || !cache->attr->cache.size)
			continue;
		snprintf(name, sizeof(name), "L%u%s", cache->attr->cache.depth,
			 cache->attr->cache.type == HWLOC_OBJ_CACHE_DATA	  ? "d"
			 : cache->attr->cache.type == HWLOC_OBJ_CACHE_INSTRUCTION ? "i"
										  : "");
		json_array_append_new(
			list, json_pack("{s:s, s:I, s:i, s:i}", "name", name, "bytes",
					(json_int_t)cache->attr->cache.size, "instances",
					(int)hwloc_get_nbobjs_by_depth(topology, depth),
					"threads_sharing", hwloc_bitmap_weight(cache->cpuset)));
	}
	if (json_array_size(list))
		return fact_known(list, "hwloc");
	json_decref(list);
	return fact_unknown(
		"hwloc finds no cache: the firmware or hypervisor does not describe them");
}

static void topology_facts(json_t *host)
{
	static const struct {
		const char *name;
		hwloc_obj_type_t type;
	} kinds[] = {
		{ "packages", HWLOC_OBJ_PACKAGE },
		{ "cores", HWLOC_OBJ_CORE },
		{ "threads", HWLOC_OBJ_PU },
		{ "numa_nodes", HWLOC_OBJ_NUMANODE },
	};
	hwloc_topology_t topology = NULL;
	hwloc_bitmap_t usable;
	int i, count;

	if (hwloc_topology_init(&topology) ||
	    hwloc_topology_set_icache_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_ALL) ||
	    hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED) ||
	    hwloc_topology_load(topology)) {
		for (i = 0; i < (int)COUNT(kinds); i++)
			fact_put(host, "cpu", kinds[i].name,
				 fact_unknown("hwloc can't read the topology"));
		goto out;
	}
	for (i = 0; i < (int)COUNT(kinds); i++) {
		count = hwloc_get_nbobjs_by_type(topology, kinds[i].type);
		fact_put(host, "cpu", kinds[i].name,
			 count > 0
				 ? fact_known(json_integer(count), "hwloc")
				 : fact_unknown("hwloc finds none: not described to this system"));
	}
	count = hwloc_cpukinds_get_nr(topology, 0);
	/* 0 is hwloc's word for "no difference known" */
	fact_put(host, "cpu", "kinds",
		 count >= 0 ? fact_known(json_integer(count ? count : 1), "hwloc")
			    : fact_unknown("hwloc can't tell"));
	fact_put(host, "cpu", "model", model(topology));
	fact_put(host, "cpu", "caches", caches(topology));

	usable = hwloc_bitmap_alloc();
	if (usable && !hwloc_get_cpubind(topology, usable, HWLOC_CPUBIND_PROCESS))
		fact_put(
			host, "cpu", "usable",
			fact_known(json_integer(hwloc_bitmap_weight(usable)), "sched_getaffinity"));
	else
		fact_put(host, "cpu", "usable",
			 fact_unknown("sched_getaffinity: %s", strerror(errno)));
	hwloc_bitmap_free(usable);
out:
	if (topology)
		hwloc_topology_destroy(topology);
}

/*
 * The content of one file per frequency domain; "performance" or, if they differ,
 * "performance,powersave".
 */
static json_t *each_policy(const char *file)
{
	char pattern[128], line[128], all[512] = "";
	glob_t found;
	size_t i;

	snprintf(pattern, sizeof(pattern), CPU "cpufreq/policy*/%s", file);
	if (glob(pattern, 0, NULL, &found))
		return fact_unknown("%s", NO_CPUFREQ);
	for (i = 0; i < found.gl_pathc; i++) {
		size_t used = strlen(all);

		if (!first_line(found.gl_pathv[i], line, sizeof(line)) && !strstr(all, line))
			snprintf(all + used, sizeof(all) - used, "%s%s", used ? "," : "", line);
	}
	globfree(&found);
	if (!all[0])
		return fact_unknown("%s can't be read", pattern);
	return fact_known(json_string(all), pattern);
}

static json_t *turbo(void)
{
	static const struct {
		const char *path;
		char on;
	} files[] = {
		{ CPU "intel_pstate/no_turbo", '0' },
		{ CPU "cpufreq/boost", '1' },
		{ CPU "cpufreq/policy0/boost", '1' },
	};
	char line[32];
	size_t i;

	for (i = 0; i < COUNT(files); i++)
		if (!first_line(files[i].path, line, sizeof(line)))
			return fact_known(json_string(line[0] == files[i].on ? "on" : "off"),
					  files[i].path);
	return fact_unknown("neither intel_pstate nor cpufreq has a switch for it here: if the "
			    "processor or the host boosts, this system can't see it");
}

static json_t *mitigations(void)
{
	const char *pattern = CPU "vulnerabilities/*";
	json_t *all;
	char line[512];
	glob_t found;
	size_t i;

	if (glob(pattern, 0, NULL, &found))
		return fact_unknown("this kernel does not list vulnerabilities (no %s)", pattern);
	all = json_object();
	for (i = 0; i < found.gl_pathc; i++)
		if (!first_line(found.gl_pathv[i], line, sizeof(line)))
			json_object_set_new(all, strrchr(found.gl_pathv[i], '/') + 1,
					    json_string(line));
	globfree(&found);
	return fact_known(all, pattern);
}

/* Names by which hypervisors call themselves, in CPUID leaf 0x40000000, in DMI or in the kernel's log. */
static const struct {
	const char *says, *name;
} hypervisors[] = {
	{ "KVMKVMKVM", "kvm" },
	{ "Linux KVM Hv", "kvm" },
	{ "VMwareVMware", "vmware" },
	{ "Microsoft Hv", "hyperv" },
	{ "Microsoft Hyper-V", "hyperv" },
	{ "XenVMMXenVMM", "xen" },
	{ "bhyve bhyve", "bhyve" },
	{ "PVM", "pvm" },
	{ "TCGTCGTCGTCG", "qemu" },
	{ "VBoxVBoxVBox", "virtualbox" },
	{ "ACRNACRNACRN", "acrn" },
	{ "QNXQVMBSQG", "qnx" },
	{ "SRESRESRESRE", "lockheed" },
	{ " lrpepyh  vr", "parallels" },
	{ "KVM", "kvm" },
	{ "QEMU", "qemu" },
	{ "VMware", "vmware" },
	{ "VirtualBox", "virtualbox" },
	{ "innotek", "virtualbox" },
	{ "Xen", "xen" },
	{ "Amazon EC2", "amazon" },
	{ "Google Compute", "kvm" },
	{ "OpenStack", "kvm" },
	{ "Parallels", "parallels" },
	{ "BHYVE", "bhyve" },
};

static const char *known_hypervisor(const char *text)
{
	size_t i;

	for (i = 0; i < COUNT(hypervisors); i++)
		if (!strncmp(text, hypervisors[i].says, strlen(hypervisors[i].says)))
			return hypervisors[i].name;
	return NULL;
}

#if defined(__x86_64__) || defined(__i386__)
static json_t *hypervisor_by_cpuid(void)
{
	unsigned int eax, ebx, ecx, edx;
	char text[13] = "";
	const char *name;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx))
		return NULL;
	/* the bit the architecture keeps for hypervisors to announce themselves */
	if (!(ecx >> 31 & 1))
		return fact_known(json_string("none"), "CPUID leaf 1 has no hypervisor bit");
	__cpuid(0x40000000, eax, ebx, ecx, edx);
	memcpy(text, &ebx, 4);
	memcpy(text + 4, &ecx, 4);
	memcpy(text + 8, &edx, 4);
	name = known_hypervisor(text);
	if (name)
		return fact_known(json_string(name), "CPUID leaf 0x40000000");
	return NULL;
}
#else
static json_t *hypervisor_by_cpuid(void)
{
	return NULL;
}
#endif

/*
 * CPUID as a program may run it can name the wrong one: under a hypervisor that needs no help from the processor it is not
 * intercepted, and tells of the one below. The kernel, which works with its own, knows better.
 */
static json_t *hypervisor_by_kernel(void)
{
	static const char phrase[] = "Hypervisor detected: ";
	char named[64];

	if (!kernel_log_find(phrase, named, sizeof(named)))
		return NULL;
	return fact_known(json_string(known_hypervisor(named) ? known_hypervisor(named) : named),
			  "the kernel's log: Hypervisor detected");
}

static json_t *hypervisor(void)
{
	static const char *const dmi[] = { DMI "product_name", DMI "sys_vendor",
					   DMI "bios_vendor" };
	static const char *const types[] = { "/sys/hypervisor/type",
					     "/proc/device-tree/hypervisor/compatible" };
	char line[256];
	json_t *fact;
	size_t i;

	fact = hypervisor_by_kernel();
	if (!fact)
		fact = hypervisor_by_cpuid();
	if (fact)
		return fact;
	if (!first_line(types[0], line, sizeof(line)))
		return fact_known(json_string(line), types[0]);
	if (!first_line(types[1], line, sizeof(line)))
		return fact_known(json_string(strstr(line, "kvm") ? "kvm" : line), types[1]);
	for (i = 0; i < COUNT(dmi); i++)
		if (!first_line(dmi[i], line, sizeof(line)) && known_hypervisor(line))
			return fact_known(json_string(known_hypervisor(line)), dmi[i]);
#if defined(__x86_64__) || defined(__i386__)
	return fact_known(json_string("unnamed"), "CPUID leaf 1 has the hypervisor bit");
#else
	return fact_unknown("no hypervisor names itself in sysfs, the device tree or DMI; this "
			    "architecture has no surer sign");
#endif
}

/* "Vendor Product", as the firmware says. */
static json_t *machine(void)
{
	char vendor[128], product[128], both[260];

	if (first_line(DMI "sys_vendor", vendor, sizeof(vendor)) ||
	    first_line(DMI "product_name", product, sizeof(product))) {
		if (!first_line("/proc/device-tree/model", both, sizeof(both)))
			return fact_known(json_string(both), "/proc/device-tree/model");
		return fact_unknown(
			"no DMI and no device tree: the firmware does not describe the machine");
	}
	snprintf(both, sizeof(both), "%s %s", vendor, product);
	return fact_known(json_string(both), DMI);
}

void host_cpu(json_t *host)
{
	topology_facts(host);
	fact_put(host, "cpu", "hypervisor", hypervisor());
	fact_put(host, "cpu", "machine", machine());
	fact_put(host, "cpu", "governor", each_policy("scaling_governor"));
	fact_put(host, "cpu", "frequency_driver", each_policy("scaling_driver"));
	fact_put(host, "cpu", "turbo", turbo());
	fact_put(host, "cpu", "mitigations", mitigations());
}
