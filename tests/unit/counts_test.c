// SPDX-License-Identifier: MIT
/* What the kernel left out is not known, and nothing else is lost by it. Needs the right to attach probes; skipped without. */
#include "study/counts.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "result/reasons.h"
/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "made.h"

#define READS 3

static int open_probes(void **state)
{
	struct failure why = { 0 };
	struct probes *probes = NULL;

	(void)probes_open(&probes, NULL, &why);
	*state = probes;
	return 0;
}

static int close_probes(void **state)
{
	probes_close(*state);
	return 0;
}

static const json_t *member(const json_t *of, const char *name, const char *key)
{
	return json_object_get(json_object_get(of, name), key);
}

static const char *reason(const json_t *of, const char *name)
{
	const char *text = json_string_value(member(of, name, "reason"));

	return text ? text : "";
}

/* A transfer of which the kernel left out the programs of one subject. */
static struct result *stored(struct probes *probes, enum probe_subject subject,
			     struct probe_counts *counts)
{
	const struct deduction deduction = { 0 };
	struct result *r = result_new();

	assert_non_null(r);
	counts->tcp = true;
	counts->of[ROLE_SENDER][PHASE_TRANSFER].syscalls[SYS_sendfile] = 7;
	counts->of[ROLE_SENDER][PHASE_TRANSFER].faults_user = 5;
	counts->missed[subject] = 2;
	counts_store(probes, counts, &deduction, r, made_case(r, "sendfile"));
	counts->missed[subject] = 0;
	return r;
}

static void only_what_was_left_out_is_unknown(void **state)
{
	struct probes *probes = *state;
	struct probe_counts *counts = calloc(1, sizeof(*counts));
	struct result *r;

	if (!probes)
		skip();
	assert_non_null(counts);
	r = stored(probes, PROBE_FAULTS, counts);
	assert_true(json_is_null(member(r->cases[0].counts, "page_faults_user", "value")));
	assert_string_equal(reason(r->cases[0].counts, "page_faults_user"), REASON_LEFT_OUT);
	/* what rests on it */
	assert_true(json_is_null(member(r->cases[0].counts, "crossings", "value")));
	assert_int_equal(json_number_value(member(r->cases[0].counts, "syscalls", "value")), 7);
	result_free(r);

	r = stored(probes, PROBE_SYSCALLS, counts);
	assert_string_equal(reason(r->cases[0].counts, "syscalls"), REASON_LEFT_OUT);
	assert_string_equal(reason(r->cases[0].counts, "receiver_syscalls"), REASON_LEFT_OUT);
	/* that no call splices can't be told from calls that were not all seen */
	if (probes_rows(probes)[PROBE_FILE_TO_KERNEL].rung == RUNG_NONE)
		assert_true(json_is_null(member(r->cases[0].copies, "file_to_kernel", "bytes")));
	if (probes_rows(probes)[PROBE_FAULTS].rung != RUNG_NONE)
		assert_int_equal(json_number_value(member(r->cases[0].counts, "page_faults_user",
							  "value")),
				 5);
	result_free(r);
	free(counts);
}

/* A hook that was left out leaves the site to the ledger, as long as that saw all. */
static void a_site_falls_back_on_the_ledger(void **state)
{
	struct probes *probes = *state;
	struct probe_counts *counts = calloc(1, sizeof(*counts));
	struct counters *c;
	struct probe_value v;
	int tried = 0;

	if (!probes)
		skip();
	assert_non_null(counts);
	counts->tcp = true;
	for (enum site site = 0; site < SITES; site++) {
		const struct probe_row *row = &probes_rows(probes)[site];

		if (row->rung >= RUNG_LEDGER || !row->second)
			continue;
		tried++;
		c = &counts->of[ROLE_SENDER][PHASE_TRANSFER];
		c->hook[site].bytes = 100;
		c->ledger[site].bytes = 300;
		probes_site(probes, counts, ROLE_SENDER, PHASE_TRANSFER, site, &v);
		assert_true(v.known && v.second_known);
		assert_int_equal(v.bytes, 100);
		assert_int_equal(v.second_bytes, 300);
		counts->missed[site] = 1;
		probes_site(probes, counts, ROLE_SENDER, PHASE_TRANSFER, site, &v);
		assert_true(v.known && !v.second_known);
		assert_int_equal(v.bytes, 300);
		assert_string_equal(v.source, PROBE_LEDGER);
		/* a hook's calls are not system calls */
		assert_true(v.calls_unknown);
		assert_int_equal(v.calls, 0);
		counts->missed[PROBE_SYSCALLS] = 1;
		probes_site(probes, counts, ROLE_SENDER, PHASE_TRANSFER, site, &v);
		assert_false(v.known);
		assert_int_equal(v.bytes, 0);
		assert_string_equal(v.reason, REASON_LEFT_OUT);
		/* and the other way round the hook alone will do */
		counts->missed[site] = 0;
		probes_site(probes, counts, ROLE_SENDER, PHASE_TRANSFER, site, &v);
		assert_true(v.known && !v.second_known);
		assert_int_equal(v.bytes, 100);
		counts->missed[PROBE_SYSCALLS] = 0;
		/* one that got a known transfer wrong stands in for nobody */
		counts->missed[site] = 1;
		probes_distrust_ledger(probes, (enum probe_subject)site);
		probes_site(probes, counts, ROLE_SENDER, PHASE_TRANSFER, site, &v);
		assert_false(v.known);
		counts->missed[site] = 0;
	}
	free(counts);
	if (!tried)
		skip();
}

/* Waits for a word, reads the file, and leaves. */
static pid_t reader(struct probes *probes, int file, const int go[2])
{
	volatile uint32_t *phase = probes_phase(probes, ROLE_SENDER);
	pid_t pid = fork();
	char bytes[64];

	if (pid)
		return pid;
	/* a test that fails meanwhile leaves nobody waiting */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(go[1]);
	if (read(go[0], bytes, 1) != 1)
		_exit(1);
	*phase = PHASE_TRANSFER;
	for (int i = 0; i < READS; i++)
		if (pread(file, bytes, sizeof(bytes), 0) != sizeof(bytes))
			_exit(1);
	*phase = PHASE_OFF;
	_exit(0);
}

/* Enrolment and the ledger need the end of system calls when nobody believes its counts any more. */
static void distrusted_calls_take_nothing_else_with_them(void **state)
{
	struct probes *probes = *state;
	struct probe_counts *counts = calloc(1, sizeof(*counts));
	char name[] = "counts_test.XXXXXX", bytes[64] = { 1 };
	struct probe_target target = { .tcp = true };
	struct failure why = { 0 };
	int go[2], file, status;

	if (!probes)
		skip();
	assert_non_null(counts);
	file = mkstemp(name);
	assert_true(file >= 0);
	unlink(name);
	assert_int_equal(write(file, bytes, sizeof(bytes)), sizeof(bytes));
	assert_int_equal(pipe(go), 0);
	probes_distrust(probes, PROBE_SYSCALLS, false, "made up");
	target.source = file;
	target.sender = reader(probes, file, go);
	assert_true(target.sender > 0);
	assert_int_equal(probes_begin(probes, &target, &why), 0);
	assert_int_equal(write(go[1], bytes, 1), 1);
	assert_int_equal(waitpid(target.sender, &status, 0), target.sender);
	assert_int_equal(status, 0);
	probes_end(probes, counts);
	assert_int_equal(probes_rows(probes)[PROBE_SYSCALLS].rung, RUNG_NONE);
	if (!counts->missed[PROBE_SYSCALLS])
		assert_int_equal(counts->of[ROLE_SENDER][PHASE_TRANSFER].ledger[SITE_FILE_TO_USER].bytes,
				 READS * sizeof(bytes));
	close(file);
	close(go[0]);
	close(go[1]);
	free(counts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_what_was_left_out_is_unknown, open_probes,
						close_probes),
		cmocka_unit_test_setup_teardown(a_site_falls_back_on_the_ledger, open_probes,
						close_probes),
		cmocka_unit_test_setup_teardown(distrusted_calls_take_nothing_else_with_them,
						open_probes, close_probes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
