/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The few kernel types that the programs read, with only the fields they read. Offsets here mean
 * nothing: libbpf rewrites every access to the running kernel's layout. A name with three underscores
 * is the same type under another kernel version's spelling.
 */
#ifndef COPYTAX_BPF_TYPES_H
#define COPYTAX_BPF_TYPES_H

/* bpf_tracing.h then uses the kernel's names for registers, as we do */
#define __VMLINUX_H__

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

enum { BPF_MAP_TYPE_HASH = 1, BPF_MAP_TYPE_ARRAY = 2 };
enum { BPF_ANY = 0, BPF_F_MMAPABLE = 1 << 10 };

struct bpf_pidns_info {
	__u32 pid;
	__u32 tgid;
};

/* Is there a helper? The kernel's own enumeration answers. */
enum bpf_func_id___ours { BPF_FUNC_task_pt_regs___ours = 175 };
enum iter_type { ITER_IOVEC, ITER_UBUF, ITER_BVEC };
enum pageflags { PG_head };
enum sock_flags { SOCK_ZEROCOPY };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long bp, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, sp;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
};
struct pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
	__u64 orig_x0;
	__s32 syscallno;
};
#else
#error "which registers hold a system call's arguments here?"
#endif

struct gendisk;
struct request_queue;
struct irqaction;
struct sock_common {
	unsigned long skc_flags;
};
struct sock {
	struct sock_common __sk_common;
};
struct block_device {
	struct gendisk *bd_disk;
};
struct super_block {
	unsigned long s_magic;
	struct block_device *s_bdev;
};
struct inode {
	__u16 i_mode;
	struct super_block *i_sb;
};
struct address_space {
	struct inode *host;
};
struct file {
	struct inode *f_inode;
	unsigned int f_flags;
	unsigned int f_mode;
	void *private_data;
};
struct socket {
	struct sock *sk;
};
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};
struct files_struct {
	struct fdtable *fdt;
};
struct task_struct {
	void *stack;
	unsigned int flags;
	int pid;
	int tgid;
	unsigned in_iowait : 1;
	struct files_struct *files;
};
struct task_struct___from_5_14 {
	unsigned int __state;
};
struct task_struct___until_5_13 {
	long state;
};

struct kiocb {
	struct file *ki_filp;
	void *ki_complete;
	int ki_flags;
};
struct iov_iter___from_5_14 {
	__u8 iter_type;
};
struct iov_iter___until_5_13 {
	unsigned int type;
};
struct iov_iter;
struct ubuf_info;
struct msghdr {
	unsigned int msg_flags;
};
struct msghdr___from_6_0 {
	struct ubuf_info *msg_ubuf;
};
struct sk_buff {
	unsigned int len, data_len;
	unsigned char *head, *data;
	__u16 transport_header;
};
struct net_device {
	char name[16];
};

struct io_kiocb {
	struct file *file;
	__u8 opcode;
};
struct io_uring_cqe {
	__u64 user_data;
	__s32 res;
	__u32 flags;
};

struct page {
	unsigned long flags;
	struct address_space *mapping;
	unsigned long compound_head;
	unsigned char compound_order; /* of the second page of a compound one */
};
struct page___from_7_1 {
	unsigned long compound_info;
};
/* Where a large folio keeps its order has moved with nearly every release. */
struct folio {
	struct address_space *mapping;
};
struct folio___from_6_6 {
	unsigned long _flags_1;
};
struct folio___until_6_5 {
	unsigned char _folio_order;
};
typedef struct {
	unsigned long f;
} memdesc_flags_t;
struct page___from_6_18 {
	memdesc_flags_t flags;
};

struct bio_vec {
	struct page *bv_page;
};
struct bvec_iter {
	unsigned int bi_size;
};
struct bio {
	unsigned int bi_opf;
	struct block_device *bi_bdev;
	struct bvec_iter bi_iter;
	struct bio_vec *bi_io_vec;
};
struct bio___until_5_11 {
	struct gendisk *bi_disk;
};

#pragma clang attribute pop

#endif
