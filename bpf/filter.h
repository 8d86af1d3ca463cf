/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Whom to count for, and where: the first thing every program does. A task of neither role leaves
 * after two compares.
 */
#ifndef COPYTAX_BPF_FILTER_H
#define COPYTAX_BPF_FILTER_H

#include "types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "counters.h"

/* Both are created once in user space and given to every object. */
struct control control SEC(".data.control");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counters);
} counters SEC(".maps");

/* Of several source files; the one below each, too. Filled at enrolment, looked at only when control.many. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SOURCES_MAX);
	__type(key, __u64); /* struct inode * */
	__type(value, __u32);
} sources SEC(".maps");

#define S_IFMT 00170000
#define MSG_ZEROCOPY 0x4000000
#if defined(__TARGET_ARCH_arm64)
#define O_DIRECT 0200000
#else
#define O_DIRECT 040000
#endif

/*
 * Inside a PID namespace a process knows itself by another number than the kernel does. Not zero: the
 * namespace in which control.tgid is to be understood.
 */
const volatile __u64 pid_namespace_dev;
const volatile __u64 pid_namespace_ino;

static __always_inline __u32 current_tgid(void)
{
	struct bpf_pidns_info task;

	if (!pid_namespace_ino)
		return (__u32)(bpf_get_current_pid_tgid() >> 32);
	if (bpf_get_ns_current_pid_tgid(pid_namespace_dev, pid_namespace_ino, &task, sizeof(task)))
		return 0;
	return task.tgid;
}

/* Role of the current task; ROLES for everybody else. */
static __always_inline __u32 current_role(void)
{
	__u32 tgid = current_tgid();

	if (tgid && tgid == control.tgid[ROLE_SENDER])
		return ROLE_SENDER;
	if (tgid && tgid == control.tgid[ROLE_RECEIVER])
		return ROLE_RECEIVER;
	return ROLES;
}

/* Counters of a role in its present phase on this CPU; NULL when the phase is off. */
static __always_inline struct counters *counters_of(__u32 role)
{
	__u32 phase, key;

	if (role >= ROLES)
		return NULL;
	phase = *(volatile __u32 *)&control.phase[role].value;
	if (phase - 1 >= COUNTED_PHASES)
		return NULL;
	key = (bpf_get_smp_processor_id() * ROLES + role) * COUNTED_PHASES + phase - 1;
	return bpf_map_lookup_elem(&counters, &key);
}

static __always_inline struct counters *mine(void)
{
	return counters_of(current_role());
}

/*
 * A program can be interrupted by one that counts elsewhere, never by itself, so plain additions would
 * do under a tracepoint that disables preemption. Not all do: fexit and the newer system-call
 * tracepoints may be preempted by another thread of the same role.
 */
static __always_inline void add(__u64 *counter, __u64 value)
{
	__sync_fetch_and_add(counter, value);
}

/* A place in the tables by system call, said so that every version's verifier sees the bound. */
static __always_inline __u64 call_index(__u64 nr)
{
	if (nr >= COUNTED_SYSCALLS)
		nr = COUNTED_SYSCALLS - 1;
	barrier_var(nr);
	return nr & (COUNTED_SYSCALLS - 1);
}

static __always_inline bool zerocopy_enabled(const struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_flags) >>
		       bpf_core_enum_value(enum sock_flags, SOCK_ZEROCOPY) &
	       1;
}

/*
 * A stacked file system (overlay) shows one inode by its descriptors and keeps the pages with another.
 * User space, once enrolled, reads a byte: whose page cache that comes from is the backing inode.
 */
static __always_inline bool enrolling(void)
{
	return control.enrolled && control.enrol_tgid && control.enrol_tgid == current_tgid();
}

static __always_inline void remember_source(const struct inode *inode)
{
	__u64 key = (__u64)inode;
	__u32 yes = 1;

	if (control.many)
		bpf_map_update_elem(&sources, &key, &yes, BPF_ANY);
}

static __always_inline bool one_of_many(const struct inode *inode)
{
	__u64 key = (__u64)inode;

	return control.many && bpf_map_lookup_elem(&sources, &key);
}

/* Is this a source file, as descriptors show it? */
static __always_inline bool is_shown(const struct inode *inode)
{
	return (__u64)inode == control.source || one_of_many(inode);
}

/* Does this one's page cache hold a source? */
static __always_inline bool is_backing(const struct inode *inode)
{
	return (__u64)inode == control.backing || one_of_many(inode);
}

static __always_inline void enrol_backing(struct inode *inode)
{
	struct super_block *sb = BPF_CORE_READ(inode, i_sb);

	remember_source(inode);
	control.backing = (__u64)inode;
	control.disk = (__u64)BPF_CORE_READ(sb, s_bdev, bd_disk);
}

static __always_inline void tally(struct tally *tally, __u64 bytes)
{
	add(&tally->bytes, bytes);
	add(&tally->calls, 1);
}

#endif
