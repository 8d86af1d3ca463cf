/* SPDX-License-Identifier: MIT */
/* Child processes with a control socket: made, told, waited for, and never left behind. */
#ifndef COPYTAX_TRANSFER_CHILD_H
#define COPYTAX_TRANSFER_CHILD_H

#include <stddef.h>
#include <sys/types.h>

struct child {
	pid_t pid; /* 0: none */
	int control; /* a SOCK_SEQPACKET pair: one message, one packet; -1: none */
};

/*
 * Forks. In the child: returns 0, child->control is its own end; it dies with its parent, SIGINT,
 * SIGTERM and SIGHUP are the parent's to deal with. In the parent: the process id. -errno when it can't.
 */
pid_t child_fork(struct child *child);

/* In the child: ends it, without the parent's atexit handlers and buffers. */
void child_exit(int status) __attribute__((noreturn));

/* An empty word to the child (or, in the child, to the parent). Returns 0 or -errno. */
int child_tell(const struct child *child);

/* In the child: waits for that word. Returns 0, or -EPIPE when the parent is gone. */
int child_wait_for_word(const struct child *child);

/* Kills and reaps the child if there is one; closes the control socket. */
void child_end(struct child *child);

/*
 * Reaps a child that closed its end, and says in `text` how it ended ("was killed by signal 9
 * (Killed)"). The child is none after this.
 */
void child_how_it_ended(struct child *child, char *text, size_t size);

#endif
