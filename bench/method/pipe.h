/* SPDX-License-Identifier: MIT */
/* The pipe that splicing goes through. */
#ifndef COPYTAX_METHOD_PIPE_H
#define COPYTAX_METHOD_PIPE_H

#include "method/io.h"

struct pipe_ends {
	int out, in; /* read end, write end; -1: not open */
	size_t size; /* bytes it holds */
};

/* A pipe with room for `wanted` bytes, or for as much as fs.pipe-max-size allows; says so in the note. */
int pipe_open(struct job *job, size_t wanted, struct pipe_ends *p);
void pipe_close(struct pipe_ends *p);

/* Splices `len` bytes that are in the pipe on to the socket. Returns 0 or -errno. */
int pipe_to_socket(struct job *job, const struct pipe_ends *p, size_t len, uint64_t left);

#endif
