// SPDX-License-Identifier: MIT
#include "measure/findings.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "measure/fact.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MIB (1024.0 * 1024)
#define CPU_DIR "/sys/devices/system/cpu/"

/* What a rule judges by. */
struct ground {
	const json_t *host;
	const struct findings_plan *plan;
};

static void say(struct finding *f, enum finding_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void say(struct finding *f, enum finding_level level, const char *format, ...)
{
	va_list args;

	f->level = level;
	va_start(args, format);
	vsnprintf(f->what, sizeof(f->what), format, args);
	va_end(args);
}

static void change(struct finding *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void change(struct finding *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->change, sizeof(f->change), format, args);
	va_end(args);
}

/* The fact a rule can't do without: NULL or false when it isn't known, and the finding says so. */
static const json_t *need(const struct ground *g, struct finding *f, const char *name)
{
	const json_t *value = fact_value(g->host, name);

	if (!value)
		say(f, FINDING_UNKNOWN, "%s", fact_reason(g->host, name));
	return value;
}

static const char *need_text(const struct ground *g, struct finding *f, const char *name)
{
	const json_t *value = need(g, f, name);

	if (value && !json_is_string(value))
		say(f, FINDING_UNKNOWN, "%s is not a text", name);
	return json_string_value(value);
}

static bool need_number(const struct ground *g, struct finding *f, const char *name, double *number)
{
	const json_t *value = need(g, f, name);

	if (value && !json_is_number(value))
		say(f, FINDING_UNKNOWN, "%s is not a number", name);
	*number = json_number_value(value);
	return json_is_number(value);
}

/* Facts a rule can do without. */
static const char *text(const struct ground *g, const char *name)
{
	const char *value = json_string_value(fact_value(g->host, name));

	return value ? value : "";
}

static bool is_guest(const struct ground *g)
{
	const char *name = text(g, "cpu.hypervisor");

	return name[0] && strcmp(name, "none") != 0;
}

static bool has_word(const json_t *list, const char *word)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const char *one = json_string_value(json_array_get(list, i));

		if (one && !strcmp(one, word))
			return true;
	}
	return false;
}

static bool one_of(const char *name, const char *const *names, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* The network. */

static void congestion_control(const struct ground *g, struct finding *f)
{
	const char *name = need_text(g, f, "net.congestion_control");
	const char *set = g->plan->congestion_control;

	f->effect = "A control that paces its sending puts timers between the packets even over "
		    "loopback: sendfile and splice then cost several times what they would, and "
		    "their lead over read + write all but vanishes. copytax sets its own sockets "
		    "(--cc); what it is compared with keeps the default.";
	if (!name)
		return;
	if (strncmp(name, "bbr", 3) != 0) {
		say(f, FINDING_OK, "%s", name);
		return;
	}
	change(f, "sysctl -w net.ipv4.tcp_congestion_control=%s",
	       has_word(fact_value(g->host, "net.congestion_controls_available"), "cubic")
		       ? "cubic"
		       : "reno");
	if (set && strncmp(set, "bbr", 3) != 0)
		say(f, FINDING_NOTE, "%s by default, which paces; these sockets are set to %s",
		    name, set);
	else
		say(f, FINDING_WARN, "%s by default, which paces", name);
}

static void socket_buffers(const struct ground *g, struct finding *f)
{
	bool forced = has_word(fact_value(g->host, "security.capabilities"), "net_admin");
	double send_asked = g->plan->send_buffer, receive_asked = g->plan->receive_buffer, send,
	       receive;

	f->effect = "What is asked for with SO_SNDBUF or SO_RCVBUF beyond the limit is cut off "
		    "without a word. Smaller buffers mean more wake-ups per GB.";
	if (!need_number(g, f, "net.wmem_max_bytes", &send) ||
	    !need_number(g, f, "net.rmem_max_bytes", &receive))
		return;
	if (!forced && (send_asked > send || receive_asked > receive)) {
		say(f, FINDING_WARN,
		    "%.0f and %.0f KiB to send and receive will be asked for, %.0f and %.0f KiB "
		    "allowed",
		    send_asked / 1024, receive_asked / 1024, send / 1024, receive / 1024);
		change(f, "sysctl -w net.core.wmem_max=%.0f net.core.rmem_max=%.0f",
		       send_asked > send ? send_asked : send,
		       receive_asked > receive ? receive_asked : receive);
		return;
	}
	say(f, FINDING_OK, "up to %.0f and %.0f KiB to send and receive%s", send / 1024,
	    receive / 1024, forced ? ", more for this process (CAP_NET_ADMIN)" : "");
}

static void loopback(const struct ground *g, struct finding *f)
{
	const json_t *tso = fact_value(g->host, "net.loopback_tso");
	double mtu;

	f->effect = "Smaller packets mean more trips through the stack per GB: the stack's share "
		    "grows, and the price of copying looks smaller beside it.";
	if (!need_number(g, f, "net.loopback_mtu", &mtu))
		return;
	if (g->plan->remote) {
		say(f, FINDING_OK, "not in use: the receiver is on another host");
		return;
	}
	if (mtu < 65536) {
		say(f, FINDING_WARN, "MTU %.0f instead of 65536", mtu);
		change(f, "ip link set lo mtu 65536");
	} else if (json_is_false(tso)) {
		say(f, FINDING_WARN, "MTU %.0f, segmentation offload is off", mtu);
		change(f, "ethtool -K lo tso on gso on");
	} else {
		say(f, FINDING_OK, "MTU %.0f%s", mtu, tso ? ", segmentation offload on" : "");
	}
}

/* Speed of the processors. */

static void governor(const struct ground *g, struct finding *f)
{
	const char *name = need_text(g, f, "cpu.governor"),
		   *driver = text(g, "cpu.frequency_driver");

	f->effect = "Unless the governor is \"performance\", the clock follows the load: a method "
		    "that keeps the CPU busier runs at a higher clock and looks cheaper in CPU "
		    "seconds than it is.";
	if (!name)
		return;
	if (!strcmp(name, "performance")) {
		say(f, FINDING_OK, "performance (%s)", driver);
		return;
	}
	change(f, "for p in " CPU_DIR
		  "cpufreq/policy*; do echo performance > $p/scaling_governor; done");
	/* where the processor chooses by itself, "powersave" is the name of its normal state */
	if (!strcmp(name, "powersave") &&
	    (!strcmp(driver, "intel_pstate") || !strcmp(driver, "amd-pstate-epp")))
		say(f, FINDING_NOTE, "%s (%s: the processor chooses its clock)", name, driver);
	else
		say(f, FINDING_WARN, "%s (%s)", name, driver);
}

static void turbo(const struct ground *g, struct finding *f)
{
	const char *state = need_text(g, f, "cpu.turbo");

	f->effect = "With turbo the clock depends on heat and on how many cores are busy: CPU "
		    "seconds drift over a run by as much as the boost, which interleaved rounds "
		    "spread over all methods alike.";
	if (!state)
		return;
	if (strcmp(state, "on") != 0) {
		say(f, FINDING_OK, "off");
		return;
	}
	say(f, FINDING_NOTE, "on");
	if (!strncmp(text(g, "cpu.frequency_driver"), "intel", 5))
		change(f, "echo 1 > " CPU_DIR "intel_pstate/no_turbo");
	else
		change(f, "echo 0 > " CPU_DIR "cpufreq/boost");
}

static void smt(const struct ground *g, struct finding *f)
{
	const char *state = need_text(g, f, "cpu.smt");

	f->effect = "Two threads of a core share its units and caches: whatever runs beside the "
		    "sender or the receiver raises their CPU seconds without showing up in them.";
	if (!state)
		return;
	if (!strcmp(state, "on")) {
		say(f, FINDING_NOTE,
		    "on; sender and receiver are placed on different cores where there are two");
		change(f, "echo off > " CPU_DIR "smt/control");
	} else if (is_guest(g)) {
		say(f, FINDING_NOTE,
		    "%s, as this guest sees it; on the host two of its CPUs may share a core",
		    state);
		change(f, "not from inside: ask the host for whole cores");
	} else {
		say(f, FINDING_OK, "%s", state);
	}
}

static void idle(const struct ground *g, struct finding *f)
{
	const char *driver = need_text(g, f, "kernel.idle_driver");
	double poll = json_number_value(fact_value(g->host, "kernel.idle_poll_ns"));

	f->effect = "Whoever waits for the other side has to be woken: how deep an idle CPU sleeps "
		    "is part of every wall time, most of all with few bytes per wake-up. CPU "
		    "seconds don't contain it.";
	if (!driver)
		return;
	if (!strcmp(driver, "none"))
		say(f, FINDING_OK, "no idle states to choose from");
	else if (!strcmp(driver, "haltpoll") && poll > 0)
		say(f, FINDING_NOTE,
		    "haltpoll: an idle CPU spins for up to %.0f ns before it halts", poll);
	else
		say(f, FINDING_NOTE, "%s chooses how deep an idle CPU sleeps", driver);
}

/* Who else uses them. */

static void steal(const struct ground *g, struct finding *f)
{
	double share;

	f->effect = "While the host runs somebody else, wall time goes on; some hypervisors let "
		    "CPU time go on too.";
	if (!need_number(g, f, "load.steal_share", &share))
		return;
	say(f,
	    share > 0.01    ? FINDING_WARN
	    : share > 0.001 ? FINDING_NOTE
			    : FINDING_OK,
	    "%.2f %% of CPU time since boot", 100 * share);
	if (share > 0.001)
		change(f, "not from inside: dedicated CPUs on the host; meanwhile trust CPU "
			  "seconds over wall time and raise --rounds");
}

static void load(const struct ground *g, struct finding *f)
{
	const json_t *average = fact_value(g->host, "load.average");
	double minute = json_number_value(json_array_get(average, 0)), busy, usable;
	char told[64] = "";

	f->effect = "Other work takes CPU, caches and memory bandwidth: wall time suffers at once, "
		    "CPU seconds through the caches.";
	if (!need_number(g, f, "load.busy_cpus_now", &busy) ||
	    !need_number(g, f, "cpu.usable", &usable))
		return;
	if (average)
		snprintf(told, sizeof(told), ", load average %.2f", minute);
	/*
	 * a sender and a receiver want a CPU each; up to a fifth of one is what an idle system
	 * shows
	 */
	if (busy > 0.2 && usable - busy < 1.8)
		say(f, FINDING_WARN, "%.2f of %.0f CPUs busy now%s", busy, usable, told);
	else if (busy > 0.2 || minute > 0.5)
		say(f, FINDING_NOTE, "%.2f of %.0f CPUs busy now%s", busy, usable, told);
	else
		say(f, FINDING_OK, "%.2f of %.0f CPUs busy now%s", busy, usable, told);
	if (f->level != FINDING_OK)
		change(f, "top -b -n 1 | head -n 20    # see who it is, and wait or stop it");
}

static void cores(const struct ground *g, struct finding *f)
{
	double usable, present = json_number_value(fact_value(g->host, "cpu.threads"));

	f->effect = "With one CPU, sender and receiver take turns on it: every wake-up is a "
		    "context switch, wall time is the sum of both sides, and what arrives is still "
		    "in that CPU's cache.";
	if (!need_number(g, f, "cpu.usable", &usable))
		return;
	if (usable < 2) {
		say(f, FINDING_WARN, "1 usable CPU of %.0f", present > 1 ? present : 1);
		if (present > 1)
			change(f, "taskset -c 0-%.0f copytax run    # or widen the cpuset",
			       present - 1);
		else
			change(f, "not by a setting: compare CPU seconds, not throughput");
	} else if (present > usable) {
		say(f, FINDING_OK, "%.0f usable of %.0f", usable, present);
	} else {
		say(f, FINDING_OK, "%.0f usable", usable);
	}
}

static void quota(const struct ground *g, struct finding *f)
{
	const json_t *limit = need(g, f, "cpu.quota");

	f->effect = "When the group's share is used up, all its processes stop until the next "
		    "period, usually for tens of ms: wall times fall into two heaps.";
	if (!limit)
		return;
	if (!json_is_number(limit)) {
		say(f, FINDING_OK, "no CPU limit on this control group");
		return;
	}
	say(f, json_number_value(limit) < 2 ? FINDING_WARN : FINDING_NOTE,
	    "this control group gets the time of %.2f CPUs", json_number_value(limit));
	change(f, "docker run --cpus=0 …, or: echo max > /sys/fs/cgroup/GROUP/cpu.max");
}

static void kinds(const struct ground *g, struct finding *f)
{
	double count;

	f->effect = "A second on a slow core does less than a second on a fast one: runs are "
		    "comparable only if they used cores of the same kind.";
	if (!need_number(g, f, "cpu.kinds", &count))
		return;
	if (count > 1) {
		say(f, FINDING_NOTE, "%.0f kinds; pinned, both ends go to the fastest", count);
		change(f, "taskset -c LIST copytax run    # to choose the kind: lscpu -e tells "
			  "them apart");
	} else {
		say(f, FINDING_OK, "all of one kind, as far as the system tells");
	}
}

static void numa(const struct ground *g, struct finding *f)
{
	double nodes;

	f->effect = "Page cache on the other node costs every method that copies a trip across the "
		    "interconnect.";
	if (!need_number(g, f, "cpu.numa_nodes", &nodes))
		return;
	if (nodes > 1) {
		say(f, FINDING_NOTE,
		    "%.0f nodes; the CPUs are taken from one, the page cache may lie on another",
		    nodes);
		change(f, "numactl --cpunodebind=0 --membind=0 copytax run");
	} else {
		say(f, FINDING_OK, "1 node");
	}
}

/* The kernel and what is under it. */

static void virtualisation(const struct ground *g, struct finding *f)
{
	const char *name = need_text(g, f, "cpu.hypervisor");

	f->effect = "Copying touches memory through two sets of page tables, timers and wake-ups "
		    "may leave the guest, hardware counters are often missing, and another guest "
		    "can take cache and bandwidth. Ratios carry over to bare metal better than "
		    "absolute figures.";
	if (!name)
		return;
	if (!strcmp(name, "none"))
		say(f, FINDING_OK, "none");
	else
		say(f, FINDING_NOTE, "a guest under %s", name);
}

static void mitigations(const struct ground *g, struct finding *f)
{
	const json_t *all = need(g, f, "cpu.mitigations"), *state;
	const json_t *options = fact_value(g->host, "kernel.options");
	int active = 0, open = 0, total = 0;
	const char *name, *one;
	char costly[200] = "";
	bool off = has_word(options, "mitigations=off");

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
		say(f, FINDING_OK, "none needed: not affected by any of %d known vulnerabilities",
		    total);
		return;
	}
	say(f, FINDING_NOTE, "%s%d of %d vulnerabilities mitigated%s%s%s; %d left open",
	    off ? "mitigations=off: " : "", active, total, active ? " (" : "", costly,
	    active ? ")" : "", open);
	/* no advice to switch them off: it would change what is measured, and not for the better */
	change(f, "grep . " CPU_DIR "vulnerabilities/*    # the full state, also in the result");
}

static void kernel_build(const struct ground *g, struct finding *f)
{
	static const char *const debugging[] = { "CONFIG_KASAN",
						 "CONFIG_KCSAN",
						 "CONFIG_PROVE_LOCKING",
						 "CONFIG_LOCK_STAT",
						 "CONFIG_DEBUG_ATOMIC_SLEEP",
						 "CONFIG_DEBUG_PAGEALLOC_ENABLE_DEFAULT" };
	const json_t *build = need(g, f, "kernel.build"),
		     *options = fact_value(g->host, "kernel.options");
	size_t i;

	f->effect = "A debugging kernel checks every lock or memory access: nothing here compares "
		    "with a distribution's kernel.";
	if (!build)
		return;
	for (i = 0; i < COUNT(debugging); i++) {
		if (!json_object_get(build, debugging[i]))
			continue;
		say(f, FINDING_WARN, "a debugging kernel (%s)", debugging[i]);
		change(f, "boot a kernel built without %s", debugging[i]);
		return;
	}
	if (has_word(options, "init_on_alloc=1") ||
	    (json_object_get(build, "CONFIG_INIT_ON_ALLOC_DEFAULT_ON") &&
	     !has_word(options, "init_on_alloc=0"))) {
		f->effect = "Each page taken for a socket buffer is zeroed before payload is "
			    "copied into it: methods that copy write their bytes once more than "
			    "the textbook says.";
		say(f, FINDING_NOTE, "memory is zeroed on allocation (init_on_alloc)");
		change(f, "boot with init_on_alloc=0");
		return;
	}
	say(f, FINDING_OK, "no debugging options, memory is not zeroed on allocation");
}

static void clocksource(const struct ground *g, struct finding *f)
{
	static const char *const direct[] = { "tsc", "arch_sys_counter", "timebase", "tod",
					      "riscv_clocksource" };
	static const char *const shared[] = { "kvm-clock", "hyperv_clocksource_tsc_page" };
	const char *name = need_text(g, f, "kernel.clocksource");

	f->effect = "Reading the clock enters the kernel, and from a slow device takes up to "
		    "microseconds. Each sample reads it a few times only: what suffers is tracing, "
		    "per-call timing and the scheduler.";
	if (!name)
		return;
	if (one_of(name, direct, COUNT(direct))) {
		say(f, FINDING_OK, "%s, read without entering the kernel", name);
	} else if (one_of(name, shared, COUNT(shared))) {
		say(f, FINDING_OK,
		    "%s, shared with the hypervisor and read without entering the kernel", name);
	} else {
		say(f, FINDING_WARN, "%s", name);
		if (has_word(fact_value(g->host, "kernel.clocksources"), "tsc"))
			change(f,
			       "echo tsc > "
			       "/sys/devices/system/clocksource/clocksource0/current_clocksource");
		else
			change(f, "dmesg | grep -i -e tsc -e clocksource    # why the fast one was "
				  "given up");
	}
}

static void accounting(const struct ground *g, struct finding *f)
{
	const char *split = need_text(g, f, "kernel.user_system_split");
	const char *cpus = text(g, "kernel.nohz_full");

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
			say(f, FINDING_NOTE, "measured at every crossing on CPUs %s (nohz_full)",
			    cpus);
		else
			say(f, FINDING_NOTE, "measured at every crossing");
		change(f, "boot without nohz_full, or keep off those CPUs with taskset");
	} else {
		say(f, FINDING_NOTE, "sampled by ticks");
	}
}

static void softirq_accounting(const struct ground *g, struct finding *f)
{
	const json_t *charged = need(g, f, "kernel.softirq_charged_to_task");

	f->effect = "Over loopback the receive half of TCP runs as softirq inside the sender's "
		    "calls. Where it is not charged to the sender, sender CPU looks smaller by "
		    "that part, for all methods.";
	if (!charged)
		return;
	if (json_is_true(charged)) {
		say(f, FINDING_OK, "softirq work is charged to the process it interrupts");
		return;
	}
	say(f, FINDING_WARN, "softirq work is charged to no process");
	change(f, "look at system_cpu_s too, which has it; or boot with tsc=noirqtime (x86)");
}

/* Room, and the file. */

/* Nobody to ask, or nobody at work: fine. */
static void proactive_reclaim(const struct ground *g, struct finding *f)
{
	const char *state = text(g, "memory.damon");

	f->effect = "Pages of the payload that nobody touched for a while leave the page cache "
		    "during the run. copytax then reads the payload anew before the sample, into "
		    "folios of other sizes, which changes mmap's faults and sendfile's pieces.";
	/* "off" is the reason when there is no monitor to ask; any other is of a state that is not known */
	if (!state[0] && strcmp(fact_reason(g->host, "memory.damon"), "off") != 0) {
		(void)need(g, f, "memory.damon");
		return;
	}
	if (strcmp(state, "on") != 0) {
		say(f, FINDING_OK, "no DAMON monitor reclaims memory");
		return;
	}
	say(f, FINDING_NOTE, "a DAMON monitor is on and may reclaim page cache");
	change(f, "echo off > /sys/kernel/mm/damon/admin/kdamonds/0/state");
}

static void page_cache_room(const struct ground *g, struct finding *f)
{
	const json_t *limit = fact_value(g->host, "memory.limit_bytes");
	double need_bytes = (double)g->plan->payload_bytes, room;
	const char *where = "available";

	f->effect = "A warm case needs the whole payload in the page cache. What is evicted is "
		    "read from the disk in mid-transfer.";
	if (!need_number(g, f, "memory.available_bytes", &room))
		return;
	if (json_is_number(limit) && json_number_value(limit) < room) {
		room = json_number_value(limit);
		where = "allowed by the control group";
	}
	/* a fifth for everything else: below that, reclaim starts to work */
	if (need_bytes <= 0.8 * room) {
		say(f, FINDING_OK, "payload of %.0f MiB, %.0f MiB %s", need_bytes / MIB, room / MIB,
		    where);
		return;
	}
	say(f, FINDING_WARN, "payload of %.0f MiB, but only %.0f MiB %s", need_bytes / MIB,
	    room / MIB, where);
	change(f, "--size %.0fM, or leave out the warm cases: --cache cold", 0.5 * room / MIB);
}

static void disk_room(const struct ground *g, struct finding *f)
{
	double need_bytes =
		       (double)(g->plan->disk_bytes ? g->plan->disk_bytes : g->plan->payload_bytes),
	       room;
	const json_t *there = fact_value(g->host, "storage.payload_bytes");

	f->effect = "The payload can't be made.";
	if (there && json_number_value(there) >= (double)g->plan->payload_bytes) {
		say(f, FINDING_OK, "none needed: the payload is there");
		return;
	}
	if (!need_number(g, f, "storage.free_bytes", &room))
		return;
	if (room >= need_bytes) {
		say(f, FINDING_OK, "%.0f MiB free, %.0f MiB will be written", room / MIB,
		    need_bytes / MIB);
		return;
	}
	say(f, FINDING_WARN, "%.0f MiB free, but %.0f MiB would have to be written", room / MIB,
	    need_bytes / MIB);
	change(f, "--size %.0fM, or a file system with more room",
	       0.8 * room / need_bytes * (double)g->plan->payload_bytes / MIB);
}

static void file_system(const struct ground *g, struct finding *f)
{
	static const char *const plain[] = { "ext4", "xfs",  "btrfs",	"f2fs",
					     "ext3", "ext2", "bcachefs" };
	static const char *const memory[] = { "tmpfs", "ramfs", "hugetlbfs" };
	const json_t *options = fact_value(g->host, "storage.mount_options");
	const char *name = need_text(g, f, "storage.file_system");
	size_t i;

	f->effect = "";
	if (!name)
		return;
	for (i = 0; i < json_array_size(options); i++) {
		const char *option = json_string_value(json_array_get(options, i));

		if (!option ||
		    (strncmp(option, "compress", 8) != 0 && strncmp(option, "dax", 3) != 0) ||
		    !strcmp(option, "dax=never") || !strcmp(option, "dax=inode"))
			continue;
		f->effect = option[0] == 'c'
				    ? "Cold reads decompress, and direct reads of compressed data "
				      "go through the page cache after all."
				    : "There is no page cache: file data is read from the medium "
				      "itself, and warm and cold mean nothing.";
		say(f, FINDING_WARN, "%s, mounted with %s", name, option);
		change(f, "--dir on a file system mounted without %s", option);
		return;
	}
	if (one_of(name, plain, COUNT(plain))) {
		say(f, FINDING_OK, "%s", name);
		return;
	}
	change(f, "--dir on ext4 or xfs");
	if (one_of(name, memory, COUNT(memory))) {
		f->effect = "The file is the page cache: it can't be cold, direct I/O is refused "
			    "or only pretended, and reads take another path through the kernel "
			    "than from a disk.";
		say(f, FINDING_WARN, "%s", name);
	} else if (!strcmp(name, "zfs")) {
		f->effect = "ZFS keeps a cache of its own beside the page cache: read copies from "
			    "there, mmap and sendfile first fill the page cache, and dropping the "
			    "latter makes nothing cold.";
		say(f, FINDING_WARN, "zfs");
	} else if (!strncmp(name, "nfs", 3) || !strncmp(name, "fuse", 4) ||
		   !strncmp(name, "9p", 2) || !strcmp(name, "cifs") || !strcmp(name, "smb3") ||
		   !strcmp(name, "virtiofs") || !strcmp(name, "ceph")) {
		f->effect = "Another machine or process answers for the file: cold and direct "
			    "cases measure that, and how much is cached here is that file system's "
			    "own choice.";
		say(f, FINDING_WARN, "%s", name);
	} else {
		f->effect =
			"Some layered file systems pass reads on to another one: each call then "
			"goes through two, and sendfile and splice may fall back to copying.";
		say(f, FINDING_NOTE, "%s", name);
	}
}

static void direct_io(const struct ground *g, struct finding *f)
{
	const char *state = need_text(g, f, "storage.direct_io");
	const json_t *bypasses = fact_value(g->host, "storage.direct_io_bypasses_cache");
	double align = json_number_value(fact_value(g->host, "storage.direct_io_alignment"));

	f->effect = "direct_write can't be measured here.";
	if (!state)
		return;
	if (strcmp(state, "works") != 0) {
		say(f, FINDING_WARN, "O_DIRECT %s on %s", state, text(g, "storage.file_system"));
		change(f, "--dir on ext4 or xfs");
	} else if (json_is_false(bypasses)) {
		f->effect = "A direct read left pages in the page cache: direct_write here is a "
			    "slower read + write, not a way around the cache.";
		say(f, FINDING_WARN, "O_DIRECT is accepted, and goes through the page cache");
		change(f, "--dir on ext4 or xfs");
	} else {
		say(f, FINDING_OK, "works, aligned to %.0f bytes%s", align,
		    bypasses ? ", and leaves the page cache alone" : "");
	}
}

static void cold_cache(const struct ground *g, struct finding *f)
{
	const char *device = need_text(g, f, "storage.device");
	double ahead = json_number_value(fact_value(g->host, "storage.read_ahead_bytes"));
	const json_t *spins = fact_value(g->host, "storage.rotational");

	f->effect =
		"Cold cases measure the device and its read-ahead as much as the method. In a "
		"guest \"cold\" means cold here: the host may still hold the file in its memory.";
	if (!device)
		return;
	say(f, FINDING_NOTE, "%s (%s), read-ahead %.0f KiB%s", device,
	    fact_value(g->host, "storage.device_model") ? text(g, "storage.device_model")
							: "no model told",
	    ahead / 1024,
	    !json_is_true(spins) ? ""
	    : is_guest(g)	 ? ", says it rotates (virtual disks often do without rotating)"
				 : ", rotating");
	change(f, "blockdev --setra 256 /dev/%s    # 128 KiB, the kernel's default", device);
	if (ahead == 128 * 1024)
		f->change[0] = '\0';
}

/* Limits. */

static void pipe_size(const struct ground *g, struct finding *f)
{
	const json_t *caps = fact_value(g->host, "security.capabilities");
	double most;

	f->effect = "splice moves at most a pipe's content per call: larger chunks are cut into "
		    "that many, and the number of calls no longer falls with the chunk.";
	if (!need_number(g, f, "limits.pipe_max_bytes", &most))
		return;
	if (most >= MIB || has_word(caps, "sys_resource")) {
		say(f, FINDING_OK, "pipes up to %.0f KiB%s", most / 1024,
		    has_word(caps, "sys_resource") ? ", more for this process (CAP_SYS_RESOURCE)"
						   : "");
		return;
	}
	say(f, FINDING_NOTE, "pipes up to %.0f KiB", most / 1024);
	change(f, "sysctl -w fs.pipe-max-size=1048576");
}

static void memlock(const struct ground *g, struct finding *f)
{
	const json_t *limit = need(g, f, "limits.memlock_bytes");
	const json_t *caps = fact_value(g->host, "security.capabilities");

	f->effect =
		"MSG_ZEROCOPY and io_uring's fixed buffers pin memory against this limit and fail "
		"with ENOBUFS or ENOMEM beyond it; before Linux 5.11 BPF maps counted too.";
	if (!limit)
		return;
	if (!json_is_number(limit) || json_number_value(limit) >= 64 * MIB) {
		say(f, FINDING_OK, "%s", json_is_number(limit) ? "64 MiB or more" : "unlimited");
	} else if (has_word(caps, "ipc_lock")) {
		say(f, FINDING_OK, "%.0f KiB, which does not bind this process (CAP_IPC_LOCK)",
		    json_number_value(limit) / 1024);
	} else {
		say(f, FINDING_NOTE, "%.0f KiB", json_number_value(limit) / 1024);
		change(f, "ulimit -l unlimited    # as root, or in /etc/security/limits.conf");
	}
}

static void optmem(const struct ground *g, struct finding *f)
{
	double most;

	f->effect = "Each MSG_ZEROCOPY send takes from this until its completion is read: with "
		    "little of it, sends fail with ENOBUFS and must be retried, which costs calls.";
	if (!need_number(g, f, "net.optmem_max_bytes", &most))
		return;
	if (most >= 128 * 1024) {
		say(f, FINDING_OK, "%.0f KiB", most / 1024);
		return;
	}
	say(f, FINDING_NOTE, "%.0f KiB", most / 1024);
	change(f, "sysctl -w net.core.optmem_max=131072    # the default since Linux 6.7");
}

static void lockdown(const struct ground *g, struct finding *f)
{
	const char *state = need_text(g, f, "security.lockdown");

	f->effect = "Lockdown for confidentiality refuses kernel probes: copies and calls have to "
		    "be counted by other means, or not at all. Timing is not touched.";
	if (!state)
		return;
	if (!strcmp(state, "confidentiality")) {
		say(f, FINDING_WARN, "confidentiality");
		change(f, "boot with lockdown=integrity or none; with Secure Boot it may not be "
			  "yours to choose");
	} else {
		say(f, FINDING_OK, "%s", state);
	}
}

static void io_uring(const struct ground *g, struct finding *f)
{
	const json_t *caps = fact_value(g->host, "security.capabilities");
	double state;

	f->effect = "Methods on io_uring can't be measured.";
	if (!need_number(g, f, "security.io_uring_disabled", &state))
		return;
	if (state >= 2 || (state >= 1 && !has_word(caps, "sys_admin"))) {
		say(f, FINDING_WARN, "disabled (kernel.io_uring_disabled=%.0f)", state);
		change(f, "sysctl -w kernel.io_uring_disabled=0");
	} else {
		say(f, FINDING_OK, "allowed for this process");
	}
}

/* One line per thing that can mislead, in the order of the printed list. */
static const struct rule {
	const char *code, *title;
	void (*judge)(const struct ground *g, struct finding *f);
} rules[] = {
	{ "congestion_control", "congestion control", congestion_control },
	{ "load", "other load", load },
	{ "steal", "steal time", steal },
	{ "cores", "CPUs", cores },
	{ "cpu_quota", "CPU limit", quota },
	{ "governor", "frequency governor", governor },
	{ "turbo", "turbo", turbo },
	{ "smt", "SMT", smt },
	{ "cpu_kinds", "kinds of core", kinds },
	{ "numa", "NUMA", numa },
	{ "idle", "idle states", idle },
	{ "virtualisation", "hypervisor", virtualisation },
	{ "mitigations", "CPU mitigations", mitigations },
	{ "kernel_build", "kernel build", kernel_build },
	{ "clocksource", "clock", clocksource },
	{ "accounting", "user/system split", accounting },
	{ "softirq_accounting", "softirq accounting", softirq_accounting },
	{ "page_cache_room", "page cache room", page_cache_room },
	{ "proactive_reclaim", "proactive reclaim", proactive_reclaim },
	{ "disk_room", "disk room", disk_room },
	{ "file_system", "file system", file_system },
	{ "direct_io", "direct I/O", direct_io },
	{ "cold_cache", "device", cold_cache },
	{ "socket_buffers", "socket buffers", socket_buffers },
	{ "loopback", "loopback", loopback },
	{ "pipe_size", "pipe size", pipe_size },
	{ "memlock", "locked memory", memlock },
	{ "optmem", "socket option memory", optmem },
	{ "lockdown", "kernel lockdown", lockdown },
	{ "io_uring", "io_uring", io_uring },
};

_Static_assert(COUNT(rules) <= FINDINGS_MAX, "every rule needs room for its finding");

void findings_judge(const json_t *host, const struct findings_plan *plan, struct findings *findings)
{
	const struct ground ground = { .host = host, .plan = plan };
	size_t i;

	memset(findings, 0, sizeof(*findings));
	for (i = 0; i < COUNT(rules); i++) {
		struct finding *f = &findings->item[findings->count++];

		f->code = rules[i].code;
		f->title = rules[i].title;
		f->effect = "";
		rules[i].judge(&ground, f);
	}
}

const char *finding_level_name(enum finding_level level)
{
	static const char *const names[] = { "ok", "note", "warn", "unknown" };

	return names[level];
}

json_t *findings_json(const struct findings *findings)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < findings->count; i++) {
		const struct finding *f = &findings->item[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "code",
						      f->code, "title", f->title, "level",
						      finding_level_name(f->level), "what", f->what,
						      "effect", f->effect, "change", f->change));
	}
	return list;
}

void findings_warn(struct result *result, const struct findings *findings)
{
	char told[400];
	size_t i;

	for (i = 0; i < findings->count; i++) {
		const struct finding *f = &findings->item[i];

		if (f->level != FINDING_WARN)
			continue;
		snprintf(told, sizeof(told), "%s: %s", f->title, f->what);
		result_warn(result, f->code, told, f->effect);
	}
}
