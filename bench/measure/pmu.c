// SPDX-License-Identifier: MIT
#include "measure/pmu.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

#include "measure/fact.h"

bool pmu_list_contains(const char *list, int number)
{
	for (const char *at = list; *at;) {
		char *end;
		long from = strtol(at, &end, 10), to = from;

		if (end == at)
			return false;
		if (*end == '-')
			to = strtol(end + 1, &end, 10);
		if (number >= from && number <= to)
			return true;
		at = *end == ',' ? end + 1 : "";
	}
	return false;
}

static bool has_hypervisor(void)
{
#ifdef __x86_64__
	unsigned int a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && c & 1u << 31;
#else
	return false;
#endif
}

static void add_kind(const char *devices, const char *name, int cpu, struct pmu_machine *out)
{
	struct pmu_kind *kind = &out->kinds[out->count];
	char path[512], text[4096];
	bool listed;

	/*
	 * The PMU of a core names the CPUs it counts on in `cpus`, one of the uncore in `cpumask`; where
	 * all cores are alike some architectures call it "cpu" and leave the list out.
	 */
	snprintf(path, sizeof(path), "%s/%s/cpus", devices, name);
	listed = !first_line(path, text, sizeof(text));
	if (!listed && strcmp(name, "cpu") != 0)
		return;
	if (cpu >= 0 && (!listed || pmu_list_contains(text, cpu)))
		out->own = (int)out->count;
	snprintf(path, sizeof(path), "%s/%s/type", devices, name);
	if (first_line(path, text, sizeof(text)))
		return;
	snprintf(kind->name, sizeof(kind->name), "%.63s", name);
	kind->type = (uint32_t)strtoul(text, NULL, 10);
	out->count++;
}

void pmu_machine_read(const char *devices, int cpu, struct pmu_machine *out)
{
	DIR *dir = opendir(devices);
	struct dirent *entry;

	*out = (struct pmu_machine){ .own = -1, .virtual = has_hypervisor() };
	if (!dir)
		return;
	while (out->count < PMU_KINDS_MAX && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			add_kind(devices, entry->d_name, cpu, out);
	closedir(dir);
}

int pmu_open(const struct perf_event_attr *attr, pid_t pid, int cpu, int group)
{
	long fd = syscall(SYS_perf_event_open, attr, pid, cpu, group, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

int pmu_paranoid(void)
{
	char text[32];

	if (first_line("/proc/sys/kernel/perf_event_paranoid", text, sizeof(text)))
		return INT_MIN;
	return atoi(text);
}

static void explain_absence(const struct pmu_machine *machine, const struct perf_event_attr *attr,
			    char *reason, size_t size)
{
	if (attr->type == PERF_TYPE_SOFTWARE)
		snprintf(reason, size, "this kernel has no such software event");
	else if (machine->count)
		snprintf(reason, size, "the PMU here (%s) has no such event",
			 machine->kinds[machine->own < 0 ? 0 : machine->own].name);
	else if (machine->virtual)
		snprintf(reason, size, "no PMU in this virtual machine");
	else
		snprintf(reason, size,
			 "no PMU: the kernel has no driver for this CPU's counters, or a virtual machine hides them");
}

static void explain_access(const struct perf_event_attr *attr, int err, char *reason, size_t size)
{
	int paranoid = pmu_paranoid(), wanted = attr->exclude_kernel ? 2 : 1;

	/* a limit that isn't the cause would send the reader the wrong way */
	if (paranoid == INT_MIN || paranoid <= wanted)
		snprintf(reason, size,
			 "not allowed (%s): kernel.perf_event_paranoid is not the cause, so a seccomp filter or security module of a container is likely; CAP_PERFMON may be needed",
			 strerror(err));
	else
		snprintf(reason, size,
			 "not allowed: kernel.perf_event_paranoid is %d; counting in %s mode needs %d or less, or CAP_PERFMON (CAP_SYS_ADMIN before 5.8)",
			 paranoid, attr->exclude_kernel ? "user" : "kernel", wanted);
}

void pmu_explain(const struct pmu_machine *machine, const struct perf_event_attr *attr, int err,
		 char *reason, size_t size)
{
	switch (err) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		explain_absence(machine, attr, reason, size);
		break;
	case EACCES:
	case EPERM:
		explain_access(attr, err, reason, size);
		break;
	case EOPNOTSUPP:
		snprintf(reason, size, "the PMU can't do this: %s",
			 attr->sample_period ? "it has no interrupt to sample by" :
					       "the event or one of its modifiers is not supported");
		break;
	case EBUSY:
		snprintf(reason, size, "another user holds the counter for itself alone");
		break;
	case EINVAL:
		snprintf(reason, size,
			 "the kernel refuses this encoding (type %u, config 0x%llx): not an event or modifier of this PMU, or user and kernel can't be told apart",
			 attr->type, (unsigned long long)attr->config);
		break;
	case ENOSYS:
		snprintf(reason, size, "this kernel is built without perf events");
		break;
	case EMFILE:
	case ENFILE:
		snprintf(reason, size, "too many open files: raise the limit (ulimit -n)");
		break;
	case E2BIG:
		snprintf(reason, size, "the event needs a newer kernel (perf_event_attr is too long)");
		break;
	case ESRCH:
		snprintf(reason, size, "the process to count in was gone");
		break;
	default:
		snprintf(reason, size, "perf_event_open: %s", strerror(err));
		break;
	}
}
