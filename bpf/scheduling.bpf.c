// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Context switches away from a measured task: to whom, of its own will or not, and waiting for what.
 */
#include "types.h"

#include "entry.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define PF_KTHREAD 0x00200000

/* Which TRACED_SWITCH_… this kernel's tracepoint is; user space reads it from the kernel's types. */
const volatile __u32 switch_layout;

static __always_inline int switched(bool preempt, struct task_struct *prev,
				    struct task_struct *next, __u64 state)
{
	struct counters *counters = mine();
	bool voluntary = !preempt && state, device;
	enum switched_to to;
	__u64 *wait;
	int call;

	if (!counters)
		return 0;
	to = !next->pid			? SWITCHED_TO_IDLE
	     : next->tgid == prev->tgid ? SWITCHED_TO_THREAD
	     : next->flags & PF_KTHREAD ? SWITCHED_TO_KERNEL
					: SWITCHED_TO_PROCESS;
	add(&counters->switches[voluntary][to], 1);
	if (!voluntary)
		return 0;
	call = entered_by(prev);
	device = BPF_CORE_READ_BITFIELD(prev, in_iowait);
	if (call < 0) {
		wait = &counters->waits_outside[device];
	} else {
		wait = &counters->waits[device][call_index((__u32)call)];
	}
	add(wait, 1);
	return 0;
}

SEC("?tp_btf/sched_switch")
int task_switched(__u64 *ctx)
{
	struct task_struct *prev, *next;
	__u64 state;

	if (switch_layout == TRACED_SWITCH_STATE_SECOND) {
		state = (__u32)ctx[1];
		prev = (struct task_struct *)ctx[2];
		next = (struct task_struct *)ctx[3];
	} else {
		prev = (struct task_struct *)ctx[1];
		next = (struct task_struct *)ctx[2];
		if (switch_layout == TRACED_SWITCH_STATE_LAST)
			state = (__u32)ctx[3];
		else if (bpf_core_field_exists(struct task_struct___from_5_14, __state))
			state = BPF_CORE_READ((struct task_struct___from_5_14 *)prev, __state);
		else
			state = (__u64)BPF_CORE_READ((struct task_struct___until_5_13 *)prev,
						     state);
	}
	return switched((bool)(ctx[0] & 1), prev, next, state);
}
