/* SPDX-License-Identifier: MIT */
/* The known transfers of the calibration, one side each; both sides are processes of their own. */
#ifndef COPYTAX_MEASURE_CALIBRATE_MOVES_H
#define COPYTAX_MEASURE_CALIBRATE_MOVES_H

#include <stdbool.h>
#include <stdint.h>

#define KNOWN_CHUNK ((size_t)64 << 10)
#define KNOWN_CALLS 64
#define KNOWN_BYTES (KNOWN_CALLS * KNOWN_CHUNK)
#define KNOWN_PAGES 256 /* touched by KNOWN_FAULTS in user mode, and as many by the kernel */
#define KNOWN_NAPS 16

enum known {
	KNOWN_READ_WRITE,
	KNOWN_MMAP_WRITE,
	KNOWN_SENDFILE,
	KNOWN_SPLICE,
	KNOWN_VMSPLICE,
	KNOWN_URING,
	KNOWN_DIRECT,
	KNOWN_TRUNCATE,
	KNOWN_COLD,
	KNOWN_FAULTS,
	KNOWN_SWITCHES,
	KNOWNS
};

/* Shared by the three processes. */
struct known_notes {
	enum known turn;
	long voluntary, involuntary; /* switches as getrusage has them */
	int err; /* -errno of a side whose part went wrong: then it ends */
};

struct known_bench {
	int file;	      /* KNOWN_BYTES, in the page cache */
	int direct;	      /* the same without it; -1: the file system can't */
	int sender, receiver; /* the two ends of a TCP connection */
	int naps[2];	      /* a pipe from receiver to sender */
	volatile struct known_notes *notes;
	volatile uint32_t *sender_phase, *receiver_phase;
};

/* Can this process make a ring? */
bool known_uring_works(void);
int known_uring(const struct known_bench *bench, char *buffer);

/* Each returns 0 or -errno. */
int known_send(const struct known_bench *bench, enum known which);
int known_receive(const struct known_bench *bench, enum known which);

#endif
