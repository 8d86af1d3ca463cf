/* SPDX-License-Identifier: MIT */
/* What the splice_path iterator writes for a file. */
#ifndef COPYTAX_BPF_SPLICE_READ_H
#define COPYTAX_BPF_SPLICE_READ_H

#ifndef COPYTAX_BPF_TYPES_H
#include <linux/types.h>
#endif

struct splice_path {
	__u64 splice_read; /* address of file_operations.splice_read */
	__u32 file_flags; /* O_… */
	__u32 inode_flags; /* S_… */
};

#endif
