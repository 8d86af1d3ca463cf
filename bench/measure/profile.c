// SPDX-License-Identifier: MIT
#include "measure/profile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/pmu.h"
#include "measure/symbols.h"

/* Of each CPU, for one transfer: nobody empties it meanwhile. Halved until the kernel grants it. */
#define RING_BYTES_MAX (8u << 20)
#define RING_BYTES_MIN (64u << 10)
/* Primes, so that sampling doesn't fall into step with a loop of the same length. */
#define CLOCK_PERIOD_NS 499979
#define CYCLES_PERIOD 599999
#define WORKER "worker"

struct ring {
	int fd;
	struct perf_event_mmap_page *page;
	size_t bytes; /* of the data, after the first page */
};

struct profile {
	struct perf_event_attr attr;
	struct symbols *kernel, *user;
	struct ring *ring; /* one per CPU */
	size_t rings;
	pid_t worker;
	bool opened;
	char reason[PMU_REASON_MAX]; /* nothing can be sampled */
	char no_names[PMU_REASON_MAX]; /* the kernel's functions have no names */
	struct folded stacks;
	uint64_t lost, throttled;
	unsigned int transfers;
};

/* ---- which event ---- */

static bool counts_cycles(const struct perf_event_attr *event)
{
	struct perf_event_attr attr = { .size = sizeof(attr),
					.type = event->type,
					.config = event->config };
	double end = clock_wall() + 0.002;
	int fd = pmu_open(&attr, 0, -1, -1);
	uint64_t count = 0;

	if (fd < 0)
		return false;
	while (clock_wall() < end)
		;
	if (read(fd, &count, sizeof(count)) != sizeof(count))
		count = 0;
	close(fd);
	return count;
}

static void choose_event(struct profile *profile, int cpu)
{
	struct perf_event_attr *attr = &profile->attr;
	struct pmu_machine machine;
	int fd;

	pmu_machine_read(PMU_DEVICES, cpu, &machine);
	*attr = (struct perf_event_attr){
		.size = sizeof(*attr),
		.type = PERF_TYPE_HARDWARE,
		.config = PERF_COUNT_HW_CPU_CYCLES,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_CALLCHAIN,
		.sample_period = CYCLES_PERIOD,
		.disabled = 1,
		.inherit = 1,
		.exclude_hv = 1,
	};
	if (machine.count > 1 && machine.own >= 0)
		attr->config |= (uint64_t)machine.kinds[machine.own].type << 32;
	fd = counts_cycles(attr) ? pmu_open(attr, 0, -1, -1) : -ENOENT;
	if (fd < 0) {
		attr->type = PERF_TYPE_SOFTWARE;
		attr->config = PERF_COUNT_SW_CPU_CLOCK;
		attr->sample_period = CLOCK_PERIOD_NS;
		fd = pmu_open(attr, 0, -1, -1);
	}
	if (fd < 0)
		pmu_explain(&machine, attr, -fd, profile->reason, sizeof(profile->reason));
	else
		close(fd);
}

int profile_new(int cpu, struct profile **out, struct failure *why)
{
	struct profile *profile = calloc(1, sizeof(*profile));
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	*out = NULL;
	if (profile && cpus > 0)
		profile->ring = calloc((size_t)cpus, sizeof(*profile->ring));
	if (!profile || !profile->ring) {
		free(profile);
		return fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
	}
	profile->rings = (size_t)cpus;
	for (size_t i = 0; i < profile->rings; i++)
		profile->ring[i].fd = -1;
	choose_event(profile, cpu);
	if (!profile->reason[0])
		(void)symbols_of_kernel("/proc/kallsyms", &profile->kernel, profile->no_names,
					sizeof(profile->no_names));
	*out = profile;
	return 0;
}

/* ---- the rings ---- */

static void close_rings(struct profile *profile)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < profile->rings; i++) {
		struct ring *ring = &profile->ring[i];

		if (ring->page)
			munmap(ring->page, page + ring->bytes);
		if (ring->fd >= 0)
			close(ring->fd);
		*ring = (struct ring){ .fd = -1 };
	}
	profile->opened = false;
}

static int open_ring(struct profile *profile, int cpu, pid_t pid)
{
	struct ring *ring = &profile->ring[cpu];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	/* a thread that the worker starts is sampled too, and the kernel allows that per CPU only */
	ring->fd = pmu_open(&profile->attr, pid, cpu, -1);
	if (ring->fd < 0)
		return ring->fd;
	for (ring->bytes = RING_BYTES_MAX; ring->bytes >= RING_BYTES_MIN; ring->bytes /= 2) {
		void *at = mmap(NULL, page + ring->bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
				ring->fd, 0);

		if (at != MAP_FAILED) {
			ring->page = at;
			return 0;
		}
	}
	return -errno;
}

static void open_rings(struct profile *profile, pid_t pid)
{
	struct pmu_machine machine = { .own = -1 };

	close_rings(profile);
	if (profile->reason[0])
		return;
	for (int cpu = 0; cpu < (int)profile->rings; cpu++) {
		int err = open_ring(profile, cpu, pid);

		/* a CPU that is switched off */
		if (err == -ENODEV)
			continue;
		if (err == -EPERM || err == -ENOMEM) {
			snprintf(profile->reason, sizeof(profile->reason),
				 "no memory for the samples: kernel.perf_event_mlock_kb and the limit of locked memory (ulimit -l) are too low");
			break;
		}
		if (err) {
			pmu_explain(&machine, &profile->attr, -err, profile->reason,
				    sizeof(profile->reason));
			break;
		}
		profile->opened = true;
	}
	if (profile->reason[0])
		close_rings(profile);
}

static void switch_rings(const struct profile *profile, unsigned long request)
{
	for (size_t i = 0; i < profile->rings; i++)
		if (profile->ring[i].fd >= 0)
			ioctl(profile->ring[i].fd, request, 0);
}

/* ---- from a call chain to a line ---- */

struct text {
	char line[FOLDED_LINE_MAX];
	size_t used;
};

static void put(struct text *text, const char *name, const char *suffix)
{
	int n = snprintf(text->line + text->used, sizeof(text->line) - text->used, ";%s%s", name,
			 suffix);

	/* a chain that doesn't fit keeps its outer part */
	if (n > 0 && text->used + (size_t)n < sizeof(text->line))
		text->used += (size_t)n;
	text->line[text->used] = '\0';
}

static void add_chain(struct profile *profile, const uint64_t *ip, uint64_t count)
{
	struct text text = { .line = WORKER, .used = sizeof(WORKER) - 1 };
	uint64_t context = PERF_CONTEXT_USER, kernel_from = count, kernel_to = count, user = 0;

	/* innermost first: the kernel's part, then the user's, each behind a marker */
	for (uint64_t i = 0; i < count; i++) {
		if (ip[i] >= PERF_CONTEXT_MAX) {
			context = ip[i];
		} else if (context == PERF_CONTEXT_KERNEL) {
			kernel_from = kernel_from == count ? i : kernel_from;
			kernel_to = i + 1;
		} else if (context == PERF_CONTEXT_USER && !user) {
			user = ip[i];
		}
	}
	if (user)
		put(&text, symbol_of(profile->user, user), "");
	for (uint64_t i = kernel_to; i > kernel_from; i--) {
		/* all but the innermost are return addresses, which may lie in the next function already */
		uint64_t address = ip[i - 1] - (i - 1 > kernel_from);

		put(&text, profile->kernel ? symbol_of(profile->kernel, address) : "[kernel]",
		    FOLDED_KERNEL);
	}
	if (folded_add(&profile->stacks, text.line, 1))
		snprintf(profile->reason, sizeof(profile->reason), "out of memory");
}

struct sample {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t count;
	uint64_t ip[];
};

struct lost {
	struct perf_event_header header;
	uint64_t id, lost;
};

static void take_record(struct profile *profile, const struct perf_event_header *header)
{
	const struct sample *sample = (const void *)header;
	const struct lost *lost = (const void *)header;

	switch (header->type) {
	case PERF_RECORD_SAMPLE:
		if (sizeof(*sample) + sample->count * sizeof(sample->ip[0]) <= header->size)
			add_chain(profile, sample->ip, sample->count);
		break;
	case PERF_RECORD_LOST:
		profile->lost += lost->lost;
		break;
	case PERF_RECORD_THROTTLE:
		profile->throttled++;
		break;
	default:
		break;
	}
}

static void drain(struct profile *profile, struct ring *ring)
{
	/* a record is at most 64 KiB and may go round the end of the ring */
	static const size_t record_max = UINT16_MAX + 1;
	const char *data = (const char *)ring->page + sysconf(_SC_PAGESIZE);
	uint64_t at = ring->page->data_tail;
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t *record = malloc(record_max);

	while (record && at < head) {
		size_t from = at % ring->bytes;
		const struct perf_event_header *header = (const void *)(data + from);
		size_t size = header->size, first = ring->bytes - from;

		if (size < sizeof(*header) || size > head - at)
			break;
		first = first < size ? first : size;
		memcpy(record, data + from, first);
		memcpy((char *)record + first, data, size - first);
		take_record(profile, (const struct perf_event_header *)record);
		at += size;
	}
	__atomic_store_n(&ring->page->data_tail, at, __ATOMIC_RELEASE);
	free(record);
}

int profile_born(void *arg, pid_t sender, pid_t receiver, struct failure *why)
{
	struct profile *profile = arg;

	(void)receiver;
	(void)why;
	profile->worker = sender;
	open_rings(profile, sender);
	return 0;
}

int profile_ready(void *arg, struct failure *why)
{
	(void)why;
	switch_rings(arg, PERF_EVENT_IOC_ENABLE);
	return 0;
}

void profile_over(void *arg)
{
	struct profile *profile = arg;

	if (!profile->opened)
		return;
	switch_rings(profile, PERF_EVENT_IOC_DISABLE);
	/* without them user functions are [unknown], which is what they then are */
	(void)symbols_of_process(profile->worker, &profile->user);
	for (size_t i = 0; i < profile->rings; i++)
		if (profile->ring[i].page)
			drain(profile, &profile->ring[i]);
	folded_merge(&profile->stacks);
	symbols_free(profile->user);
	profile->user = NULL;
	profile->transfers++;
	close_rings(profile);
}

void profile_clear(struct profile *profile)
{
	folded_free(&profile->stacks);
	profile->lost = profile->throttled = 0;
	profile->transfers = 0;
}

const struct folded *profile_stacks(struct profile *profile)
{
	return &profile->stacks;
}

json_t *profile_json(const struct profile *profile)
{
	bool clock = profile->attr.type == PERF_TYPE_SOFTWARE;
	const char *reason = profile->reason[0] ? profile->reason : NULL;
	json_t *object;

	if (!reason && !profile->stacks.samples)
		reason = profile->transfers ? "the transfer was too short for a single sample" :
					      "nothing was sampled yet";
	object = json_pack("{s:s, s:I, s:s, s:i, s:o, s:I, s:I}", "event",
			   clock ? "cpu-clock" : "cycles", "period",
			   (json_int_t)profile->attr.sample_period, "period_unit",
			   clock ? "ns" : "cycles", "transfers", (int)profile->transfers, "samples",
			   reason ? json_null() : json_integer((json_int_t)profile->stacks.samples),
			   "lost", (json_int_t)profile->lost, "throttled",
			   (json_int_t)profile->throttled);
	if (object && reason)
		json_object_set_new(object, "reason", json_string(reason));
	if (object && profile->no_names[0])
		json_object_set_new(object, "names", json_string(profile->no_names));
	return object;
}

void profile_free(struct profile *profile)
{
	if (!profile)
		return;
	close_rings(profile);
	folded_free(&profile->stacks);
	symbols_free(profile->kernel);
	symbols_free(profile->user);
	free(profile->ring);
	free(profile);
}
