// SPDX-License-Identifier: MIT
#include "transfer/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/privilege.h"
#include "measure/clock.h"
#include "transfer/lanes.h"
#include "transfer/payload.h"
#include "transfer/placement.h"
#include "transfer/remote.h"

size_t transfer_chunk(uint64_t chunk, uint64_t size)
{
	static const uint64_t call_max = 0x7ffff000; /* MAX_RW_COUNT: the kernel cuts every call to it */

	if (!chunk || chunk > size)
		chunk = size;
	if (chunk > call_max)
		chunk = call_max;
	return chunk ? (size_t)chunk : 1;
}

static int explain(const struct lane *lane, int err, struct failure *why)
{
	const struct job *job = &lane->job;
	const char *name = lane->worker->spec->method->name;
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
	if (err == -EOPNOTSUPP)
		return fail(why, EXIT_MACHINE_CANT, -err,
			    "%s can't be done over the link '%s': %s is not supported there; use another --link",
			    name, link_names[lane->worker->spec->link.kind], call);
	return fail(why, EXIT_TRANSFER_FAILED, -err, "%s: %s failed on %s: %s", name, call, job->path,
		    strerror(-err));
}

static int no_privilege(int err, struct failure *why)
{
	return fail(why, EXIT_MACHINE_CANT, -err, "can't give up privileges: %s", strerror(-err));
}

/* The lane that failed by itself, not by the others' end. */
static int explain_lanes(const struct worker *w, struct failure *why)
{
	const struct lane *worst = NULL;

	for (unsigned int i = 0; i < w->spec->connections; i++) {
		const struct lane *lane = &w->lanes[i];
		bool by_others = lane->err == -EPIPE || lane->err == -ECONNRESET;

		if (lane->err && (!worst || !by_others))
			worst = lane;
		if (lane->err && !by_others)
			break;
	}
	return worst ? explain(worst, worst->err, why) : 0;
}

static int open_lane(struct worker *w, unsigned int i, const struct link_address *at,
		     struct failure *why)
{
	const struct transfer_spec *spec = w->spec;
	struct lane *lane = &w->lanes[i];
	int s, err;

	lane->worker = w;
	lane->job = (struct job){ .path = spec->path,
				  .file = -1,
				  .socket = -1,
				  .size = spec->size,
				  .chunk = transfer_chunk(spec->chunk, spec->size) };
	if (spec->many_files) {
		lane->path = payload_path(spec->path, i);
		if (!lane->path)
			return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
		lane->job.path = lane->path;
	}
	s = link_connect(&spec->link, at, why);
	if (s < 0)
		return s;
	lane->job.socket = s;
	w->opened = i + 1;
	err = spec->remote ? remote_introduce(spec->remote, s) : 0;
	return err ? fail(why, EXIT_TRANSFER_FAILED, -err, "can't send to the other host: %s", strerror(-err)) : 0;
}

int worker_prepare(struct worker *w, const struct transfer_spec *spec,
		   const struct link_address *at, struct transfer_outcome *out, struct failure *why)
{
	double before = clock_process_cpu();
	int err;

	*w = (struct worker){ .spec = spec, .out = out };
	err = placement_pin(spec->sender_cpu);
	if (err)
		return fail(why, EXIT_MACHINE_CANT, -err, "can't pin the sender to CPU %d: %s; was it taken offline, or out of this cpuset?",
			    spec->sender_cpu, strerror(-err));
	w->lanes = calloc(spec->connections, sizeof(*w->lanes));
	if (!w->lanes)
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory for the connections");
	for (unsigned int i = 0; i < spec->connections && !err; i++)
		err = open_lane(w, i, at, why);
	if (err)
		return err;
	err = link_read_back(w->lanes[0].job.socket, &out->sender_link);
	if (err)
		return fail(why, EXIT_MACHINE_CANT, -err, "can't read the sender's socket options: %s",
			    strerror(-err));
	if (spec->unprivileged && (err = privilege_keep_for_preparing()))
		return no_privilege(err, why);
	if (spec->connections == 1)
		w->lanes[0].err = lane_prepare(&w->lanes[0]);
	else
		(void)lanes_prepare(w);
	memcpy(out->note, w->lanes[0].job.note, sizeof(out->note));
	err = explain_lanes(w, why);
	if (err)
		return err;
	if (spec->unprivileged && (err = privilege_drop_all()))
		return no_privilege(err, why);
	out->setup_cpu_s = clock_process_cpu() - before;
	return 0;
}

int worker_transfer(struct worker *w, struct failure *why)
{
	const struct transfer_hooks *hooks = w->spec->hooks;
	uint32_t nobody = 0;
	volatile uint32_t *phase = hooks && hooks->sender_phase ? hooks->sender_phase : &nobody;
	struct transfer_outcome *out = w->out;
	struct rusage before, after;
	double start, wall, cpu;

	getrusage(RUSAGE_SELF, &before);
	*phase = PHASE_TRANSFER;
	cpu = clock_process_cpu();
	start = clock_wall();
	if (w->spec->connections == 1)
		w->lanes[0].err = lane_send(&w->lanes[0]);
	else
		lanes_send(w);
	wall = clock_wall() - start;
	cpu = clock_process_cpu() - cpu;
	*phase = PHASE_RELEASE;
	getrusage(RUSAGE_SELF, &after);

	out->wall_s = wall;
	out->sender_cpu_s = cpu;
	out->faults_minor = after.ru_minflt - before.ru_minflt;
	out->faults_major = after.ru_majflt - before.ru_majflt;
	out->switches_voluntary = after.ru_nvcsw - before.ru_nvcsw;
	out->switches_involuntary = after.ru_nivcsw - before.ru_nivcsw;
	lanes_fair_share(w, start, out);
	return explain_lanes(w, why);
}

void worker_release(struct worker *w)
{
	double before = clock_process_cpu();

	if (!w->lanes)
		return;
	if (w->spec->connections > 1)
		lanes_release(w);
	else if (w->opened)
		w->spec->method->release(&w->lanes[0].job);
	w->out->release_cpu_s = clock_process_cpu() - before;
	lanes_figures(w, w->out->figures);
	for (unsigned int i = 0; i < w->opened; i++)
		close(w->lanes[i].job.socket);
	for (unsigned int i = 0; i < w->spec->connections; i++)
		free(w->lanes[i].path);
	free(w->lanes);
	w->lanes = NULL;
}
