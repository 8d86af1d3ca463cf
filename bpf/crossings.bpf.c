// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Crossings between user and kernel mode: system calls, faults, interrupts; and the softirqs that ride
 * on them. System calls are counted where they end: their number, arguments and result are all there,
 * so one program does for the count and for the ledger. A call that never returns (exit_group) is not
 * counted.
 */
#include "types.h"

#include "entry.h"
#include "ledger.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile __u8 call_kinds[COUNTED_SYSCALLS];

/* The one call in which user space asks who is behind a descriptor of its own. */
static __always_inline void enrol(void)
{
	struct file *file = file_of((__u32)control.enrol_fd);
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	remember_source(inode);
	control.source = (__u64)inode;
	enrol_backing(inode);
	control.enrolled = 1;
}

static __always_inline int syscall_ends(const struct pt_regs *regs, long result, bool direct)
{
	__u32 tgid = current_tgid(), role, kind;
	struct counters *counters;
	__u64 nr;

	if (!tgid)
		return 0;
	if (tgid == control.tgid[ROLE_SENDER]) {
		role = ROLE_SENDER;
	} else if (tgid == control.tgid[ROLE_RECEIVER]) {
		role = ROLE_RECEIVER;
	} else {
		if (tgid == control.enrol_tgid && !control.enrolled)
			enrol();
		return 0;
	}
	nr = call_index((__u32)registers_syscall(regs, direct));
	kind = call_kinds[nr];
	if (kind == CALL_OTHER)
		forget_descriptors(role);
	counters = counters_of(role);
	if (!counters || (kind == CALL_FORKS && !result))
		return 0;
	add(&counters->syscalls[nr], 1);
	if (kind < CALL_BLIND)
		return 0;
	if (kind == CALL_BLIND)
		add(&counters->blind, 1);
	else if (result > 0) {
#if defined(__TARGET_ARCH_x86)
		__u64 arg0 = direct ? regs->di : BPF_CORE_READ(regs, di);
		__u64 arg1 = direct ? regs->si : BPF_CORE_READ(regs, si);
		__u64 arg2 = direct ? regs->dx : BPF_CORE_READ(regs, dx);
		__u64 arg3 = direct ? regs->r10 : BPF_CORE_READ(regs, r10);
#else
		__u64 arg0 = direct ? regs->orig_x0 : BPF_CORE_READ(regs, orig_x0);
		__u64 arg1 = direct ? regs->regs[1] : BPF_CORE_READ(regs, regs[1]);
		__u64 arg2 = direct ? regs->regs[2] : BPF_CORE_READ(regs, regs[2]);
		__u64 arg3 = direct ? regs->regs[3] : BPF_CORE_READ(regs, regs[3]);
#endif
		__u64 last = kind == CALL_SENDMSG || kind == CALL_RECVMSG ? arg2
			     : kind == CALL_SENDFILE			  ? arg1
									  : arg3;

		book(counters, role, kind, (__u64)result, arg0, arg2, last);
	}
	return 0;
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(syscall_exit_typed, struct pt_regs *regs, long result)
{
	return syscall_ends(regs, result, true);
}

/* 5.10 has no typed tracepoints for system calls. */
SEC("?raw_tp/sys_exit")
int syscall_exit_raw(const __u64 *args)
{
	return syscall_ends((const struct pt_regs *)args[0], (long)args[1], false);
}

/* Where the completion itself is an argument (6.11 and newer); before, its result is the fourth one. */
const volatile __u8 uring_completion_whole;

/* Runs in the submitter, in a worker thread of its group or in the kernel's polling thread, which is in it too. */
SEC("?tp_btf/io_uring_complete")
int uring_completed(__u64 *args)
{
	const struct io_kiocb *request = (const void *)args[1];
	struct counters *counters;
	__s32 result;

	/* a kernel whose tracepoint has no request (5.16 and older) has no fourth argument: it refuses this */
	if (uring_completion_whole)
		result = BPF_CORE_READ((const struct io_uring_cqe *)args[2], res);
	else
		result = (__s32)args[3];
	if (result <= 0 || !request)
		return 0;
	counters = mine();
	if (counters)
		book_uring(counters, BPF_CORE_READ(request, opcode), BPF_CORE_READ(request, file),
			   (__u64)result);
	return 0;
}

SEC("?tp_btf/page_fault_user")
int BPF_PROG(fault_user)
{
	struct counters *counters = mine();

	if (counters)
		add(&counters->faults_user, 1);
	return 0;
}

SEC("?tp_btf/page_fault_kernel")
int BPF_PROG(fault_kernel, unsigned long address)
{
	struct counters *counters = mine();

	if (counters && (long)address >= 0)
		add(&counters->faults_kernel, 1);
	return 0;
}

/*
 * Where the architecture has no such tracepoints. A retried fault comes here twice and counts once;
 * without registers it is not a fault but the kernel looking up pages (O_DIRECT, zero-copy).
 */
#define FAULT_FLAG_USER 0x40
#define VM_FAULT_MAJOR 0x4
#define VM_FAULT_RETRY 0x400

static __always_inline int fault_ends(__u32 flags, const void *regs, __u32 result)
{
	struct counters *counters;

	if (!regs || result & VM_FAULT_RETRY)
		return 0;
	counters = mine();
	if (!counters)
		return 0;
	add(flags & FAULT_FLAG_USER ? &counters->faults_user : &counters->faults_kernel, 1);
	if (result & VM_FAULT_MAJOR)
		add(&counters->faults_major, 1);
	return 0;
}

SEC("?fexit/handle_mm_fault")
int BPF_PROG(fault_exit, void *vma, unsigned long address, unsigned int flags, void *regs,
	     unsigned int result)
{
	return fault_ends(flags, regs, result);
}

SEC("?kprobe/handle_mm_fault")
int BPF_KPROBE(fault_kentry, void *vma, unsigned long address, unsigned int flags, void *regs)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct slot *slot = &control.others[tid % SLOTS];

	if (current_role() == ROLES)
		return 0;
	slot->tid = tid;
	slot->flags = flags;
	slot->a = (__u64)regs;
	return 0;
}

SEC("?kretprobe/handle_mm_fault")
int BPF_KRETPROBE(fault_kreturn, unsigned int result)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct slot *slot = &control.others[tid % SLOTS];

	if (slot->tid != tid)
		return 0;
	slot->tid = 0;
	return fault_ends(slot->flags, (void *)slot->a, result);
}

static __always_inline int interrupt(__u32 kind)
{
	struct counters *counters = mine();
	int entered;

	if (!counters)
		return 0;
	/*
	 * Taken in user mode if the registers at the top of the stack are no system call's. An interrupt
	 * within a user-mode page fault looks the same; that is rare and says "user mode" once too often.
	 */
	entered = entered_by(current_task());
	add(&counters->interrupts[kind][entered == ENTERED_OTHERWISE], 1);
	if (entered == ENTERED_UNKNOWN)
		add(&counters->interrupts_unplaced, 1);
	return 0;
}

#define INTERRUPT_PROGRAM(name, tracepoint, kind)                                                  \
	SEC("?tp_btf/" tracepoint)                                                                 \
	int name(void *ctx)                                                                        \
	{                                                                                          \
		return interrupt(kind);                                                            \
	}

INTERRUPT_PROGRAM(interrupt_device, "irq_handler_entry", INTERRUPT_DEVICE)
INTERRUPT_PROGRAM(interrupt_timer, "local_timer_entry", INTERRUPT_TIMER)
INTERRUPT_PROGRAM(interrupt_reschedule, "reschedule_entry", INTERRUPT_RESCHEDULE)
INTERRUPT_PROGRAM(interrupt_call, "call_function_entry", INTERRUPT_CALL_FUNCTION)
INTERRUPT_PROGRAM(interrupt_call_single, "call_function_single_entry", INTERRUPT_CALL_FUNCTION)
INTERRUPT_PROGRAM(interrupt_irq_work, "irq_work_entry", INTERRUPT_IRQ_WORK)
INTERRUPT_PROGRAM(interrupt_ipi, "ipi_entry", INTERRUPT_IPI)

/*
 * Work in a softirq is done for whoever it is for, in the time of whoever is current. Over loopback the
 * sender pays for the receiver's protocol work that way. What runs in other tasks' time (ksoftirqd's,
 * mostly) can't be attributed to a transfer; it is counted beside it.
 */
SEC("?tp_btf/softirq_entry")
int BPF_PROG(softirq, unsigned int vector)
{
	__u32 role = current_role();
	struct counters *counters = counters_of(role);
	__u64 *counter;

	if (vector >= COUNTED_SOFTIRQS)
		return 0;
	if (counters)
		counter = &counters->softirqs[vector];
	else if (role == ROLES && control.phase[ROLE_SENDER].value == PHASE_TRANSFER &&
		 (counters = counters_of(ROLE_SENDER)))
		counter = &counters->softirqs_elsewhere[vector];
	else
		return 0;
	add(counter, 1);
	return 0;
}
