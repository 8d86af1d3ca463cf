// SPDX-License-Identifier: MIT
/*
 * The probes held against transfers whose every count is known beforehand. Stands alone, so that it can
 * be taken into any kernel, and takes any rung of the ladder.
 *
 * Usage: probes FILE [CHUNK [AVOID]]
 * FILE's size must be a multiple of CHUNK and of 4096; AVOID is a mask of 1 << enum probe_rung. Prints
 * the ladder, the counts, and PASS, FAIL or SKIP for each expectation; exits 1 when one failed.
 * Whatever else goes wrong ends it with assert().
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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure/calibrate.h"
#include "measure/probes.h"

#define TMPFS_MAGIC 0x01021994

static size_t size, chunk;
static const char *path;
static int failures;

/* What the worker learned of itself, in memory shared with it. */
struct notes {
	long switches;	 /* over the transfer, by getrusage */
	uint64_t resent; /* bytes that TCP sent again */
};

static void expect(const char *method, const char *what, bool known, uint64_t got, uint64_t want)
{
	bool ok = known && got == want;

	printf("%s %s %s: ", ok ? "PASS" : "FAIL", method, what);
	if (known)
		printf("%" PRIu64 ", expected %" PRIu64 "\n", got, want);
	else
		printf("not known, expected %" PRIu64 "\n", want);
	failures += !ok;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set); /* one CPU will do as well */
}

static int tcp(void)
{
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	assert(s >= 0);
	assert(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0);
	return s;
}

/* Each process waits for one byte, so that nothing happens before the probes are attached. */
static void wait_for(int go)
{
	char byte;

	assert(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
	assert(read(go, &byte, 1) == 1);
}

static _Noreturn void receive(int listener, int go, volatile uint32_t *phase, bool truncate)
{
	static char buf[256 << 10];
	size_t got = 0;
	ssize_t n;
	int s;

	pin(1);
	memset(buf, 1, sizeof(buf));
	wait_for(go);
	s = accept(listener, NULL, NULL);
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

static void move_by_read(int file, int s, char *buf)
{
	for (size_t left = size; left; left -= chunk) {
		assert(read(file, buf, chunk) == (ssize_t)chunk);
		put(s, buf, chunk);
	}
}

static void move_by_splice(int file, int s, const int pipes[2])
{
	for (ssize_t left = (ssize_t)size, n, k; left; left -= n) {
		assert((n = splice(file, NULL, pipes[1], NULL, chunk, SPLICE_F_MOVE)) > 0);
		for (ssize_t o = n; o; o -= k)
			assert((k = splice(pipes[0], NULL, s, NULL, (size_t)o, SPLICE_F_MOVE)) > 0);
	}
}

static void move_by_zerocopy(int s, const char *p)
{
	char control[256];

	for (size_t left = size; left;) {
		struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
		ssize_t n = send(s, p, left < chunk ? left : chunk, MSG_ZEROCOPY);

		assert(n >= 0 || errno == ENOBUFS);
		if (n < 0) { /* too many notices not taken yet */
			(void)recvmsg(s, &msg, MSG_ERRQUEUE);
			continue;
		}
		p += n;
		left -= (size_t)n;
	}
}

static void move(const char *m, int file, int s, const int pipes[2], char *buf, const char *map)
{
	if (!strcmp(m, "zerocopy"))
		move_by_zerocopy(s, map);
	else if (map)
		for (size_t at = 0; at < size; at += chunk)
			put(s, map + at, chunk);
	else if (!strcmp(m, "sendfile"))
		for (size_t left = size; left; left -= chunk)
			assert(sendfile(s, file, NULL, chunk) == (ssize_t)chunk);
	else if (!strcmp(m, "splice"))
		move_by_splice(file, s, pipes);
	else
		move_by_read(file, s, buf);
}

static long switches(void)
{
	struct rusage usage;

	assert(getrusage(RUSAGE_SELF, &usage) == 0);
	return usage.ru_nvcsw + usage.ru_nivcsw;
}

static _Noreturn void work(const char *m, int listener, int go, volatile uint32_t *phase,
			   struct notes *notes)
{
	bool direct = !strcmp(m, "direct_write"), zerocopy = !strcmp(m, "zerocopy");
	char *buf = aligned_alloc(4096, chunk), *map = NULL;
	int file, s, pipes[2], one = 1;
	struct tcp_info info = { 0 };
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	size_t answer = 0;

	pin(0);
	wait_for(go);
	s = tcp();
	assert(getsockname(listener, (struct sockaddr *)&a, &len) == 0);
	assert(connect(s, (struct sockaddr *)&a, len) == 0);
	*phase = PHASE_SETUP;
	file = open(path, O_RDONLY | (direct ? O_DIRECT : 0));
	assert(file >= 0 && buf && pipe(pipes) == 0);
	memset(buf, 1, chunk);
	(void)fcntl(pipes[1], F_SETPIPE_SZ, (int)chunk);
	if (zerocopy) {
		assert(setsockopt(s, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)) == 0);
		map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert(map != MAP_FAILED);
		memset(map, 1, size);
	} else if (!strcmp(m, "mmap_write")) {
		map = mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0);
		assert(map != MAP_FAILED);
	}
	notes->switches = switches();
	*phase = PHASE_TRANSFER;
	move(m, file, s, pipes, buf, map);
	assert(recv(s, &answer, sizeof(answer), MSG_WAITALL) == sizeof(answer) && answer == size);
	*phase = PHASE_RELEASE;
	notes->switches = switches() - notes->switches;
	len = sizeof(info);
	assert(getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
	notes->resent = info.tcpi_bytes_retrans;
	if (map)
		munmap(map, size);
	close(file);
	_exit(0);
}

/* Every page in the cache, whatever other users of the machine did to it. */
static void warm(int file)
{
	static char buf[1 << 20];

	while (read(file, buf, sizeof(buf)) > 0)
		;
}

static void transfer(struct probes *p, const char *m, bool truncate, struct probe_counts *counts,
		     struct notes *notes)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct probe_target target = { .source = open(path, O_RDONLY | O_CLOEXEC), .tcp = true };
	struct failure why = { 0 };
	int listener = tcp(), go[2], status;

	assert(bind(listener, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(listener, 1) == 0);
	assert(pipe(go) == 0 && target.source >= 0);
	target.receiver = fork();
	if (!target.receiver)
		receive(listener, go[0], probes_phase(p, ROLE_RECEIVER), truncate);
	target.sender = fork();
	if (!target.sender)
		work(m, listener, go[0], probes_phase(p, ROLE_SENDER), notes);
	warm(target.source);
	if (probes_begin(p, &target, &why)) {
		printf("FAIL begin: %s\n", why.text);
		exit(1);
	}
	assert(write(go[1], "gg", 2) == 2);
	assert(waitpid(target.sender, &status, 0) == target.sender && status == 0);
	assert(waitpid(target.receiver, &status, 0) == target.receiver && status == 0);
	probes_end(p, counts);
	close(target.source);
	close(listener);
	close(go[0]);
	close(go[1]);
}

static void show_sites(const struct probes *p, const struct probe_counts *c, enum role role,
		       enum phase phase)
{
	for (enum site site = 0; site < SITES; site++) {
		struct probe_value v;

		probes_site(p, c, role, phase, site, &v);
		if (v.bytes || v.second_bytes)
			printf("\t%s %" PRIu64 " in %" PRIu64 " by %s, ledger %" PRIu64 "\n",
			       probes_site_name(site), v.bytes, v.calls, v.source, v.second_bytes);
	}
}

static void show(const struct probes *p, const struct probe_counts *c, enum role role,
		 enum phase phase)
{
	const struct counters *k = &c->of[role][phase];

	printf("  %s, phase %d:", role == ROLE_SENDER ? "sender" : "receiver", (int)phase);
	for (unsigned int i = 0; i < COUNTED_SYSCALLS; i++)
		if (k->syscalls[i])
			printf(" %s %llu", probes_call_name(i) ? probes_call_name(i) : "?",
			       k->syscalls[i]);
	printf("\n\tfaults: user %llu kernel %llu; interrupts (kernel+user mode):", k->faults_user,
	       k->faults_kernel);
	for (enum interrupt i = 0; i < INTERRUPTS; i++)
		if (k->interrupts[i][0] || k->interrupts[i][1])
			printf(" %s %llu+%llu", probes_interrupt_name(i), k->interrupts[i][0],
			       k->interrupts[i][1]);
	printf("\n\tsoftirqs (own, others'):");
	for (unsigned int i = 0; i < COUNTED_SOFTIRQS; i++)
		if (k->softirqs[i] || k->softirqs_elsewhere[i])
			printf(" %s %llu, %llu", probes_softirq_name(i), k->softirqs[i],
			       k->softirqs_elsewhere[i]);
	printf("\n\tswitches to thread, process, kernel, idle: voluntary %llu %llu %llu %llu, "
	       "involuntary %llu %llu %llu %llu; blocked in",
	       k->switches[1][0], k->switches[1][1], k->switches[1][2], k->switches[1][3],
	       k->switches[0][0], k->switches[0][1], k->switches[0][2], k->switches[0][3]);
	for (unsigned int i = 0; i < COUNTED_SYSCALLS; i++)
		if (k->waits[0][i] || k->waits[1][i])
			printf(" %s %llu (device %llu)",
			       probes_call_name(i) ? probes_call_name(i) : "?",
			       k->waits[0][i] + k->waits[1][i], k->waits[1][i]);
	printf("\n\tpages added %llu touched %llu; unplaced %llu bytes\n", k->pages_added,
	       k->pages_touched, k->unplaced.bytes);
	show_sites(p, c, role, phase);
}

static bool takes_direct(void)
{
	int file = open(path, O_RDONLY | O_DIRECT);

	if (file >= 0)
		close(file);
	return file >= 0;
}

static const struct {
	const char *method;
	enum site site;
} moves[] = {
	{ "read_write", SITE_FILE_TO_USER },   { "read_write", SITE_USER_TO_SOCKET },
	{ "mmap_write", SITE_USER_TO_SOCKET }, { "sendfile", SITE_BY_REFERENCE },
	{ "splice", SITE_BY_REFERENCE },       { "direct_write", SITE_DISK_TO_USER },
	{ "zerocopy", SITE_BY_REFERENCE },     { "direct_write", SITE_USER_TO_SOCKET },
	{ "zerocopy", SITE_DEFERRED },
};

static uint64_t wanted(const char *m, enum site site, const struct notes *notes)
{
	struct statfs fs;

	assert(statfs(path, &fs) == 0);
	/* tmpfs has no device: where it takes O_DIRECT at all, it copies */
	if (fs.f_type == TMPFS_MAGIC && !strcmp(m, "direct_write") && site != SITE_USER_TO_SOCKET)
		return site == SITE_FILE_TO_USER ? size : 0;
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
		if (!strcmp(moves[i].method, m) && moves[i].site == site)
			/* over loopback every reference is copied after all, again when resent */
			return size + (site == SITE_DEFERRED ? notes->resent : 0);
	return 0;
}

static void check_calls(const char *m, const struct counters *k)
{
	uint64_t n = size / chunk;

	if (!strcmp(m, "sendfile"))
		expect(m, "sendfile calls", true, k->syscalls[SYS_sendfile], n);
	else if (!strcmp(m, "splice"))
		expect(m, "splice calls", true, k->syscalls[SYS_splice], 2 * n);
	else if (strcmp(m, "zerocopy"))
		expect(m, "write calls", true, k->syscalls[SYS_write], n);
	if (!strcmp(m, "read_write") || !strcmp(m, "direct_write"))
		expect(m, "read calls", true, k->syscalls[SYS_read], n);
}

static void check(struct probes *p, const char *m, bool truncate, struct notes *notes)
{
	struct probe_counts *c = calloc(1, sizeof(*c));
	const struct counters *k = &c->of[ROLE_SENDER][PHASE_TRANSFER];
	struct probe_value v;
	uint64_t switched = 0;

	assert(c);
	if (!strcmp(m, "direct_write") && !takes_direct()) {
		printf("SKIP %s: this file system takes no O_DIRECT\n", m);
		free(c);
		return;
	}
	transfer(p, m, truncate, c, notes);
	printf("%s%s\n", m, truncate ? " (truncate)" : "");
	for (enum role role = 0; role < ROLES; role++)
		for (enum phase phase = PHASE_SETUP; phase < PHASES; phase++)
			if (role == ROLE_SENDER || phase == PHASE_TRANSFER)
				show(p, c, role, phase);
	for (enum site site = 0; site < SITES; site++) {
		if (site == SITE_SOCKET_TO_USER)
			continue;
		probes_site(p, c, ROLE_SENDER, PHASE_TRANSFER, site, &v);
		if (!v.known) {
			printf("SKIP %s %s: %s\n", m, probes_site_name(site), v.reason);
			continue;
		}
		expect(m, probes_site_name(site), true, v.bytes, wanted(m, site, notes));
		if (v.second_known)
			expect(m, "the ledger's second opinion", true, v.second_bytes, v.bytes);
	}
	probes_site(p, c, ROLE_RECEIVER, PHASE_TRANSFER, SITE_SOCKET_TO_USER, &v);
	expect(m, "receiver socket_to_user", v.known, v.bytes, truncate ? 0 : size);
	if (probes_rows(p)[PROBE_PAGES_ADDED].rung != RUNG_NONE)
		expect(m, "page-cache pages added", true, k->pages_added, 0);
	check_calls(m, k);
	for (int i = 0; i < SWITCHES; i++)
		switched += k->switches[0][i] + k->switches[1][i];
	/* getrusage is asked outside the phase: one or two may fall between */
	if (switched > (uint64_t)notes->switches + 2 || switched + 2 < (uint64_t)notes->switches)
		expect(m, "context switches", true, switched, (uint64_t)notes->switches);
	free(c);
}

static void check_calibration(struct probes *p)
{
	struct failure why = { 0 };
	char file[4096];
	int off;

	snprintf(file, sizeof(file), "%s", path);
	off = calibrate(p, dirname(file), &why);
	printf("%s calibration: %d probes off %s\n", off ? "FAIL" : "PASS", off, why.text);
	failures += off != 0;
}

int main(int argc, char **argv)
{
	static const char *const methods[] = { "read_write", "mmap_write",   "sendfile",
					       "splice",     "direct_write", "zerocopy" };
	struct probe_options options = { 0 };
	struct failure why = { 0 };
	struct probes *p;
	struct notes *notes;
	struct stat st;

	assert(argc > 1);
	setvbuf(stdout, NULL, _IOLBF, 0);
	path = argv[1];
	chunk = argc > 2 ? strtoul(argv[2], NULL, 0) : 32768;
	options.avoid = argc > 3 ? (unsigned int)strtoul(argv[3], NULL, 0) : 0;
	assert(stat(path, &st) == 0 && st.st_size % (off_t)chunk == 0 && st.st_size % 4096 == 0);
	size = (size_t)st.st_size;
	notes = mmap(NULL, sizeof(*notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	assert(notes != MAP_FAILED);
	if (probes_open(&p, &options, &why)) {
		printf("FAIL open: %s\n", why.text);
		return 1;
	}
	check_calibration(p);
	for (int i = 0; i < PROBE_SUBJECTS; i++) {
		const struct probe_row *row = &probes_rows(p)[i];

		printf("%-26s %s%s%s%s\n", row->name, row->rung == RUNG_NONE ? "none" : row->how,
		       row->second ? ", and the ledger" : "", row->reason[0] ? "; " : "",
		       row->reason);
	}
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		check(p, methods[i], false, notes);
	check(p, "read_write", true, notes);
	probes_close(p);
	printf("%s: %d failed\n", failures ? "FAILED" : "PASSED", failures);
	return failures != 0;
}
