// SPDX-License-Identifier: MIT
/*
 * io_uring: read into registered buffers and send them by reference (SEND_ZC), as linked pairs. Two sets of
 * buffers take turns: while one set is filled and sent, the notifications about the other come in.
 */
#include <stdlib.h>
#include <sys/uio.h>

#include "method/uring.h"

#define SETS URING_SETS

struct slot {
	int pending;   /* results that announced a notification, less the notifications that came */
	uint32_t sent; /* bytes of the last send */
};

struct send_zc {
	struct uring u;
	char *memory;
	size_t room;		 /* of one buffer */
	bool registered, report; /* SEND_ZC tells whether it copied (Linux 6.2) */
	unsigned int pairs, sets;
	unsigned int in_flight, most;
	uint64_t notifications, copied, copied_bytes;
	struct slot slots[SETS * URING_PAIRS];
};

static size_t room_of(const struct job *job)
{
	return (job->chunk + 4095) & ~(size_t)4095;
}

static unsigned int sets_of(const struct job *job)
{
	return (uint64_t)uring_pairs(job, room_of(job), SETS) * job->chunk < job->size ? SETS : 1;
}

static int probe(const struct job *job, char *reason, size_t reason_size)
{
	static const int operations[] = { IORING_OP_READ_FIXED, IORING_OP_READ, IORING_OP_SEND_ZC,
					  -1 };
	struct job all = *job;
	int err = uring_probe(operations, "Linux 6.0 or newer", reason, reason_size);

	all.chunk = room_of(job) * uring_pairs(job, room_of(job), SETS) * sets_of(job);
	return err ? err : io_probe_buffer(&all, reason, reason_size);
}

/* A send to no file: refused for its flag, by a kernel that does not know it, before it misses the file. */
static bool reports_usage(struct send_zc *z)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&z->u.ring);
	struct io_uring_cqe *cqe;
	int result;

	io_uring_prep_send_zc(sqe, -1, NULL, 0, 0, IORING_SEND_ZC_REPORT_USAGE);
	if (io_uring_submit(&z->u.ring) < 0)
		return false;
	while (io_uring_wait_cqe(&z->u.ring, &cqe) == -EINTR)
		;
	result = cqe->res;
	io_uring_cqe_seen(&z->u.ring, cqe);
	return result != -EINVAL;
}

static int register_buffers(struct send_zc *z)
{
	unsigned int count = z->pairs * z->sets;
	struct iovec buffers[SETS * URING_PAIRS];

	for (unsigned int i = 0; i < count; i++)
		buffers[i] = (struct iovec) { z->memory + i * z->room, z->room };
	return io_uring_register_buffers(&z->u.ring, buffers, count);
}

static int prepare_ring(struct job *job, bool sqpoll)
{
	struct send_zc *z = calloc(1, sizeof(*z));
	int err;

	if (!z)
		return job_failed(job, "allocate", ENOMEM, job->size);
	job->state = z;
	z->room = room_of(job);
	z->pairs = uring_pairs(job, z->room, SETS);
	z->sets = sets_of(job);
	err = io_open_source(job, 0);
	if (!err)
		err = io_buffer(job, 4096, z->room * z->pairs * z->sets, &z->memory);
	if (!err)
		err = uring_open(job, &z->u, sqpoll, -1, -1);
	if (err)
		return err;
	z->registered = !register_buffers(z);
	z->report = reports_usage(z);
	method_figure_set(job, "chunks_queued", z->pairs);
	method_figure_set(job, "buffer_bytes", (double)(z->room * z->pairs * z->sets));
	method_figure_set(job, "buffers_registered", z->registered);
	return 0;
}

static int prepare(struct job *job)
{
	return prepare_ring(job, false);
}

static int prepare_sqpoll(struct job *job)
{
	return prepare_ring(job, true);
}

/* The slot of a request of a set, by its place in the results. */
static unsigned int place(unsigned int set, unsigned int pair)
{
	return set * URING_PAIRS + pair;
}

static char *buffer_of(const struct send_zc *z, unsigned int set, unsigned int pair)
{
	return z->memory + (set * z->pairs + pair) * z->room;
}

static void notify(void *arg, const struct io_uring_cqe *cqe)
{
	struct send_zc *z = arg;
	struct slot *slot = &z->slots[cqe->user_data / 2];

	if (!(cqe->user_data & 1)) /* a read */
		return;
	if (cqe->flags & IORING_CQE_F_NOTIF) {
		slot->pending--;
		z->in_flight--;
		z->notifications++;
		if (z->report && (unsigned int)cqe->res & IORING_NOTIF_USAGE_ZC_COPIED) {
			z->copied++;
			z->copied_bytes += slot->sent;
		}
	} else if (cqe->flags & IORING_CQE_F_MORE) {
		slot->pending++;
		z->in_flight++;
		if (z->in_flight > z->most)
			z->most = z->in_flight;
	}
}

/* Until no send refers to the buffers of a set. */
static int wait_for_set(struct send_zc *z, unsigned int set)
{
	int err = 0;

	for (unsigned int i = 0; i < z->pairs && !err; i++)
		while (z->slots[place(set, i)].pending && !err)
			err = uring_wait_notification(&z->u, notify, z);
	return err;
}

static size_t length(const struct job *job, uint64_t offset)
{
	return io_piece(job, job->size - offset);
}

static void queue(const struct job *job, struct send_zc *z, unsigned int set, uint64_t offset,
		  unsigned int pairs)
{
	unsigned int zc_flags = z->report ? IORING_SEND_ZC_REPORT_USAGE : 0;

	for (unsigned int i = 0; i < pairs; i++) {
		struct io_uring_sqe *in = io_uring_get_sqe(&z->u.ring);
		struct io_uring_sqe *out = io_uring_get_sqe(&z->u.ring);
		char *buffer = buffer_of(z, set, i);
		size_t len = length(job, offset);
		unsigned int index = set * z->pairs + i;

		/* a short send would let the next pair overtake its rest */
		if (z->registered) {
			io_uring_prep_read_fixed(in, URING_SOURCE, buffer, (unsigned int)len,
						 offset, (int)index);
			io_uring_prep_send_zc_fixed(out, URING_SOCKET, buffer, len,
						    MSG_WAITALL | MSG_NOSIGNAL, zc_flags, index);
		} else {
			io_uring_prep_read(in, URING_SOURCE, buffer, (unsigned int)len, offset);
			io_uring_prep_send_zc(out, URING_SOCKET, buffer, len,
					      MSG_WAITALL | MSG_NOSIGNAL, zc_flags);
		}
		uring_link(in, 2 * place(set, i), false);
		uring_link(out, 2 * place(set, i) + 1, i + 1 == pairs);
		/* known before the notification can come, which may be at once */
		z->slots[place(set, i)].sent = (uint32_t)len;
		offset += len;
	}
}

/* What the chain did, in order, up to the first request that went wrong; the rest of its chunk by hand. */
static int settle(struct job *job, struct send_zc *z, unsigned int set, unsigned int pairs,
		  uint64_t *offset)
{
	for (unsigned int i = 0; i < pairs; i++) {
		size_t len = length(job, *offset), sent;
		int done = uring_pair(job, &z->u, place(set, i), len, *offset, "SEND_ZC (io_uring)");

		if (done < 0)
			return done;
		if (done) {
			*offset += len;
			continue;
		}
		sent = z->u.result[place(set, i)][1] > 0 ? (size_t)z->u.result[place(set, i)][1] : 0;
		done = wait_for_set(z, set); /* its buffer is still referred to by what was sent */
		if (done)
			return job_failed(job, "wait for notifications", -done,
					  job->size - *offset - sent);
		done = uring_by_hand(job, buffer_of(z, set, i), *offset + sent, len - sent);
		*offset += done ? sent : len;
		return done;
	}
	return 0;
}

static int move(struct job *job)
{
	struct send_zc *z = job->state;
	unsigned int set = 0;
	uint64_t offset = 0;
	int err = 0;

	while (offset < job->size) {
		uint64_t chunks = (job->size - offset + job->chunk - 1) / job->chunk;
		unsigned int pairs = chunks < z->pairs ? (unsigned int)chunks : z->pairs;

		err = wait_for_set(z, set);
		if (err)
			return job_failed(job, "wait for notifications", -err, job->size - offset);
		queue(job, z, set, offset, pairs);
		err = uring_run(&z->u, 2 * pairs, notify, z);
		if (err)
			return job_failed(job, "io_uring_enter", -err, job->size - offset);
		err = settle(job, z, set, pairs, &offset);
		if (err)
			return err;
		set = (set + 1) % z->sets;
	}
	for (set = 0; set < z->sets && !err; set++)
		err = wait_for_set(z, set);
	return err ? job_failed(job, "wait for notifications", -err, 0) : 0;
}

static void tell(struct job *job, const struct send_zc *z)
{
	method_figure_set(job, "chunks_in_flight", z->most);
	method_figure_set(job, "completions", (double)z->notifications);
	method_figure_set(job, "chains_broken", (double)z->u.restarts);
	if (z->report) {
		method_figure_set(job, "copied_bytes", (double)z->copied_bytes);
		if (z->notifications)
			method_figure_set(job, "copied_share",
					  (double)z->copied / (double)z->notifications);
	}
}

static void release(struct job *job)
{
	struct send_zc *z = job->state;

	if (z) {
		tell(job, z);
		uring_close(&z->u);
		free(z->memory);
	}
	free(z);
	io_close_source(job);
}

#define SAYS "sent by reference out of registered buffers: the second copy and most calls are gone"

const struct method method_uring_send_zc = {
	.name = "uring_send_zc",
	.summary = "io_uring: linked reads and sends by reference (SEND_ZC), out of registered "
		   "buffers",
	.flags = METHOD_USER_BUFFER | METHOD_ZEROCOPY,
	.textbook = { .file_to_user = 1, .says = SAYS },
	.probe = probe,
	.prepare = prepare,
	.send = move,
	.release = release,
};

const struct method method_uring_send_zc_sqpoll = {
	.name = "uring_send_zc_sqpoll",
	.summary = "uring_send_zc with a kernel thread that takes requests without calls",
	.flags = METHOD_USER_BUFFER | METHOD_ZEROCOPY,
	.textbook = { .file_to_user = 1, .says = SAYS },
	.probe = probe,
	.prepare = prepare_sqpoll,
	.send = move,
	.release = release,
};
