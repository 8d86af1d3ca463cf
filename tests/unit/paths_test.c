// SPDX-License-Identifier: MIT
/* The path of the bytes: from counts to steps, words and a diagram. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/paths.h"
#include "report/paths_draw.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#define PAYLOAD 327680000ull

static const char *const all_sites[] = { "file_to_user", "file_to_kernel", "user_to_socket",
					 "deferred",	 "socket_to_user", "by_reference",
					 "disk_to_page_cache", "disk_to_user" };

static void set_site(struct case_result *c, const char *site, double bytes)
{
	json_object_set_new(c->copies, site,
			    json_pack("{s:f, s:i, s:s}", "bytes", bytes, "calls", 1, "source", "test"));
}

/* A case of which every count is known, and zero where nothing is said below. */
static struct case_result *add_counted(struct result *r, const char *method)
{
	struct case_result *c = result_add_case(r);

	assert_non_null(c);
	c->method = strdup(method);
	c->cache = strdup("warm");
	c->sink = strdup("drain");
	c->link = strdup("tcp");
	c->chunk = 32768;
	c->payload = PAYLOAD;
	c->connections = 1;
	for (size_t i = 0; i < sizeof(all_sites) / sizeof(all_sites[0]); i++)
		set_site(c, all_sites[i], 0);
	set_site(c, "socket_to_user", PAYLOAD);
	json_object_set_new(c->counts, "syscalls", measured(20000, "test"));
	json_object_set_new(c->counts, "crossings", measured(40000, "test"));
	return c;
}

static const struct path_step *step(const struct path *path, enum path_place from, enum path_place to)
{
	for (size_t i = 0; i < path->count; i++)
		if (path->step[i].from == from && path->step[i].to == to)
			return &path->step[i];
	return NULL;
}

static char *dot_of(const struct method *m, const struct path *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	path_dot(m, path, out);
	fclose(out);
	return text;
}

static void two_copies_stand_beside_the_texts(void **state)
{
	const struct method *m = method_find("read_write");
	struct result *r = result_new();
	struct case_result *c = add_counted(r, "read_write");
	const struct path_step *s;
	struct path path;
	char text[400];

	(void)state;
	set_site(c, "file_to_user", PAYLOAD);
	set_site(c, "user_to_socket", PAYLOAD);
	path_find(m, c, &path);
	s = step(&path, PATH_CACHE, PATH_USER);
	assert_non_null(s);
	assert_int_equal(s->kind, PATH_COPY);
	assert_true(s->bytes == (double)PAYLOAD);
	assert_string_equal(s->texts, "copy 327.7 MB");
	assert_non_null(step(&path, PATH_USER, PATH_SOCKET));
	assert_null(step(&path, PATH_CACHE, PATH_SOCKET));
	/* a warm file: the disk is in the picture, and idle */
	assert_true(step(&path, PATH_DISK, PATH_CACHE)->bytes == 0);
	assert_non_null(strstr(path_figures(&path, text, sizeof(text)), "system calls 2.00 (texts 2)"));
	assert_non_null(strstr(text, "crossings 4.00 (texts 4)"));
	/* switches were not counted: no zero */
	assert_non_null(strstr(text, "context switches " UNKNOWN));
	result_free(r);
}

static void references_go_past_the_user(void **state)
{
	const struct method *m = method_find("sendfile");
	struct result *r = result_new();
	struct case_result *c = add_counted(r, "sendfile");
	const struct path_step *s;
	struct path path;
	char *dot;

	(void)state;
	set_site(c, "by_reference", PAYLOAD);
	path_find(m, c, &path);
	s = step(&path, PATH_CACHE, PATH_SOCKET);
	assert_non_null(s);
	assert_int_equal(s->kind, PATH_REFERENCE);
	/* the older texts leave sendfile one copy */
	assert_string_equal(s->texts, "copy 327.7 MB");
	dot = dot_of(m, &path);
	assert_non_null(strstr(dot, "cache -> socket [style=\"dashed\""));
	assert_non_null(strstr(dot, "by reference"));
	assert_non_null(strstr(dot, "texts: copy 327.7 MB"));
	/* the one copy there is, the receiver's: solid and said in words */
	assert_non_null(strstr(dot, "wire -> receiver [style=\"solid\""));
	free(dot);
	result_free(r);
}

static void a_mapping_is_no_buffer(void **state)
{
	struct result *r = result_new();
	struct case_result *c = add_counted(r, "mmap_write");
	struct path path;

	(void)state;
	set_site(c, "user_to_socket", PAYLOAD);
	path_find(method_find("mmap_write"), c, &path);
	assert_int_equal(step(&path, PATH_CACHE, PATH_USER)->kind, PATH_REFERENCE);
	assert_string_equal(path_place_name(&path, PATH_USER), "mapped file");
	assert_int_equal(step(&path, PATH_USER, PATH_SOCKET)->kind, PATH_COPY);
	assert_string_equal(step(&path, PATH_USER, PATH_SOCKET)->texts, "no copy");
	result_free(r);
}

static void direct_io_is_the_devices_work(void **state)
{
	struct result *r = result_new();
	struct case_result *c = add_counted(r, "direct_write");
	struct path path;
	char *dot;

	(void)state;
	set_site(c, "disk_to_user", PAYLOAD);
	set_site(c, "user_to_socket", PAYLOAD);
	path_find(method_find("direct_write"), c, &path);
	assert_int_equal(step(&path, PATH_DISK, PATH_USER)->kind, PATH_DMA);
	assert_null(step(&path, PATH_DISK, PATH_CACHE));
	dot = dot_of(method_find("direct_write"), &path);
	assert_non_null(strstr(dot, "disk -> user [style=\"dotted\""));
	assert_non_null(strstr(dot, "not passed"));
	free(dot);
	result_free(r);
}

static void unknown_is_a_question_mark_with_a_reason(void **state)
{
	const struct method *m = method_find("read_write");
	struct result *r = result_new();
	struct case_result *c = add_counted(r, "read_write");
	char *dot, *text = NULL;
	size_t size = 0;
	struct path path;
	FILE *out;

	(void)state;
	set_site(c, "user_to_socket", PAYLOAD);
	json_object_set_new(c->copies, "file_to_user",
			    json_pack("{s:n, s:n, s:s}", "bytes", "calls", "reason", "no probe <fits> here"));
	path_find(m, c, &path);
	assert_true(isnan(step(&path, PATH_CACHE, PATH_USER)->bytes));
	dot = dot_of(m, &path);
	assert_non_null(strstr(dot, "<b>copy</b></font><br/>?"));
	free(dot);
	out = open_memstream(&text, &size);
	path_print(&path, out);
	fclose(out);
	assert_non_null(strstr(text, "copy ?"));
	assert_non_null(strstr(text, "?: no probe <fits> here"));
	free(text);
	result_free(r);
}

static void without_counts_the_texts_are_left(void **state)
{
	struct result *r = result_new();
	struct case_result *c = add_counted(r, "read_write");
	struct path path;

	(void)state;
	json_object_clear(c->copies);
	json_object_clear(c->counts);
	path_find(method_find("read_write"), c, &path);
	assert_true(isnan(step(&path, PATH_CACHE, PATH_USER)->bytes));
	assert_non_null(step(&path, PATH_USER, PATH_SOCKET));
	/* nobody said or counted anything of these */
	assert_null(step(&path, PATH_CACHE, PATH_KERNEL));
	assert_null(step(&path, PATH_SOCKET, PATH_SOCKET));
	result_free(r);
}

static void a_hostile_link_is_text(void **state)
{
	const struct method *m = method_find("splice");
	struct result *r = result_new();
	struct case_result *c = add_counted(r, "splice");
	struct path path;
	char *dot;

	(void)state;
	free(c->link);
	c->link = strdup("</font>>]; x -> y");
	path_find(m, c, &path);
	dot = dot_of(m, &path);
	assert_null(strstr(dot, "x -> y"));
	assert_non_null(strstr(dot, "&lt;/font&gt;&gt;]; x -&gt; y"));
	/* what another link does with the bytes nobody has watched */
	assert_true(isnan(step(&path, PATH_SOCKET, PATH_WIRE)->bytes));
	free(dot);
	result_free(r);
}

static void numbers_beyond_measure(void **state)
{
	static const double bad[] = { 1e300, -1, 0.5, 9e18, INFINITY };
	char text[FORMAT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (size_t m = 0; methods[m]; m++) {
			struct result *r = result_new();
			struct case_result *c = add_counted(r, methods[m]->name);
			struct path path;

			for (size_t k = 0; k < sizeof(all_sites) / sizeof(all_sites[0]); k++)
				if (isfinite(bad[i]))
					set_site(c, all_sites[k], bad[i]);
			c->payload = bad[i] >= 9e18 ? UINT64_MAX : 0;
			path_find(methods[m], c, &path);
			assert_true(path.count < PATH_STEPS_MAX);
			free(dot_of(methods[m], &path));
			result_free(r);
		}
		assert_true(strlen(path_bytes(bad[i], text)) < 32);
	}
	assert_string_equal(path_bytes(NAN, text), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_copies_stand_beside_the_texts),
		cmocka_unit_test(references_go_past_the_user),
		cmocka_unit_test(a_mapping_is_no_buffer),
		cmocka_unit_test(direct_io_is_the_devices_work),
		cmocka_unit_test(unknown_is_a_question_mark_with_a_reason),
		cmocka_unit_test(without_counts_the_texts_are_left),
		cmocka_unit_test(a_hostile_link_is_text),
		cmocka_unit_test(numbers_beyond_measure),
	};

	return cmocka_run_group_tests_name("paths", tests, NULL, NULL);
}
