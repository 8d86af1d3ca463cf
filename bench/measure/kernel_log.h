/* SPDX-License-Identifier: MIT */
/* What the kernel said as it booted, as far as its log still has it and shows it. */
#ifndef COPYTAX_MEASURE_KERNEL_LOG_H
#define COPYTAX_MEASURE_KERNEL_LOG_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What comes after the first `phrase` of `log` in its line, without spaces at its end; at most `size` - 1 bytes. False when no line has it, or
 * nothing comes after it; then `rest` is empty.
 */
bool kernel_log_phrase(const char *log, const char *phrase, char *rest, size_t size);

/* The same of this machine's log (syslog(2), SYSLOG_ACTION_READ_ALL). False, too, when it may not be read. */
bool kernel_log_find(const char *phrase, char *rest, size_t size);

#endif
