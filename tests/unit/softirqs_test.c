// SPDX-License-Identifier: MIT
/* The kernel's own count of deliveries, against bytes that were sent over loopback. */
#include "measure/softirqs.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transfer/placement.h"
/* last: it makes a macro of the name fail() */
#include <cmocka.h>

#define DATAGRAMS 500

static void what_is_sent_over_loopback_is_counted_where_it_was_sent(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	int from = socket(AF_INET, SOCK_DGRAM, 0), to = socket(AF_INET, SOCK_DGRAM, 0);
	int cpu = sched_getcpu();
	double before, after;
	char byte = 1;

	(void)state;
	assert_true(from >= 0 && to >= 0 && cpu >= 0);
	assert_int_equal(placement_pin(cpu), 0);
	assert_int_equal(bind(to, (struct sockaddr *)&at, size), 0);
	assert_int_equal(getsockname(to, (struct sockaddr *)&at, &size), 0);
	before = softirqs_net_rx(cpu);
	if (isnan(before))
		skip();
	for (int i = 0; i < DATAGRAMS; i++) {
		assert_int_equal(sendto(from, &byte, 1, 0, (struct sockaddr *)&at, size), 1);
		assert_int_equal(recv(to, &byte, 1, 0), 1);
	}
	after = softirqs_net_rx(cpu);
	/* each was there before the next was sent; now and then another interrupt has taken one along */
	print_message("    %d datagrams, %.0f soft interrupts\n", DATAGRAMS, after - before);
	assert_true(after - before >= DATAGRAMS * 0.9);
	close(from);
	close(to);
}

static void a_cpu_that_is_not_there_has_no_count(void **state)
{
	(void)state;
	assert_true(isnan(softirqs_net_rx(-1)));
	assert_true(isnan(softirqs_net_rx(1 << 20)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sent_over_loopback_is_counted_where_it_was_sent),
		cmocka_unit_test(a_cpu_that_is_not_there_has_no_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
