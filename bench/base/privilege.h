/* SPDX-License-Identifier: MIT */
/*
 * Gives up what a measured process does not need. The harness attaches probes first, from outside; the
 * worker and the receiver then drop what they inherited, in two steps, and move every byte with none.
 */
#ifndef COPYTAX_BASE_PRIVILEGE_H
#define COPYTAX_BASE_PRIVILEGE_H

/*
 * Once the sockets are set up: sets no_new_privs and keeps only what opening the payload and preparing a
 * method may take (reading a file of somebody else's, larger pipes, locked memory), if it is there at all. Returns 0 or -errno.
 */
int privilege_keep_for_preparing(void);

/* Before "ready": nothing is left. Returns 0 or -errno. */
int privilege_drop_all(void);

#endif
