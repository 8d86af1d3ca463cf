// SPDX-License-Identifier: MIT
/*
 * The loop everybody would write by hand, with no harness around it: what
 * `make overhead` holds copytax against. Usage: bare METHOD FILE CHUNK CPU_SEND CPU_RECV
 * prints "sender-cpu-seconds wall-seconds". Errors end it with assert(): it is a yardstick, not a tool.
 */
#define _GNU_SOURCE
#undef NDEBUG
#include <assert.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double now(clockid_t clock)
{
	struct timespec t;

	assert(clock_gettime(clock, &t) == 0);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	assert(cpu < 0 || sched_setaffinity(0, sizeof(set), &set) == 0);
}

static int tcp(void)
{
	/* copytax's defaults; the kernel doubles the buffers */
	int s = socket(AF_INET, SOCK_STREAM, 0), out = 1 << 20, in = 128 << 10;

	assert(s >= 0);
	assert(setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "reno", 4) == 0);
	assert(setsockopt(s, SOL_SOCKET, SO_SNDBUF, &out, sizeof(out)) == 0);
	assert(setsockopt(s, SOL_SOCKET, SO_RCVBUF, &in, sizeof(in)) == 0);
	return s;
}

static char lead[256];

static void receive(int s, size_t size, int cpu)
{
	static char buf[256 << 10];
	size_t got = 0;
	ssize_t n;

	pin(cpu);
	assert(recv(s, lead, sizeof(lead), MSG_WAITALL) == sizeof(lead));
	while (got < size && (n = recv(s, buf, sizeof(buf), 0)) > 0)
		got += (size_t)n;
	assert(send(s, &got, sizeof(got), 0) == sizeof(got));
	_exit(0);
}

static void put(int s, const char *p, size_t len)
{
	for (ssize_t n; len; p += n, len -= (size_t)n)
		assert((n = write(s, p, len)) > 0);
}

int main(int argc, char **argv)
{
	assert(argc == 6);
	const char *m = argv[1];
	size_t chunk = strtoul(argv[3], NULL, 10), answer = 0;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);
	struct stat st;
	int l = tcp(), s = tcp(), pipes[2];
	int f = open(argv[2], O_RDONLY | (strcmp(m, "direct_write") ? 0 : O_DIRECT));
	char *buf = aligned_alloc(4096, chunk), *map;

	assert(f >= 0 && fstat(f, &st) == 0 && buf && pipe(pipes) == 0);
	memset(buf, 1, chunk);
	(void)fcntl(pipes[1], F_SETPIPE_SZ, (int)chunk);
	assert(bind(l, (struct sockaddr *)&a, len) == 0 && listen(l, 1) == 0);
	assert(getsockname(l, (struct sockaddr *)&a, &len) == 0);
	size_t size = (size_t)st.st_size, left = size;

	if (fork() == 0)
		receive(accept(l, NULL, NULL), size, atoi(argv[5]));
	pin(atoi(argv[4]));
	assert(connect(s, (struct sockaddr *)&a, len) == 0);
	/* as copytax's --lead: it decides how the payload lies in the socket's pages */
	assert(send(s, lead, sizeof(lead), 0) == sizeof(lead));
	usleep(20000);
	double cpu = now(CLOCK_PROCESS_CPUTIME_ID), wall = now(CLOCK_MONOTONIC);

	if (!strcmp(m, "read_write") || !strcmp(m, "direct_write")) {
		for (ssize_t n; left; left -= (size_t)n) {
			assert((n = read(f, buf, chunk)) > 0);
			put(s, buf, (size_t)n);
		}
	} else if (!strcmp(m, "mmap_write")) {
		assert((map = mmap(NULL, size, PROT_READ, MAP_SHARED, f, 0)) != MAP_FAILED);
		for (size_t n; left; left -= n)
			put(s, map + (size - left), n = left < chunk ? left : chunk);
	} else if (!strcmp(m, "sendfile")) {
		for (ssize_t n; left; left -= (size_t)n)
			assert((n = sendfile(s, f, NULL, left < chunk ? left : chunk)) > 0);
	} else if (!strcmp(m, "splice")) {
		for (ssize_t n, k; left; left -= (size_t)n) {
			assert((n = splice(f, NULL, pipes[1], NULL, chunk, SPLICE_F_MOVE)) > 0);
			for (ssize_t o = n; o; o -= k)
				assert((k = splice(pipes[0], NULL, s, NULL, (size_t)o,
						   SPLICE_F_MOVE)) > 0);
		}
	} else {
		assert(0 && "unknown method");
	}
	assert(recv(s, &answer, sizeof(answer), MSG_WAITALL) == sizeof(answer) && answer == size);
	wall = now(CLOCK_MONOTONIC) - wall;
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf("%.9f %.9f\n", cpu, wall);
	return 0;
}
