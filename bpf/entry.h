/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * How a task came into the kernel: the registers saved at the boundary, at the top of its stack.
 */
#ifndef COPYTAX_BPF_ENTRY_H
#define COPYTAX_BPF_ENTRY_H

#include "filter.h"

/* Not a system call: a fault or an interrupt. */
#define ENTERED_OTHERWISE (-1)
#define ENTERED_UNKNOWN (-2)

static __always_inline int registers_syscall(const struct pt_regs *regs, bool direct)
{
#if defined(__TARGET_ARCH_x86)
	return (int)(direct ? regs->orig_ax : BPF_CORE_READ(regs, orig_ax));
#else
	return direct ? regs->syscallno : BPF_CORE_READ(regs, syscallno);
#endif
}

static __always_inline struct task_struct *current_task(void)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id___ours, BPF_FUNC_task_pt_regs___ours))
		return bpf_get_current_task_btf();
	return (struct task_struct *)bpf_get_current_task();
}

/* The system call that `task` is in, or one of the two above. */
static __always_inline int entered_by(struct task_struct *task)
{
	int nr;

	if (bpf_core_enum_value_exists(enum bpf_func_id___ours, BPF_FUNC_task_pt_regs___ours)) {
		const struct pt_regs *regs = (const void *)bpf_task_pt_regs(task);

		nr = registers_syscall(regs, true);
	} else {
#if defined(__TARGET_ARCH_x86)
		/* before 5.15: 16 KiB stacks, except in debugging kernels, which the check on cs tells */
		const struct pt_regs *regs =
			BPF_CORE_READ(task, stack) + 16384 - bpf_core_type_size(struct pt_regs);

		if ((BPF_CORE_READ(regs, cs) & 3) != 3)
			return ENTERED_UNKNOWN;
		nr = registers_syscall(regs, false);
#else
		return ENTERED_UNKNOWN;
#endif
	}
	return nr < 0 ? ENTERED_OTHERWISE : nr;
}

#endif
