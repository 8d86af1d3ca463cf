// SPDX-License-Identifier: MIT
/* Profiles: names of addresses, a real process sampled, and the page that shows it. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/profile.h"
#include "measure/symbols.h"
#include "report/flame.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

static void write_text(char *path, const char *text)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void kernel_addresses_have_names(void **state)
{
	char path[] = "/tmp/copytax-kallsyms-XXXXXX", reason[256] = "";
	struct symbols *symbols = NULL;

	(void)state;
	write_text(path, "ffffffff81000000 T _stext\n"
			 "ffffffff81001000 t __weak_name\n"
			 "ffffffff81001000 T vfs_read\n"
			 "ffffffff81001000 W other_weak\n"
			 "ffffffff81002000 D some_data\n"
			 "ffffffff81003000 t tcp_sendmsg\t[tcp]\n"
			 "ffffffff81003010 t $x\n");
	assert_int_equal(symbols_of_kernel(path, &symbols, reason, sizeof(reason)), 0);
	assert_string_equal(symbol_of(symbols, 0xffffffff81000000), "_stext");
	assert_string_equal(symbol_of(symbols, 0xffffffff81001fff), "vfs_read");
	assert_string_equal(symbol_of(symbols, 0xffffffff81002500), "vfs_read"); /* data is no function */
	assert_string_equal(symbol_of(symbols, 0xffffffff81003020), "tcp_sendmsg");
	assert_string_equal(symbol_of(symbols, 0x1000), "[unknown]");
	symbols_free(symbols);
	unlink(path);
}

static void hidden_addresses_are_explained(void **state)
{
	char path[] = "/tmp/copytax-kallsyms-XXXXXX", reason[256] = "";
	struct symbols *symbols = NULL;

	(void)state;
	write_text(path, "0000000000000000 T _stext\n0000000000000000 T vfs_read\n");
	assert_int_equal(symbols_of_kernel(path, &symbols, reason, sizeof(reason)), -ENODATA);
	assert_null(symbols);
	assert_non_null(strstr(reason, "kptr_restrict"));
	assert_string_equal(symbol_of(NULL, 1), "[unknown]");
	unlink(path);
	assert_int_equal(symbols_of_kernel(path, &symbols, reason, sizeof(reason)), -ENOENT);
	assert_non_null(strstr(reason, "CONFIG_KALLSYMS"));
}

static void own_addresses_have_names(void **state)
{
	struct symbols *symbols = NULL;
	const char *name;

	(void)state;
	assert_int_equal(symbols_of_process(getpid(), &symbols), 0);
	assert_string_equal(symbol_of(symbols, (uint64_t)(uintptr_t)own_addresses_have_names + 4),
			    "own_addresses_have_names");
	name = symbol_of(symbols, (uint64_t)(uintptr_t)&getppid + 1);
	assert_true(strstr(name, "getppid") || name[0] == '[');
	assert_string_equal(symbol_of(symbols, 8), "[unknown]");
	symbols_free(symbols);
	assert_int_equal(symbols_of_process(0x3fffff, &symbols), -ENOENT);
}

__attribute__((noinline)) static void spin_for_the_profile(double seconds)
{
	double end = clock_process_cpu() + seconds;

	while (clock_process_cpu() < end)
		for (volatile int i = 0; i < 20000; i++)
			;
}

static void a_process_is_sampled(void **state)
{
	const struct folded *stacks;
	struct profile *profile = NULL;
	struct failure why = { 0 };
	uint64_t spinning = 0;
	int go[2], done[2], status;
	char word = 1;
	json_t *json;
	pid_t pid;

	(void)state;
	assert_int_equal(profile_new(-1, &profile, &why), 0);
	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(done), 0);
	pid = fork();
	if (!pid) {
		close(go[1]);
		if (read(go[0], &word, 1) != 1)
			_exit(1);
		spin_for_the_profile(0.1);
		_exit(write(done[1], &word, 1) != 1 || read(go[0], &word, 1) < 0);
	}
	profile_born(profile, pid, 0, &why);
	profile_ready(profile, &why);
	assert_int_equal(write(go[1], &word, 1), 1);
	assert_int_equal(read(done[0], &word, 1), 1);
	profile_over(profile);
	close(go[1]);
	waitpid(pid, &status, 0);

	json = profile_json(profile);
	stacks = profile_stacks(profile);
	if (json_is_null(json_object_get(json, "samples"))) {
		print_message("%s\n", json_string_value(json_object_get(json, "reason")));
		assert_int_equal(stacks->samples, 0);
		json_decref(json);
		profile_free(profile);
		skip();
	}
	/* one every 0.5 ms of CPU time, give or take; a PMU's cycles come at another rate */
	assert_true(stacks->samples > 50);
	for (size_t i = 0; i < stacks->count; i++) {
		assert_int_equal(strncmp(stacks->line[i].stack, "worker", 6), 0);
		if (strstr(stacks->line[i].stack, ";spin_for_the_profile"))
			spinning += stacks->line[i].count;
	}
	assert_true(spinning * 2 > stacks->samples);
	assert_int_equal(json_integer_value(json_object_get(json, "samples")), stacks->samples);
	assert_int_equal(json_integer_value(json_object_get(json, "lost")), 0);
	json_decref(json);

	profile_clear(profile);
	json = profile_json(profile);
	assert_true(json_is_null(json_object_get(json, "samples")));
	assert_non_null(json_string_value(json_object_get(json, "reason")));
	json_decref(json);
	profile_free(profile);
	for (int i = 0; i < 2; i++)
		close(done[i]);
	close(go[0]);
}

static void a_page_needs_nothing_else(void **state)
{
	struct flame_text text = { "a <b> & \"c\"", "Note.", 0.5, 1 << 20 };
	struct folded stacks = { 0 };
	char *page = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&page, &size);

	(void)state;
	assert_int_equal(flame_write(&stacks, &text, file), -ENODATA);
	folded_add(&stacks, "worker;write;do_syscall_64_[k];tcp_sendmsg_[k];_copy_from_iter_[k]", 30);
	folded_add(&stacks, "worker;write;do_syscall_64_[k]", 10);
	folded_add(&stacks, "worker;std::less<int>", 10);
	assert_int_equal(flame_write(&stacks, &text, file), 0);
	fclose(file);
	assert_non_null(strstr(page, "a &lt;b&gt; &amp; &quot;c&quot;"));
	assert_non_null(strstr(page, ">std::less&lt;int&gt;</div>"));
	assert_non_null(strstr(page, ">tcp_sendmsg</div>"));
	assert_null(strstr(page, "_[k]"));
	assert_null(strstr(page, "http")); /* no request to anywhere */
	assert_null(strstr(page, "src="));
	assert_non_null(strstr(page, "60.0 %")); /* copying's share */
	free(page);
	folded_free(&stacks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_addresses_have_names),
		cmocka_unit_test(hidden_addresses_are_explained),
		cmocka_unit_test(own_addresses_have_names),
		cmocka_unit_test(a_process_is_sampled),
		cmocka_unit_test(a_page_needs_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
