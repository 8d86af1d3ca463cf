// SPDX-License-Identifier: MIT
#include "measure/kernel_log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>

/* syslog(2); the header has no names for them */
#define READ_ALL 3
#define SIZE_OF_BUFFER 10

bool kernel_log_phrase(const char *log, const char *phrase, char *rest, size_t size)
{
	const char *at = strstr(log, phrase);
	size_t n;

	rest[0] = '\0';
	if (!at)
		return false;
	at += strlen(phrase);
	n = strcspn(at, "\n");
	while (n && (at[n - 1] == ' ' || at[n - 1] == '\r'))
		n--;
	if (n >= size)
		n = size - 1;
	memcpy(rest, at, n);
	rest[n] = '\0';
	return n > 0;
}

bool kernel_log_find(const char *phrase, char *rest, size_t size)
{
	int room = klogctl(SIZE_OF_BUFFER, NULL, 0), n = -1;
	char *log = room > 0 ? malloc((size_t)room + 1) : NULL;
	bool found;

	rest[0] = '\0';
	if (log)
		n = klogctl(READ_ALL, log, room);
	if (n >= 0)
		log[n] = '\0';
	found = n >= 0 && kernel_log_phrase(log, phrase, rest, size);
	free(log);
	return found;
}
