// SPDX-License-Identifier: MIT
#include "analysis/differences.h"

#include <math.h>
#include <stddef.h>

#include "analysis/apart.h"
#include "measure/fact.h"

#define BUSY_CPUS 0.3

struct thing {
	const char *what, *name;
	bool breaks;
};

/* Looked up in host{} */
static const struct thing facts[] = {
	{ "kernel.release", "kernel", true },
	{ "kernel.version", "kernel build", true },
	{ "kernel.architecture", "architecture", true },
	{ "kernel.options", "kernel options", true },
	{ "kernel.build", "kernel configuration", true },
	{ "kernel.clocksource", "clock source", true },
	{ "kernel.idle_driver", "idle driver", true },
	{ "kernel.idle_governor", "idle governor", true },
	{ "kernel.cpu_accounting", "CPU accounting", true },
	{ "kernel.softirq_charged_to_task", "whether soft interrupts are charged to the sender", true },
	{ "cpu.model", "CPU model", true },
	{ "cpu.cores", "cores", true },
	{ "cpu.threads", "threads", true },
	{ "cpu.caches", "CPU caches", true },
	{ "cpu.mitigations", "mitigations", true },
	{ "cpu.smt", "SMT", true },
	{ "cpu.governor", "frequency governor", true },
	{ "cpu.turbo", "turbo", true },
	{ "cpu.quota", "CPU quota", true },
	{ "cpu.hypervisor", "hypervisor", true },
	{ "memory.page_bytes", "page size", true },
	{ "memory.transparent_hugepages", "transparent huge pages", true },
	{ "net.loopback_mtu", "loopback MTU", true },
	{ "net.loopback_tso", "segmentation offload of loopback", true },
	{ "storage.file_system", "file system", true },
	{ "storage.mount_options", "mount options", true },
	{ "storage.rotational", "kind of disk", true },
	{ "kernel.distribution", "distribution", false },
	{ "net.congestion_control", "the system's congestion control", false },
	{ "limits.pipe_max_bytes", "largest pipe", true },
};

/* Looked up in settings{} */
static const struct thing settings[] = {
	{ "payload_bytes", "payload", true },
	{ "payload_made", "whether the payload was made for the run", true },
	{ "payload_written_in_bytes", "pieces the payload was written in", true },
	{ "congestion_control", "congestion control", true },
	{ "sndbuf", "send buffer", true },
	{ "rcvbuf", "receive buffer", true },
	{ "nodelay", "TCP_NODELAY", true },
	{ "link_actual", "socket options in force", true },
	{ "placement", "placement", true },
	{ "receive_buffer_bytes", "the receiver's buffer", true },
	{ "rounds", "rounds", false },
	{ "warmup_rounds", "warm-up rounds", false },
	{ "seed", "seed", false },
};

/* Looked up in tool{} */
static const struct thing tool[] = {
	{ "version", "copytax's version", false },
	{ "commit", "copytax's commit", false },
};

static int add(json_t *list, const struct thing *t, const char *part, const json_t *base,
	       const json_t *new)
{
	bool known_base = base && !json_is_null(base), known_new = new && !json_is_null(new);
	json_t *one;

	if ((!known_base && !known_new) || (known_base && known_new && json_equal(base, new)))
		return 0;
	one = json_pack("{s:s+, s:s, s:O, s:O, s:b}", "what", part, t->what, "name", t->name, "base",
			known_base ? base : json_null(), "new", known_new ? new : json_null(),
			/* not known on one side is no difference that anyone saw */
			"breaks", t->breaks && known_base && known_new);
	return one && !json_array_append_new(list, one) ? 0 : -1;
}

/* Results of before there was a lead are of transfers without one. */
static int add_lead(json_t *list, const struct result *base, const struct result *new)
{
	static const struct thing lead = { "lead", "bytes sent before the payload", true };
	const json_t *a = json_object_get(base->settings, lead.what),
		     *b = json_object_get(new->settings, lead.what);
	json_t *none = json_integer(0);
	int err = 0;

	/* null: the link has none */
	if (!json_is_null(a) && !json_is_null(b))
		err = add(list, &lead, "settings.", a ? a : none, b ? b : none);
	json_decref(none);
	return err;
}

/* How busy the machine was before the run; it never is the same twice, so only when it matters. */
static int add_load(json_t *list, const struct result *base, const struct result *new)
{
	static const struct thing load = { "load.busy_cpus_now", "CPUs busy before the run", false };
	const json_t *a = fact_value(base->host, load.what), *b = fact_value(new->host, load.what);

	if (json_is_number(a) && json_is_number(b) &&
	    fabs(json_number_value(a) - json_number_value(b)) < BUSY_CPUS)
		return 0;
	return add(list, &load, "host.", a, b);
}

/* The CPUs' distance, of the samples that are compared (analysis/apart.h). */
static int add_distance(json_t *list, const struct result *base, const struct result *new)
{
	static const struct thing distance = { "core_latency.median_s", "distance of the two CPUs, s", true };
	struct apart a, b;
	json_t *x, *y;
	int err = 0;

	apart_count(base, &a);
	apart_count(new, &b);
	if (isnan(a.median_s) || isnan(b.median_s) || apart_near(b.median_s, a.median_s))
		return 0;
	x = json_real(a.median_s);
	y = json_real(b.median_s);
	err = add(list, &distance, "run.", x, y);
	json_decref(x);
	json_decref(y);
	return err;
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

json_t *differences_between(const struct result *base, const struct result *new)
{
	json_t *out = json_array();
	int err = out ? 0 : -1;

	for (size_t i = 0; i < COUNT(facts) && !err; i++)
		err = add(out, &facts[i], "host.", fact_value(base->host, facts[i].what),
			  fact_value(new->host, facts[i].what));
	for (size_t i = 0; i < COUNT(settings) && !err; i++)
		err = add(out, &settings[i], "settings.",
			  json_object_get(base->settings, settings[i].what),
			  json_object_get(new->settings, settings[i].what));
	if (!err)
		err = add_lead(out, base, new);
	for (size_t i = 0; i < COUNT(tool) && !err; i++)
		err = add(out, &tool[i], "tool.", json_object_get(base->tool, tool[i].what),
			  json_object_get(new->tool, tool[i].what));
	if (!err)
		err = add_load(out, base, new);
	if (!err)
		err = add_distance(out, base, new);
	if (err) {
		json_decref(out);
		return NULL;
	}
	return out;
}
