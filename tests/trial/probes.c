// SPDX-License-Identifier: MIT
/*
 * The probes held against transfers whose every count is known beforehand.
 * Usage: probes FILE [CHUNK [AVOID]]; AVOID is a mask of 1 << enum probe_rung.
 * The file's size must be a multiple of CHUNK and of 4096. Prints PASS or FAIL per expectation; exits 1
 * when one failed. Runs on its own, so that it can be taken into any kernel.
 */
#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "measure/calibrate.h"
#include "measure/probes.h"

static size_t size, chunk;
static const char *path;
static int failures;

struct shared {
	double cpu, wall;
	long nvcsw, nivcsw, minflt, majflt;
	uint64_t resent;
};

static void expect(const char *method, const char *what, bool known, uint64_t got, uint64_t want)
{
	bool ok = known && got == want;

	printf("%s %s %s: %s%" PRIu64 ", expected %" PRIu64 "\n", ok ? "PASS" : "FAIL", method,
	       what, known ? "" : "unknown ", got, want);
	failures += !ok;
}

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int tcp(void)
{
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	assert(s >= 0);
	(void)!setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
	assert(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0);
	return s;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	(void)!sched_setaffinity(0, sizeof(set), &set);
}

static void wait_go(int fd)
{
	char c;

	assert(read(fd, &c, 1) == 1);
}

static void receiver(int l, int go, volatile uint32_t *phase, bool truncate)
{
	static char buf[256 << 10];
	size_t got = 0;
	ssize_t n;
	int s;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin(1);
	memset(buf, 1, sizeof(buf));
	wait_go(go);
	s = accept(l, NULL, NULL);
	*phase = PHASE_TRANSFER;
	while (got < size && (n = recv(s, buf, sizeof(buf), truncate ? MSG_TRUNC : 0)) > 0)
		got += (size_t)n;
	*phase = PHASE_OFF;
	assert(send(s, &got, sizeof(got), 0) == sizeof(got));
	_exit(0);
}

static void put(int s, const char *p, size_t len)
{
	for (ssize_t n; len; p += n, len -= (size_t)n)
		assert((n = write(s, p, len)) > 0);
}

static void worker(const char *m, int l, int go, volatile uint32_t *phase, struct shared *out)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	size_t left = size, answer = 0;
	char *buf, *map = NULL;
	struct rusage before, after;
	struct tcp_info info = { 0 };
	int f, s, pipes[2];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin(0);
	wait_go(go);
	s = tcp();
	assert(getsockname(l, (struct sockaddr *)&a, &len) == 0);
	assert(connect(s, (struct sockaddr *)&a, len) == 0);
	*phase = PHASE_SETUP;
	f = open(path, O_RDONLY | (strcmp(m, "direct_write") ? 0 : O_DIRECT));
	assert(f >= 0);
	buf = aligned_alloc(4096, chunk);
	memset(buf, 1, chunk);
	assert(pipe(pipes) == 0);
	(void)fcntl(pipes[1], F_SETPIPE_SZ, (int)chunk);
	if (!strcmp(m, "zerocopy")) {
		int one = 1;

		assert(setsockopt(s, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)) == 0);
		assert((map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				   -1, 0)) != MAP_FAILED);
		memset(map, 1, size);
	}
	if (!strcmp(m, "mmap_write"))
		assert((map = mmap(NULL, size, PROT_READ, MAP_SHARED, f, 0)) != MAP_FAILED);
	getrusage(RUSAGE_SELF, &before);
	out->cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	out->wall = now(CLOCK_MONOTONIC);
	*phase = PHASE_TRANSFER;
	if (!strcmp(m, "read_write") || !strcmp(m, "direct_write")) {
		for (ssize_t n; left; left -= (size_t)n) {
			assert((n = read(f, buf, chunk)) > 0);
			put(s, buf, (size_t)n);
		}
	} else if (!strcmp(m, "zerocopy")) {
		for (ssize_t n; left; left -= (size_t)n) {
			n = send(s, map + (size - left), left < chunk ? left : chunk, MSG_ZEROCOPY);
			if (n < 0 && errno == ENOBUFS) {
				char control[256];
				struct msghdr msg = { .msg_control = control,
						      .msg_controllen = sizeof(control) };

				recvmsg(s, &msg, MSG_ERRQUEUE);
				n = 0;
			}
			assert(n >= 0);
		}
	} else if (!strcmp(m, "mmap_write")) {
		for (size_t n; left; left -= n)
			put(s, map + (size - left), n = left < chunk ? left : chunk);
	} else if (!strcmp(m, "sendfile")) {
		for (ssize_t n; left; left -= (size_t)n)
			assert((n = sendfile(s, f, NULL, left < chunk ? left : chunk)) > 0);
	} else {
		for (ssize_t n, k; left; left -= (size_t)n) {
			assert((n = splice(f, NULL, pipes[1], NULL, chunk, SPLICE_F_MOVE)) > 0);
			for (ssize_t o = n; o; o -= k)
				assert((k = splice(pipes[0], NULL, s, NULL, (size_t)o,
						   SPLICE_F_MOVE)) > 0);
		}
	}
	assert(recv(s, &answer, sizeof(answer), MSG_WAITALL) == sizeof(answer) && answer == size);
	*phase = PHASE_RELEASE;
	out->wall = now(CLOCK_MONOTONIC) - out->wall;
	out->cpu = now(CLOCK_PROCESS_CPUTIME_ID) - out->cpu;
	getrusage(RUSAGE_SELF, &after);
	len = sizeof(info);
	out->resent = getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &len) ? 0
									: info.tcpi_bytes_retrans;
	out->nvcsw = after.ru_nvcsw - before.ru_nvcsw;
	out->nivcsw = after.ru_nivcsw - before.ru_nivcsw;
	out->minflt = after.ru_minflt - before.ru_minflt;
	out->majflt = after.ru_majflt - before.ru_majflt;
	if (map)
		munmap(map, size);
	close(f);
	_exit(0);
}

/* every page in the cache, whatever other users of the machine did to it */
static void warm(void)
{
	static char buf[1 << 20];
	int f = open(path, O_RDONLY);

	while (read(f, buf, sizeof(buf)) > 0)
		;
	close(f);
}

static void transfer(struct probes *p, const char *m, bool truncate, struct probe_counts *counts,
		     struct shared *out, bool quiet)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct failure why = { 0 };
	struct probe_target target = { .tcp = true };
	static volatile uint32_t nothing[ROLES];
	int l = tcp(), go[2], status;
	pid_t r, w;
	double t;

	assert(bind(l, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(l, 1) == 0);
	assert(pipe(go) == 0);
	r = fork();
	if (!r)
		receiver(l, go[0], p ? probes_phase(p, ROLE_RECEIVER) : &nothing[0], truncate);
	w = fork();
	if (!w)
		worker(m, l, go[0], p ? probes_phase(p, ROLE_SENDER) : &nothing[1], out);
	warm();
	target.sender = w;
	target.receiver = r;
	target.source = open(path, O_RDONLY | O_CLOEXEC);
	t = now(CLOCK_MONOTONIC);
	if (p && probes_begin(p, &target, &why)) {
		printf("FAIL begin: %s\n", why.text);
		exit(1);
	}
	if (!quiet)
		printf("# begin %.1f ms\n", 1e3 * (now(CLOCK_MONOTONIC) - t));
	assert(write(go[1], "gg", 2) == 2);
	assert(waitpid(w, &status, 0) == w && status == 0);
	assert(waitpid(r, &status, 0) == r && status == 0);
	t = now(CLOCK_MONOTONIC);
	if (p)
		probes_end(p, counts);
	if (!quiet)
		printf("# end %.1f ms\n", 1e3 * (now(CLOCK_MONOTONIC) - t));
	close(target.source);
	close(l);
	close(go[0]);
	close(go[1]);
}

static void show(const struct probes *p, const struct probe_counts *c, const struct shared *s)
{
	for (enum role role = 0; role < ROLES; role++)
		for (enum phase phase = PHASE_SETUP; phase < PHASES; phase++) {
			const struct counters *k = &c->of[role][phase];

			printf("  role %d phase %d:", role, phase);
			for (unsigned int i = 0; i < COUNTED_SYSCALLS; i++)
				if (k->syscalls[i])
					printf(" %s=%llu", probes_call_name(i) ?: "?",
					       k->syscalls[i]);
			printf(" | faults user %llu kernel %llu | irq", k->faults_user,
			       k->faults_kernel);
			for (enum interrupt i = 0; i < INTERRUPTS; i++)
				if (k->interrupts[i][0] || k->interrupts[i][1])
					printf(" %s=%llu+%lluu", probes_interrupt_name(i),
					       k->interrupts[i][0], k->interrupts[i][1]);
			printf(" | soft");
			for (unsigned int i = 0; i < COUNTED_SOFTIRQS; i++)
				if (k->softirqs[i] || k->softirqs_elsewhere[i])
					printf(" %s=%llu(+%llu)", probes_softirq_name(i),
					       k->softirqs[i], k->softirqs_elsewhere[i]);
			printf(" | sw vol t%llu p%llu k%llu i%llu inv t%llu p%llu k%llu i%llu "
			       "waits",
			       k->switches[1][0], k->switches[1][1], k->switches[1][2],
			       k->switches[1][3], k->switches[0][0], k->switches[0][1],
			       k->switches[0][2], k->switches[0][3]);
			for (unsigned int i = 0; i < COUNTED_SYSCALLS; i++)
				if (k->waits[0][i] || k->waits[1][i])
					printf(" %s=%llu/io%llu", probes_call_name(i) ?: "?",
					       k->waits[0][i], k->waits[1][i]);
			printf(" out=%llu/io%llu | unplaced %llu/%llu added %llu touched %llu\n",
			       k->waits_outside[0], k->waits_outside[1], k->unplaced.calls,
			       k->unplaced.bytes, k->pages_added, k->pages_touched);
			for (enum site site = 0; site < SITES; site++) {
				struct probe_value v;

				probes_site(p, c, role, phase, site, &v);
				if (v.bytes || v.second_bytes)
					printf("    %s %" PRIu64 " in %" PRIu64
					       " (%s) second %" PRIu64 "\n",
					       probes_site_name(site), v.bytes, v.calls, v.source,
					       v.second_bytes);
			}
		}
	printf("  cpu %.4f wall %.4f nvcsw %ld nivcsw %ld minflt %ld majflt %ld\n", s->cpu, s->wall,
	       s->nvcsw, s->nivcsw, s->minflt, s->majflt);
}

static bool memory_only(void)
{
	struct statfs fs;

	assert(statfs(path, &fs) == 0);
	return fs.f_type == 0x01021994;
}

static const char *const methods[] = { "read_write", "mmap_write", "sendfile", "splice",
				       "direct_write" };

static void check(struct probes *p, const char *m, struct shared *s, bool truncate)
{
	struct probe_counts *c = calloc(1, sizeof(*c));
	uint64_t n = size / chunk;
	const struct counters *k = &c->of[ROLE_SENDER][PHASE_TRANSFER];
	/* tmpfs knows no device: where it takes O_DIRECT at all, it copies */
	bool in_memory = memory_only(), direct = !strcmp(m, "direct_write");
	static const struct {
		const char *m;
		enum site site;
	} moves[] = {
		{ "read_write", SITE_FILE_TO_USER },	 { "read_write", SITE_USER_TO_SOCKET },
		{ "mmap_write", SITE_USER_TO_SOCKET },	 { "sendfile", SITE_BY_REFERENCE },
		{ "splice", SITE_BY_REFERENCE },	 { "zerocopy", SITE_BY_REFERENCE },
		{ "zerocopy", SITE_DEFERRED },		 { "direct_write", SITE_DISK_TO_USER },
		{ "direct_write", SITE_USER_TO_SOCKET },
	};
	struct probe_value v;

	if (direct) {
		int f = open(path, O_RDONLY | O_DIRECT);

		if (f < 0) {
			printf("SKIP %s: O_DIRECT: %s\n", m, strerror(errno));
			free(c);
			return;
		}
		close(f);
	}
	transfer(p, m, truncate, c, s, false);
	printf("%s%s\n", m, truncate ? " (truncate)" : "");
	show(p, c, s);
	for (enum site site = 0; site <= SITE_DISK_TO_USER; site++) {
		uint64_t want = 0;

		if (site == SITE_SOCKET_TO_USER || site == SITE_DISK_TO_PAGE_CACHE)
			continue;
		for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
			if (!strcmp(moves[i].m, m) && moves[i].site == site)
				want = size + (site == SITE_DEFERRED ? s->resent : 0);
		if (direct && in_memory && (site == SITE_FILE_TO_USER || site == SITE_DISK_TO_USER))
			want = site == SITE_FILE_TO_USER ? size : 0;
		probes_site(p, c, ROLE_SENDER, PHASE_TRANSFER, site, &v);
		if (!v.known && (site == SITE_DEFERRED || site == SITE_FILE_TO_KERNEL)) {
			printf("SKIP %s %s: %s\n", m, probes_site_name(site), v.reason);
			continue;
		}
		expect(m, probes_site_name(site), v.known, v.bytes, want);
		if (v.second_known)
			expect(m, "ledger agrees", true, v.second_bytes, v.bytes);
	}
	probes_site(p, c, ROLE_RECEIVER, PHASE_TRANSFER, SITE_SOCKET_TO_USER, &v);
	expect(m, "receiver socket_to_user", v.known, v.bytes, truncate ? 0 : size);
	if (probes_rows(p)[PROBE_PAGES_ADDED].rung != RUNG_NONE)
		expect(m, "pages added", true, k->pages_added, 0);
	if (!strcmp(m, "read_write") || !strcmp(m, "direct_write")) {
		expect(m, "reads", true, k->syscalls[SYS_read], n);
		expect(m, "writes", true, k->syscalls[SYS_write], n);
	} else if (!strcmp(m, "mmap_write")) {
		expect(m, "writes", true, k->syscalls[SYS_write], n);
	} else if (!strcmp(m, "sendfile")) {
		expect(m, "sendfiles", true, k->syscalls[SYS_sendfile], n);
	} else if (strcmp(m, "zerocopy")) {
		expect(m, "splices", true, k->syscalls[SYS_splice], 2 * n);
	}
	free(c);
}

int main(int argc, char **argv)
{
	struct probe_options options = { .avoid = argc > 3 ? (unsigned int)strtoul(argv[3], NULL, 0)
							   : 0 };
	struct failure why = { 0 };
	struct probes *p;
	struct shared *shared;
	struct stat st;
	double t;

	assert(argc > 1);
	setvbuf(stdout, NULL, _IOLBF, 0);
	path = argv[1];
	chunk = argc > 2 ? strtoul(argv[2], NULL, 0) : 32768;
	assert(stat(path, &st) == 0);
	size = (size_t)st.st_size;
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert(shared != MAP_FAILED);
	if (argc > 4) { /* cost: medians of N */
		int n = atoi(argv[4]);

		for (size_t i = 0; i < 5; i++) {
			double off[n], on[n];
			struct probe_counts *c = calloc(1, sizeof(*c));

			for (int j = 0; j < n; j++) {
				transfer(NULL, methods[i], false, NULL, shared, true);
				off[j] = shared->cpu;
				assert(probes_open(&p, &options, &why) == 0);
				transfer(p, methods[i], false, c, shared, true);
				probes_close(p);
				on[j] = shared->cpu;
			}
			for (int a = 0; a < n; a++)
				for (int b = a + 1; b < n; b++) {
					if (off[b] < off[a]) {
						double x = off[a];
						off[a] = off[b];
						off[b] = x;
					}
					if (on[b] < on[a]) {
						double x = on[a];
						on[a] = on[b];
						on[b] = x;
					}
				}
			printf("%s chunk %zu: off %.1f ms on %.1f ms ratio %.3f (min %.3f)\n",
			       methods[i], chunk, 1e3 * off[n / 2], 1e3 * on[n / 2],
			       on[n / 2] / off[n / 2], on[0] / off[0]);
		}
		return 0;
	}
	t = now(CLOCK_MONOTONIC);
	if (probes_open(&p, &options, &why)) {
		printf("FAIL open: %s\n", why.text);
		return 1;
	}
	printf("# open %.1f ms\n", 1e3 * (now(CLOCK_MONOTONIC) - t));
	t = now(CLOCK_MONOTONIC);
	if (getenv("CALIBRATE")) {
		char dir[4096];
		int n;

		snprintf(dir, sizeof(dir), "%s", path);
		n = calibrate(p, dirname(dir), &why);
		printf("%s calibration: %d distrusted %s (%.0f ms)\n", n ? "FAIL" : "PASS", n,
		       why.text, 1e3 * (now(CLOCK_MONOTONIC) - t));
		failures += n != 0;
	}
	for (int i = 0; i < PROBE_SUBJECTS; i++) {
		const struct probe_row *r = &probes_rows(p)[i];

		printf("%-26s %d %-60s %s%s\n", r->name, r->rung, r->how, r->reason,
		       r->second ? " [ledger too]" : "");
	}
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		check(p, methods[i], shared, false);
	check(p, "read_write", shared, true);
	check(p, "zerocopy", shared, false);
	probes_close(p);
	printf("%s: %d failures\n", failures ? "FAILED" : "ALL PASS", failures);
	return failures != 0;
}
