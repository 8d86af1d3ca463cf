// SPDX-License-Identifier: MIT
/* Files and folders are made anew: a link that somebody planted is neither followed nor kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#include <cmocka.h>

static char folder[] = "/tmp/copytax-file-test.XXXXXX";

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return chdir("/") || rmdir(folder);
}

static void put(const char *name, const char *text)
{
	FILE *file = file_create(name);

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void a_link_is_replaced(void **state)
{
	struct stat st;

	(void)state;
	put("victim", "precious");
	assert_int_equal(symlink("victim", "new"), 0);
	put("new", "x");
	assert_int_equal(stat("victim", &st), 0);
	assert_int_equal(st.st_size, 8);
	assert_int_equal(lstat("new", &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_size, 1);
	assert_int_equal(st.st_mode & 0022, 0);
	put("new", "");
	assert_int_equal(stat("new", &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(unlink("new") | unlink("victim"), 0);
}

static void a_folder_is_taken_and_a_link_to_one_is_not(void **state)
{
	(void)state;
	assert_int_equal(file_make_folder("one"), 0);
	assert_int_equal(file_make_folder("one"), 0);
	assert_int_equal(symlink("one", "two"), 0);
	assert_int_equal(file_make_folder("two"), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(file_make_folder("none/there"), -1);
	assert_int_equal(errno, ENOENT);
	assert_null(file_create("one"));
	assert_int_equal(unlink("two") | rmdir("one"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_is_replaced),
		cmocka_unit_test(a_folder_is_taken_and_a_link_to_one_is_not),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
