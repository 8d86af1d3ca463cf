// SPDX-License-Identifier: MIT
#include "measure/probes_ladder.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "measure/probes_kprobe.h"

#define ENOTSUPP 524 /* the kernel's own, not in user space's errno.h */

#define TRACEPOINT(group, need, object, name, program, since)                                      \
	{                                                                                          \
		GROUP_##group, RUNG_TRACEPOINT, NEED_##need, OBJECT_##object, "tp_btf", name,      \
			{ program, NULL }, since                                                   \
	}
#define FEXIT(group, need, object, name, program, since)                                           \
	{                                                                                          \
		GROUP_##group, RUNG_FEXIT, NEED_##need, OBJECT_##object, "fexit", name,            \
			{ program, NULL }, since                                                   \
	}
#define KRETPROBE(group, need, object, name, entry, program, since)                                \
	{                                                                                          \
		GROUP_##group, RUNG_KRETPROBE, NEED_##need, OBJECT_##object, "kretprobe", name,    \
			{ program, entry }, since                                                  \
	}

const struct hook hooks[] = {
	TRACEPOINT(SYSCALLS, MUST, CROSSINGS, "sys_exit", "syscall_exit_typed", NULL),
	{ GROUP_SYSCALLS,
	  RUNG_RAW_TRACEPOINT,
	  NEED_MUST,
	  OBJECT_CROSSINGS,
	  "raw_tp",
	  "sys_exit",
	  { "syscall_exit_raw", NULL },
	  NULL },

	TRACEPOINT(FAULTS, MUST, CROSSINGS, "page_fault_user", "fault_user", "x86 only"),
	TRACEPOINT(FAULTS, MUST, CROSSINGS, "page_fault_kernel", "fault_kernel", "x86 only"),
	FEXIT(FAULTS, MUST, CROSSINGS, "handle_mm_fault", "fault_exit", NULL),
	KRETPROBE(FAULTS, MUST, CROSSINGS, "handle_mm_fault", "fault_kentry", "fault_kreturn",
		  NULL),

	TRACEPOINT(INTERRUPTS, ONE_OF, CROSSINGS, "irq_handler_entry", "interrupt_device", NULL),
	TRACEPOINT(INTERRUPTS, ONE_OF, CROSSINGS, "local_timer_entry", "interrupt_timer", NULL),
	TRACEPOINT(INTERRUPTS, ONE_OF, CROSSINGS, "reschedule_entry", "interrupt_reschedule", NULL),
	TRACEPOINT(INTERRUPTS, ONE_OF, CROSSINGS, "call_function_entry", "interrupt_call", NULL),
	TRACEPOINT(INTERRUPTS, ONE_OF, CROSSINGS, "call_function_single_entry",
		   "interrupt_call_single", NULL),
	TRACEPOINT(INTERRUPTS, ONE_OF, CROSSINGS, "irq_work_entry", "interrupt_irq_work", NULL),
#ifndef __x86_64__ /* there the vectors above have it all, and this one never fires */
	TRACEPOINT(INTERRUPTS, ONE_OF, CROSSINGS, "ipi_entry", "interrupt_ipi", NULL),
#endif

	TRACEPOINT(SOFTIRQS, MUST, CROSSINGS, "softirq_entry", "softirq", NULL),
	TRACEPOINT(SWITCHES, MUST, SCHEDULING, "sched_switch", "task_switched", NULL),

	FEXIT(FILE_READ, ONE_OF, COPIES, "filemap_read", "filemap_read_exit", "since 5.12"),
	FEXIT(FILE_READ, ONE_OF, COPIES, "generic_file_buffered_read", "buffered_read_exit",
	      "until 5.11"),
	FEXIT(FILE_READ, IF_PRESENT, COPIES, "shmem_file_read_iter", "shmem_read_exit", NULL),
	KRETPROBE(FILE_READ, ONE_OF, COPIES, "filemap_read", "filemap_read_kentry",
		  "filemap_read_kreturn", "since 5.12"),
	KRETPROBE(FILE_READ, ONE_OF, COPIES, "generic_file_buffered_read", "buffered_read_kentry",
		  "buffered_read_kreturn", "until 5.11"),
	KRETPROBE(FILE_READ, IF_PRESENT, COPIES, "shmem_file_read_iter", "shmem_read_kentry",
		  "shmem_read_kreturn", NULL),

	FEXIT(SEND, MUST, COPIES, "tcp_sendmsg_locked", "tcp_send_exit", NULL),
	FEXIT(SEND, IF_PRESENT, COPIES, "do_tcp_sendpages", "tcp_pages_exit", "until 6.4"),
	KRETPROBE(SEND, MUST, COPIES, "tcp_sendmsg_locked", "tcp_send_kentry", "tcp_send_kreturn",
		  NULL),
	KRETPROBE(SEND, IF_PRESENT, COPIES, "do_tcp_sendpages", NULL, "tcp_pages_kreturn",
		  "until 6.4"),
	TRACEPOINT(SEND, MUST, COPIES, "tcp_sendmsg_locked", "tcp_send_flags", "since 6.16"),
	TRACEPOINT(SEND, MUST, COPIES, "sock_send_length", "socket_sent", "since 6.3"),

	FEXIT(DEFERRED, MUST, COPIES, "skb_copy_ubufs", "copy_ubufs_exit", NULL),
	KRETPROBE(DEFERRED, MUST, COPIES, "skb_copy_ubufs", "copy_ubufs_kentry",
		  "copy_ubufs_kreturn", NULL),

	TRACEPOINT(LINEARIZED, MUST, COPIES, "net_dev_start_xmit", "packet_leaves", NULL),

	TRACEPOINT(RECEIVE, MUST, COPIES, "skb_copy_datagram_iovec", "datagram_copied", NULL),

	FEXIT(SPLICE_COPY, MUST, COPIES, "copy_splice_read", "copy_splice_exit", "since 6.5"),
	KRETPROBE(SPLICE_COPY, MUST, COPIES, "copy_splice_read", "copy_splice_kentry",
		  "copy_splice_kreturn", "since 6.5"),

	TRACEPOINT(DISK, MUST, DEVICES, "block_bio_queue", "bio_queued", NULL),
	TRACEPOINT(PAGES_ADDED, MUST, DEVICES, "mm_filemap_add_to_page_cache", "page_added", NULL),
	TRACEPOINT(PAGES_TOUCHED, MUST, DEVICES, "mm_filemap_get_pages", "pages_looked_up",
		   "since 6.10"),
	TRACEPOINT(PAGES_TOUCHED, MUST, DEVICES, "mm_filemap_map_pages", "pages_mapped",
		   "since 6.10"),
	TRACEPOINT(PAGES_TOUCHED, MUST, DEVICES, "mm_filemap_fault", "page_faulted", "since 6.10"),
	TRACEPOINT(URING, MUST, CROSSINGS, "io_uring_complete", "uring_completed",
		   "since 5.17 with the request"),
};

const size_t hook_count = sizeof(hooks) / sizeof(hooks[0]);
_Static_assert(sizeof(hooks) / sizeof(hooks[0]) <= HOOKS_MAX, "raise HOOKS_MAX");

static const struct {
	const char *name;
	enum hook_group group;
	bool ledger;
} subjects[PROBE_SUBJECTS] = {
	[PROBE_FILE_TO_USER] = { "file_to_user", GROUP_FILE_READ, true },
	[PROBE_FILE_TO_KERNEL] = { "file_to_kernel", GROUP_SPLICE_COPY, false },
	[PROBE_USER_TO_SOCKET] = { "user_to_socket", GROUP_SEND, true },
	[PROBE_DEFERRED] = { "deferred", GROUP_DEFERRED, false },
	[PROBE_SOCKET_TO_USER] = { "socket_to_user", GROUP_RECEIVE, true },
	[PROBE_BY_REFERENCE] = { "by_reference", GROUP_SEND, true },
	[PROBE_DISK_TO_PAGE_CACHE] = { "disk_to_page_cache", GROUP_DISK, false },
	[PROBE_DISK_TO_USER] = { "disk_to_user", GROUP_DISK, true },
	[PROBE_LINEARIZED] = { "linearized", GROUP_LINEARIZED, false },
	[PROBE_SYSCALLS] = { "syscalls", GROUP_SYSCALLS, false },
	[PROBE_FAULTS] = { "page_faults", GROUP_FAULTS, false },
	[PROBE_FAULTS_MAJOR] = { "page_faults_major", GROUP_FAULTS, false },
	[PROBE_INTERRUPTS] = { "interrupts", GROUP_INTERRUPTS, false },
	[PROBE_SOFTIRQS] = { "softirqs", GROUP_SOFTIRQS, false },
	[PROBE_SWITCHES] = { "context_switches", GROUP_SWITCHES, false },
	[PROBE_PAGES_ADDED] = { "page_cache_pages_added", GROUP_PAGES_ADDED, false },
	[PROBE_PAGES_TOUCHED] = { "page_cache_pages_touched", GROUP_PAGES_TOUCHED, false },
	[PROBE_URING] = { "io_uring_requests", GROUP_URING, false },
};

enum hook_group subject_group(enum probe_subject subject)
{
	return subjects[subject].group;
}

bool hook_present(const struct btf *btf, const struct hook *hook)
{
	char name[96];

	if (!strcmp(hook->how, "raw_tp"))
		return true;
	if (hook->rung != RUNG_TRACEPOINT)
		return btf__find_by_name_kind(btf, hook->target, BTF_KIND_FUNC) > 0;
	snprintf(name, sizeof(name), "btf_trace_%s", hook->target);
	return btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF) > 0;
}

static const struct bpf_insn nothing[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static void try_fexit(struct hook_state *state, const struct btf *btf, const char *function)
{
	__s32 id = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC);
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FEXIT,
		    .attach_btf_id = (__u32)id);
	int program, link;

	state->stage = STAGE_LOAD;
	program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "copytax_try", "GPL", nothing, 2, &options);
	if (program < 0) {
		state->err = -program;
		return;
	}
	state->stage = STAGE_ATTACH;
	link = bpf_raw_tracepoint_open(NULL, program);
	if (link < 0) {
		state->err = -link;
	} else {
		state->stage = STAGE_WORKS;
		close(link);
	}
	close(program);
}

static void try_kretprobe(struct hook_state *state, const char *function)
{
	int program, probe;

	state->stage = STAGE_LOAD;
	state->err = -kretprobe_supported();
	if (state->err)
		return;
	program = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "copytax_try", "GPL", nothing, 2, NULL);
	if (program < 0) {
		state->err = -program;
		return;
	}
	state->stage = STAGE_ATTACH;
	probe = kretprobe_open(function, program);
	if (probe < 0) {
		state->err = -probe;
	} else {
		state->stage = STAGE_WORKS;
		close(probe);
	}
	close(program);
}

void ladder_try(struct ladder *ladder, const struct btf *btf, unsigned int avoid)
{
	memset(ladder, 0, sizeof(*ladder));
	for (size_t i = 0; i < hook_count; i++) {
		struct hook_state *state = &ladder->states[i];

		/* a subject with a single rung is not to be avoided away */
		if (avoid & 1u << hooks[i].rung && hooks[i].group >= GROUP_FILE_READ)
			state->stage = STAGE_AVOIDED;
		else if (!hook_present(btf, &hooks[i]))
			state->stage = STAGE_ABSENT;
		else if (hooks[i].rung == RUNG_FEXIT)
			try_fexit(state, btf, hooks[i].target);
		else if (hooks[i].rung == RUNG_KRETPROBE)
			try_kretprobe(state, hooks[i].target);
		else /* loading the real program will tell */
			state->stage = STAGE_WORKS;
	}
}

static bool rung_works(const struct ladder *ladder, enum hook_group group, enum probe_rung rung)
{
	bool any = false, one_of = false, one_works = false;

	for (size_t i = 0; i < hook_count; i++) {
		const struct hook_state *state = &ladder->states[i];

		if (hooks[i].group != group || hooks[i].rung != rung)
			continue;
		any = true;
		if (hooks[i].need == NEED_ONE_OF) {
			one_of = true;
			one_works |= state->stage == STAGE_WORKS;
		} else if (state->stage != STAGE_WORKS &&
			   !(hooks[i].need == NEED_IF_PRESENT && state->stage == STAGE_ABSENT)) {
			return false;
		}
	}
	return any && (!one_of || one_works);
}

void ladder_choose(struct ladder *ladder)
{
	/* faults: the tracepoints are cheaper than a hook in every fault, and as exact */
	static const enum probe_rung usual[] = { RUNG_FEXIT, RUNG_KRETPROBE, RUNG_TRACEPOINT,
						 RUNG_RAW_TRACEPOINT };
	static const enum probe_rung of_faults[] = { RUNG_TRACEPOINT, RUNG_FEXIT, RUNG_KRETPROBE,
						     RUNG_RAW_TRACEPOINT };

	for (enum hook_group group = 0; group < GROUPS; group++) {
		const enum probe_rung *order = group == GROUP_FAULTS ? of_faults : usual;

		ladder->rungs[group] = RUNG_NONE;
		for (size_t r = 0; r < sizeof(usual) / sizeof(usual[0]); r++) {
			if (rung_works(ladder, group, order[r])) {
				ladder->rungs[group] = order[r];
				break;
			}
		}
		for (size_t i = 0; i < hook_count; i++)
			if (hooks[i].group == group)
				ladder->states[i].chosen = hooks[i].rung == ladder->rungs[group] &&
							   ladder->states[i].stage == STAGE_WORKS;
	}
}

/* What an errno says here, beyond strerror. */
static const char *meaning(const struct hook *hook, const struct hook_state *state)
{
	bool function = hook->rung == RUNG_FEXIT || hook->rung == RUNG_KRETPROBE;

	switch (state->err) {
	case EPERM:
	case EACCES:
		return function ? "this kernel's policy or a lockdown refuses probes on functions"
				: "not permitted, or rejected by the verifier";
	case EBUSY:
		return "the function is excluded from tracing (notrace)";
	case ENOTSUPP:
	case EOPNOTSUPP:
		return "not supported on this architecture by this kernel";
	case ENOENT:
		return state->stage == STAGE_LOAD && hook->rung == RUNG_KRETPROBE
			       ? "the kernel is built without kprobes"
			       : strerror(ENOENT);
	default:
		return strerror(state->err);
	}
}

static void append(char *text, size_t size, const char *separator, const char *more)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s%s", used ? separator : "", more);
}

/* Why a rung that was not taken was not: the first hook that speaks against it. */
static void explain(const struct ladder *ladder, enum hook_group group, enum probe_rung rung,
		    char *reason, size_t size)
{
	char text[256];

	for (size_t i = 0; i < hook_count; i++) {
		const struct hook *hook = &hooks[i];
		const struct hook_state *state = &ladder->states[i];
		const char *name = state->err == ENOTSUPP ? "ENOTSUPP"
							  : strerrorname_np(state->err);

		if (hook->group != group || hook->rung != rung || state->stage == STAGE_WORKS ||
		    (hook->need == NEED_IF_PRESENT && state->stage == STAGE_ABSENT))
			continue;
		if (state->stage == STAGE_AVOIDED)
			snprintf(text, sizeof(text), "%s: not wanted", hook->how);
		else if (state->stage == STAGE_ABSENT)
			snprintf(text, sizeof(text), "%s %s: not in this kernel%s%s%s", hook->how,
				 hook->target, hook->since ? " (" : "",
				 hook->since ? hook->since : "", hook->since ? ")" : "");
		else
			snprintf(text, sizeof(text), "%s %s: %s at %s (%s)", hook->how,
				 hook->target, name ? name : "error",
				 state->stage == STAGE_LOAD ? "load" : "attach",
				 meaning(hook, state));
		append(reason, size, "; ", text);
		return;
	}
}

static void describe(const struct ladder *ladder, enum hook_group group, char *how, size_t size)
{
	how[0] = '\0';
	for (size_t i = 0; i < hook_count; i++) {
		if (hooks[i].group != group || !ladder->states[i].chosen)
			continue;
		if (!how[0])
			append(how, size, "", hooks[i].how);
		append(how, size, strchr(how, ' ') ? ", " : " ", hooks[i].target);
	}
}

void ladder_rows(const struct ladder *ladder, struct probe_row rows[PROBE_SUBJECTS])
{
	bool has_ledger = ladder->rungs[GROUP_SYSCALLS] != RUNG_NONE;

	for (enum probe_subject s = 0; s < PROBE_SUBJECTS; s++) {
		enum hook_group group = subjects[s].group;
		struct probe_row *row = &rows[s];

		memset(row, 0, sizeof(*row));
		row->name = subjects[s].name;
		row->rung = ladder->rungs[group];
		row->second = subjects[s].ledger && has_ledger;
		for (enum probe_rung r = RUNG_FEXIT; r < RUNG_LEDGER && r != row->rung; r++)
			if (group != GROUP_FAULTS || row->rung != RUNG_TRACEPOINT)
				explain(ladder, group, r, row->reason, sizeof(row->reason));
		if (row->rung == RUNG_NONE && row->second) {
			row->rung = RUNG_LEDGER;
			snprintf(row->how, sizeof(row->how), "%s", PROBE_LEDGER);
			row->second = false;
		}
		if (!row->how[0])
			describe(ladder, group, row->how, sizeof(row->how));
	}
	if (rows[PROBE_PAGES_TOUCHED].rung == RUNG_TRACEPOINT)
		snprintf(rows[PROBE_PAGES_TOUCHED].reason, sizeof(rows[PROBE_PAGES_TOUCHED].reason),
			 "pages asked for: a fault that maps a whole large folio counts only its "
			 "own window");
	if (rows[PROBE_FAULTS].rung == RUNG_TRACEPOINT) {
		struct probe_row *row = &rows[PROBE_FAULTS_MAJOR];

		row->rung = RUNG_NONE;
		row->how[0] = '\0';
		snprintf(row->reason, sizeof(row->reason),
			 "the page-fault tracepoints don't tell major from minor; getrusage does");
	}
}
