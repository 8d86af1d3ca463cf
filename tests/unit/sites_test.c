// SPDX-License-Identifier: MIT
/* Which site a stack belongs to: single stacks, and whole profiles recorded under six kernels. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/sites.h"

#define STACKS "tests/data/stacks/"
#define ENTRY "worker;write;entry_SYSCALL_64_after_hwframe_[k];do_syscall_64_[k];"
#define WRITE ENTRY "ksys_write_[k];vfs_write_[k];sock_write_iter_[k];tcp_sendmsg_[k];"

static void assert_site(const char *stack, enum cpu_site expected)
{
	enum cpu_site site = site_of_stack(stack);

	if (site != expected)
		fail_msg("%s is %s, not %s", stack, cpu_site_names[site], cpu_site_names[expected]);
}

static void the_innermost_known_function_decides(void **state)
{
	(void)state;
	assert_site(WRITE "tcp_sendmsg_locked_[k]", CPU_TCP_SEND);
	assert_site(WRITE "tcp_sendmsg_locked_[k];_copy_from_iter_[k]", CPU_COPYING);
	assert_site(WRITE "tcp_sendmsg_locked_[k];_copy_from_iter_[k];rep_movs_alternative_[k]",
		    CPU_COPYING);
	assert_site(ENTRY "ksys_write_[k];vfs_write_[k]", CPU_FILE);
	assert_site(ENTRY "ksys_read_[k];vfs_read_[k];filemap_read_[k];filemap_get_pages_[k]", CPU_FILE);
	assert_site("worker;write;entry_SYSCALL_64_after_hwframe_[k];do_syscall_64_[k]", CPU_ENTRY);
}

static void helpers_ask_their_caller(void **state)
{
	(void)state;
	assert_site(WRITE "release_sock_[k];_raw_spin_unlock_bh_[k]", CPU_TCP_SEND);
	assert_site(WRITE "tcp_sendmsg_locked_[k];tcp_stream_alloc_skb_[k];__alloc_skb_[k];"
			  "kmem_cache_alloc_node_[k]",
		    CPU_TCP_SEND);
	assert_site(ENTRY "ksys_read_[k];vfs_read_[k];filemap_read_[k];page_cache_ra_order_[k];"
			  "__alloc_pages_[k];get_page_from_freelist_[k];clear_page_erms_[k]",
		    CPU_FILE);
	assert_site(ENTRY "exit_to_user_mode_loop_[k];schedule_[k];__schedule_[k];"
			  "finish_task_switch.isra.0_[k]",
		    CPU_SCHEDULER);
}

static void in_a_softirq_the_network_is_the_receivers(void **state)
{
	(void)state;
	assert_site(WRITE "tcp_write_xmit_[k];__local_bh_enable_ip_[k];do_softirq.part.0_[k];"
			  "handle_softirqs_[k];net_rx_action_[k];process_backlog_[k];tcp_v4_rcv_[k];"
			  "tcp_rcv_established_[k];tcp_ack_[k]",
		    CPU_LOOPBACK);
	assert_site(WRITE "release_sock_[k];__release_sock_[k];tcp_v4_do_rcv_[k];tcp_rcv_established_[k];"
			  "tcp_ack_[k]",
		    CPU_TCP_SEND);
	assert_site(WRITE "__local_bh_enable_ip_[k];do_softirq_[k];__do_softirq_[k];net_rx_action_[k];"
			  "tcp_v4_rcv_[k];tcp_data_queue_[k];sock_def_readable_[k];"
			  "_raw_spin_unlock_irqrestore_[k]",
		    CPU_SCHEDULER);
}

static void what_an_interrupt_broke_into_is_not_to_blame(void **state)
{
	(void)state;
	assert_site(WRITE "tcp_sendmsg_locked_[k];_copy_from_iter_[k];asm_sysvec_apic_timer_interrupt_[k];"
			  "sysvec_apic_timer_interrupt_[k];__irq_exit_rcu_[k]",
		    CPU_OTHER);
	assert_site(WRITE "_copy_from_iter_[k];asm_common_interrupt_[k];common_interrupt_[k];"
			  "__irq_exit_rcu_[k];handle_softirqs_[k];blk_done_softirq_[k];"
			  "blk_mq_end_request_[k]",
		    CPU_BLOCK);
	/* a fault is taken on the copy's behalf, and is a site of its own */
	assert_site(WRITE "_copy_from_iter_[k];asm_exc_page_fault_[k];exc_page_fault_[k];"
			  "do_user_addr_fault_[k];handle_mm_fault_[k]",
		    CPU_FAULTS);
	assert_site(WRITE "_copy_from_iter_[k];asm_exc_page_fault_[k];exc_page_fault_[k];memcpy_[k]",
		    CPU_FAULTS);
}

static void splice_through_an_iterator_copies_nothing(void **state)
{
	(void)state;
	assert_site(ENTRY "do_sendfile_[k];generic_file_splice_read_[k];filemap_read_[k];"
			  "copy_page_to_iter_[k]",
		    CPU_FILE);
	assert_site(ENTRY "ksys_read_[k];vfs_read_[k];filemap_read_[k];copy_page_to_iter_[k]",
		    CPU_COPYING);
}

static void waiting_in_its_newer_forms(void **state)
{
	(void)state;
	assert_site("worker;ret_from_fork_asm_[k];ret_from_fork_[k];io_sq_thread_[k]", CPU_SCHEDULER);
	assert_site("worker;ret_from_fork_[k];io_sq_thread_[k];io_sq_tw_[k];tctx_task_work_run_[k]",
		    CPU_SCHEDULER);
	/* what that thread does is not waiting */
	assert_site("worker;ret_from_fork_[k];io_sq_thread_[k];__io_sq_thread_[k];io_submit_sqes_[k];"
		    "io_issue_sqe_[k];io_write_[k];tcp_sendmsg_locked_[k]",
		    CPU_TCP_SEND);
	assert_site(ENTRY "__x64_sys_poll_[k];do_sys_poll_[k]", CPU_SCHEDULER);
	assert_site(ENTRY "__x64_sys_sendto_[k];__sys_sendto_[k]", CPU_TCP_SEND);
}

static void the_unknown_stays_other(void **state)
{
	(void)state;
	/* the way in answers for itself, not for what nobody knows */
	assert_site(ENTRY "frobnicate_[k]", CPU_OTHER);
	/* a caller that means something does */
	assert_site(WRITE "tcp_sendmsg_locked_[k];frobnicate_[k]", CPU_TCP_SEND);
	/* a thunk whose caller the unwinder lost */
	assert_site("worker;write;__x86_indirect_thunk_array_[k]", CPU_OTHER);
	assert_site("worker;[kernel]_[k]", CPU_OTHER);
	assert_site("worker;memcpy", CPU_USER);
	assert_site("worker", CPU_USER);
	assert_site("", CPU_USER);
}

static void the_same_on_arm64(void **state)
{
	(void)state;
#define ARM "worker;write;el0t_64_sync_[k];el0t_64_sync_handler_[k];el0_svc_[k];do_el0_svc_[k];"
	assert_site(ARM "invoke_syscall_[k]", CPU_ENTRY);
	assert_site(ARM "invoke_syscall_[k];__arm64_sys_write_[k];ksys_write_[k];tcp_sendmsg_locked_[k];"
			"_copy_from_iter_[k];__arch_copy_from_user_[k]",
		    CPU_COPYING);
	assert_site(ARM "tcp_sendmsg_locked_[k];el1h_64_irq_[k];el1_interrupt_[k]", CPU_OTHER);
}

/* ---- recorded profiles ---- */

static void load(const char *name, struct folded *folded, struct site_shares *shares)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), STACKS "%s.folded", name);
	file = fopen(path, "r");
	if (!file) {
		print_error("%s: %s\n", path, strerror(errno));
		abort();
	}
	memset(folded, 0, sizeof(*folded));
	assert_int_equal(folded_read(folded, file), 0);
	fclose(file);
	sites_count(folded, shares);
	assert_true(shares->all > 50);
}

static double share(const struct site_shares *shares, enum cpu_site site)
{
	return (double)shares->samples[site] / (double)shares->all;
}

static const char *const kernels[] = { "5.10", "6.1", "6.12", "6.18", "7.3", "arm64-6.1" };
static const char *const recorded[] = { "read_write", "mmap_write", "sendfile", "splice", "direct_write" };

static void recorded_profiles_have_a_site_for_nearly_everything(void **state)
{
	size_t profiles = 0;

	(void)state;
	for (size_t k = 0; k < sizeof(kernels) / sizeof(*kernels); k++) {
		for (size_t m = 0; m < sizeof(recorded) / sizeof(*recorded); m++) {
			struct site_shares shares;
			struct folded folded;
			char name[128];
			FILE *file;

			snprintf(name, sizeof(name), STACKS "%s-%s.folded", kernels[k], recorded[m]);
			file = fopen(name, "r");
			if (!file)
				continue;
			fclose(file);
			snprintf(name, sizeof(name), "%s-%s", kernels[k], recorded[m]);
			load(name, &folded, &shares);
			if (share(&shares, CPU_OTHER) >= 0.05)
				fail_msg("%s: %.1f %% have no site", name,
					 100 * share(&shares, CPU_OTHER));
			folded_free(&folded);
			profiles++;
		}
	}
	assert_true(profiles >= 20);
}

/* What the methods are must show, whatever the kernel calls its functions. */
static void recorded_profiles_show_what_the_method_is(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof(kernels) / sizeof(*kernels); k++) {
		struct site_shares shares;
		struct folded folded;
		char name[64];

		snprintf(name, sizeof(name), "%s-read_write", kernels[k]);
		load(name, &folded, &shares);
		for (enum cpu_site site = 0; site < CPU_SITES; site++)
			assert_true(shares.samples[CPU_COPYING] >= shares.samples[site]);
		folded_free(&folded);

		snprintf(name, sizeof(name), "%s-sendfile", kernels[k]);
		load(name, &folded, &shares);
		if (share(&shares, CPU_COPYING) > 0.02)
			fail_msg("%s: %.1f %% copying", name, 100 * share(&shares, CPU_COPYING));
		assert_true(share(&shares, CPU_FILE) + share(&shares, CPU_TCP_SEND) > 0.5);
		folded_free(&folded);

		snprintf(name, sizeof(name), "%s-mmap_write", kernels[k]);
		load(name, &folded, &shares);
		assert_true(share(&shares, CPU_COPYING) > 0.2);
		assert_true(shares.samples[CPU_FAULTS] > 0);
		folded_free(&folded);
	}
}

static void direct_reads_show_the_block_layer(void **state)
{
	static const char *const names[] = { "5.10-direct_write", "6.1-direct_write", "6.12-direct_write",
					     "7.3-direct_write" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct site_shares shares;
		struct folded folded;

		load(names[i], &folded, &shares);
		assert_true(share(&shares, CPU_BLOCK) > 0.1);
		folded_free(&folded);
	}
}

/* ---- the numbers ---- */

static void shares_add_up_and_have_intervals(void **state)
{
	struct folded folded = { 0 };
	double sum = 0, price = 0;
	const char *key;
	json_t *all, *entry;

	(void)state;
	folded_add(&folded, "worker;write", 10);
	folded_add(&folded, WRITE "_copy_from_iter_[k]", 60);
	folded_add(&folded, ENTRY "frobnicate_[k]", 5);
	folded_add(&folded, WRITE "tcp_sendmsg_locked_[k]", 25);
	all = sites_json(&folded, 0.1, 102400);
	assert_int_equal(json_object_size(all), CPU_SITES);
	json_object_foreach(all, key, entry) {
		double s = json_number_value(json_object_get(entry, "share"));

		assert_true(s >= json_number_value(json_object_get(entry, "low")) - 1e-12);
		assert_true(s <= json_number_value(json_object_get(entry, "high")) + 1e-12);
		sum += s;
		price += json_number_value(json_object_get(entry, "ns_per_kib"));
	}
	assert_true(fabs(sum - 1) < 1e-9);
	assert_true(fabs(price - 1e6) < 1e-3); /* 0.1 s for 100 KiB */
	entry = json_array_get(json_object_get(json_object_get(all, "other"), "functions"), 0);
	assert_string_equal(json_string_value(json_object_get(entry, "name")), "frobnicate");
	json_decref(all);

	all = sites_json(&folded, NAN, 1024);
	entry = json_object_get(all, "copying");
	assert_true(json_is_null(json_object_get(entry, "ns_per_kib")));
	assert_non_null(json_string_value(json_object_get(entry, "reason")));
	json_decref(all);
	folded_free(&folded);

	folded_add(&folded, "worker;write;[kernel]_[k];[kernel]_[k]", 10);
	all = sites_json(&folded, 0.1, 1024);
	assert_null(json_object_get(all, "copying"));
	assert_non_null(strstr(json_string_value(json_object_get(all, "reason")), "no names"));
	json_decref(all);
	folded_free(&folded);
}

static void two_prices_agree_or_not(void **state)
{
	struct site_shares shares = { .samples = { [CPU_COPYING] = 50, [CPU_FILE] = 50 }, .all = 100 };
	json_t *said;

	(void)state;
	/* half of 1 ms for 1000 KiB: 500 ns per KiB */
	said = sites_agreement(&shares, 1e-3, 1000 * 1024, 450);
	assert_true(fabs(json_number_value(json_object_get(said, "profile_ns_per_kib")) - 500) < 1e-6);
	assert_true(fabs(json_number_value(json_object_get(said, "difference")) - 1.0 / 9) < 1e-6);
	assert_true(json_is_true(json_object_get(said, "agree")));
	json_decref(said);
	said = sites_agreement(&shares, 1e-3, 1000 * 1024, 390);
	assert_true(json_is_false(json_object_get(said, "agree")));
	json_decref(said);
	said = sites_agreement(&shares, 1e-3, 0, 390);
	assert_true(json_is_null(json_object_get(said, "agree")));
	assert_non_null(strstr(json_string_value(json_object_get(said, "reason")), "copies nothing"));
	json_decref(said);
	said = sites_agreement(&shares, 1e-3, NAN, 390);
	assert_non_null(json_string_value(json_object_get(said, "reason")));
	json_decref(said);
	said = sites_agreement(&shares, 1e-3, 1024, NAN);
	assert_true(json_is_null(json_object_get(said, "counted_ns_per_kib")));
	json_decref(said);
}

static void folded_lines_are_read_merged_and_written(void **state)
{
	char text[] = "# a comment\nworker;b 2\nworker;a 1\n\nworker;b 3\nworker;operator new 4\n";
	char out[128] = "", bad[] = "worker;a\n", worse[] = "worker;a x1\n";
	struct folded folded = { 0 };
	FILE *file = fmemopen(text, sizeof(text) - 1, "r");

	(void)state;
	assert_int_equal(folded_read(&folded, file), 0);
	fclose(file);
	folded_merge(&folded);
	assert_int_equal(folded.samples, 10);
	file = fmemopen(out, sizeof(out), "w");
	assert_int_equal(folded_write(&folded, file), 0);
	fclose(file);
	assert_string_equal(out, "worker;a 1\nworker;b 5\nworker;operator new 4\n");
	folded_free(&folded);

	file = fmemopen(bad, sizeof(bad) - 1, "r");
	assert_int_equal(folded_read(&folded, file), -EINVAL);
	fclose(file);
	folded_free(&folded);
	file = fmemopen(worse, sizeof(worse) - 1, "r");
	assert_int_equal(folded_read(&folded, file), -EINVAL);
	fclose(file);
	folded_free(&folded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_innermost_known_function_decides),
		cmocka_unit_test(helpers_ask_their_caller),
		cmocka_unit_test(in_a_softirq_the_network_is_the_receivers),
		cmocka_unit_test(what_an_interrupt_broke_into_is_not_to_blame),
		cmocka_unit_test(splice_through_an_iterator_copies_nothing),
		cmocka_unit_test(waiting_in_its_newer_forms),
		cmocka_unit_test(the_unknown_stays_other),
		cmocka_unit_test(the_same_on_arm64),
		cmocka_unit_test(recorded_profiles_have_a_site_for_nearly_everything),
		cmocka_unit_test(recorded_profiles_show_what_the_method_is),
		cmocka_unit_test(direct_reads_show_the_block_layer),
		cmocka_unit_test(shares_add_up_and_have_intervals),
		cmocka_unit_test(two_prices_agree_or_not),
		cmocka_unit_test(folded_lines_are_read_merged_and_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
