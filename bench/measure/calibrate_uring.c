// SPDX-License-Identifier: MIT
/* The known transfer by io_uring: read and send as linked pairs, all in one submission. */
#include <errno.h>
#include <liburing.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure/calibrate_moves.h"

bool known_uring_works(void)
{
	struct io_uring ring;

	if (io_uring_queue_init(2, &ring, 0))
		return false;
	io_uring_queue_exit(&ring);
	return true;
}

/* What a chain that broke left: the receiver waits for it, and the counts then tell that it was not io_uring. */
static int by_hand(const struct known_bench *bench, char *buffer, size_t sent)
{
	while (sent < KNOWN_BYTES) {
		size_t left = KNOWN_BYTES - sent;
		ssize_t n = pread(bench->file, buffer, left < KNOWN_CHUNK ? left : KNOWN_CHUNK,
				  (off_t)sent);

		if (n > 0)
			n = send(bench->sender, buffer, (size_t)n, MSG_NOSIGNAL);
		if (n <= 0)
			return n ? -errno : -EIO;
		sent += (size_t)n;
	}
	return 0;
}

int known_uring(const struct known_bench *bench, char *buffer)
{
	struct io_uring ring;
	struct io_uring_cqe *cqe;
	size_t sent = 0;
	int err = io_uring_queue_init(2 * KNOWN_CALLS, &ring, 0);

	if (err)
		return err;
	for (unsigned int i = 0; i < KNOWN_CALLS; i++) {
		struct io_uring_sqe *in = io_uring_get_sqe(&ring);
		struct io_uring_sqe *out = io_uring_get_sqe(&ring);

		io_uring_prep_read(in, bench->file, buffer, KNOWN_CHUNK, i * KNOWN_CHUNK);
		in->flags |= IOSQE_IO_LINK;
		in->user_data = 0;
		/* before 5.19 a send may be short all the same, which breaks the chain */
		io_uring_prep_send(out, bench->sender, buffer, KNOWN_CHUNK,
				   MSG_WAITALL | MSG_NOSIGNAL);
		out->user_data = 1;
		if (i + 1 < KNOWN_CALLS)
			out->flags |= IOSQE_IO_LINK;
	}
	err = io_uring_submit(&ring);
	err = err == 2 * KNOWN_CALLS ? 0 : -EIO;
	for (unsigned int i = 0; i < 2 * KNOWN_CALLS && !err; i++) {
		do
			err = io_uring_wait_cqe(&ring, &cqe);
		while (err == -EINTR);
		if (err)
			break;
		if (cqe->user_data && cqe->res > 0)
			sent += (size_t)cqe->res;
		io_uring_cqe_seen(&ring, cqe);
	}
	io_uring_queue_exit(&ring);
	return err ? err : by_hand(bench, buffer, sent);
}
