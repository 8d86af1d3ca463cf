// SPDX-License-Identifier: MIT
#include "measure/probes_calls.h"

#include <string.h>
#include <sys/syscall.h>

#include "measure/probes.h"

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

#define CALL(name, kind)                                                                           \
	{                                                                                          \
		SYS_##name, CALL_##kind, #name                                                     \
	}

/*
 * The calls that a transfer can plausibly make. NEUTRAL is a promise that descriptors mean the same
 * afterwards; OTHER promises nothing.
 */
static const struct {
	unsigned int number;
	enum call_kind kind;
	const char *name;
} calls[] = {
	CALL(accept, OTHER),
	CALL(accept4, OTHER),
	CALL(bind, OTHER),
	CALL(bpf, OTHER),
	CALL(brk, NEUTRAL),
	CALL(clock_gettime, NEUTRAL),
	CALL(clock_nanosleep, NEUTRAL),
	CALL(clone, FORKS),
	CALL(clone3, FORKS),
	CALL(close, OTHER),
	CALL(close_range, OTHER),
	CALL(connect, OTHER),
	CALL(copy_file_range, BLIND),
	CALL(dup, OTHER),
	CALL(dup3, OTHER),
	CALL(epoll_create1, OTHER),
	CALL(epoll_ctl, OTHER),
	CALL(epoll_pwait, NEUTRAL),
	CALL(epoll_pwait2, NEUTRAL),
	CALL(eventfd2, OTHER),
	CALL(execve, OTHER),
	CALL(exit, NEUTRAL),
	CALL(exit_group, NEUTRAL),
	CALL(faccessat, OTHER),
	CALL(faccessat2, OTHER),
	CALL(fadvise64, NEUTRAL),
	CALL(fallocate, OTHER),
	CALL(fcntl, OTHER),
	CALL(fdatasync, NEUTRAL),
	CALL(fstat, NEUTRAL),
	CALL(fsync, NEUTRAL),
	CALL(ftruncate, NEUTRAL),
	CALL(futex, NEUTRAL),
	CALL(getcpu, NEUTRAL),
	CALL(getdents64, OTHER),
	CALL(getegid, OTHER),
	CALL(geteuid, OTHER),
	CALL(getgid, OTHER),
	CALL(getpeername, NEUTRAL),
	CALL(getpid, NEUTRAL),
	CALL(getppid, NEUTRAL),
	CALL(getrandom, NEUTRAL),
	CALL(getrusage, NEUTRAL),
	CALL(getsockname, NEUTRAL),
	CALL(getsockopt, NEUTRAL),
	CALL(gettid, NEUTRAL),
	CALL(gettimeofday, NEUTRAL),
	CALL(getuid, OTHER),
	CALL(io_destroy, OTHER),
	CALL(io_getevents, NEUTRAL),
	CALL(io_setup, OTHER),
	CALL(io_submit, BLIND),
	CALL(io_uring_enter, OTHER),
	CALL(io_uring_register, OTHER),
	CALL(io_uring_setup, OTHER),
	CALL(ioctl, NEUTRAL),
	CALL(ioprio_set, OTHER),
	CALL(kill, NEUTRAL),
	CALL(listen, OTHER),
	CALL(lseek, NEUTRAL),
	CALL(madvise, NEUTRAL),
	CALL(membarrier, NEUTRAL),
	CALL(memfd_create, OTHER),
	CALL(mincore, NEUTRAL),
	CALL(mlock, OTHER),
	CALL(mlockall, OTHER),
	CALL(mmap, NEUTRAL),
	CALL(mprotect, NEUTRAL),
	CALL(mremap, NEUTRAL),
	CALL(munlock, OTHER),
	CALL(munmap, NEUTRAL),
	CALL(nanosleep, NEUTRAL),
	CALL(newfstatat, NEUTRAL),
	CALL(openat, OTHER),
	CALL(openat2, OTHER),
	CALL(perf_event_open, OTHER),
	CALL(pidfd_open, OTHER),
	CALL(pipe2, OTHER),
	CALL(ppoll, NEUTRAL),
	CALL(prctl, NEUTRAL),
	CALL(pread64, READ),
	CALL(preadv, READ),
	CALL(preadv2, READ),
	CALL(prlimit64, OTHER),
	CALL(process_vm_readv, BLIND),
	CALL(process_vm_writev, BLIND),
	CALL(pselect6, NEUTRAL),
	CALL(pwrite64, WRITE),
	CALL(pwritev, WRITE),
	CALL(pwritev2, WRITE),
	CALL(read, READ),
	CALL(readahead, NEUTRAL),
	CALL(readlinkat, OTHER),
	CALL(readv, READ),
	CALL(recvfrom, RECVFROM),
	CALL(recvmmsg, BLIND),
	CALL(recvmsg, RECVMSG),
	CALL(restart_syscall, NEUTRAL),
	CALL(rseq, OTHER),
	CALL(rt_sigaction, NEUTRAL),
	CALL(rt_sigprocmask, NEUTRAL),
	CALL(rt_sigreturn, NEUTRAL),
	CALL(sched_getaffinity, NEUTRAL),
	CALL(sched_setaffinity, NEUTRAL),
	CALL(sched_setscheduler, OTHER),
	CALL(sched_yield, NEUTRAL),
	CALL(sendfile, SENDFILE),
	CALL(sendmmsg, BLIND),
	CALL(sendmsg, SENDMSG),
	CALL(sendto, SENDTO),
	CALL(set_robust_list, OTHER),
	CALL(set_tid_address, OTHER),
	CALL(setns, OTHER),
	CALL(setpriority, OTHER),
	CALL(setsockopt, NEUTRAL),
	CALL(shutdown, NEUTRAL),
	CALL(socket, OTHER),
	CALL(socketpair, OTHER),
	CALL(splice, SPLICE),
	CALL(statx, NEUTRAL),
	CALL(sync_file_range, OTHER),
	CALL(sysinfo, OTHER),
	CALL(tee, BLIND),
	CALL(tgkill, NEUTRAL),
	CALL(timerfd_create, OTHER),
	CALL(timerfd_settime, OTHER),
	CALL(uname, OTHER),
	CALL(unlinkat, OTHER),
	CALL(unshare, OTHER),
	CALL(userfaultfd, OTHER),
	CALL(vmsplice, VMSPLICE),
	CALL(wait4, NEUTRAL),
	CALL(waitid, NEUTRAL),
	CALL(write, WRITE),
	CALL(writev, WRITE),
	CALL(cachestat, NEUTRAL),
#ifdef SYS_open /* only the older architectures have these */
	CALL(access, OTHER),
	CALL(arch_prctl, OTHER),
	CALL(dup2, OTHER),
	CALL(epoll_wait, NEUTRAL),
	CALL(fork, FORKS),
	CALL(getrlimit, OTHER),
	CALL(lstat, NEUTRAL),
	CALL(mkdir, OTHER),
	CALL(open, OTHER),
	CALL(pipe, OTHER),
	CALL(poll, NEUTRAL),
	CALL(readlink, OTHER),
	CALL(rename, OTHER),
	CALL(rmdir, OTHER),
	CALL(select, NEUTRAL),
	CALL(setrlimit, OTHER),
	CALL(stat, NEUTRAL),
	CALL(unlink, OTHER),
	CALL(vfork, FORKS),
#endif
};

void probe_call_kinds(__u8 kinds[COUNTED_SYSCALLS])
{
	memset(kinds, CALL_OTHER, COUNTED_SYSCALLS);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number < COUNTED_SYSCALLS)
			kinds[calls[i].number] = (__u8)calls[i].kind;
}

const char *probes_call_name(unsigned int number)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == number)
			return calls[i].name;
	return NULL;
}
