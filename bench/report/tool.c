// SPDX-License-Identifier: MIT
#include "report/tool.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* No picture takes longer than this; a stuck program is ended by its alarm clock. */
#define SECONDS_MAX 60
#define EXIT_NO_PROGRAM 127

__attribute__((noreturn)) static void become(const struct tool *tool, int errors)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(errors, STDERR_FILENO) < 0 || (tool->folder && chdir(tool->folder)))
		_exit(EXIT_NO_PROGRAM - 1);
	/* the same picture whoever's session draws it */
	setenv("LC_ALL", "C.UTF-8", 1);
	unsetenv("GNUPLOT_DEFAULT_GDFONT");
	/* who holds signals back waits for the tool, and the tool ends at once */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	alarm(SECONDS_MAX);
	/* argv is const all the way down, and exec writes to none of it */
	execvp(tool->program, (char *const *)(uintptr_t)tool->argv);
	_exit(errno == ENOENT ? EXIT_NO_PROGRAM : EXIT_NO_PROGRAM - 1);
}

/* What the child says, up to size - 1 bytes; the rest is read and dropped so that it can end. */
static void read_errors(int fd, char *text, size_t size)
{
	size_t len = 0;
	char rest[512] = "";

	for (;;) {
		bool full = len + 1 >= size;
		ssize_t n =
			read(fd, full ? rest : text + len, full ? sizeof(rest) : size - 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (!full)
			len += (size_t)n;
	}
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	text[len] = 0;
	memmove(text, text + strspn(text, " \n\t"), len + 1 - strspn(text, " \n\t"));
}

/* Takes the lines with `words` out of `text`. */
static void drop_lines(char *text, const char *words)
{
	char *line = text, *end;

	while (words && *line) {
		char *at = strstr(line, words);

		end = strchrnul(line, '\n');
		if (at && at < end)
			memmove(line, *end ? end + 1 : end, strlen(*end ? end + 1 : end) + 1);
		else
			line = *end ? end + 1 : end;
	}
}

int tool_run(const struct tool *tool, struct failure *why)
{
	int ends[2], status;
	char said[2000];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return fail(why, EXIT_MACHINE_CANT, errno, "no pipe for %s: %s", tool->program,
			    strerror(errno));
	fflush(NULL);
	child = fork();
	if (!child)
		become(tool, ends[1]);
	close(ends[1]);
	if (child < 0) {
		close(ends[0]);
		return fail(why, EXIT_MACHINE_CANT, errno, "no process for %s: %s", tool->program,
			    strerror(errno));
	}
	read_errors(ends[0], said, sizeof(said));
	drop_lines(said, tool->harmless);
	close(ends[0]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_PROGRAM)
		return fail(why, EXIT_MACHINE_CANT, ENOENT,
			    "%s is not installed (Debian: apt install %s)", tool->program,
			    tool->package);
	if (WIFEXITED(status) && !WEXITSTATUS(status) && !said[0])
		return 0;
	unlink(tool->picture);
	if (WIFSIGNALED(status))
		return fail(why, EXIT_MACHINE_CANT, EIO, "%s was ended by signal %d while drawing %s",
			    tool->program, WTERMSIG(status), tool->subject);
	return fail(why, EXIT_MACHINE_CANT, EIO, "%s could not draw %s cleanly: %.400s", tool->program,
		    tool->subject, said[0] ? said : "it gave no reason");
}
