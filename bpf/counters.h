/* SPDX-License-Identifier: MIT */
/*
 * What the kernel side counts and what user space tells it, as both see it in memory.
 *
 * One struct control, shared by every program and by every measured process: the filter and the phases.
 * One struct counters per CPU, role and phase. Both are BPF arrays mapped into user space, so reading a
 * count and changing a phase are memory accesses and never a system call.
 */
#ifndef COPYTAX_BPF_COUNTERS_H
#define COPYTAX_BPF_COUNTERS_H

#ifndef COPYTAX_BPF_TYPES_H
#include <linux/types.h>
#endif

#define COUNTED_SYSCALLS 512 /* numbers from here on share the last place */
#define COUNTED_SOFTIRQS 10  /* HI … RCU, the kernel's own order */
#define CACHE_LINE 64
#define FD_CACHE 256
#define DEVICE_NAME 16 /* the kernel's IFNAMSIZ */
#define SOURCES_MAX 8192 /* files, each with the one below it: twice as many as connections */
#define SLOTS 4096 /* threads that can be inside a send at once: as many as connections */
#define TRACED_SWITCH_WITHOUT_STATE 0
#define TRACED_SWITCH_STATE_LAST 1
#define TRACED_SWITCH_STATE_SECOND 2

enum role { ROLE_SENDER, ROLE_RECEIVER, ROLES };

/* Which part of its life a measured process is in; it says so itself, by storing to its control.phase. */
enum phase { PHASE_OFF, PHASE_SETUP, PHASE_TRANSFER, PHASE_RELEASE, PHASES };
#define COUNTED_PHASES (PHASES - 1)

/* Where payload bytes move. Up to SITE_SOCKET_TO_USER the words of the result's `copies`. */
enum site {
	SITE_FILE_TO_USER,
	SITE_FILE_TO_KERNEL,
	SITE_USER_TO_SOCKET,
	SITE_DEFERRED,
	SITE_SOCKET_TO_USER,
	SITE_BY_REFERENCE,
	SITE_DISK_TO_PAGE_CACHE,
	SITE_DISK_TO_USER,
	SITE_LINEARIZED, /* a packet in pieces made one, for a device without scatter-gather */
	SITES
};

enum interrupt {
	INTERRUPT_DEVICE,
	INTERRUPT_TIMER,
	INTERRUPT_RESCHEDULE,
	INTERRUPT_CALL_FUNCTION,
	INTERRUPT_IRQ_WORK,
	INTERRUPT_IPI, /* architectures that name their inter-processor interrupts in one tracepoint */
	INTERRUPTS
};

enum switched_to {
	SWITCHED_TO_THREAD,
	SWITCHED_TO_PROCESS,
	SWITCHED_TO_KERNEL,
	SWITCHED_TO_IDLE,
	SWITCHES
};

/* How a system call moves bytes; user space fills the table, so the kernel side knows no numbers. */
enum call_kind {
	CALL_OTHER,   /* may open, close or change a descriptor */
	CALL_NEUTRAL, /* can't */
	CALL_FORKS,   /* returns twice */
	CALL_BLIND,   /* moves bytes, and its result does not say how many or where */
	CALL_READ,
	CALL_WRITE,
	CALL_SENDTO,   /* flags in the fourth argument */
	CALL_SENDMSG,  /* flags in the third */
	CALL_RECVFROM, /* fourth */
	CALL_RECVMSG,  /* third */
	CALL_SENDFILE, /* out, in */
	CALL_SPLICE,   /* in, offset, out */
	CALL_VMSPLICE, /* pipe */
};

struct tally {
	__u64 bytes;
	__u64 calls;
};

struct counters {
	__u64 syscalls[COUNTED_SYSCALLS];
	/* voluntary switches by the system call that blocked; [0][…] not for a device, [1][…] for one */
	__u64 waits[2][COUNTED_SYSCALLS];
	__u64 waits_outside
		[2]; /* blocked outside any system call: a page fault, by the same halves */
	__u64 switches[2][SWITCHES]; /* [0] involuntary, [1] voluntary */
	__u64 faults_user;
	__u64 faults_kernel;		 /* the kernel touched user memory */
	__u64 faults_major;		 /* part of both; only where the hook can tell */
	__u64 interrupts[INTERRUPTS][2]; /* [1]: taken in user mode */
	__u64 interrupts_unplaced;	 /* of the above: those whose mode could not be told */
	__u64 softirqs[COUNTED_SOFTIRQS];
	/* sender only: run while another task was current and the transfer went on */
	__u64 softirqs_elsewhere[COUNTED_SOFTIRQS];
	struct tally hook[SITES];   /* as seen where it happens */
	struct tally ledger[SITES]; /* as system calls returned it */
	struct tally unplaced;	    /* results the ledger has no site for */
	__u64 blind;		    /* calls of CALL_BLIND: the ledger can't be complete */
	__u64 pages_added;	    /* to the page cache, of the source file */
	__u64 pages_touched;	    /* of the source file, ascending: each counted once */
	__u64 zerocopy_sends;	    /* sends that asked for MSG_ZEROCOPY */
	struct tally uring;	    /* requests of io_uring that the ledger booked */
};

struct padded_word {
	__u32 value;
	__u8 pad[CACHE_LINE - 4];
} __attribute__((aligned(CACHE_LINE)));

/* What an entry hook leaves for the exit hook of the same thread. */
struct slot {
	__u32 tid;
	__u32 flags;
	__u64 a, b;
};

struct control {
	__u32 tgid[ROLES]; /* 0: nobody */
	__u32 cpus;	   /* counters[(cpu * ROLES + role) * COUNTED_PHASES + phase - 1] */
	/* Enrolment: the next system call of this thread group resolves the descriptor to the source's inode. */
	__u32 enrol_tgid;
	__s32 enrol_fd;
	__u32 enrolled;
	__u32 many; /* several source files: all of their inodes are in the map `sources` */
	__u64 source; /* struct inode *: the source file, as descriptors show it */
	__u64 backing; /* struct inode *: the one whose page cache holds it (a stacked file system's lower one) */
	char device[DEVICE_NAME]; /* the sender's network device; empty: nobody looks */
	__u64 disk; /* struct gendisk * below the source; 0: none */
	struct padded_word phase[ROLES];
	struct {
		__u32 generation;
		__u32 entry[FD_CACHE]; /* generation << 8 | enum fd_class */
		__u64 pages_end;       /* first page beyond those counted as touched */
	} __attribute__((aligned(CACHE_LINE))) descriptors[ROLES];
	struct slot sends[SLOTS]; /* by thread id */
	struct slot reads[SLOTS];
	struct slot pages[SLOTS];
	struct slot others[SLOTS];
};

#endif
