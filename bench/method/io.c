// SPDX-License-Identifier: MIT
#include "method/io.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int io_retry(int fd, short wanted, int err)
{
	struct pollfd p = { .fd = fd, .events = wanted };

	if (err == EINTR)
		return 0;
	if (err != EAGAIN)
		return -err;
	if (poll(&p, 1, -1) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

int io_open_source(struct job *job, int flags)
{
	struct stat st;

	job->file = open(job->path, O_RDONLY | O_CLOEXEC | flags);
	if (job->file < 0)
		return job_failed(job, "open", errno, job->size);
	if (fstat(job->file, &st))
		return job_failed(job, "fstat", errno, job->size);
	if (!S_ISREG(st.st_mode))
		return job_failed(job, "open", EINVAL, job->size);
	/* a file that shrank since the study began: found here rather than halfway */
	if ((uint64_t)st.st_size < job->size)
		return job_failed(job, "fstat", ENODATA, job->size);
	return 0;
}

void io_close_source(struct job *job)
{
	if (job->file >= 0)
		close(job->file);
	job->file = -1;
}

int io_buffer(struct job *job, size_t alignment, size_t size, char **buffer)
{
	void *p = NULL;
	int err = posix_memalign(&p, alignment, size ? size : alignment);

	if (err)
		return job_failed(job, "allocate a buffer", err, job->size);
	/* not zeros: all untouched pages share one zero page, and the first use of each would fault */
	memset(p, 0x5a, size);
	*buffer = p;
	return 0;
}

int io_probe_buffer(const struct job *job, char *reason, size_t reason_size)
{
	char line[128];
	unsigned long long kb;
	FILE *meminfo = fopen("/proc/meminfo", "re");
	uint64_t available = UINT64_MAX;

	if (meminfo) {
		while (fgets(line, sizeof(line), meminfo))
			if (sscanf(line, "MemAvailable: %llu kB", &kb) == 1)
				available = kb << 10;
		fclose(meminfo);
	}
	if (job->chunk <= available / 2)
		return 0;
	snprintf(reason, reason_size,
		 "needs a user buffer of one chunk (%zu bytes), more than half of the memory available (%llu bytes); use a smaller --chunk",
		 job->chunk, (unsigned long long)available);
	return -ENOMEM;
}
