// SPDX-License-Identifier: MIT
#include "transfer/receiver.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/privilege.h"
#include "measure/clock.h"
#include "transfer/placement.h"

static int accept_one(int listener)
{
	int s;

	do
		s = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	while (s < 0 && errno == EINTR);
	return s < 0 ? -errno : s;
}

static int answer(int socket, uint64_t received)
{
	ssize_t n;

	do
		n = send(socket, &received, sizeof(received), MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == sizeof(received) ? 0 : -EPIPE;
}

void receiver_serve(const struct transfer_spec *spec, int listener, int control)
{
	const struct transfer_hooks *hooks = spec->hooks;
	uint32_t nobody = 0;
	volatile uint32_t *phase = hooks && hooks->receiver_phase ? hooks->receiver_phase : &nobody;
	struct receiver_report report = { .kind = RECEIVER_READY };
	struct sink_state state = { .pipe = { -1, -1 }, .null = -1 };
	int socket = -1;
	double cpu;

	report.err = placement_pin(spec->receiver_cpu);
	if (!report.err)
		report.err = sink_open(&state, spec->sink);
	if (!report.err) {
		socket = accept_one(listener);
		report.err = socket < 0 ? socket : link_read_back(socket, &report.link);
	}
	close(listener);
	if (!report.err)
		report.err = privilege_keep_for_preparing();
	if (!report.err)
		report.err = privilege_drop_all();
	if (send(control, &report, sizeof(report), MSG_NOSIGNAL) != sizeof(report) || report.err)
		goto out;

	*phase = PHASE_TRANSFER;
	cpu = clock_process_cpu();
	report.err = sink_take(&state, socket, spec->size, &report.received);
	if (!report.err)
		report.err = answer(socket, report.received);
	report.cpu_s = clock_process_cpu() - cpu;
	*phase = PHASE_RELEASE;

	report.kind = RECEIVER_DONE;
	if (spec->sink == SINK_VERIFY)
		report.hash = sink_hash(&state);
	(void)send(control, &report, sizeof(report), MSG_NOSIGNAL);
out:
	if (socket >= 0)
		close(socket);
	sink_close(&state);
}
