// SPDX-License-Identifier: MIT
#include "transfer/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * When memory runs out, let it be a measured process: its case fails with a reason and the harness, which is
 * larger, lives to write the result. Raising this needs no privilege.
 */
static void be_first_to_go(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, "1000", 4);
	close(fd);
}

pid_t child_fork(struct child *child)
{
	pid_t parent = getpid(), pid;
	int pair[2], err;
	sigset_t none;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid = fork();
	if (pid < 0) {
		err = errno;
		close(pair[0]);
		close(pair[1]);
		return -err;
	}
	if (pid) {
		close(pair[1]);
		*child = (struct child) { pid, pair[0] };
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	be_first_to_go();
	close(pair[0]);
	*child = (struct child) { 0, pair[1] };
	return 0;
}

#ifdef COPYTAX_COVERAGE
void __gcov_dump(void); /* NOLINT: gcc's name. _exit() does not write what the child ran */
#endif

void child_exit(int status)
{
#ifdef COPYTAX_COVERAGE
	__gcov_dump();
#endif
	_exit(status);
}

int child_tell(const struct child *child)
{
	char word = 1;

	return send(child->control, &word, sizeof(word), MSG_NOSIGNAL) == sizeof(word) ? 0 : -errno;
}

int child_wait_for_word(const struct child *child)
{
	ssize_t n;
	char word;

	do
		n = recv(child->control, &word, sizeof(word), 0);
	while (n < 0 && errno == EINTR);
	return n == sizeof(word) ? 0 : -EPIPE;
}

static int reap(struct child *child)
{
	int status = 0;

	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
	return status;
}

#ifdef COPYTAX_COVERAGE
#define GRACE_MS 500

/* What is killed writes no figures: who has nothing left to do is told so, and gets the time to end by itself. */
static void let_end(struct child *child)
{
	if (child->control >= 0)
		close(child->control);
	child->control = -1;
	for (int i = 0; i < GRACE_MS && child->pid > 0; i++) {
		if (waitpid(child->pid, NULL, WNOHANG))
			child->pid = 0;
		else
			(void)usleep(1000);
	}
}
#endif

void child_end(struct child *child)
{
#ifdef COPYTAX_COVERAGE
	let_end(child);
#endif
	if (child->pid > 0) {
		kill(child->pid, SIGKILL);
		reap(child);
	}
	if (child->control >= 0)
		close(child->control);
	child->control = -1;
}

void child_how_it_ended(struct child *child, char *text, size_t size)
{
	int status = child->pid > 0 ? reap(child) : 0;

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		snprintf(text, size,
			 "was killed by signal 9 (Killed): by somebody, or for want of memory");
	else if (WIFSIGNALED(status))
		snprintf(text, size, "was killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(text, size, "ended early with status %d", WEXITSTATUS(status));
}
