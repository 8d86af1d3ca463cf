// SPDX-License-Identifier: MIT
#include "measure/probes_kprobe.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PMU "/sys/bus/event_source/devices/kprobe/"

static int number_in(const char *path, const char *format)
{
	FILE *file = fopen(path, "re");
	unsigned int value;
	int found;

	if (!file)
		return -errno;
	found = fscanf(file, format, &value);
	fclose(file);
	return found == 1 ? (int)value : -EINVAL;
}

int kretprobe_supported(void)
{
	int type = number_in(PMU "type", "%u");

	return type < 0 ? type : 0;
}

int kretprobe_open(const char *function, int program)
{
	int type = number_in(PMU "type", "%u");
	int bit = number_in(PMU "format/retprobe", "config:%u");
	struct perf_event_attr attr = { .size = sizeof(attr) };
	int fd, err;

	if (type < 0 || bit < 0)
		return type < 0 ? type : bit;
	attr.type = (uint32_t)type;
	attr.config = 1ULL << bit;
	attr.config1 = (uintptr_t)function; /* kprobe_func */
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, program) < 0) {
		err = errno;
		close(fd);
		return -err;
	}
	return fd;
}
