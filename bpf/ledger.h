/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The ledger: what system calls returned, booked by the kinds of file they moved bytes between. It needs
 * nothing but the end of system calls, so it works wherever anything does; requests of io_uring, which are
 * no calls, are booked where they complete. It can't see past a result: whether a "by reference" was copied
 * later after all.
 */
#ifndef COPYTAX_BPF_LEDGER_H
#define COPYTAX_BPF_LEDGER_H

#include "filter.h"

enum fd_class {
	FD_UNKNOWN,
	FD_OTHER,
	FD_SOURCE,
	FD_SOURCE_DIRECT,
	FD_SOCKET,
	FD_PIPE,
};

#define S_IFSOCK 0140000
#define S_IFIFO 0010000
#define TMPFS_MAGIC 0x01021994
#define MSG_TRUNC 0x20
#define MSG_ERRQUEUE 0x2000
#define FMODE_WRITE 2

static __always_inline struct file *file_of(__u32 fd)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file *file = NULL;

	if (fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(table, fd) + fd);
	return file;
}

/* Without SO_ZEROCOPY the flag MSG_ZEROCOPY is ignored, and the bytes are copied. */
static __always_inline bool zerocopy_allowed(__u32 fd)
{
	struct file *file = file_of(fd);
	struct socket *socket = BPF_CORE_READ(file, private_data);

	return zerocopy_enabled(BPF_CORE_READ(socket, sk));
}

static __always_inline __u32 classify_file(const struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	__u32 mode;

	if (!inode)
		return FD_OTHER;
	if (is_shown(inode)) {
		/* tmpfs accepts O_DIRECT and copies from its pages all the same */
		if (!(BPF_CORE_READ(file, f_flags) & O_DIRECT) ||
		    BPF_CORE_READ(inode, i_sb, s_magic) == TMPFS_MAGIC)
			return FD_SOURCE;
		return FD_SOURCE_DIRECT;
	}
	mode = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	return mode == S_IFSOCK ? FD_SOCKET : mode == S_IFIFO ? FD_PIPE : FD_OTHER;
}

static __noinline __u32 classify(__u32 fd)
{
	return classify_file(file_of(fd));
}

/* Descriptors keep their class until a call that may change one: see CALL_OTHER. */
static __always_inline __u32 class_of(__u32 role, __u64 fd)
{
	__u32 generation = control.descriptors[role].generation, entry, class;

	if (fd >= FD_CACHE)
		return classify((__u32)fd);
	entry = control.descriptors[role].entry[fd];
	if (entry >> 8 == generation && (entry & 0xff) != FD_UNKNOWN)
		return entry & 0xff;
	class = classify((__u32)fd);
	control.descriptors[role].entry[fd] = generation << 8 | class;
	return class;
}

static __always_inline void forget_descriptors(__u32 role)
{
	control.descriptors[role].generation = (control.descriptors[role].generation + 1) &
					       0xffffff;
}

/* One call of a known kind that returned `bytes` > 0. */
static __always_inline void book(struct counters *counters, __u32 role, __u32 kind, __u64 bytes,
				 __u64 arg0, __u64 arg2, __u64 flags)
{
	__u32 first = class_of(role, arg0), second;
	struct tally *ledger = counters->ledger;

	switch (kind) {
	case CALL_RECVFROM:
	case CALL_RECVMSG:
		if (flags & (MSG_TRUNC | MSG_ERRQUEUE))
			return;
		if (first == FD_SOCKET)
			return tally(&ledger[SITE_SOCKET_TO_USER], bytes);
		break;
	case CALL_READ:
		if (first == FD_SOURCE)
			return tally(&ledger[SITE_FILE_TO_USER], bytes);
		if (first == FD_SOURCE_DIRECT)
			return tally(&ledger[SITE_DISK_TO_USER], bytes);
		if (first == FD_SOCKET)
			return tally(&ledger[SITE_SOCKET_TO_USER], bytes);
		break;
	case CALL_SENDTO:
	case CALL_SENDMSG:
		if (first == FD_SOCKET && flags & MSG_ZEROCOPY && zerocopy_allowed((__u32)arg0)) {
			add(&counters->zerocopy_sends, 1);
			return tally(&ledger[SITE_BY_REFERENCE], bytes);
		}
		/* fallthrough */
	case CALL_WRITE:
		if (first == FD_SOCKET)
			return tally(&ledger[SITE_USER_TO_SOCKET], bytes);
		break;
	case CALL_SENDFILE:
		second = class_of(role, flags);
		if (first == FD_SOCKET && (second == FD_SOURCE || second == FD_SOURCE_DIRECT))
			return tally(&ledger[SITE_BY_REFERENCE], bytes);
		break;
	case CALL_SPLICE:
		second = class_of(role, arg2);
		if (first == FD_PIPE && second == FD_SOCKET)
			return tally(&ledger[SITE_BY_REFERENCE], bytes);
		if (first == FD_PIPE || second == FD_PIPE)
			return;
		break;
	case CALL_VMSPLICE:
		/* into the pipe it hands over pages; out of it, it copies to user memory */
		if (first == FD_PIPE && BPF_CORE_READ(file_of((__u32)arg0), f_mode) & FMODE_WRITE)
			return;
		add(&counters->blind, 1);
		break;
	}
	tally(&counters->unplaced, bytes);
}

/* io_uring's operations, by numbers that are part of the kernel's interface. */
enum uring_operation {
	URING_READV = 1,
	URING_WRITEV = 2,
	URING_READ_FIXED = 4,
	URING_WRITE_FIXED = 5,
	URING_SENDMSG = 9,
	URING_RECVMSG = 10,
	URING_READ = 22,
	URING_WRITE = 23,
	URING_SEND = 26,
	URING_RECV = 27,
	URING_SPLICE = 30,
	URING_TEE = 33,
	URING_SEND_ZC = 47,
	URING_SENDMSG_ZC = 48,
};

static __always_inline struct tally *uring_site(struct counters *counters, __u32 operation,
						__u32 file)
{
	struct tally *ledger = counters->ledger;

	switch (operation) {
	case URING_READV:
	case URING_READ_FIXED:
	case URING_READ:
		if (file == FD_SOURCE)
			return &ledger[SITE_FILE_TO_USER];
		if (file == FD_SOURCE_DIRECT)
			return &ledger[SITE_DISK_TO_USER];
		/* fallthrough */
	case URING_RECV:
	case URING_RECVMSG:
		return file == FD_SOCKET ? &ledger[SITE_SOCKET_TO_USER] : &counters->unplaced;
	case URING_WRITEV:
	case URING_WRITE_FIXED:
	case URING_WRITE:
	case URING_SEND:
	case URING_SENDMSG:
		return file == FD_SOCKET ? &ledger[SITE_USER_TO_SOCKET] : &counters->unplaced;
	case URING_SEND_ZC:
	case URING_SENDMSG_ZC:
		add(&counters->zerocopy_sends, 1);
		return &ledger[SITE_BY_REFERENCE];
	case URING_SPLICE: /* the request's file is the one that is filled */
		if (file == FD_SOCKET)
			return &ledger[SITE_BY_REFERENCE];
		return file == FD_PIPE ? NULL : &counters->unplaced;
	default: /* moves no bytes, or none that are counted */
		return NULL;
	}
}

/* One request that completed with `bytes` > 0. */
static __always_inline void book_uring(struct counters *counters, __u32 operation,
				       const struct file *file, __u64 bytes)
{
	struct tally *site = uring_site(counters, operation, classify_file(file));

	tally(&counters->uring, bytes);
	if (site)
		tally(site, bytes);
}

#endif
