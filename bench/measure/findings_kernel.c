// SPDX-License-Identifier: MIT
/* The kernel, what is under it, how it accounts for time, and what it refuses. */
#include "measure/findings_ground.h"

#include <stdio.h>
#include <string.h>

#include "measure/fact.h"

#define CPU_DIR "/sys/devices/system/cpu/"

void judge_virtualisation(const struct ground *g, struct finding *f)
{
	const char *name = ground_need_text(g, f, "cpu.hypervisor");

	f->effect = "Copying touches memory through two sets of page tables, timers and wake-ups "
		    "may leave the guest, hardware counters are often missing, and another guest "
		    "can take cache and bandwidth. The host may move the guest's CPUs apart, which "
		    "doubles what a copy between them costs: a run measures how far apart they are "
		    "beside every sample (cpus_apart). Ratios carry over to bare metal better than "
		    "absolute figures.";
	if (!name)
		return;
	if (!strcmp(name, "none")) {
		finding_say(f, FINDING_OK, "none");
	} else if (!strcmp(name, "pvm")) {
		f->effect = "This kernel runs without the processor's help for guests: each entry into it and each return passes through the hypervisor, which also "
			    "keeps the page tables that count. A system call costs several times and a page fault ten times and more what it "
			    "does elsewhere, so methods with few calls and no faults look better here than on other machines. Copies cost "
			    "what they do elsewhere, but the host may move the guest's CPUs apart (cpus_apart).";
		finding_say(f, FINDING_WARN, "a guest under pvm, without hardware virtualisation");
		finding_change(f, "not from inside: compare prices of calls and faults only with machines of this kind");
	} else {
		finding_say(f, FINDING_NOTE, "a guest under %s", name);
	}
}

void judge_mitigations(const struct ground *g, struct finding *f)
{
	const json_t *all = ground_need(g, f, "cpu.mitigations"), *state;
	const json_t *options = fact_value(g->host, "kernel.options");
	int active = 0, open = 0, total = 0;
	const char *name, *one;
	char costly[200] = "";
	bool off = ground_has_word(options, "mitigations=off");

	f->effect = "They make entering and leaving the kernel dearer, and so set the price of a "
		    "system call and a page fault: crossings here compare only with machines in "
		    "the same state.";
	if (!all)
		return;
	json_object_foreach((json_t *)all, name, state)
	{
		one = json_string_value(state);
		if (!one)
			continue;
		total++;
		open += !strncmp(one, "Vulnerable", 10);
		if (!strncmp(one, "Mitigation", 10)) {
			size_t used = strlen(costly);

			active++;
			snprintf(costly + used, sizeof(costly) - used, "%s%s", used ? ", " : "",
				 name);
		}
	}
	if (!active && !open) {
		finding_say(f, FINDING_OK, "none needed: not affected by any of %d known vulnerabilities",
		    total);
		return;
	}
	finding_say(f, FINDING_NOTE, "%s%d of %d vulnerabilities mitigated%s%s%s; %d left open",
	    off ? "mitigations=off: " : "", active, total, active ? " (" : "", costly,
	    active ? ")" : "", open);
	/* no advice to switch them off: it would change what is measured, and not for the better */
	finding_change(f, "grep . " CPU_DIR "vulnerabilities/*    # the full state, also in the result");
}

void judge_kernel_build(const struct ground *g, struct finding *f)
{
	static const char *const debugging[] = { "CONFIG_KASAN",
						 "CONFIG_KCSAN",
						 "CONFIG_PROVE_LOCKING",
						 "CONFIG_LOCK_STAT",
						 "CONFIG_DEBUG_ATOMIC_SLEEP",
						 "CONFIG_DEBUG_PAGEALLOC_ENABLE_DEFAULT" };
	const json_t *build = ground_need(g, f, "kernel.build"),
		     *options = fact_value(g->host, "kernel.options");
	size_t i;

	f->effect = "A debugging kernel checks every lock or memory access: nothing here compares "
		    "with a distribution's kernel.";
	if (!build)
		return;
	for (i = 0; i < COUNT(debugging); i++) {
		if (!json_object_get(build, debugging[i]))
			continue;
		finding_say(f, FINDING_WARN, "a debugging kernel (%s)", debugging[i]);
		finding_change(f, "boot a kernel built without %s", debugging[i]);
		return;
	}
	if (ground_has_word(options, "init_on_alloc=1") ||
	    (json_object_get(build, "CONFIG_INIT_ON_ALLOC_DEFAULT_ON") &&
	     !ground_has_word(options, "init_on_alloc=0"))) {
		f->effect = "Each page taken for a socket buffer is zeroed before payload is "
			    "copied into it: methods that copy write their bytes once more than "
			    "the textbook says.";
		finding_say(f, FINDING_NOTE, "memory is zeroed on allocation (init_on_alloc)");
		finding_change(f, "boot with init_on_alloc=0");
		return;
	}
	finding_say(f, FINDING_OK, "no debugging options, memory is not zeroed on allocation");
}

void judge_clocksource(const struct ground *g, struct finding *f)
{
	static const char *const direct[] = { "tsc", "arch_sys_counter", "timebase", "tod",
					      "riscv_clocksource" };
	static const char *const shared[] = { "kvm-clock", "hyperv_clocksource_tsc_page" };
	const char *name = ground_need_text(g, f, "kernel.clocksource");

	f->effect = "Reading the clock enters the kernel, and from a slow device takes up to "
		    "microseconds. Each sample reads it a few times only: what suffers is tracing, "
		    "per-call timing and the scheduler.";
	if (!name)
		return;
	if (ground_one_of(name, direct, COUNT(direct))) {
		finding_say(f, FINDING_OK, "%s, read without entering the kernel", name);
	} else if (ground_one_of(name, shared, COUNT(shared))) {
		finding_say(f, FINDING_OK,
		    "%s, shared with the hypervisor and read without entering the kernel", name);
	} else {
		finding_say(f, FINDING_WARN, "%s", name);
		if (ground_has_word(fact_value(g->host, "kernel.clocksources"), "tsc"))
			finding_change(f,
			       "echo tsc > "
			       "/sys/devices/system/clocksource/clocksource0/current_clocksource");
		else
			finding_change(f, "dmesg | grep -i -e tsc -e clocksource    # why the fast one was "
				  "given up");
	}
}

void judge_accounting(const struct ground *g, struct finding *f)
{
	const char *split = ground_need_text(g, f, "kernel.user_system_split");
	const char *cpus = ground_text(g, "kernel.nohz_full");

	f->effect = "The user and system parts of getrusage, time(1) and hyperfine are guesses "
		    "from whatever ran at each tick, noise over a transfer of 50 ms. The total is "
		    "exact, and is what copytax reports.";
	if (!split)
		return;
	if (!strcmp(split, "measured")) {
		f->effect = "Where a clock is read at every crossing, system calls and faults cost "
			    "more "
			    "than on most kernels.";
		if (cpus[0] && strcmp(cpus, "none") != 0)
			finding_say(f, FINDING_NOTE, "measured at every crossing on CPUs %s (nohz_full)",
			    cpus);
		else
			finding_say(f, FINDING_NOTE, "measured at every crossing");
		finding_change(f, "boot without nohz_full, or keep off those CPUs with taskset");
	} else {
		finding_say(f, FINDING_NOTE, "sampled by ticks");
	}
}

void judge_softirq_accounting(const struct ground *g, struct finding *f)
{
	const json_t *charged = ground_need(g, f, "kernel.softirq_charged_to_task");

	f->effect = "Over loopback the receive half of TCP runs as softirq inside the sender's "
		    "calls. Where it is not charged to the sender, sender CPU looks smaller by "
		    "that part, for all methods.";
	if (!charged)
		return;
	if (json_is_true(charged)) {
		finding_say(f, FINDING_OK, "softirq work is charged to the process it interrupts");
		return;
	}
	finding_say(f, FINDING_WARN, "softirq work is charged to no process");
	finding_change(f, "look at system_cpu_s too, which has it; or boot with tsc=noirqtime (x86)");
}

void judge_memlock(const struct ground *g, struct finding *f)
{
	const json_t *limit = ground_need(g, f, "limits.memlock_bytes");
	const json_t *caps = fact_value(g->host, "security.capabilities");

	f->effect =
		"MSG_ZEROCOPY and io_uring's fixed buffers pin memory against this limit and fail "
		"with ENOBUFS or ENOMEM beyond it; before Linux 5.11 BPF maps counted too.";
	if (!limit)
		return;
	if (!json_is_number(limit) || json_number_value(limit) >= 64 * MIB) {
		finding_say(f, FINDING_OK, "%s", json_is_number(limit) ? "64 MiB or more" : "unlimited");
	} else if (ground_has_word(caps, "ipc_lock")) {
		finding_say(f, FINDING_OK, "%.0f KiB, which does not bind this process (CAP_IPC_LOCK)",
		    json_number_value(limit) / 1024);
	} else {
		finding_say(f, FINDING_NOTE, "%.0f KiB", json_number_value(limit) / 1024);
		finding_change(f, "ulimit -l unlimited    # as root, or in /etc/security/limits.conf");
	}
}

void judge_lockdown(const struct ground *g, struct finding *f)
{
	const char *state = ground_need_text(g, f, "security.lockdown");

	f->effect = "Lockdown for confidentiality refuses kernel probes: copies and calls have to "
		    "be counted by other means, or not at all. Timing is not touched.";
	if (!state)
		return;
	if (!strcmp(state, "confidentiality")) {
		finding_say(f, FINDING_WARN, "confidentiality");
		finding_change(f, "boot with lockdown=integrity or none; with Secure Boot it may not be "
			  "yours to choose");
	} else {
		finding_say(f, FINDING_OK, "%s", state);
	}
}

void judge_io_uring(const struct ground *g, struct finding *f)
{
	const json_t *caps = fact_value(g->host, "security.capabilities");
	double state;

	f->effect = "Methods on io_uring can't be measured.";
	if (!ground_need_number(g, f, "security.io_uring_disabled", &state))
		return;
	if (state >= 2 || (state >= 1 && !ground_has_word(caps, "sys_admin"))) {
		finding_say(f, FINDING_WARN, "disabled (kernel.io_uring_disabled=%.0f)", state);
		finding_change(f, "sysctl -w kernel.io_uring_disabled=0");
	} else {
		finding_say(f, FINDING_OK, "allowed for this process");
	}
}
