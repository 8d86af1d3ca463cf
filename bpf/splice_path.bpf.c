// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Which function a file's splice and sendfile reads go to: an iterator over this process's open files that
 * tells the address, and whether the file bypasses the page cache. It hooks nothing.
 */
#include "types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "splice_read.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct seq_file;
struct bpf_iter_meta___splice {
	struct seq_file *seq;
};
struct file_operations___splice {
	void *splice_read;
};
struct inode___splice {
	unsigned int i_flags;
};
struct file___splice {
	const struct file_operations___splice *f_op;
	struct inode___splice *f_inode;
	unsigned int f_flags;
};
struct task_struct___splice {
	int tgid;
};
#pragma clang attribute pop

/* the verifier knows the context by its place, not by this name */
struct bpf_iter__task_file {
	__u64 meta __attribute__((aligned(8)));
	__u64 task __attribute__((aligned(8)));
	__u32 fd __attribute__((aligned(8)));
	__u64 file __attribute__((aligned(8)));
};

const volatile __s32 wanted_tgid;
const volatile __u32 wanted_fd;

SEC("iter/task_file")
int splice_path(struct bpf_iter__task_file *ctx)
{
	struct bpf_iter_meta___splice *meta = (void *)ctx->meta;
	struct task_struct___splice *task = (void *)ctx->task;
	struct file___splice *file = (void *)ctx->file;
	struct splice_path out = {};

	if (!task || !file || ctx->fd != wanted_fd || task->tgid != wanted_tgid)
		return 0;
	out.splice_read = (__u64)BPF_CORE_READ(file, f_op, splice_read);
	out.file_flags = BPF_CORE_READ(file, f_flags);
	out.inode_flags = BPF_CORE_READ(file, f_inode, i_flags);
	bpf_seq_write((void *)meta->seq, &out, sizeof(out));
	return 0;
}
