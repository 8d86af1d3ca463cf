// SPDX-License-Identifier: MIT
#include "measure/calibrate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "measure/calibrate_moves.h"
#include "transfer/child.h"

#define PATIENCE_MS 30000
#define TMPFS_MAGIC 0x01021994

static const char *const known_names[KNOWNS] = {
	[KNOWN_READ_WRITE] = "read and write",
	[KNOWN_MMAP_WRITE] = "write from a mapping",
	[KNOWN_SENDFILE] = "sendfile",
	[KNOWN_SPLICE] = "splice",
	[KNOWN_VMSPLICE] = "vmsplice",
	[KNOWN_URING] = "io_uring",
	[KNOWN_DIRECT] = "direct read",
	[KNOWN_TRUNCATE] = "recv with MSG_TRUNC",
	[KNOWN_COLD] = "cold read",
	[KNOWN_FAULTS] = "touching fresh pages",
	[KNOWN_SWITCHES] = "waiting",
};

/* What every copy site must count, in units of the whole payload. Sites without a name here: 0. */
static const struct {
	enum known which;
	enum site site;
} moves[] = {
	{ KNOWN_READ_WRITE, SITE_FILE_TO_USER },   { KNOWN_READ_WRITE, SITE_USER_TO_SOCKET },
	{ KNOWN_READ_WRITE, SITE_SOCKET_TO_USER }, { KNOWN_MMAP_WRITE, SITE_USER_TO_SOCKET },
	{ KNOWN_MMAP_WRITE, SITE_SOCKET_TO_USER }, { KNOWN_SENDFILE, SITE_BY_REFERENCE },
	{ KNOWN_SENDFILE, SITE_SOCKET_TO_USER },   { KNOWN_SPLICE, SITE_BY_REFERENCE },
	{ KNOWN_SPLICE, SITE_SOCKET_TO_USER },	   { KNOWN_DIRECT, SITE_DISK_TO_USER },
	{ KNOWN_VMSPLICE, SITE_BY_REFERENCE },	   { KNOWN_VMSPLICE, SITE_SOCKET_TO_USER },
	{ KNOWN_URING, SITE_FILE_TO_USER },	   { KNOWN_URING, SITE_USER_TO_SOCKET },
	{ KNOWN_URING, SITE_SOCKET_TO_USER },
	{ KNOWN_DIRECT, SITE_USER_TO_SOCKET },	   { KNOWN_DIRECT, SITE_SOCKET_TO_USER },
	{ KNOWN_TRUNCATE, SITE_FILE_TO_USER },	   { KNOWN_TRUNCATE, SITE_USER_TO_SOCKET },
	{ KNOWN_COLD, SITE_FILE_TO_USER },	   { KNOWN_COLD, SITE_USER_TO_SOCKET },
	{ KNOWN_COLD, SITE_SOCKET_TO_USER },	   { KNOWN_COLD, SITE_DISK_TO_PAGE_CACHE },
};

/* What one known transfer showed of a subject. */
struct showing {
	bool judged, off, ledger_judged, ledger_off;
	bool left_out; /* a program of its hooks was, so it could not be judged */
	char reason[160];
};

struct verdict {
	bool wrong, ledger_wrong;
	char reason[sizeof(((struct showing *)0)->reason)];
};

struct calibration {
	struct probes *probes;
	struct known_bench bench;
	struct child sender, receiver;
	struct probe_counts *before, *after, *counts; /* counts: one known transfer's own */
	struct showing now[PROBE_SUBJECTS]; /* of the last known transfer */
	struct verdict verdicts[PROBE_SUBJECTS];
	bool in_memory; /* the file system has no device below */
};

/* A count that the kernel kept a program from making says nothing of the program. */
static void judge(struct calibration *c, enum probe_subject subject, enum known which, uint64_t got,
		  uint64_t want)
{
	struct showing *now = &c->now[subject];

	if (c->counts->missed[subject]) {
		now->left_out = true;
		return;
	}
	now->judged = true;
	if (got == want || now->off)
		return;
	now->off = true;
	snprintf(now->reason, sizeof(now->reason),
		 "off in calibration: counted %" PRIu64 " of %" PRIu64 " (%s)", got, want,
		 known_names[which]);
}

static void judge_ledger(struct calibration *c, enum site site, uint64_t got, uint64_t want)
{
	c->now[site].ledger_judged = true;
	c->now[site].ledger_off |= got != want;
}

static uint64_t wanted(enum known which, enum site site)
{
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
		if (moves[i].which == which && moves[i].site == site)
			return KNOWN_BYTES;
	return 0;
}

/* A file system may take O_DIRECT and read through the page cache nevertheless: not the probes' fault. */
static bool buffered_after_all(const struct calibration *c)
{
	struct probe_value value;

	probes_site(c->probes, c->counts, ROLE_SENDER, PHASE_TRANSFER, SITE_FILE_TO_USER, &value);
	return value.known && value.bytes == KNOWN_BYTES;
}

static void judge_sites(struct calibration *c, enum known which)
{
	for (enum site site = 0; site < SITES; site++) {
		enum role role = site == SITE_SOCKET_TO_USER ? ROLE_RECEIVER : ROLE_SENDER;
		uint64_t want = wanted(which, site);
		struct probe_value value;

		probes_site(c->probes, c->counts, role, PHASE_TRANSFER, site, &value);
		c->now[site].left_out |= c->counts->missed[site] != 0;
		if (!value.known)
			continue;
		/* whether a file system lends its pages is its own business */
		if (site == SITE_FILE_TO_KERNEL &&
		    (which == KNOWN_SENDFILE || which == KNOWN_SPLICE))
			continue;
		/* without io_uring's completions the ledger knows nothing of it: their fault, not the site's */
		if (which == KNOWN_URING && site != SITE_SOCKET_TO_USER &&
		    probes_rows(c->probes)[site].rung == RUNG_LEDGER)
			judge(c, PROBE_URING, which, value.bytes, want);
		else
			judge(c, (enum probe_subject)site, which, value.bytes, want);
		if (value.second_known && which == KNOWN_URING)
			judge(c, PROBE_URING, which, value.second_bytes, want);
		else if (value.second_known)
			judge_ledger(c, site, value.second_bytes, want);
	}
	if (which == KNOWN_URING)
		c->now[PROBE_URING].left_out |= c->counts->missed[PROBE_URING] != 0;
}

static void judge_calls(struct calibration *c, enum known which)
{
	const __u64 *calls = c->counts->of[ROLE_SENDER][PHASE_TRANSFER].syscalls;

	switch (which) {
	case KNOWN_READ_WRITE:
	case KNOWN_DIRECT:
	case KNOWN_TRUNCATE:
	case KNOWN_COLD:
		judge(c, PROBE_SYSCALLS, which, calls[SYS_read], KNOWN_CALLS);
		break;
	case KNOWN_SWITCHES:
		judge(c, PROBE_SYSCALLS, which, calls[SYS_read], KNOWN_NAPS);
		break;
	case KNOWN_SENDFILE:
	case KNOWN_SPLICE:
	case KNOWN_URING:
		judge(c, PROBE_SYSCALLS, which, calls[SYS_read] + calls[SYS_write], 0);
		break;
	case KNOWN_VMSPLICE:
		judge(c, PROBE_SYSCALLS, which, calls[SYS_vmsplice], KNOWN_CALLS);
		break;
	default:
		judge(c, PROBE_SYSCALLS, which, calls[SYS_sendfile] + calls[SYS_splice], 0);
	}
}

/* getrusage was asked just outside the phase, so a switch or two may fall between. */
static void judge_switches(struct calibration *c)
{
	const struct counters *counters = &c->counts->of[ROLE_SENDER][PHASE_TRANSFER];
	uint64_t got = 0,
		 want = (uint64_t)(c->bench.notes->voluntary + c->bench.notes->involuntary);

	for (int i = 0; i < SWITCHES; i++)
		got += counters->switches[0][i] + counters->switches[1][i];
	if (got > want + 2 || got + 2 < want)
		judge(c, PROBE_SWITCHES, KNOWN_SWITCHES, got, want);
}

static void judge_all(struct calibration *c, enum known which)
{
	const struct counters *counters = &c->counts->of[ROLE_SENDER][PHASE_TRANSFER];
	uint64_t pages = KNOWN_BYTES / (uint64_t)sysconf(_SC_PAGESIZE);

	/* whether it read through the page cache is for that hook to say */
	if (which == KNOWN_DIRECT && c->counts->missed[PROBE_FILE_TO_USER]) {
		c->now[PROBE_DISK_TO_USER].left_out = true;
		return;
	}
	if (which == KNOWN_DIRECT && buffered_after_all(c))
		return;
	judge_sites(c, which);
	judge_calls(c, which);
	judge(c, PROBE_PAGES_ADDED, which, counters->pages_added, which == KNOWN_COLD ? pages : 0);
	/* each page once, however often the file is moved: one that was missed is missing from then on */
	if (which == KNOWN_READ_WRITE && !c->in_memory && !c->after->missed[PROBE_PAGES_TOUCHED])
		judge(c, PROBE_PAGES_TOUCHED, which,
		      c->after->of[ROLE_SENDER][PHASE_TRANSFER].pages_touched, pages);
	if (which == KNOWN_FAULTS)
		judge(c, PROBE_FAULTS, which, counters->faults_user + counters->faults_kernel,
		      2ULL * KNOWN_PAGES);
	if (which == KNOWN_SWITCHES)
		judge_switches(c);
}

/* Drops the file from the page cache; false when some of it stays. */
static bool made_cold(const struct calibration *c)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), resident = 0;
	unsigned char in[KNOWN_BYTES / 4096];
	void *map;

	if (c->in_memory || fsync(c->bench.file) ||
	    posix_fadvise(c->bench.file, 0, 0, POSIX_FADV_DONTNEED))
		return false;
	map = mmap(NULL, KNOWN_BYTES, PROT_READ, MAP_SHARED, c->bench.file, 0);
	if (map == MAP_FAILED)
		return false;
	if (mincore(map, KNOWN_BYTES, in))
		resident = 1;
	for (size_t i = 0; i < KNOWN_BYTES / page && !resident; i++)
		resident += in[i] & 1;
	munmap(map, KNOWN_BYTES);
	return !resident;
}

static void take(__u64 *to, const __u64 *after, const __u64 *before)
{
	for (size_t i = 0; i < sizeof(struct counters) / sizeof(__u64); i++)
		to[i] = after[i] - before[i];
}

static int hear(const struct calibration *c, const struct child *child, const char *who,
		struct failure *why)
{
	enum known turn = c->bench.notes->turn;
	int err;
	struct pollfd ready = { .fd = child->control, .events = POLLIN };
	int n;

	do
		n = poll(&ready, 1, PATIENCE_MS);
	while (n < 0 && errno == EINTR);
	if (n == 1 && !child_wait_for_word(child))
		return 0;
	err = c->bench.notes->err;
	if (n && err)
		return fail(why, EXIT_TRANSFER_FAILED, EPIPE, "calibration, %s: the %s's part failed: %s",
			    known_names[turn], who, strerror(-err));
	return fail(why, EXIT_TRANSFER_FAILED, n ? EPIPE : ETIMEDOUT, "calibration, %s: the %s %s",
		    known_names[turn], who, n ? "ended early" : "got stuck");
}

/* All of the file in the page cache, whatever other programs made of it since. */
static void make_warm(const struct calibration *c)
{
	char buffer[1 << 14];

	for (off_t at = 0; at < (off_t)KNOWN_BYTES; at += (off_t)sizeof(buffer))
		if (pread(c->bench.file, buffer, sizeof(buffer), at) <= 0)
			return;
}

/* One known transfer, start to end, and what it showed. */
static int move(struct calibration *c, enum known which, struct failure *why)
{
	int err;

	memset(c->now, 0, sizeof(c->now));
	if (which != KNOWN_COLD)
		make_warm(c);
	else if (!made_cold(c))
		return 0;
	c->bench.notes->turn = which;
	probes_read(c->probes, c->before);
	if (child_tell(&c->receiver) || child_tell(&c->sender))
		return fail(why, EXIT_TRANSFER_FAILED, EPIPE, "calibration: a process ended early");
	err = hear(c, &c->sender, "sender", why);
	if (!err)
		err = hear(c, &c->receiver, "receiver", why);
	if (err)
		return err;
	probes_read(c->probes, c->after);
	for (int role = 0; role < ROLES; role++)
		for (int phase = 0; phase < PHASES; phase++)
			take((__u64 *)&c->counts->of[role][phase],
			     (const __u64 *)&c->after->of[role][phase],
			     (const __u64 *)&c->before->of[role][phase]);
	c->counts->tcp = c->after->tcp;
	for (int subject = 0; subject < PROBE_SUBJECTS; subject++)
		c->counts->missed[subject] =
			c->after->missed[subject] - c->before->missed[subject];
	judge_all(c, which);
	return 0;
}

#define MOVES_MAX 6

/* What the tries of one known transfer showed of a subject together. */
struct tries {
	unsigned int off, ledger_off;
	bool right, ledger_right;
};

/* Is another try due for it? Only what is off twice is the probe's own fault, not the machine's; what was left out was not judged. */
static bool conclude(struct verdict *verdict, const struct showing *now, struct tries *tries)
{
	tries->right |= now->judged && !now->off;
	tries->ledger_right |= now->ledger_judged && !now->ledger_off;
	tries->off += now->off;
	tries->ledger_off += now->ledger_off;
	if (tries->off == 2 && now->off && !verdict->wrong) {
		verdict->wrong = true;
		memcpy(verdict->reason, now->reason, sizeof(verdict->reason));
	}
	verdict->ledger_wrong |= tries->ledger_off >= 2;
	return (!tries->right && tries->off < 2 && (now->left_out || tries->off)) ||
	       (!tries->ledger_right && tries->ledger_off == 1);
}

static int run(struct calibration *c, enum known which, struct failure *why)
{
	struct tries tries[PROBE_SUBJECTS] = { 0 };
	bool again = true;

	for (int try = 0; try < MOVES_MAX && again; try++) {
		int err = move(c, which, why);

		if (err)
			return err;
		again = false;
		for (enum probe_subject s = 0; s < PROBE_SUBJECTS; s++)
			again |= conclude(&c->verdicts[s], &c->now[s], &tries[s]);
	}
	return 0;
}

static void serve(const struct known_bench *bench, const struct child *parent,
		  int (*act)(const struct known_bench *, enum known))
{
	while (!child_wait_for_word(parent)) {
		int err = act(bench, bench->notes->turn);

		if (err)
			bench->notes->err = err;
		if (err || child_tell(parent))
			break;
	}
	child_exit(0);
}

static int make_file(struct calibration *c, const char *dir, struct failure *why)
{
	char path[64], *bytes = malloc(KNOWN_BYTES);
	struct statfs fs;
	int err = 0;

	/* no name, so nothing to leave behind; random, so that no file system compresses it */
	c->bench.file = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (c->bench.file < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		char name[4096];

		if (snprintf(name, sizeof(name), "%s/.copytax-XXXXXX", dir) < (int)sizeof(name)) {
			c->bench.file = mkostemp(name, O_CLOEXEC);
			if (c->bench.file >= 0)
				unlink(name);
		}
	}
	if (!bytes || c->bench.file < 0) {
		err = fail(why, EXIT_MACHINE_CANT, bytes ? errno : ENOMEM,
			   "calibration: can't make a file in %s: %s", dir,
			   strerror(bytes ? errno : ENOMEM));
		goto done;
	}
	for (size_t i = 0; i < KNOWN_BYTES; i += 256) /* getrandom gives 256 bytes whole */
		if (getrandom(bytes + i, 256, 0) != 256)
			memset(bytes + i, (int)i, 256);
	for (size_t i = 0; i < KNOWN_BYTES; i += KNOWN_CHUNK) {
		ssize_t n = write(c->bench.file, bytes + i, KNOWN_CHUNK);

		if (n != (ssize_t)KNOWN_CHUNK) {
			int cause = n < 0 ? errno : ENOSPC;

			err = fail(why, EXIT_MACHINE_CANT, cause,
				   "calibration: can't write in %s: %s", dir, strerror(cause));
			goto done;
		}
	}
	(void)fsync(c->bench.file); /* dirty pages can't be dropped; made_cold looks for itself */
	c->in_memory = fstatfs(c->bench.file, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", c->bench.file);
	c->bench.direct = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
done:
	free(bytes);
	return err;
}

static int connect_ends(struct calibration *c, struct failure *why)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr *a = (struct sockaddr *)&address;
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;

	c->bench.sender = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || c->bench.sender < 0 || bind(listener, a, size) || listen(listener, 1) ||
	    getsockname(listener, a, &size) || connect(c->bench.sender, a, size))
		err = errno;
	if (!err) {
		c->bench.receiver = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (c->bench.receiver < 0)
			err = errno;
	}
	if (listener >= 0)
		close(listener);
	return err ? fail(why, EXIT_MACHINE_CANT, err,
			  "calibration: no connection over loopback: %s", strerror(err))
		   : 0;
}

static int make_children(struct calibration *c, struct failure *why)
{
	struct probe_target target = { .source = c->bench.file, .tcp = true };
	pid_t pid = child_fork(&c->receiver);

	if (pid == 0)
		serve(&c->bench, &c->receiver, known_receive);
	if (pid > 0) {
		target.receiver = pid;
		pid = child_fork(&c->sender);
		if (pid == 0)
			serve(&c->bench, &c->sender, known_send);
	}
	if (pid < 0)
		return fail(why, EXIT_MACHINE_CANT, (int)-pid, "calibration: can't fork: %s",
			    strerror((int)-pid));
	target.sender = pid;
	return probes_begin(c->probes, &target, why);
}

static int distrust_all(struct calibration *c)
{
	int distrusted = 0;

	if (c->in_memory) /* nobody's mistake, but a 0 would be one */
		probes_distrust(c->probes, PROBE_PAGES_TOUCHED, false,
				"tmpfs reads its pages by a way without these tracepoints");
	for (enum probe_subject s = 0; s < PROBE_SUBJECTS; s++) {
		if (c->verdicts[s].ledger_wrong)
			probes_distrust_ledger(c->probes, s);
		if (!c->verdicts[s].wrong || probes_rows(c->probes)[s].rung == RUNG_NONE)
			continue;
		probes_distrust(c->probes, s, !c->verdicts[s].ledger_wrong, c->verdicts[s].reason);
		distrusted++;
	}
	return distrusted;
}

static void close_bench(struct known_bench *bench)
{
	const int fds[] = { bench->file,     bench->direct,  bench->sender,
			    bench->receiver, bench->naps[0], bench->naps[1] };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static bool possible(const struct calibration *c, enum known which)
{
	if (which == KNOWN_URING)
		return probes_rows(c->probes)[PROBE_URING].rung != RUNG_NONE && known_uring_works();
	/* on tmpfs a direct read is a read like any other */
	return which != KNOWN_DIRECT || (c->bench.direct >= 0 && !c->in_memory);
}

int calibrate(struct probes *probes, const char *dir, struct failure *why)
{
	struct calibration c = {
		.probes = probes,
		.bench = { .file = -1,
			   .direct = -1,
			   .sender = -1,
			   .receiver = -1,
			   .naps = { -1, -1 } },
		.sender = { .control = -1 },
		.receiver = { .control = -1 },
	};
	struct known_notes *notes = MAP_FAILED;
	int err;

	c.before = calloc(1, sizeof(*c.before));
	c.after = calloc(1, sizeof(*c.after));
	c.counts = calloc(1, sizeof(*c.counts));
	notes = mmap(NULL, sizeof(*notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (!c.before || !c.after || !c.counts || notes == MAP_FAILED ||
	    pipe2(c.bench.naps, O_CLOEXEC)) {
		err = fail(why, EXIT_MACHINE_CANT, errno, "calibration: %s", strerror(errno));
		goto done;
	}
	c.bench.notes = notes;
	c.bench.sender_phase = probes_phase(probes, ROLE_SENDER);
	c.bench.receiver_phase = probes_phase(probes, ROLE_RECEIVER);
	err = make_file(&c, dir, why);
	if (!err)
		err = connect_ends(&c, why);
	if (!err)
		err = make_children(&c, why);
	if (err)
		goto done;
	for (enum known which = 0; which < KNOWNS && !err; which++)
		if (possible(&c, which))
			err = run(&c, which, why);
	probes_end(probes, NULL);
	if (!err)
		err = distrust_all(&c);
done:
	child_end(&c.sender);
	child_end(&c.receiver);
	close_bench(&c.bench);
	if (notes != MAP_FAILED)
		munmap(notes, sizeof(*notes));
	free(c.before);
	free(c.after);
	free(c.counts);
	return err;
}
