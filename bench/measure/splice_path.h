/* SPDX-License-Identifier: MIT */
/*
 * Where the page cache's bytes go when a file is spliced or sent with sendfile, for kernels that refuse
 * to let us watch it: the kernel function that the file's operations name.
 *
 * Since 6.5 a splice read either hands over page-cache pages (filemap_splice_read and the file systems'
 * wrappers of it) or copies into private pages (copy_splice_read; chosen for O_DIRECT and DAX files, and by
 * file systems that name it). Before 6.5 there was no such copying path for files with a page cache.
 */
#ifndef COPYTAX_MEASURE_SPLICE_PATH_H
#define COPYTAX_MEASURE_SPLICE_PATH_H

#include <stdbool.h>
#include <stddef.h>

#define SPLICE_PATH_TEXT_MAX 160

/*
 * True when splicing from the open file `fd` can't copy; `how` says by what. False when it may, or when it
 * can't be told; then `how` says why.
 */
bool splice_path_references(int fd, char *how, size_t size);

#endif
