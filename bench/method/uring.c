// SPDX-License-Identifier: MIT
#include "method/uring.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#define SQPOLL_IDLE_MS 10 /* how long the kernel's thread looks for work before it sleeps */

static int disabled(void)
{
	FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
	int value = 0;

	if (file) {
		if (fscanf(file, "%d", &value) != 1)
			value = 0;
		fclose(file);
	}
	return value;
}

static void explain(int err, char *reason, size_t size)
{
	int state = disabled();

	if (err == -EPERM && state)
		snprintf(reason, size,
			 "io_uring is switched off (kernel.io_uring_disabled=%d%s); sysctl -w "
			 "kernel.io_uring_disabled=0 allows it",
			 state, state == 1 ? ", for those without CAP_SYS_ADMIN" : "");
	else if (err == -EPERM || err == -EACCES)
		snprintf(
			reason, size,
			"io_uring is refused (%s), probably by a seccomp policy as containers have "
			"it; allow io_uring_setup, io_uring_enter and io_uring_register in it",
			strerror(-err));
	else if (err == -ENOSYS)
		snprintf(reason, size,
			 "this kernel has no io_uring (before 5.1, or built without "
			 "CONFIG_IO_URING), or a seccomp policy hides it");
	else if (err == -ENOMEM)
		snprintf(reason, size,
			 "io_uring may not lock enough memory (RLIMIT_MEMLOCK); raise it (ulimit "
			 "-l)");
	else
		snprintf(reason, size, "io_uring can't be set up: %s", strerror(-err));
}

int uring_probe(const int *operations, const char *since, char *reason, size_t reason_size)
{
	struct io_uring ring;
	struct io_uring_probe *known;
	int err = io_uring_queue_init(8, &ring, 0);

	if (err) {
		explain(err, reason, reason_size);
		return err;
	}
	known = io_uring_get_probe_ring(&ring);
	for (; *operations >= 0 && !err; operations++)
		if (!known || !io_uring_opcode_supported(known, *operations))
			err = -EOPNOTSUPP;
	if (err)
		snprintf(reason, reason_size,
			 "this kernel's io_uring lacks an operation that the method needs; %s has "
			 "it",
			 since);
	if (known)
		io_uring_free_probe(known);
	io_uring_queue_exit(&ring);
	return err;
}

/* The newest set-up flags that the kernel takes; older ones refuse what they don't know. */
static int open_ring(struct uring *u, bool sqpoll, const char **how)
{
	static const struct {
		unsigned int flags;
		const char *how;
	} own[] = {
		{ IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
		  "single issuer, deferred task work" },
		{ IORING_SETUP_SINGLE_ISSUER, "single issuer" },
		{ 0, "no set-up flags" },
	}, polled[] = {
		{ IORING_SETUP_SQPOLL | IORING_SETUP_SINGLE_ISSUER, "polled by a kernel thread, single issuer" },
		{ IORING_SETUP_SQPOLL, "polled by a kernel thread" },
		{ IORING_SETUP_SQPOLL, "polled by a kernel thread" },
	};
	int err = -EINVAL;

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]) && err == -EINVAL; i++) {
		/* room for a result of every request, and a notification of this and the last submission's */
		struct io_uring_params p = {
			.flags = (sqpoll ? polled[i].flags : own[i].flags) | IORING_SETUP_CQSIZE,
			.cq_entries = 8 * URING_PAIRS,
			.sq_thread_idle = sqpoll ? SQPOLL_IDLE_MS : 0,
		};

		*how = sqpoll ? polled[i].how : own[i].how;
		err = io_uring_queue_init_params(2 * URING_PAIRS, &u->ring, &p);
	}
	return err;
}

/*
 * The kernel's worker threads of this ring stay on the CPUs that the sender was put on: else they roam, and
 * what they allocate there stays in other CPUs' caches after the transfer. Before 5.14 there is no such wish.
 */
static void place_workers(struct uring *u)
{
	cpu_set_t cpus;

	if (!sched_getaffinity(0, sizeof(cpus), &cpus))
		(void)io_uring_register_iowq_aff(&u->ring, sizeof(cpus), &cpus);
}

int uring_open(struct job *job, struct uring *u, bool sqpoll, int pipe_out, int pipe_in)
{
	const int files[URING_FILES] = { job->file, job->socket, pipe_out, pipe_in };
	const char *how = "";
	size_t len = strlen(job->note);
	int err = open_ring(u, sqpoll, &how);

	if (err)
		return job_failed(job, "io_uring_setup", -err, job->size);
	u->open = true;
	err = io_uring_register_files(&u->ring, files, URING_FILES);
	if (err)
		return job_failed(job, "io_uring_register (files)", -err, job->size);
	place_workers(u);
	/* spares each call the look-up of the ring itself; kernels before 5.18 can't */
	(void)io_uring_register_ring_fd(&u->ring);
	snprintf(job->note + len, sizeof(job->note) - len, "%sio_uring: %s", len ? "; " : "", how);
	return 0;
}

void uring_close(struct uring *u)
{
	if (u->open) {
		/* the kernel ends a ring later and elsewhere: the socket must not wait for it to be closed */
		(void)io_uring_unregister_files(&u->ring);
		io_uring_queue_exit(&u->ring);
	}
	u->open = false;
}

unsigned int uring_pairs(const struct job *job, size_t piece, unsigned int copies)
{
	uint64_t chunks = (job->size + piece - 1) / piece;
	size_t pairs = copies ? URING_BUFFER_BYTES / copies / piece : URING_PAIRS;

	if (pairs > URING_PAIRS)
		pairs = URING_PAIRS;
	if (pairs > chunks)
		pairs = (size_t)chunks;
	return pairs ? (unsigned int)pairs : 1;
}

int uring_run(struct uring *u, unsigned int count, uring_notify notify, void *arg)
{
	int n;

	do
		n = io_uring_submit_and_wait(&u->ring, count);
	while (n == -EINTR || n == -EAGAIN);
	if (n < 0)
		return n;
	/* a request that was refused as such; what is left in the queue would run without its link */
	if ((unsigned int)n < count)
		return -EIO;
	while (count) {
		struct io_uring_cqe *cqe;
		int err = io_uring_wait_cqe(&u->ring, &cqe);

		if (err == -EINTR || err == -EAGAIN)
			continue;
		if (err)
			return err;
		if (!(cqe->flags & IORING_CQE_F_NOTIF)) {
			u->result[cqe->user_data / 2][cqe->user_data & 1] = cqe->res;
			count--;
		}
		if (notify)
			notify(arg, cqe);
		io_uring_cqe_seen(&u->ring, cqe);
	}
	return 0;
}

int uring_wait_notification(struct uring *u, uring_notify notify, void *arg)
{
	struct io_uring_cqe *cqe;
	int err;

	do
		err = io_uring_wait_cqe(&u->ring, &cqe);
	while (err == -EINTR || err == -EAGAIN);
	if (err)
		return err;
	notify(arg, cqe);
	io_uring_cqe_seen(&u->ring, cqe);
	return 0;
}

bool uring_passing(int err)
{
	return err == -EINTR || err == -EAGAIN || err == -ECANCELED || err == -ENOMEM ||
	       err == -ENOBUFS;
}

int uring_pair(struct job *job, struct uring *u, unsigned int pair, size_t len, uint64_t offset,
	       const char *send)
{
	int in = u->result[pair][0], out = u->result[pair][1];

	if (in == (int)len && out == (int)len)
		return 1;
	u->restarts++;
	if (in < 0 && !uring_passing(in))
		return job_failed(job, "read (io_uring)", -in, job->size - offset);
	if (in == 0)
		return job_failed(job, "read (io_uring)", ENODATA, job->size - offset);
	/* the link did not hold: other bytes than the file's went out */
	if (in != (int)len && out > 0)
		return job_failed(job, "read (io_uring)", EIO, job->size - offset);
	if (in == (int)len && out < 0 && !uring_passing(out))
		return job_failed(job, send, -out, job->size - offset);
	return 0;
}

int uring_by_hand(struct job *job, char *buffer, uint64_t offset, size_t len)
{
	while (len) {
		ssize_t n = pread(job->file, buffer, len, (off_t)offset);
		int err;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return job_failed(job, "read", n ? errno : ENODATA, job->size - offset);
		err = io_write_all(job->socket, buffer, (size_t)n);
		if (err)
			return job_failed(job, "write", -err, job->size - offset);
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}
