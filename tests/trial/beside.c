// SPDX-License-Identifier: MIT
/*
 * Counts or samples a command by copytax's own means, so that perf can do the same to the same process at the same
 * time, and the two can be held against one another.
 *
 *   beside count LIST COMMAND [ARGUMENT...]    events, as --events takes them; prints them as JSON
 *   beside sample COMMAND [ARGUMENT...]        stacks; prints folded lines
 *   beside sites <FOLDED                       prints "SITE SHARE SAMPLES" a line
 *
 * The first two make the process, print its number on standard error and let it run once a line comes on standard
 * input: until then it has not had a cycle of its own. Exits with 77 and the reason where nothing can be counted.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analysis/sites.h"
#include "measure/events.h"
#include "measure/profile.h"

#define EXIT_SKIP 77

/*
 * Until it sleeps in its read(): what it does up to there is its own start, which only the first of two
 * observers would see.
 */
static int wait_until_asleep(pid_t pid)
{
	char path[64], state = 0;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	for (int i = 0; i < 1000 && state != 'S'; i++) {
		FILE *stat = fopen(path, "re");

		if (!stat || fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
			state = 0;
		if (stat)
			fclose(stat);
		usleep(20000); /* off its CPU, too */
	}
	return state == 'S' ? 0 : -1;
}

static pid_t make_process(char **command, int *go)
{
	int ends[2];
	char word;
	pid_t pid;

	if (pipe(ends))
		return -1;
	pid = fork();
	if (!pid) {
		close(ends[1]);
		if (read(ends[0], &word, 1) == 1 && freopen("/dev/null", "w", stdout))
			execvp(command[0], command);
		_exit(127);
	}
	close(ends[0]);
	*go = ends[1];
	return pid > 0 && wait_until_asleep(pid) ? -1 : pid;
}

/* Lets it run to its end, and leaves it there to be looked at. */
static int run_process(pid_t pid, int go)
{
	siginfo_t info;
	char line[64];

	fprintf(stderr, "%ld\n", (long)pid);
	if (!fgets(line, sizeof(line), stdin) || write(go, "g", 1) != 1)
		return -1;
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT)) {
		if (errno != EINTR)
			return -1;
	}
	return info.si_code == CLD_EXITED ? info.si_status : -1;
}

static int count(const char *list, char **command)
{
	struct events *events = NULL;
	struct failure why = { 0 };
	int go, status;
	json_t *json;
	pid_t pid;

	if (events_new(list, -1, &events, &why)) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	pid = make_process(command, &go);
	if (pid < 0)
		return 1;
	events_born(events, pid, 0, &why);
	events_ready(events, &why);
	status = run_process(pid, go);
	events_over(events);
	waitpid(pid, NULL, 0);
	json = events_json(events);
	json_dumpf(json, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(json);
	events_free(events);
	return status ? 1 : 0;
}

static int sample(char **command)
{
	struct profile *profile = NULL;
	struct failure why = { 0 };
	int go, status;
	json_t *json;
	pid_t pid;

	if (profile_new(-1, &profile, &why))
		return 1;
	pid = make_process(command, &go);
	if (pid < 0)
		return 1;
	profile_born(profile, pid, 0, &why);
	profile_ready(profile, &why);
	status = run_process(pid, go);
	profile_over(profile);
	waitpid(pid, NULL, 0);
	json = profile_json(profile);
	if (!profile_stacks(profile)->samples) {
		fprintf(stderr, "%s\n", json_string_value(json_object_get(json, "reason")));
		status = EXIT_SKIP;
	} else {
		printf("# event %s, lost %" JSON_INTEGER_FORMAT "\n",
		       json_string_value(json_object_get(json, "event")),
		       json_integer_value(json_object_get(json, "lost")));
		folded_write(profile_stacks(profile), stdout);
	}
	json_decref(json);
	profile_free(profile);
	return status;
}

static int sites(void)
{
	struct folded folded = { 0 };
	struct site_shares shares;

	if (folded_read(&folded, stdin))
		return 1;
	sites_count(&folded, &shares);
	for (int site = 0; site < CPU_SITES && shares.all; site++)
		printf("%s %.4f %" PRIu64 "\n", cpu_site_names[site],
		       (double)shares.samples[site] / (double)shares.all, shares.samples[site]);
	folded_free(&folded);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 3 && !strcmp(argv[1], "count"))
		return count(argv[2], argv + 3);
	if (argc > 2 && !strcmp(argv[1], "sample"))
		return sample(argv + 2);
	if (argc == 2 && !strcmp(argv[1], "sites"))
		return sites();
	fprintf(stderr, "usage: beside count LIST COMMAND... | sample COMMAND... | sites <FOLDED\n");
	return 2;
}
