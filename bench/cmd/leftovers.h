/* SPDX-License-Identifier: MIT */
/*
 * What a copytax that was killed outright could not put back: payloads, temporary files and disk images
 * in a folder, working folders in TMPDIR, and on the machine whatever carries its name (network namespaces, mounts, loop devices, pinned BPF objects).
 * Nothing is taken for ours by its name alone where its bytes can prove it.
 */
#ifndef COPYTAX_CMD_LEFTOVERS_H
#define COPYTAX_CMD_LEFTOVERS_H

#include <stdbool.h>

#include "base/failure.h"

/*
 * Prints what is left in `dir`, in its folders and in its results/, and on the machine; removes it if asked to.
 * Refuses to remove while another copytax runs: then it may be in use. Returns 0 or -errno with `why`.
 */
int leftovers(const char *dir, bool remove, struct failure *why);

#endif
