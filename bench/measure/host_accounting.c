// SPDX-License-Identifier: MIT
/* How this kernel accounts CPU time: what it splits by ticks, and who pays for softirq work. */
#include "measure/host_parts.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "measure/fact.h"

#define NOHZ_FULL "/sys/devices/system/cpu/nohz_full"
#define SENDS 256
#define ROUNDS 24
/* CPU ÷ wall time of the best round: where every cycle is charged it comes within 1 % of one. */
#define ALL_CHARGED 0.97
#define SOME_MISSING 0.90
/* More CPU time than wall time: two clocks that disagree prove nothing. */
#define CLOCKS_DISAGREE 1.05

static uint64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void put_kind(json_t *host, const char *kind, const char *split, const char *source)
{
	fact_put(host, "kernel", "cpu_accounting", fact_known(json_string(kind), source));
	fact_put(host, "kernel", "user_system_split", fact_known(json_string(split), source));
}

/*
 * The generic code that reads a clock at every crossing is compiled into most kernels and sleeps
 * unless nohz_full= wakes it, on those CPUs; a few architectures have code of their own, which is
 * always awake. No short trial can tell: the generic code too hands out its sums a tick at a time.
 */
static void split(json_t *host)
{
	const char *machine = json_string_value(fact_value(host, "kernel.architecture"));
	const json_t *build = fact_value(host, "kernel.build");
	char cpus[256];
	int err;

	err = first_line(NOHZ_FULL, cpus, sizeof(cpus));
	if (!err && isdigit((unsigned char)cpus[0])) {
		put_kind(host, "virtual", "measured", NOHZ_FULL);
		fact_put(host, "kernel", "nohz_full", fact_known(json_string(cpus), NOHZ_FULL));
		return;
	}
	fact_put(host, "kernel", "nohz_full", fact_known(json_string("none"), NOHZ_FULL));
	if (json_object_get(build, "CONFIG_VIRT_CPU_ACCOUNTING_NATIVE")) {
		put_kind(host, "virtual", "measured", "kernel configuration");
	} else if (build || (machine && strncmp(machine, "ppc", 3) && strcmp(machine, "s390x"))) {
		put_kind(host, "tick", "sampled",
			 build ? "kernel configuration, and no CPU in nohz_full"
			       : "no CPU in nohz_full, and an architecture without accounting of "
				 "its own");
	} else {
		const char *reason = "this architecture may account in two ways, and the kernel's "
				     "configuration can't be read";

		fact_put(host, "kernel", "cpu_accounting", fact_unknown("%s", reason));
		fact_put(host, "kernel", "user_system_split", fact_unknown("%s", reason));
	}
}

/*
 * A datagram socket connected to one that nobody reads; once full, the packets die in the receive
 * path.
 */
static int open_pair(int *from, int *to)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*to = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	*from = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (*to < 0 || *from < 0 || bind(*to, (struct sockaddr *)&address, sizeof(address)) ||
	    getsockname(*to, (struct sockaddr *)&address, &length) ||
	    connect(*from, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return 0;
}

/*
 * Sending over loopback runs the receive path as softirq on the sender's back. Compares CPU and
 * wall time over short runs of sends and keeps the best: interruptions only ever lower it, and a
 * best far below one means that softirq time goes to nobody's account. `fd` < 0: plain system
 * calls, the check on the check.
 */
static double best_ratio(int fd)
{
	uint64_t wall, cpu;
	double ratio, best = 0;
	int i, round;

	for (round = 0; round < ROUNDS; round++) {
		wall = now(CLOCK_MONOTONIC);
		cpu = now(CLOCK_THREAD_CPUTIME_ID);
		for (i = 0; i < SENDS; i++) {
			if (fd < 0)
				syscall(SYS_getppid);
			else if (send(fd, "", 1, MSG_DONTWAIT) < 0 && errno != EAGAIN &&
				 errno != ENOBUFS)
				return -1;
		}
		cpu = now(CLOCK_THREAD_CPUTIME_ID) - cpu;
		wall = now(CLOCK_MONOTONIC) - wall;
		ratio = wall ? (double)cpu / (double)wall : 0;
		if (ratio > best)
			best = ratio;
	}
	return best;
}

static void softirq(json_t *host)
{
	int from = -1, to = -1, err;
	double plain, sending;
	json_t *fact;

	err = open_pair(&from, &to);
	plain = best_ratio(-1);
	sending = err ? -1 : best_ratio(from);
	if (sending < 0)
		fact = fact_unknown("can't send a datagram over loopback: %s",
				    strerror(err ? -err : errno));
	else if (plain < ALL_CHARGED || plain > CLOCKS_DISAGREE || sending > CLOCKS_DISAGREE ||
		 (sending < ALL_CHARGED && sending > SOME_MISSING))
		fact = fact_unknown("no clear answer: %.0f %% of wall time was charged for plain "
				    "system calls, %.0f %% for sends over loopback",
				    100 * plain, 100 * sending);
	else
		fact = fact_known(json_boolean(sending >= ALL_CHARGED),
				  "trial: CPU ÷ wall time of sends over loopback");
	fact_put(host, "kernel", "softirq_charged_to_task", fact);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
}

void host_accounting(json_t *host)
{
	split(host);
	softirq(host);
}
