// SPDX-License-Identifier: MIT
/* sendfile: the kernel hands page-cache pages to the socket. */
#include <sys/sendfile.h>

#include "method/io.h"

static int prepare(struct job *job)
{
	return io_open_source(job, 0);
}

static int move(struct job *job)
{
	uint64_t left = job->size;

	while (left) {
		ssize_t n = sendfile(job->socket, job->file, NULL, io_piece(job, left));

		if (n < 0) {
			int err = io_retry(job->socket, POLLOUT, errno);

			if (err)
				return job_failed(job, "sendfile", -err, left);
			continue;
		}
		if (n == 0)
			return job_failed(job, "sendfile", ENODATA, left);
		left -= (uint64_t)n;
	}
	return 0;
}

const struct method method_sendfile = {
	.name = "sendfile",
	.summary = "sendfile from the file to the socket",
	.flags = METHOD_CLASSIC,
	.textbook = {
		.calls = { { "sendfile", 1 } },
		.file_to_socket = 1,
		.says = "it saves one call and one copy per chunk, so one of each is left",
	},
	.prepare = prepare,
	.send = move,
	.release = io_close_source,
};
