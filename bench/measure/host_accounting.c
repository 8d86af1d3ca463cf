// SPDX-License-Identifier: MIT
/*
 * How this kernel accounts CPU time. Configuration does not settle it (the precise kind is compiled into
 * most kernels and sleeps unless a boot option wakes it), so both questions are put to the kernel itself.
 */
#include "measure/host_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "measure/fact.h"

#define BURSTS 8
#define HALF_BURST_NS 200000
#define SENDS 256
#define ROUNDS 24
/* CPU ÷ wall time of the best round: where every cycle is charged it comes within 1 % of one. */
#define ALL_CHARGED 0.97
#define SOME_MISSING 0.90

static uint64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/*
 * In a fresh process: as much time in user mode as in the kernel, much less of both than a tick. Where time
 * is split by ticks, one of the two is exactly zero, for at most one tick can have fallen; where it is
 * measured at every crossing, neither is.
 */
static void burst(void) __attribute__((noreturn));
static void burst(void)
{
	volatile unsigned int spin = 0;
	struct rusage usage;
	uint64_t start;

	start = now(CLOCK_MONOTONIC);
	while (now(CLOCK_MONOTONIC) - start < HALF_BURST_NS)
		for (int i = 0; i < 1000; i++)
			spin = spin + 1;
	start = now(CLOCK_MONOTONIC);
	while (now(CLOCK_MONOTONIC) - start < HALF_BURST_NS)
		for (int i = 0; i < 50; i++)
			syscall(SYS_getppid);
	getrusage(RUSAGE_SELF, &usage);
	_exit((usage.ru_utime.tv_usec || usage.ru_utime.tv_sec) &&
	      (usage.ru_stime.tv_usec || usage.ru_stime.tv_sec));
}

static void split(json_t *host)
{
	const char *source = "trial: bursts shorter than a tick, half of each in the kernel";
	int i, status, both = 0, done = 0;
	pid_t child;

	for (i = 0; i < BURSTS; i++) {
		child = fork();
		if (child < 0)
			break;
		if (!child)
			burst();
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
		if (!WIFEXITED(status))
			continue;
		done++;
		both += WEXITSTATUS(status);
	}
	if (done < BURSTS || (both > BURSTS / 4 && both < BURSTS - BURSTS / 4)) {
		fact_put(host, "kernel", "cpu_accounting",
			 fact_unknown("%d of %d short trial processes showed both user and system time: "
				      "no clear answer",
				      both, done));
		fact_put(host, "kernel", "user_system_split", fact_unknown("the kind of accounting is unclear"));
		return;
	}
	fact_put(host, "kernel", "cpu_accounting", fact_known(json_string(both ? "virtual" : "tick"), source));
	fact_put(host, "kernel", "user_system_split",
		 fact_known(json_string(both ? "measured" : "sampled"), source));
}

/* A datagram socket connected to one that nobody reads; once full, the packets die in the receive path. */
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
 * Sending over loopback runs the receive path as softirq on the sender's back. Compares CPU and wall time
 * over short runs of sends and keeps the best: interruptions only ever lower it, and a best far below one
 * means that softirq time goes to nobody's account. `fd` < 0: plain system calls, the check on the check.
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
			else if (send(fd, "", 1, MSG_DONTWAIT) < 0 && errno != EAGAIN && errno != ENOBUFS)
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
		fact = fact_unknown("can't send a datagram over loopback: %s", strerror(err ? -err : errno));
	else if (plain < ALL_CHARGED || (sending < ALL_CHARGED && sending > SOME_MISSING))
		fact = fact_unknown("no clear answer: %.0f %% of wall time was charged for plain system calls, "
				    "%.0f %% for sends over loopback",
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
