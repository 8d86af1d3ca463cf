// SPDX-License-Identifier: MIT
/* Memory for cold transfers: how much, where, and that it is there and gone when it should be. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure/fact.h"
#include "measure/page_reporting.h"
#include "method/method.h"
#include "study/backed.h"
#include "transfer/backing.h"

/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#define MIB (1ULL << 20)

static json_t *host_with(const char *reporting, long long available, long long limit)
{
	json_t *host = json_object();

	fact_put(host, "memory", "free_page_reporting", fact_known(json_string(reporting), "made up"));
	fact_put(host, "memory", "available_bytes", fact_known(json_integer(available), "made up"));
	fact_put(host, "memory", "limit_bytes",
		 fact_known(limit ? json_integer(limit) : json_string("none"), "made up"));
	return host;
}

static uint64_t bytes_of(const char *reporting, long long available, long long limit, const struct plan_case *c)
{
	json_t *host = host_with(reporting, available, limit);
	uint64_t bytes = backed_bytes(host, c);

	json_decref(host);
	return bytes;
}

static void only_what_comes_in_and_only_where_it_is_taken_back(void **state)
{
	const long long plenty = 16384LL * (long long)MIB;
	struct plan_case c = { .cache = CACHE_COLD, .size = 64 * MIB, .connections = 1,
			      .method = method_find("sendfile") };
	json_t *nothing = json_object();

	(void)state;
	assert_int_equal(bytes_of("on", plenty, 0, &c), 64 * MIB);
	assert_int_equal(bytes_of("off", plenty, 0, &c), 0);
	/* a quarter of what there is, or of what is allowed, is the most */
	assert_int_equal(bytes_of("on", 255 * (long long)MIB, 0, &c), 0);
	assert_int_equal(bytes_of("on", plenty, 255 * (long long)MIB, &c), 0);
	assert_int_equal(bytes_of("on", plenty, 256 * (long long)MIB, &c), 64 * MIB);
	assert_int_equal(backed_bytes(nothing, &c), 0);
	/* direct I/O brings nothing into the cache */
	c.method = method_find("direct_write");
	assert_int_equal(bytes_of("on", plenty, 0, &c), 0);
	c.method = method_find("read_write");
	c.cache = CACHE_HALF;
	assert_int_equal(bytes_of("on", plenty, 0, &c), 64 * MIB);
	c.cache = CACHE_WARM;
	assert_int_equal(bytes_of("on", plenty, 0, &c), 0);
	c.cache = CACHE_COLD;
	c.size = 1025 * MIB;
	assert_int_equal(bytes_of("on", plenty, 0, &c), 0);
	json_decref(nothing);
}

/* Kilobytes that this process has resident. */
static long resident_kib(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[128];
	long kib = -1;

	while (file && fgets(line, sizeof(line), file))
		(void)sscanf(line, "VmRSS: %ld", &kib);
	if (file)
		fclose(file);
	return kib;
}

static void it_is_there_until_it_is_let_go_and_no_child_has_it(void **state)
{
	struct backing b = { 0 };
	long before = resident_kib(), held;
	int status;
	pid_t pid;

	(void)state;
	if (before < 0)
		skip();
	backing_hold(&b, 64 * MIB);
	assert_non_null(b.memory);
	held = resident_kib();
	assert_true(held - before >= 60 << 10);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(held - resident_kib() >= 60 << 10 ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* another hold lets the first go */
	backing_hold(&b, 1 * MIB);
	assert_true(resident_kib() - before < 30 << 10);
	backing_release(&b);
	assert_null(b.memory);
	backing_release(&b);
	backing_release(NULL);
	backing_hold(&b, 0);
	assert_null(b.memory);
	/* more than there is room for is nothing */
	backing_hold(&b, 1ULL << 62);
	assert_null(b.memory);
}

/* A virtio device as sysfs shows it, in `devices`/NAME. */
static void device_is(const char *devices, const char *name, const char *number, const char *features)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", devices, name);
	(void)mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/device", devices, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fprintf(file, "%s\n", number);
	fclose(file);
	snprintf(path, sizeof(path), "%s/%s/features", devices, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fprintf(file, "%s\n", features);
	fclose(file);
}

static void device_goes(const char *devices, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s/device", devices, name);
	unlink(path);
	snprintf(path, sizeof(path), "%s/%s/features", devices, name);
	unlink(path);
	snprintf(path, sizeof(path), "%s/%s", devices, name);
	rmdir(path);
}

static void only_a_balloon_that_reports_is_on(void **state)
{
	char devices[] = "devices.XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(devices));
	assert_string_equal(page_reporting("no such folder"), "off");
	assert_string_equal(page_reporting(devices), "off");
	/* a disk with that bit */
	device_is(devices, "virtio0", "0x0002", "0000010000000000");
	assert_string_equal(page_reporting(devices), "off");
	/* a balloon without it, and with features cut short */
	device_is(devices, "virtio1", "0x0005", "1111101111111111");
	assert_string_equal(page_reporting(devices), "off");
	device_is(devices, "virtio1", "0x0005", "11111");
	assert_string_equal(page_reporting(devices), "off");
	device_is(devices, "virtio1", "0x0005", "0110010100000000");
	assert_string_equal(page_reporting(devices), "on");
	device_goes(devices, "virtio0");
	device_goes(devices, "virtio1");
	assert_int_equal(rmdir(devices), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_comes_in_and_only_where_it_is_taken_back),
		cmocka_unit_test(it_is_there_until_it_is_let_go_and_no_child_has_it),
		cmocka_unit_test(only_a_balloon_that_reports_is_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
