// SPDX-License-Identifier: MIT
/* Which hooks are chosen on kernels that refuse some of them, and what is said of those refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "measure/probes_ladder.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#include "written.h"

#define ENOTSUPP 524

/* A kernel that has every hook there is and takes them all. */
static struct ladder willing(void)
{
	struct ladder ladder = { 0 };

	for (size_t i = 0; i < hook_count; i++)
		ladder.states[i].stage = STAGE_WORKS;
	return ladder;
}

/* All hooks of a rung come to an end at `stage`. */
static void refuse(struct ladder *ladder, enum probe_rung rung, enum hook_stage stage, int err)
{
	for (size_t i = 0; i < hook_count; i++)
		if (hooks[i].rung == rung)
			ladder->states[i] = (struct hook_state) { .stage = stage, .err = err };
}

/* The same for the hooks of one function or tracepoint, of a rung. */
static void refuse_one(struct ladder *ladder, enum probe_rung rung, const char *target,
		       enum hook_stage stage, int err)
{
	size_t found = 0;

	for (size_t i = 0; i < hook_count; i++) {
		if (hooks[i].rung != rung || strcmp(hooks[i].target, target) != 0)
			continue;
		ladder->states[i] = (struct hook_state) { .stage = stage, .err = err };
		found++;
	}
	assert_true(found > 0);
}

static void choose(struct ladder *ladder, struct probe_row rows[PROBE_SUBJECTS])
{
	ladder_choose(ladder);
	ladder_rows(ladder, rows);
	for (enum probe_subject s = 0; s < PROBE_SUBJECTS; s++) {
		assert_non_null(rows[s].name);
		/* what is there says how, and what is not says why */
		assert_int_equal(rows[s].rung == RUNG_NONE, !rows[s].how[0]);
		assert_true(rows[s].rung != RUNG_NONE || rows[s].reason[0]);
	}
}

static void the_best_is_taken_where_all_work(void **state)
{
	struct ladder ladder = willing();
	struct probe_row rows[PROBE_SUBJECTS];

	(void)state;
	choose(&ladder, rows);
	assert_int_equal(rows[PROBE_FILE_TO_USER].rung, RUNG_FEXIT);
	assert_string_equal(rows[PROBE_FILE_TO_USER].reason, "");
	assert_true(rows[PROBE_FILE_TO_USER].second);
	/* not a site of the ledger */
	assert_false(rows[PROBE_DEFERRED].second);
	/* the tracepoints are cheaper, and no step down from fexit; but they don't tell the kinds apart */
	assert_int_equal(rows[PROBE_FAULTS].rung, RUNG_TRACEPOINT);
	assert_string_equal(rows[PROBE_FAULTS].how, "tp_btf page_fault_user, page_fault_kernel");
	assert_string_equal(rows[PROBE_FAULTS].reason, "");
	assert_int_equal(rows[PROBE_FAULTS_MAJOR].rung, RUNG_NONE);
	holds(rows[PROBE_FAULTS_MAJOR].reason, "getrusage does");
	/* a limit of the best rung is told, too */
	holds(rows[PROBE_PAGES_TOUCHED].reason, "large folio");
}

static void a_refused_rung_says_what_refused_it(void **state)
{
	static const struct {
		int err;
		enum hook_stage stage;
		const char *says;
	} cases[] = {
		{ EPERM, STAGE_LOAD,
		  "EPERM at load (this kernel's policy or a lockdown refuses probes on "
		  "functions)" },
		{ EBUSY, STAGE_ATTACH,
		  "EBUSY at attach (the function is excluded from tracing (notrace))" },
		{ ENOTSUPP, STAGE_ATTACH,
		  "ENOTSUPP at attach (not supported on this architecture by this kernel)" },
		{ ENOENT, STAGE_LOAD, "ENOENT at load (No such file or directory)" },
		{ E2BIG, STAGE_LOAD, "E2BIG at load (Argument list too long)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ladder ladder = willing();
		struct probe_row rows[PROBE_SUBJECTS];
		char reason[PROBE_REASON_MAX];

		refuse(&ladder, RUNG_FEXIT, cases[i].stage, cases[i].err);
		choose(&ladder, rows);
		assert_int_equal(rows[PROBE_FILE_TO_USER].rung, RUNG_KRETPROBE);
		snprintf(reason, sizeof(reason), "fexit filemap_read: %s", cases[i].says);
		assert_string_equal(rows[PROBE_FILE_TO_USER].reason, reason);
		/* the other rungs are as they were */
		assert_int_equal(rows[PROBE_SOCKET_TO_USER].rung, RUNG_TRACEPOINT);
	}
}

static void a_kernel_without_kprobes_says_so(void **state)
{
	struct ladder ladder = willing();
	struct probe_row rows[PROBE_SUBJECTS];

	(void)state;
	refuse(&ladder, RUNG_FEXIT, STAGE_ATTACH, ENOTSUPP);
	refuse(&ladder, RUNG_KRETPROBE, STAGE_LOAD, ENOENT);
	choose(&ladder, rows);
	/* no tracepoint tells what skb_copy_ubufs copied, and no result of a call does */
	assert_int_equal(rows[PROBE_DEFERRED].rung, RUNG_NONE);
	assert_string_equal(
		rows[PROBE_DEFERRED].reason,
		"fexit skb_copy_ubufs: ENOTSUPP at attach (not supported on this "
		"architecture by this kernel); kretprobe skb_copy_ubufs: ENOENT at load "
		"(the kernel is built without kprobes)");
	/* results of calls do tell what was read; then nothing is left to hold it against */
	assert_int_equal(rows[PROBE_FILE_TO_USER].rung, RUNG_LEDGER);
	assert_string_equal(rows[PROBE_FILE_TO_USER].how, PROBE_LEDGER);
	assert_false(rows[PROBE_FILE_TO_USER].second);
	/* sends have tracepoints, on newer kernels */
	assert_int_equal(rows[PROBE_USER_TO_SOCKET].rung, RUNG_TRACEPOINT);
}

static void without_the_ledger_nothing_is_made_up(void **state)
{
	struct ladder ladder = { 0 };
	struct probe_row rows[PROBE_SUBJECTS];

	(void)state;
	for (enum probe_rung r = RUNG_FEXIT; r < RUNG_LEDGER; r++)
		refuse(&ladder, r, STAGE_LOAD, EACCES);
	choose(&ladder, rows);
	for (enum probe_subject s = 0; s < PROBE_SUBJECTS; s++) {
		assert_int_equal(rows[s].rung, RUNG_NONE);
		assert_false(rows[s].second);
	}
	holds(rows[PROBE_SYSCALLS].reason,
	      "tp_btf sys_exit: EACCES at load (not permitted, or rejected by the verifier)");
}

static void the_raw_tracepoint_stands_in_for_the_typed(void **state)
{
	struct ladder ladder = willing();
	struct probe_row rows[PROBE_SUBJECTS];

	(void)state;
	refuse_one(&ladder, RUNG_TRACEPOINT, "sys_exit", STAGE_LOAD, EINVAL);
	choose(&ladder, rows);
	assert_int_equal(rows[PROBE_SYSCALLS].rung, RUNG_RAW_TRACEPOINT);
	assert_string_equal(rows[PROBE_SYSCALLS].how, "raw_tp sys_exit");
	assert_string_equal(rows[PROBE_SYSCALLS].reason,
			    "tp_btf sys_exit: EINVAL at load (Invalid argument)");
	assert_true(rows[PROBE_FILE_TO_USER].second);
}

/* 5.10: the read has another name, and the tracepoints of folios and of sends are not there. */
static void old_kernels_have_other_names(void **state)
{
	static const char *const newer[] = { "mm_filemap_get_pages", "mm_filemap_map_pages",
					     "mm_filemap_fault", "io_uring_complete",
					     "sock_send_length" };
	struct ladder ladder = willing();
	struct probe_row rows[PROBE_SUBJECTS];

	(void)state;
	for (size_t i = 0; i < sizeof(newer) / sizeof(newer[0]); i++)
		refuse_one(&ladder, RUNG_TRACEPOINT, newer[i], STAGE_ABSENT, 0);
	for (enum probe_rung r = RUNG_FEXIT; r <= RUNG_KRETPROBE; r++) {
		refuse_one(&ladder, r, "filemap_read", STAGE_ABSENT, 0);
		refuse_one(&ladder, r, "copy_splice_read", STAGE_ABSENT, 0);
	}
	choose(&ladder, rows);
	assert_int_equal(rows[PROBE_FILE_TO_USER].rung, RUNG_FEXIT);
	assert_string_equal(rows[PROBE_FILE_TO_USER].how,
			    "fexit generic_file_buffered_read, shmem_file_read_iter");
	assert_int_equal(rows[PROBE_FILE_TO_KERNEL].rung, RUNG_NONE);
	assert_string_equal(rows[PROBE_FILE_TO_KERNEL].reason,
			    "fexit copy_splice_read: not in this kernel (since 6.5); kretprobe "
			    "copy_splice_read: not in this kernel (since 6.5)");
	assert_int_equal(rows[PROBE_PAGES_TOUCHED].rung, RUNG_NONE);
	holds(rows[PROBE_PAGES_TOUCHED].reason, "not in this kernel (since 6.10)");
	assert_int_equal(rows[PROBE_URING].rung, RUNG_NONE);
}

/* Newer kernels have no do_tcp_sendpages, which is no lack; one that is there must hold. */
static void what_only_some_kernels_have_must_work_where_it_is(void **state)
{
	struct ladder ladder = willing();
	struct probe_row rows[PROBE_SUBJECTS];

	(void)state;
	refuse_one(&ladder, RUNG_FEXIT, "do_tcp_sendpages", STAGE_ABSENT, 0);
	choose(&ladder, rows);
	assert_string_equal(rows[PROBE_USER_TO_SOCKET].how, "fexit tcp_sendmsg_locked");
	assert_string_equal(rows[PROBE_USER_TO_SOCKET].reason, "");

	refuse_one(&ladder, RUNG_FEXIT, "do_tcp_sendpages", STAGE_LOAD, EINVAL);
	choose(&ladder, rows);
	assert_int_equal(rows[PROBE_USER_TO_SOCKET].rung, RUNG_KRETPROBE);
	assert_string_equal(rows[PROBE_USER_TO_SOCKET].reason,
			    "fexit do_tcp_sendpages: EINVAL at load (Invalid argument)");
	/* both numbers come from one group of hooks */
	assert_int_equal(rows[PROBE_BY_REFERENCE].rung, RUNG_KRETPROBE);
}

/* arm64 has no tracepoints of page faults: then the fault handler tells the kinds apart, too. */
static void faults_fall_back_to_the_handler(void **state)
{
	struct ladder ladder = willing();
	struct probe_row rows[PROBE_SUBJECTS];

	(void)state;
	refuse_one(&ladder, RUNG_TRACEPOINT, "page_fault_user", STAGE_ABSENT, 0);
	refuse_one(&ladder, RUNG_TRACEPOINT, "page_fault_kernel", STAGE_ABSENT, 0);
	choose(&ladder, rows);
	assert_string_equal(rows[PROBE_FAULTS].how, "fexit handle_mm_fault");
	assert_string_equal(rows[PROBE_FAULTS_MAJOR].how, "fexit handle_mm_fault");

	refuse_one(&ladder, RUNG_FEXIT, "handle_mm_fault", STAGE_ATTACH, EBUSY);
	choose(&ladder, rows);
	assert_string_equal(rows[PROBE_FAULTS].how, "kretprobe handle_mm_fault");
	holds(rows[PROBE_FAULTS].reason, "fexit handle_mm_fault: EBUSY at attach");
}

static void one_vector_of_interrupts_is_enough(void **state)
{
	struct ladder ladder = willing();
	struct probe_row rows[PROBE_SUBJECTS];

	(void)state;
	for (size_t i = 0; i < hook_count; i++)
		if (hooks[i].group == GROUP_INTERRUPTS &&
		    strcmp(hooks[i].target, "irq_work_entry") != 0)
			ladder.states[i] = (struct hook_state) { .stage = STAGE_ABSENT };
	choose(&ladder, rows);
	assert_string_equal(rows[PROBE_INTERRUPTS].how, "tp_btf irq_work_entry");

	refuse_one(&ladder, RUNG_TRACEPOINT, "irq_work_entry", STAGE_ABSENT, 0);
	choose(&ladder, rows);
	assert_int_equal(rows[PROBE_INTERRUPTS].rung, RUNG_NONE);
}

static void what_is_not_wanted_is_called_that(void **state)
{
	struct ladder ladder = willing();
	struct probe_row rows[PROBE_SUBJECTS];

	(void)state;
	refuse(&ladder, RUNG_FEXIT, STAGE_AVOIDED, 0);
	choose(&ladder, rows);
	assert_int_equal(rows[PROBE_DEFERRED].rung, RUNG_KRETPROBE);
	assert_string_equal(rows[PROBE_DEFERRED].reason, "fexit: not wanted");
}

/* A table of hooks that a kernel's worth of reasons doesn't overflow. */
static void long_reasons_are_cut(void **state)
{
	struct ladder ladder = { 0 };
	struct probe_row rows[PROBE_SUBJECTS];

	(void)state;
	for (enum probe_rung r = RUNG_FEXIT; r < RUNG_LEDGER; r++)
		refuse(&ladder, r, STAGE_ATTACH, EPERM);
	choose(&ladder, rows);
	for (enum probe_subject s = 0; s < PROBE_SUBJECTS; s++)
		assert_true(strlen(rows[s].reason) < sizeof(rows[s].reason) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_is_taken_where_all_work),
		cmocka_unit_test(a_refused_rung_says_what_refused_it),
		cmocka_unit_test(a_kernel_without_kprobes_says_so),
		cmocka_unit_test(without_the_ledger_nothing_is_made_up),
		cmocka_unit_test(the_raw_tracepoint_stands_in_for_the_typed),
		cmocka_unit_test(old_kernels_have_other_names),
		cmocka_unit_test(what_only_some_kernels_have_must_work_where_it_is),
		cmocka_unit_test(faults_fall_back_to_the_handler),
		cmocka_unit_test(one_vector_of_interrupts_is_enough),
		cmocka_unit_test(what_is_not_wanted_is_called_that),
		cmocka_unit_test(long_reasons_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
