/* SPDX-License-Identifier: MIT */
/* Files and folders made so that nobody else's link is followed, in a folder that others may write to, too. */
#ifndef COPYTAX_BASE_FILE_H
#define COPYTAX_BASE_FILE_H

#include <stdio.h>

/* A new file for writing, in place of one that is there. NULL with errno. */
FILE *file_create(const char *path);

/* A folder; one that is there is taken, a link to one is not (ENOTDIR). Returns 0, or -1 with errno. */
int file_make_folder(const char *path);

#endif
