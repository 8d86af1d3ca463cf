// SPDX-License-Identifier: MIT
#include "measure/probes_permission.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool can(unsigned int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return !syscall(SYS_capget, &header, data) &&
	       data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

/* In "[none] integrity confidentiality" the brackets say which. */
static bool locked_down_for_reading(void)
{
	FILE *file = fopen("/sys/kernel/security/lockdown", "re");
	char line[128] = "";

	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	return strstr(line, "[confidentiality]");
}

static int ask_for(int err, const char *missing, const char *capabilities, struct failure *why)
{
	char program[256];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	program[n > 0 ? n : 0] = '\0';
	return fail(
		why, EXIT_MACHINE_CANT, err,
		"no permission for BPF (%s): run as root, or grant it once: sudo setcap %s=ep %s",
		missing, capabilities, n > 0 ? program : "copytax");
}

int bpf_refused(int err, const char *what, struct failure *why)
{
	bool admin = can(CAP_SYS_ADMIN);

	if (err == ENOSYS)
		return fail(why, EXIT_MACHINE_CANT, err,
			    "this kernel has no bpf(2): CONFIG_BPF_SYSCALL");
	if (locked_down_for_reading())
		return fail(why, EXIT_MACHINE_CANT, err,
			    "the kernel is locked down for confidentiality: BPF may not read its "
			    "memory");
	if (err == EPERM && !admin && !can(CAP_BPF))
		return ask_for(err,
			       can(CAP_PERFMON) ? "CAP_BPF is missing"
						: "CAP_BPF and CAP_PERFMON are missing",
			       "cap_bpf,cap_perfmon,cap_syslog", why);
	if (err == EPERM && !admin && !can(CAP_PERFMON))
		return ask_for(err, "CAP_PERFMON is missing", "cap_bpf,cap_perfmon,cap_syslog", why);
	if (err == EPERM &&
	    !can(CAP_SYS_RESOURCE)) /* before 5.11 maps counted against RLIMIT_MEMLOCK */
		return ask_for(err, "the limit on locked memory is too low, see ulimit -l",
			       "cap_bpf,cap_perfmon,cap_syslog,cap_sys_resource", why);
	return fail(why, EXIT_MACHINE_CANT, err, "can't %s: %s", what, strerror(err));
}
