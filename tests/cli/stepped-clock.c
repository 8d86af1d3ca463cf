// SPDX-License-Identifier: MIT
/* Preloaded: the time of day steps by hours, now back, now forth; each call leaves a byte in STEPPED_CLOCK. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long step(void)
{
	static unsigned int calls;
	const char *path = getenv("STEPPED_CLOCK");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;

	if (fd >= 0) {
		(void)!write(fd, "x", 1);
		close(fd);
	}
	return (++calls & 1 ? -7200L : 3600L) * calls;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	long err = syscall(SYS_clock_gettime, clock, now);

	if (!err && clock == CLOCK_REALTIME)
		now->tv_sec += step();
	return (int)err;
}

time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}
