/* SPDX-License-Identifier: MIT */
/*
 * The counting pass: BPF programs that count crossings, context switches and copied bytes of a sender and
 * a receiver, each number by the best hook that this kernel really lets us attach.
 *
 *	probes_open()            loads, tries every hook; nothing stays attached
 *	probes_phase(…)          the word a measured process stores its phase to; fork after this
 *	probes_begin(…)          zeroes, attaches, sets the filter: the processes exist and wait
 *	    … transfer …
 *	probes_end(…)            detaches, reads
 *	probes_close()
 *
 * A measured process owns its phase: it stores PHASE_SETUP, PHASE_TRANSFER, PHASE_RELEASE, PHASE_OFF (see
 * bpf/counters.h) as it goes, without a system call. Only calls that end within a phase count for it.
 *
 * Nothing is pinned. Programs, links and maps live by descriptors of this process (and by the memory that
 * forked processes inherited), so an exit, a crash or SIGKILL leaves nothing.
 */
#ifndef COPYTAX_MEASURE_PROBES_H
#define COPYTAX_MEASURE_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/failure.h"
#include "counters.h"

#define PROBE_HOW_MAX 192
#define PROBE_REASON_MAX 512
#define PROBE_LEDGER "ledger (system-call results by file type)"

/* What one ladder decides. A site has its own; the others are about more than one number. */
enum probe_subject {
	PROBE_FILE_TO_USER = SITE_FILE_TO_USER,
	PROBE_FILE_TO_KERNEL = SITE_FILE_TO_KERNEL,
	PROBE_USER_TO_SOCKET = SITE_USER_TO_SOCKET,
	PROBE_DEFERRED = SITE_DEFERRED,
	PROBE_SOCKET_TO_USER = SITE_SOCKET_TO_USER,
	PROBE_BY_REFERENCE = SITE_BY_REFERENCE,
	PROBE_DISK_TO_PAGE_CACHE = SITE_DISK_TO_PAGE_CACHE,
	PROBE_DISK_TO_USER = SITE_DISK_TO_USER,
	PROBE_LINEARIZED = SITE_LINEARIZED,
	PROBE_SYSCALLS = SITES,
	PROBE_FAULTS,
	PROBE_FAULTS_MAJOR,
	PROBE_INTERRUPTS,
	PROBE_SOFTIRQS,
	PROBE_SWITCHES,
	PROBE_PAGES_ADDED,
	PROBE_PAGES_TOUCHED,
	PROBE_URING, /* lets the ledger see what io_uring moves */
	PROBE_SUBJECTS
};

/* Best first. The ledger is what system calls returned, booked by the kinds of file they moved between. */
enum probe_rung {
	RUNG_FEXIT,
	RUNG_KRETPROBE,
	RUNG_TRACEPOINT,
	RUNG_RAW_TRACEPOINT,
	RUNG_LEDGER,
	RUNG_NONE
};

/* One row of `copytax doctor` and of the result's `probes`. */
struct probe_row {
	const char *name; /* "file_to_user" */
	enum probe_rung rung;
	char how[PROBE_HOW_MAX]; /* "fexit filemap_read, shmem_file_read_iter"; empty for RUNG_NONE */
	/* the rungs above, and why not; or why none. Empty: the best was taken */
	char reason[PROBE_REASON_MAX];
	bool second; /* the ledger counts it as well */
	bool second_wrong; /* and got a known transfer wrong: it can't stand in for the hook */
};

struct probe_counts {
	struct counters of[ROLES][PHASES]; /* summed over CPUs; [PHASE_OFF] stays empty */
	bool tcp, light, device;	   /* copied from the target */
	/*
	 * How often the kernel left out a program of a subject's hooks because it was already running on that CPU: a kernel that preempts
	 * itself lets another task come by while a program runs, and never runs it inside itself. Not 0: that subject's
	 * count may be too small, and probes_site() says so. Always 0 before 5.12, which does not tell.
	 */
	uint64_t missed[PROBE_SUBJECTS];
};

/* One number, ready to be written. `reason` is set when it is not known. */
struct probe_value {
	bool known;
	uint64_t bytes, calls;
	bool calls_unknown; /* of what stands in for a hook: system calls are not calls of the hook */
	const char *source; /* "fexit filemap_read" */
	const char *reason;
	bool second_known;
	uint64_t second_bytes, second_calls;
	const char *second_source;
};

struct probe_options {
	unsigned int avoid; /* 1 << enum probe_rung: don't take these (tests, doctor) */
};

struct probe_target {
	pid_t sender, receiver; /* 0: not measured */
	int source;		/* the source file, open in the caller until probes_end */
	const int *more;	/* further ones, of connections with a file each; NULL: none */
	unsigned int more_count;
	bool tcp;	    /* the link is TCP; other sockets are left to the ledger */
	const char *device; /* whose packets are looked at for copies, by its name; NULL: none */
	/*
	 * Leave out what fires in every call and can be had otherwise: touched pages (not known then), and
	 * tracepoints on sends (the ledger counts them). Calls and copies stay exact at about half the cost.
	 */
	bool light;
};

struct probes;

/*
 * Returns 0 or -errno with the one reason that matters (exit code 3): nothing can be counted then, and
 * everything else works. `options` may be NULL.
 */
int probes_open(struct probes **out, const struct probe_options *options, struct failure *why);
void probes_close(struct probes *probes);

/* All PROBE_SUBJECTS rows, in the order of the enumeration; valid until probes_close. */
const struct probe_row *probes_rows(const struct probes *probes);

/* Calibration found a hook wrong: steps down to the ledger if that was right, or to nothing. */
void probes_distrust(struct probes *probes, enum probe_subject subject, bool ledger_is_right,
		     const char *reason);

/* Calibration found the ledger wrong where a hook counts as well: see struct probe_row. */
void probes_distrust_ledger(struct probes *probes, enum probe_subject subject);

/* The phase of a role; inherited by fork. Valid until probes_close, in a child until it exits. */
volatile uint32_t *probes_phase(struct probes *probes, enum role role);

int probes_begin(struct probes *probes, const struct probe_target *target, struct failure *why);
/* What was counted so far; the processes should be quiet. */
void probes_read(const struct probes *probes, struct probe_counts *out);
/* Detaches; `out` may be NULL. Waits for the kernel, which takes some ms per program. */
void probes_end(struct probes *probes, struct probe_counts *out);

void probes_site(const struct probes *probes, const struct probe_counts *counts, enum role role,
		 enum phase phase, enum site site, struct probe_value *out);

/* "read" for its number; NULL for one that has no name here. */
const char *probes_call_name(unsigned int number);
const char *probes_site_name(enum site site);
const char *probes_softirq_name(unsigned int vector);
const char *probes_interrupt_name(enum interrupt interrupt);

#endif
