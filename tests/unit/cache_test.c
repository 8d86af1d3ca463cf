// SPDX-License-Identifier: MIT
/* States of the page cache are what they are called, by cachestat and, on kernels without it, by mincore. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "transfer/cache.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

/* Neither whole stretches nor whole pages. */
#define SIZE (2 * (uint64_t)CACHE_STRETCH_BYTES + 100001)

/* Here, not in /tmp: that may be a tmpfs, where no page can be dropped. */
static char path[] = "cache-test-XXXXXX";

static int make_file(void **state)
{
	char *bytes = calloc(1, SIZE);
	int fd = mkstemp(path);
	bool made = bytes && fd >= 0 && write(fd, bytes, SIZE) == (ssize_t)SIZE && !fsync(fd);

	(void)state;
	free(bytes);
	if (fd >= 0)
		close(fd);
	return made ? 0 : -1;
}

static int drop_file(void **state)
{
	(void)state;
	return unlink(path);
}

/* From now on this process's kernel is one before 6.5. */
static bool forget_cachestat(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_cachestat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(rules) / sizeof(rules[0]), .filter = rules };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Pages in the cache; -1: can't be told. */
static long resident(uint64_t *pages)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t count = 0;
	int err = fd < 0 ? -errno : cache_resident(fd, SIZE, &count, pages);

	if (fd >= 0)
		close(fd);
	return err ? -1 : (long)count;
}

/* 0, or the number of what did not hold. */
static int states_hold(void)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), pages = 0;
	long half = (long)((CACHE_STRETCH_BYTES + (100001 + page - 1) / page * page) / page);
	struct failure why = { 0 };

	if (cache_set(path, SIZE, CACHE_WARM, &why))
		return 1;
	if (resident(&pages) != (long)pages || pages != (SIZE + page - 1) / page)
		return 2;
	if (cache_set(path, SIZE, CACHE_COLD, &why))
		return 3;
	if (resident(&pages) != 0)
		return 4;
	/* the first and the third stretch, of which the third is a part */
	if (cache_set(path, SIZE, CACHE_HALF, &why))
		return 5;
	if (resident(&pages) != half)
		return 6;
	return 0;
}

static bool can_drop(void)
{
	struct failure why = { 0 };

	return !cache_set(path, SIZE, CACHE_COLD, &why);
}

static void states_are_what_they_are_called(void **state)
{
	(void)state;
	if (!can_drop())
		skip();
	assert_int_equal(states_hold(), 0);
}

static void mincore_tells_as_much_as_cachestat(void **state)
{
	int status = -1;
	pid_t pid;

	(void)state;
	if (!can_drop())
		skip();
	/* a process of its own: a filter can't be taken back */
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct {
			uint64_t offset, length;
		} range = { 0, 1 };
		uint64_t answer[5];

		if (!forget_cachestat())
			exit(100);
		if (!syscall(SYS_cachestat, 0, &range, answer, 0) || errno != ENOSYS)
			exit(101);
		exit(states_hold());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 100)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void what_can_not_be_is_said(void **state)
{
	struct failure why = { 0 };

	(void)state;
	assert_int_equal(cache_set("nowhere/at/all", SIZE, CACHE_WARM, &why), -ENOENT);
	assert_int_equal(why.exit_code, EXIT_TRANSFER_FAILED);
	memset(&why, 0, sizeof(why));
	assert_int_equal(cache_set(path, SIZE + 1, CACHE_COLD, &why), -ENODATA);
	assert_non_null(
		strstr(why.text, "got shorter during the run: 2197153 of 2197154 bytes are left"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_are_what_they_are_called),
		cmocka_unit_test(mincore_tells_as_much_as_cachestat),
		cmocka_unit_test(what_can_not_be_is_said),
	};

	return cmocka_run_group_tests(tests, make_file, drop_file);
}
