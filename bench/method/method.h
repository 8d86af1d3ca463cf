/* SPDX-License-Identifier: MIT */
/*
 * A method is one way to get the payload from a file to a socket. It owns nothing but moving bytes:
 * the harness owns processes, clocks, pinning, cache state, counters and output.
 *
 * To add one: copy the smallest neighbour of this folder, and name it in methods.c.
 */
#ifndef COPYTAX_METHOD_METHOD_H
#define COPYTAX_METHOD_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METHOD_NOTE_MAX 160
#define METHOD_FIGURES_MAX 8
#define METHOD_FIGURE_NAME_MAX 32

/* A number that only the method knows: completions that came back copied, chunks in flight, bytes of buffers. */
struct method_figure {
	char name[METHOD_FIGURE_NAME_MAX]; /* "completions_copied"; "" : none */
	double value;
};

enum method_flag {
	/* reads past the page cache: its peers are the cold cases of the others */
	METHOD_BYPASSES_PAGE_CACHE = 1 << 0,
	/* reads through a user buffer of one chunk */
	METHOD_USER_BUFFER = 1 << 1,
	/* one of the five that every text compares: what is measured when no method is named */
	METHOD_CLASSIC = 1 << 2,
	/* its set-up reads the whole file: it has no cold case */
	METHOD_FILLS_CACHE = 1 << 3,
	/* sends with MSG_ZEROCOPY or its like, which only some sockets can (TCP) */
	METHOD_ZEROCOPY = 1 << 4,
};

/* What one transfer works on. The harness fills the first part, the method the second. */
struct job {
	const char *path; /* the source file */
	int file; /* opened by the method's prepare, closed by its release; -1 before */
	int socket; /* connected, blocking; the harness's */
	uint64_t size; /* bytes to move: the size of the source when the study began */
	size_t chunk; /* the most one call may move; already bounded by size, never 0 */

	void *state; /* the method's own, from prepare to release */
	/* what `send` moved before it failed, for the message; set on failure only */
	uint64_t moved;
	/* which call failed ("read", "write", "splice (file to pipe)"); set on failure only */
	const char *failed_call;
	/* what prepare found or chose, for the result ("pipe 64K", "alignment 512"); may stay empty */
	char note[METHOD_NOTE_MAX];
	/* for the case's `method_figures`; read after release */
	struct method_figure figures[METHOD_FIGURES_MAX];
};

/* Sets (or sets anew) one of job->figures; one too many is left out. */
void method_figure_set(struct job *job, const char *name, double value);

/* What the classic texts say of the method: data for tables, plots and the claims. Never used to count. */
struct textbook {
	struct {
		const char *name; /* the system call, as strace names it */
		unsigned int per_chunk;
	} calls[3]; /* ends at the first without a name */
	/* copies of every payload byte, by site; the classic texts count these as "copies" */
	unsigned int file_to_user;
	unsigned int user_to_socket;
	unsigned int file_to_socket; /* page cache → socket buffer, sendfile's in the older telling */
	const char *says; /* the claim in one sentence */
};

struct method {
	const char *name;
	const char *summary;
	unsigned int flags;
	struct textbook textbook;

	/*
	 * Can this machine and file system do it? Returns 0, or -errno with a reason that a user can act on.
	 * Called before any transfer, in the harness; job->file is -1 and job->socket may be -1.
	 */
	int (*probe)(const struct job *job, char *reason, size_t reason_size);
	/* Everything that is not moving bytes: open, map, allocate and touch. Returns 0 or -errno. */
	int (*prepare)(struct job *job);
	/* Moves job->size bytes, in order. The timed path. Returns 0 or -errno (-EPIPE: the peer is gone;
	 * -ENODATA: the file ended early). */
	int (*send)(struct job *job);
	/* Undoes prepare, also after a failed one. */
	void (*release)(struct job *job);
};

/* Every method, in the order of tables and plots; ends with NULL. */
extern const struct method *const methods[];

/*
 * Can a method be measured under these conditions at all? `warm`: the case's cache is; `tcp`: the link runs TCP.
 * Returns 0 or -ENOTSUP with the reason.
 */
int method_feasible(const struct method *method, bool warm, bool tcp, char *reason,
		    size_t reason_size);

/* By name; NULL when there is none. */
const struct method *method_find(const char *name);

#endif
