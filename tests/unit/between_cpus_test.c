// SPDX-License-Identifier: MIT
/* What takes two CPUs to measure: a cache line's way there and back, and a copy that the other CPU reads. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure/core_latency.h"
#include "measure/delivered_wait.h"
#include "measure/handed_copy.h"
#include "measure/sent_copy.h"
#include "measure/softirqs.h"
#include "transfer/placement.h"
/* last: it makes a macro of the name fail() */
#include <cmocka.h>

static void latency_is_between_two_cpus(void **state)
{
	cpu_set_t set;
	int cpus[2], n = 0;
	double s = 1;

	(void)state;
	assert_int_equal(core_latency(-1, 0, &s), -EINVAL);
	assert_true(isnan(s));
	assert_int_equal(core_latency(0, 0, &s), -EINVAL);
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (int i = 0; i < CPU_SETSIZE && n < 2; i++)
		if (CPU_ISSET((size_t)i, &set))
			cpus[n++] = i;
	if (n < 2)
		skip();
	/* a CPU that there is none of */
	assert_true(core_latency(cpus[0], CPU_SETSIZE * 8, &s) < 0);
	assert_true(isnan(s));
	/* under other load one try may not come to pass; light takes a nanosecond for a foot */
	for (int i = 0; i < 20 && core_latency(cpus[0], cpus[1], &s); i++)
		;
	assert_true(s > 1e-9);
	assert_true(s < 1e-3);
}

/* The copying is timed, not the waiting, and what can't be handed over is an error. */
static void a_copy_is_handed_over(void **state)
{
	const struct handed_source odd = { "", 1, 3 };
	struct handed_source source = { NULL, 1 << 16, 1 << 14 };
	char *from = malloc(source.span);
	cpu_set_t set;
	double per_gb = 1;
	int peer = 0;

	(void)state;
	assert_non_null(from);
	memset(from, 1, source.span);
	source.from = from;
	assert_int_equal(handed_copy(&source, HANDED_READER_CLOSE, 1 << 20, -1, &per_gb), -EINVAL);
	assert_true(isnan(per_gb));
	assert_int_equal(handed_copy(&odd, HANDED_READER_WAITS, 1 << 20, 0, &per_gb), -EINVAL);
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	while (peer < CPU_SETSIZE && !CPU_ISSET((size_t)peer, &set))
		peer++;
	for (enum handed_reader reader = HANDED_READER_CLOSE; reader <= HANDED_READER_WAITS; reader++) {
		assert_int_equal(handed_copy(&source, reader, 4 << 20, peer, &per_gb), 0);
		assert_true(per_gb > 0 && isfinite(per_gb));
	}
	free(from);
}

/* The same through the kernel. */
static void a_copy_is_sent(void **state)
{
	const struct handed_source odd = { "", 1, 3 };
	struct handed_source source = { NULL, 1 << 16, 1 << 14 };
	char *from = malloc(source.span);
	cpu_set_t set;
	double per_gb = 1, less;
	int peer = 0, own;

	(void)state;
	assert_non_null(from);
	memset(from, 1, source.span);
	source.from = from;
	assert_int_equal(sent_copy(&source, SENT_BATCH_BYTES, 0, -1, 0, &per_gb), -EINVAL);
	assert_true(isnan(per_gb));
	assert_int_equal(sent_copy(&source, SENT_BATCH_BYTES, -1, 0, 0, &per_gb), -EINVAL);
	assert_int_equal(sent_copy(&odd, SENT_BATCH_BYTES, 0, 0, 0, &per_gb), -EINVAL);
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	while (peer < CPU_SETSIZE && !CPU_ISSET((size_t)peer, &set))
		peer++;
	own = peer + 1;
	while (own < CPU_SETSIZE && !CPU_ISSET((size_t)own, &set))
		own++;
	own = own < CPU_SETSIZE ? own : peer;
	/* deliveries are on the account of the CPU that sends */
	assert_int_equal(placement_pin(own), 0);
	if (!isnan(softirqs_net_rx(own)) && own != peer) {
		assert_int_equal(sent_copy(&source, 4 << 20, own, peer, 0, &per_gb), 0);
		assert_true(isfinite(per_gb));
	}
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
	assert_int_equal(sent_copy(&source, 4 << 20, CPU_SETSIZE * 8, peer, 0, &less), -ENODATA);
	assert_true(isnan(less));
	free(from);
}

#define PIECE 4096

/* What a wait costs more is this machine's business, and may be nothing; that it is measured or says why not is ours. */
static void a_wait_after_a_delivery_is_measured(void **state)
{
	char path[] = "waits.XXXXXX";
	struct delivered_wait w = { .piece = PIECE, .size = 4UL * PIECE, .peer_cpu = -1 };
	char *buffer = aligned_alloc(PIECE, PIECE);
	cpu_set_t set;
	double more = 1;

	(void)state;
	assert_non_null(buffer);
	w.buffer = memset(buffer, 1, PIECE);
	w.fd = mkstemp(path);
	assert_true(w.fd >= 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(write(w.fd, buffer, PIECE), PIECE);
	assert_int_equal(delivered_wait(&w, 8, &more), -EINVAL);
	assert_true(isnan(more));
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (w.peer_cpu = 0; w.peer_cpu < CPU_SETSIZE && !CPU_ISSET((size_t)w.peer_cpu, &set);)
		w.peer_cpu++;
	/* cached reads do, too: not every file system has direct ones */
	assert_int_equal(delivered_wait(&w, 8, &more), 0);
	assert_true(isfinite(more));
	assert_int_equal(ftruncate(w.fd, PIECE), 0);
	assert_int_equal(delivered_wait(&w, 8, &more), -ENODATA);
	assert_true(isnan(more));
	close(w.fd);
	assert_int_equal(unlink(path), 0);
	free(buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(latency_is_between_two_cpus),
		cmocka_unit_test(a_copy_is_handed_over),
		cmocka_unit_test(a_copy_is_sent),
		cmocka_unit_test(a_wait_after_a_delivery_is_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
