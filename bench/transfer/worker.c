// SPDX-License-Identifier: MIT
#include "transfer/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/privilege.h"
#include "measure/clock.h"
#include "transfer/placement.h"

size_t transfer_chunk(uint64_t chunk, uint64_t size)
{
	static const uint64_t call_max = 0x7ffff000; /* MAX_RW_COUNT: the kernel cuts every call to it */

	if (!chunk || chunk > size)
		chunk = size;
	if (chunk > call_max)
		chunk = call_max;
	return chunk ? (size_t)chunk : 1;
}

static int explain(const struct worker *w, int err, struct failure *why)
{
	const struct job *job = &w->job;
	const char *name = w->spec->method->name;
	const char *call = job->failed_call ? job->failed_call : "the transfer";

	if (err == -EPIPE || err == -ECONNRESET)
		return fail(why, EXIT_TRANSFER_FAILED, -err,
			    "%s: the receiver went away after %" PRIu64 " of %" PRIu64 " bytes", name,
			    job->moved, job->size);
	if (err == -ENODATA)
		return fail(why, EXIT_TRANSFER_FAILED, -err,
			    "%s: %s ended early, %" PRIu64 " of %" PRIu64
			    " bytes were there: it got shorter during the run",
			    name, job->path, job->moved, job->size);
	if (err == -EFAULT)
		return fail(why, EXIT_TRANSFER_FAILED, -err,
			    "%s: a page of the mapping of %s is gone after %" PRIu64 " of %" PRIu64
			    " bytes: the file got shorter while it was mapped, or can't be read",
			    name, job->path, job->moved, job->size);
	return fail(why, EXIT_TRANSFER_FAILED, -err, "%s: %s failed on %s: %s", name, call, job->path,
		    strerror(-err));
}

static int no_privilege(int err, struct failure *why)
{
	return fail(why, EXIT_MACHINE_CANT, -err, "can't give up privileges: %s", strerror(-err));
}

int worker_prepare(struct worker *w, const struct transfer_spec *spec,
		   const struct link_address *at, struct transfer_outcome *out, struct failure *why)
{
	double before = clock_process_cpu();
	int err;

	*w = (struct worker){ .spec = spec, .socket = -1, .out = out };
	w->job = (struct job){ .path = spec->path,
			       .file = -1,
			       .size = spec->size,
			       .chunk = transfer_chunk(spec->chunk, spec->size) };
	err = placement_pin(spec->sender_cpu);
	if (err)
		return fail(why, EXIT_MACHINE_CANT, -err, "can't pin the sender to CPU %d: %s; was it taken offline, or out of this cpuset?",
			    spec->sender_cpu, strerror(-err));
	w->socket = link_connect(&spec->link, at, why);
	if (w->socket < 0)
		return w->socket;
	w->job.socket = w->socket;
	err = link_read_back(w->socket, &out->sender_link);
	if (err)
		return fail(why, EXIT_MACHINE_CANT, -err, "can't read the sender's socket options: %s",
			    strerror(-err));
	if (spec->unprivileged && (err = privilege_keep_for_preparing()))
		return no_privilege(err, why);
	err = spec->method->prepare(&w->job);
	memcpy(out->note, w->job.note, sizeof(out->note));
	if (err)
		return explain(w, err, why);
	if (spec->unprivileged && (err = privilege_drop_all()))
		return no_privilege(err, why);
	out->setup_cpu_s = clock_process_cpu() - before;
	return 0;
}

/* The receiver answers with the number of bytes it got: its word that all of them arrived. */
static int wait_for_answer(struct worker *w)
{
	uint64_t answer = 0;
	ssize_t n;

	do
		n = recv(w->socket, &answer, sizeof(answer), MSG_WAITALL);
	while (n < 0 && errno == EINTR);
	if (n == sizeof(answer) && answer == w->job.size)
		return 0;
	w->job.failed_call = "wait for the receiver";
	w->job.moved = answer;
	return n < 0 ? -errno : -EPIPE;
}

int worker_transfer(struct worker *w, struct failure *why)
{
	const struct transfer_hooks *hooks = w->spec->hooks;
	uint32_t nobody = 0;
	volatile uint32_t *phase = hooks && hooks->sender_phase ? hooks->sender_phase : &nobody;
	struct transfer_outcome *out = w->out;
	struct rusage before, after;
	double wall, cpu;
	int err;

	getrusage(RUSAGE_SELF, &before);
	*phase = PHASE_TRANSFER;
	cpu = clock_process_cpu();
	wall = clock_wall();
	err = w->spec->method->send(&w->job);
	if (!err)
		err = wait_for_answer(w);
	wall = clock_wall() - wall;
	cpu = clock_process_cpu() - cpu;
	*phase = PHASE_RELEASE;
	getrusage(RUSAGE_SELF, &after);

	out->wall_s = wall;
	out->sender_cpu_s = cpu;
	out->faults_minor = after.ru_minflt - before.ru_minflt;
	out->faults_major = after.ru_majflt - before.ru_majflt;
	out->switches_voluntary = after.ru_nvcsw - before.ru_nvcsw;
	out->switches_involuntary = after.ru_nivcsw - before.ru_nivcsw;
	return err ? explain(w, err, why) : 0;
}

void worker_release(struct worker *w)
{
	double before = clock_process_cpu();

	w->spec->method->release(&w->job);
	w->out->release_cpu_s = clock_process_cpu() - before;
	memcpy(w->out->figures, w->job.figures, sizeof(w->out->figures));
	if (w->socket >= 0)
		close(w->socket);
}
