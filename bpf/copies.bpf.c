// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Copies of payload, counted at the callers of the copy primitives: the primitives themselves live in
 * lib/, which is built without function tracing, so nothing attaches to them on distribution kernels.
 *
 * Each hook comes as an fexit program and as a kprobe pair; which one is loaded is user space's choice.
 */
#include "types.h"

#include "filter.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define MSG_SPLICE_PAGES 0x8000000

/* the mask in iov_iter.type that is not the kind of iterator: direction, and a flag of bvecs */
#define ITER_NOT_A_KIND 3

static __always_inline struct slot *slot_of(struct slot *slots, __u32 tid)
{
	return &slots[tid % SLOTS];
}

/*
 * Does the iterator describe user memory? Splice reads into pipes or pages by the same functions. io_uring's
 * registered buffers are user memory too and come as bvecs; so do a splice's private pages, but nobody
 * waits for those to complete.
 */
static __always_inline bool user_memory(const struct kiocb *iocb, const struct iov_iter *iter)
{
	__u32 type;

	if (bpf_core_field_exists(struct iov_iter___from_5_14, iter_type)) {
		type = BPF_CORE_READ((const struct iov_iter___from_5_14 *)iter, iter_type);
		if (bpf_core_enum_value_exists(enum iter_type, ITER_UBUF) &&
		    type == bpf_core_enum_value(enum iter_type, ITER_UBUF))
			return true;
	} else {
		type = BPF_CORE_READ((const struct iov_iter___until_5_13 *)iter, type) &
		       ~ITER_NOT_A_KIND;
	}
	if (type == bpf_core_enum_value(enum iter_type, ITER_IOVEC))
		return true;
	return type == bpf_core_enum_value(enum iter_type, ITER_BVEC) &&
	       BPF_CORE_READ(iocb, ki_complete);
}

/* Is this the source, or the file below it? */
static __always_inline bool is_source(const struct inode *inode)
{
	return is_backing(inode) || (__u64)inode == control.source;
}

/*
 * file_to_user. What the functions return includes what an earlier part of the same call had read
 * before (direct I/O that falls back), so the caller's `already` comes off.
 */
static __always_inline int file_read(struct kiocb *iocb, const struct iov_iter *iter, long already,
				     long result)
{
	struct counters *counters;
	struct inode *inode;

	if (result <= already)
		return 0;
	counters = mine();
	if (!counters && !enrolling())
		return 0;
	inode = BPF_CORE_READ(iocb, ki_filp, f_inode);
	if (!counters)
		enrol_backing(inode);
	else if (is_source(inode) && user_memory(iocb, iter))
		tally(&counters->hook[SITE_FILE_TO_USER], (__u64)(result - already));
	return 0;
}

SEC("?fexit/filemap_read")
int BPF_PROG(filemap_read_exit, struct kiocb *iocb, struct iov_iter *iter, long already,
	     long result)
{
	return file_read(iocb, iter, already, result);
}

SEC("?fexit/generic_file_buffered_read")
int BPF_PROG(buffered_read_exit, struct kiocb *iocb, struct iov_iter *iter, long already,
	     long result)
{
	return file_read(iocb, iter, already, result);
}

SEC("?fexit/shmem_file_read_iter")
int BPF_PROG(shmem_read_exit, struct kiocb *iocb, struct iov_iter *iter, long result)
{
	return file_read(iocb, iter, 0, result);
}

static __always_inline int enter(struct slot *slots, const void *a, const void *b, __u32 flags)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct slot *slot = slot_of(slots, tid);

	if (current_role() == ROLES)
		return 0;
	slot->a = (__u64)a;
	slot->b = (__u64)b;
	slot->flags = flags;
	slot->tid = tid;
	return 0;
}

/* The thread's slot, emptied; NULL when its entry was not seen. */
static __always_inline struct slot *leave(struct slot *slots)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct slot *slot = slot_of(slots, tid);

	if (slot->tid != tid)
		return NULL;
	slot->tid = 0;
	return slot;
}

/* The kind of iterator is taken at entry: it may live on the caller's stack. */
static __always_inline int read_enter(struct kiocb *iocb, const struct iov_iter *iter, long already)
{
	if (current_role() == ROLES) {
		if (enrolling())
			enrol_backing(BPF_CORE_READ(iocb, ki_filp, f_inode));
		return 0;
	}
	if (!user_memory(iocb, iter))
		return 0;
	return enter(control.reads, iocb, (const void *)already, 0);
}

static __always_inline int read_leave(long result)
{
	struct slot *slot = leave(control.reads);
	struct counters *counters;
	struct kiocb *iocb;

	if (!slot || result <= (long)slot->b)
		return 0;
	counters = mine();
	iocb = (struct kiocb *)slot->a;
	if (counters && is_source(BPF_CORE_READ(iocb, ki_filp, f_inode)))
		tally(&counters->hook[SITE_FILE_TO_USER], (__u64)(result - (long)slot->b));
	return 0;
}

SEC("?kprobe/filemap_read")
int BPF_KPROBE(filemap_read_kentry, struct kiocb *iocb, struct iov_iter *iter, long already)
{
	return read_enter(iocb, iter, already);
}

SEC("?kretprobe/filemap_read")
int BPF_KRETPROBE(filemap_read_kreturn, long result)
{
	return read_leave(result);
}

SEC("?kprobe/generic_file_buffered_read")
int BPF_KPROBE(buffered_read_kentry, struct kiocb *iocb, struct iov_iter *iter, long already)
{
	return read_enter(iocb, iter, already);
}

SEC("?kretprobe/generic_file_buffered_read")
int BPF_KRETPROBE(buffered_read_kreturn, long result)
{
	return read_leave(result);
}

SEC("?kprobe/shmem_file_read_iter")
int BPF_KPROBE(shmem_read_kentry, struct kiocb *iocb, struct iov_iter *iter)
{
	return read_enter(iocb, iter, 0);
}

SEC("?kretprobe/shmem_file_read_iter")
int BPF_KRETPROBE(shmem_read_kreturn, long result)
{
	return read_leave(result);
}

/*
 * user_to_socket and by_reference: one function sends both ways, and the message's flags say which.
 * A socket that never enabled zero-copy ignores MSG_ZEROCOPY and copies; io_uring's zero-copy sends bring
 * a notification of their own and need no such socket.
 */
static __always_inline __u32 effective_flags(const struct sock *sk, const struct msghdr *msg)
{
	__u32 flags = BPF_CORE_READ(msg, msg_flags);
	const struct msghdr___from_6_0 *newer = (const void *)msg;

	if (!(flags & MSG_ZEROCOPY) || zerocopy_enabled(sk))
		return flags;
	if (bpf_core_field_exists(newer->msg_ubuf) && BPF_CORE_READ(newer, msg_ubuf))
		return flags;
	return flags & ~MSG_ZEROCOPY;
}

static __always_inline int sent(__u32 flags, long result)
{
	bool zerocopy = flags & MSG_ZEROCOPY, by_reference = zerocopy || flags & MSG_SPLICE_PAGES;
	struct counters *counters;

	if (result <= 0)
		return 0;
	counters = mine();
	if (!counters)
		return 0;
	tally(&counters->hook[by_reference ? SITE_BY_REFERENCE : SITE_USER_TO_SOCKET],
	      (__u64)result);
	if (by_reference && zerocopy)
		add(&counters->zerocopy_sends, 1);
	return 0;
}

SEC("?fexit/tcp_sendmsg_locked")
int BPF_PROG(tcp_send_exit, struct sock *sk, struct msghdr *msg, unsigned long size, int result)
{
	return result <= 0 ? 0 : sent(effective_flags(sk, msg), result);
}

SEC("?kprobe/tcp_sendmsg_locked")
int BPF_KPROBE(tcp_send_kentry, struct sock *sk, struct msghdr *msg)
{
	return enter(control.sends, NULL, NULL, effective_flags(sk, msg));
}

SEC("?kretprobe/tcp_sendmsg_locked")
int BPF_KRETPROBE(tcp_send_kreturn, int result)
{
	struct slot *slot = leave(control.sends);

	return slot ? sent(slot->flags, result) : 0;
}

/* Up to 6.4 pages spliced into a socket have a function of their own. */
SEC("?fexit/do_tcp_sendpages")
int BPF_PROG(tcp_pages_exit, struct sock *sk, struct page *page, int offset, unsigned long size,
	     int flags, long result)
{
	return sent(MSG_SPLICE_PAGES, result);
}

SEC("?kretprobe/do_tcp_sendpages")
int BPF_KRETPROBE(tcp_pages_kreturn, long result)
{
	return sent(MSG_SPLICE_PAGES, result);
}

/* Neither fexit nor kprobes, 6.16 and newer: one tracepoint has the flags, the other the result. */
SEC("?tp_btf/tcp_sendmsg_locked")
int BPF_PROG(tcp_send_flags, const struct sock *sk, const struct msghdr *msg)
{
	struct slot *slot;
	__u32 tid;

	if (!mine())
		return 0;
	tid = (__u32)bpf_get_current_pid_tgid();
	slot = slot_of(control.sends, tid);
	slot->tid = tid;
	slot->flags = effective_flags(sk, msg);
	return 0;
}

SEC("?tp_btf/sock_send_length")
int BPF_PROG(socket_sent, const struct sock *sk, int result)
{
	struct slot *slot;

	if (!mine())
		return 0;
	slot = leave(control.sends);
	/* none: another protocol's */
	return slot ? sent(slot->flags, result) : 0;
}

/*
 * deferred: pages that were taken by reference and had to be copied after all. It runs in whatever task
 * the packet is received in, so it counts for the sender's phase whoever is current.
 */
static __always_inline int copied_after_all(__u64 bytes, int result)
{
	struct counters *counters = counters_of(ROLE_SENDER);

	if (!result && bytes && counters)
		tally(&counters->hook[SITE_DEFERRED], bytes);
	return 0;
}

SEC("?fexit/skb_copy_ubufs")
int BPF_PROG(copy_ubufs_exit, struct sk_buff *skb, unsigned int gfp, int result)
{
	return copied_after_all(BPF_CORE_READ(skb, data_len), result);
}

SEC("?kprobe/skb_copy_ubufs")
int BPF_KPROBE(copy_ubufs_kentry, struct sk_buff *skb)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct slot *slot = slot_of(control.others, tid);

	if (!counters_of(ROLE_SENDER))
		return 0;
	slot->a = BPF_CORE_READ(skb, data_len);
	slot->tid = tid;
	return 0;
}

SEC("?kretprobe/skb_copy_ubufs")
int BPF_KRETPROBE(copy_ubufs_kreturn, int result)
{
	struct slot *slot = leave(control.others);

	return slot ? copied_after_all(slot->a, result) : 0;
}

/*
 * linearized: TCP keeps payload in pieces (page fragments) whatever the device can; before one that takes no
 * pieces the kernel copies each packet into one. Seen at the device, where the payload then lies in the packet's
 * first piece, behind the headers. It runs in whatever task sends or acknowledges.
 */
SEC("?tp_btf/net_dev_start_xmit")
int BPF_PROG(packet_leaves, const struct sk_buff *skb, const struct net_device *device)
{
	struct counters *counters = counters_of(ROLE_SENDER);
	__u32 linear, headers;
	unsigned char *tcp;
	char name[DEVICE_NAME];
	__u16 offset;
	__u8 words = 0;

	if (!counters)
		return 0;
	if (bpf_probe_read_kernel_str(name, sizeof(name), &device->name) < 0)
		return 0;
	for (int i = 0; i < DEVICE_NAME; i++) {
		if (name[i] != control.device[i])
			return 0;
		if (!name[i])
			break;
	}
	linear = skb->len - skb->data_len;
	offset = BPF_CORE_READ(skb, transport_header);
	tcp = BPF_CORE_READ(skb, head) + offset;
	bpf_probe_read_kernel(&words, sizeof(words), tcp + 12);
	headers = (__u32)(tcp - BPF_CORE_READ(skb, data)) + (words >> 4) * 4;
	if (linear > headers)
		tally(&counters->hook[SITE_LINEARIZED], linear - headers);
	return 0;
}

/* socket_to_user: the receiving side's copy; not called for bytes that MSG_TRUNC throws away. */
SEC("?tp_btf/skb_copy_datagram_iovec")
int BPF_PROG(datagram_copied, const struct sk_buff *skb, int length)
{
	struct counters *counters = mine();

	if (counters && length > 0)
		tally(&counters->hook[SITE_SOCKET_TO_USER], (__u64)length);
	return 0;
}

/* file_to_kernel: a splice from a file that can't lend its pages reads into private ones. */
static __always_inline int spliced_by_copy(const struct file *file, long result)
{
	struct counters *counters;

	if (result <= 0)
		return 0;
	counters = mine();
	/* direct I/O fills the private pages by the device, not by the CPU */
	if (counters && is_source(BPF_CORE_READ(file, f_inode)) &&
	    !(BPF_CORE_READ(file, f_flags) & O_DIRECT))
		tally(&counters->hook[SITE_FILE_TO_KERNEL], (__u64)result);
	return 0;
}

SEC("?fexit/copy_splice_read")
int BPF_PROG(copy_splice_exit, struct file *in, long long *ppos, void *pipe, unsigned long length,
	     unsigned int flags, long result)
{
	return spliced_by_copy(in, result);
}

SEC("?kprobe/copy_splice_read")
int BPF_KPROBE(copy_splice_kentry, struct file *in)
{
	return enter(control.pages, in, NULL, 0);
}

SEC("?kretprobe/copy_splice_read")
int BPF_KRETPROBE(copy_splice_kreturn, long result)
{
	struct slot *slot = leave(control.pages);

	return slot ? spliced_by_copy((struct file *)slot->a, result) : 0;
}
