/* SPDX-License-Identifier: MIT */
/*
 * SIGINT, SIGTERM and SIGHUP held back for a while: by a program that removes something first, or looks for them
 * only while it waits. A signal that comes meanwhile is delivered when they are let go.
 */
#ifndef COPYTAX_BASE_SIGNALS_H
#define COPYTAX_BASE_SIGNALS_H

#include <signal.h>

/* *before, if it is asked for, gets what signals_let_go() puts back. */
void signals_hold(sigset_t *before);
void signals_let_go(const sigset_t *before);

/* The three. */
sigset_t signals_that_end(void);

#endif
