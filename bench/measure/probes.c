// SPDX-License-Identifier: MIT
#include "measure/probes.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "measure/probes_calls.h"
#include "measure/probes_ladder.h"
#include "measure/probes_permission.h"

#define KERNEL_TYPES "/sys/kernel/btf/vmlinux"
#define INITIAL_PID_NAMESPACE 0xEFFFFFFCU
#define OVERLAYFS_MAGIC 0x794c7630
#define ECRYPTFS_MAGIC 0xf15f
#define ENROL_TRIES 20

struct probes {
	struct ladder ladder;
	struct probe_row rows[PROBE_SUBJECTS];
	bool distrusted[PROBE_SUBJECTS];
	struct bpf_object *objects[OBJECTS];
	struct bpf_link *links[HOOKS_MAX * HOOK_PROGRAMS];
	/* as many as links */
	struct {
		const struct bpf_program *program;
		enum hook_group group;
	} attached[HOOKS_MAX * HOOK_PROGRAMS];
	size_t link_count;
	uint64_t missed_before[GROUPS];
	unsigned int cpus;
	int control_map, counters_map, sources_map;
	struct control *control;
	struct counters *counters; /* as many as the kernel side's key says */
	size_t control_size, counters_size;
	struct {
		uint64_t dev, ino;
	} pid_namespace; /* 0: the initial one */
	unsigned int switch_layout;
	bool bio_after_queue, uring_completion_whole;
	bool tcp, light, device;
};

static size_t whole_pages(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

/* The parameters of a typed tracepoint, as the kernel's types have them; NULL without it. */
static const struct btf_type *tracepoint_type(const struct btf *btf, const char *name)
{
	__s32 id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, (__u32)id) : NULL;

	while (type && (btf_is_typedef(type) || btf_is_ptr(type)))
		type = btf__type_by_id(btf, type->type);
	return type && btf_is_func_proto(type) ? type : NULL;
}

static bool parameter_is_pointer(const struct btf *btf, const struct btf_type *proto,
				 unsigned int n)
{
	const struct btf_type *type;

	if (n >= btf_vlen(proto))
		return false;
	type = btf__type_by_id(btf, btf_params(proto)[n].type);
	while (type && btf_is_mod(type))
		type = btf__type_by_id(btf, type->type);
	return type && btf_is_ptr(type);
}

/* Tracepoints whose arguments moved between versions. Parameter 0 is the tracer's own. */
static void read_layouts(struct probes *probes, const struct btf *btf)
{
	const struct btf_type *proto = tracepoint_type(btf, "btf_trace_sched_switch");

	probes->switch_layout = TRACED_SWITCH_WITHOUT_STATE;
	if (proto && btf_vlen(proto) > 4)
		probes->switch_layout = parameter_is_pointer(btf, proto, 2)
						? TRACED_SWITCH_STATE_LAST
						: TRACED_SWITCH_STATE_SECOND;
	proto = tracepoint_type(btf, "btf_trace_block_bio_queue");
	probes->bio_after_queue = proto && btf_vlen(proto) > 2;
	proto = tracepoint_type(btf, "btf_trace_io_uring_complete");
	probes->uring_completion_whole = proto && btf_vlen(proto) == 4 &&
					 parameter_is_pointer(btf, proto, 3);
}

static void read_pid_namespace(struct probes *probes)
{
	struct stat st;

	if (stat("/proc/self/ns/pid", &st) == 0 && st.st_ino != INITIAL_PID_NAMESPACE) {
		probes->pid_namespace.dev = st.st_dev;
		probes->pid_namespace.ino = st.st_ino;
	}
}

static int map_shared(int fd, size_t size, void **memory)
{
	*memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*memory == MAP_FAILED) {
		*memory = NULL;
		return -errno;
	}
	return 0;
}

static int create_maps(struct probes *probes, struct failure *why)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	unsigned int entries = probes->cpus * ROLES * COUNTED_PHASES;
	void *memory;
	int err;

	probes->control_size = whole_pages(sizeof(struct control));
	probes->counters_size = whole_pages(entries * sizeof(struct counters));
	probes->control_map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "copytax_control", sizeof(__u32),
					     sizeof(struct control), 1, &options);
	if (probes->control_map < 0)
		goto refused;
	probes->counters_map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "copytax_counter", sizeof(__u32),
					      sizeof(struct counters), entries, &options);
	if (probes->counters_map < 0)
		goto refused;
	probes->sources_map = bpf_map_create(BPF_MAP_TYPE_HASH, "copytax_sources", sizeof(__u64),
					     sizeof(__u32), SOURCES_MAX, NULL);
	if (probes->sources_map < 0)
		goto refused;
	err = map_shared(probes->control_map, probes->control_size, &memory);
	probes->control = memory;
	if (!err) {
		err = map_shared(probes->counters_map, probes->counters_size, &memory);
		probes->counters = memory;
	}
	if (err)
		return fail(why, EXIT_MACHINE_CANT, -err, "can't map BPF counters into memory: %s",
			    strerror(-err));
	return 0;
refused:
	return bpf_refused(errno, "create a BPF map", why);
}

/* A program that does nothing: tells CAP_PERFMON apart from everything that can be wrong with ours. */
static int may_load(struct failure *why)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd =
		bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "copytax_try", "GPL", nothing, 2, NULL);
	int err = errno;

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	return bpf_refused(err, "load BPF tracing programs", why);
}

/* Writes one constant into an image of an object's .rodata. */
static int put(const struct bpf_object *object, char *image, size_t image_size, const char *name,
	       const void *value, size_t size)
{
	const struct btf *btf = bpf_object__btf(object);
	__s32 id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	const struct btf_type *section = id < 0 ? NULL : btf__type_by_id(btf, (__u32)id);
	const struct btf_var_secinfo *member = section ? btf_var_secinfos(section) : NULL;

	for (int i = 0; member && i < btf_vlen(section); i++, member++) {
		const struct btf_type *variable = btf__type_by_id(btf, member->type);

		if (strcmp(btf__name_by_offset(btf, variable->name_off), name))
			continue;
		if (member->size != size || member->offset + size > image_size)
			return -EINVAL;
		memcpy(image + member->offset, value, size);
		return 0;
	}
	return -ENOENT;
}

/* What the programs of an object must know before they are loaded. */
static int set_constants(const struct probes *probes, enum probe_object which,
			 struct bpf_object *object)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata");
	__u8 kinds[COUNTED_SYSCALLS];
	const void *initial;
	char *image;
	size_t size;
	int err;

	if (!map)
		return -ENOENT;
	initial = bpf_map__initial_value(map, &size);
	image = initial ? malloc(size) : NULL;
	if (!image)
		return -ENOMEM;
	memcpy(image, initial, size);
	err = put(object, image, size, "pid_namespace_dev", &probes->pid_namespace.dev,
		  sizeof(probes->pid_namespace.dev));
	if (!err)
		err = put(object, image, size, "pid_namespace_ino", &probes->pid_namespace.ino,
			  sizeof(probes->pid_namespace.ino));
	if (!err && which == OBJECT_CROSSINGS) {
		probe_call_kinds(kinds);
		err = put(object, image, size, "call_kinds", kinds, sizeof(kinds));
		if (!err)
			err = put(object, image, size, "uring_completion_whole",
				  &probes->uring_completion_whole,
				  sizeof(probes->uring_completion_whole));
	}
	if (!err && which == OBJECT_SCHEDULING)
		err = put(object, image, size, "switch_layout", &probes->switch_layout,
			  sizeof(probes->switch_layout));
	if (!err && which == OBJECT_DEVICES)
		err = put(object, image, size, "bio_after_queue", &probes->bio_after_queue,
			  sizeof(probes->bio_after_queue));
	if (!err)
		err = bpf_map__set_initial_value(map, image, size);
	free(image);
	return err;
}

/* Opens an object with the chosen programs, or with only one of them. */
static int open_object(struct probes *probes, enum probe_object which, const char *only,
		       struct bpf_object **out)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = probe_object_name(which));
	struct bpf_object *object;
	const void *bytes;
	size_t size;
	int err;

	bytes = probe_object_bytes(which, &size);
	object = bpf_object__open_mem(bytes, size, &options);
	if (!object)
		return -errno;
	err = bpf_map__reuse_fd(bpf_object__find_map_by_name(object, ".data.control"),
				probes->control_map);
	if (!err)
		err = bpf_map__reuse_fd(bpf_object__find_map_by_name(object, "counters"),
					probes->counters_map);
	if (!err)
		err = bpf_map__reuse_fd(bpf_object__find_map_by_name(object, "sources"),
					probes->sources_map);
	if (!err)
		err = set_constants(probes, which, object);
	for (size_t i = 0; i < hook_count && !err; i++) {
		if (hooks[i].object != which || !probes->ladder.states[i].chosen)
			continue;
		for (size_t n = 0; n < HOOK_PROGRAMS && hooks[i].programs[n]; n++) {
			struct bpf_program *program =
				bpf_object__find_program_by_name(object, hooks[i].programs[n]);

			if (!program)
				err = -ENOENT;
			else if (!only || !strcmp(only, hooks[i].programs[n]))
				bpf_program__set_autoload(program, true);
		}
	}
	if (!err)
		err = bpf_object__load(object);
	if (err) {
		bpf_object__close(object);
		return err;
	}
	*out = object;
	return 0;
}

static void detach(struct probes *probes)
{
	while (probes->link_count)
		bpf_link__destroy(probes->links[--probes->link_count]);
}

/* See struct probe_counts; of all programs that are attached now, since they were loaded. */
static void missed(const struct probes *probes, uint64_t by_group[GROUPS])
{
	memset(by_group, 0, GROUPS * sizeof(*by_group));
	for (size_t i = 0; i < probes->link_count; i++) {
		struct bpf_prog_info info = { 0 };
		__u32 size = sizeof(info);

		if (!bpf_obj_get_info_by_fd(bpf_program__fd(probes->attached[i].program), &info,
					    &size))
			by_group[probes->attached[i].group] += info.recursion_misses;
	}
}

static void close_objects(struct probes *probes)
{
	detach(probes);
	for (enum probe_object o = 0; o < OBJECTS; o++) {
		bpf_object__close(probes->objects[o]);
		probes->objects[o] = NULL;
	}
}

/* Loads the programs of one object one by one and strikes those that fail. Returns how many, or -errno. */
static int strike_unloadable(struct probes *probes, enum probe_object which)
{
	struct bpf_object *object;
	int struck = 0;

	for (size_t i = 0; i < hook_count; i++) {
		struct hook_state *state = &probes->ladder.states[i];

		if (hooks[i].object != which || !state->chosen)
			continue;
		for (size_t n = 0; n < HOOK_PROGRAMS && hooks[i].programs[n]; n++) {
			int err = open_object(probes, which, hooks[i].programs[n], &object);

			if (!err) {
				bpf_object__close(object);
				continue;
			}
			state->stage = STAGE_LOAD;
			state->err = -err;
			struck++;
			break;
		}
	}
	return struck;
}

/* Does a subject that a group serves still trust it? The ledger and enrolment need the end of system calls in any case. */
static bool group_wanted(const struct probes *probes, enum hook_group group)
{
	if (group == GROUP_SYSCALLS)
		return true;
	for (enum probe_subject s = 0; s < PROBE_SUBJECTS; s++)
		if (subject_group(s) == group && !probes->distrusted[s])
			return true;
	return false;
}

/* See struct probe_target. */
static bool too_heavy(const struct probes *probes, enum hook_group group)
{
	if (group == GROUP_LINEARIZED)
		return !probes->device;
	if (!probes->light)
		return false;
	return group == GROUP_PAGES_TOUCHED ||
	       (group == GROUP_SEND && probes->ladder.rungs[group] == RUNG_TRACEPOINT);
}

/* Returns 0, or -errno with the hook that would not attach. */
static int attach(struct probes *probes, size_t *failed)
{
	for (size_t i = 0; i < hook_count; i++) {
		const struct hook *hook = &hooks[i];

		if (!probes->ladder.states[i].chosen || !group_wanted(probes, hook->group) ||
		    too_heavy(probes, hook->group))
			continue;
		for (size_t n = 0; n < HOOK_PROGRAMS && hook->programs[n]; n++) {
			struct bpf_program *program = bpf_object__find_program_by_name(
				probes->objects[hook->object], hook->programs[n]);
			struct bpf_link *link = bpf_program__attach(program);

			if (!link) {
				int err = errno;

				*failed = i;
				return -err;
			}
			probes->attached[probes->link_count].program = program;
			probes->attached[probes->link_count].group = hook->group;
			probes->links[probes->link_count++] = link;
		}
	}
	return 0;
}

/* Before 5.13 an fexit program that was detached can't be attached again (ENOENT): load afresh. */
static int attach_again(struct probes *probes, size_t *failed)
{
	int err = attach(probes, failed);

	if (err != -ENOENT)
		return err;
	close_objects(probes);
	for (enum probe_object o = 0; o < OBJECTS; o++) {
		int load = open_object(probes, o, NULL, &probes->objects[o]);

		if (load)
			return load;
	}
	return attach(probes, failed);
}

/* Loads and attaches what is chosen; what fails is struck and the choice made anew, until all holds. */
static int settle(struct probes *probes, struct failure *why)
{
	for (size_t round = 0; round < hook_count; round++) {
		bool again = false;
		size_t failed;
		int err;

		ladder_choose(&probes->ladder);
		for (enum probe_object o = 0; o < OBJECTS; o++) {
			err = open_object(probes, o, NULL, &probes->objects[o]);
			if (!err)
				continue;
			if (!strike_unloadable(probes, o))
				return fail(why, EXIT_MACHINE_CANT, -err,
					    "can't load the BPF object \"%s\": %s",
					    probe_object_name(o), strerror(-err));
			again = true;
		}
		if (!again) {
			err = attach(probes, &failed);
			detach(probes);
			if (!err)
				return 0;
			probes->ladder.states[failed].stage = STAGE_ATTACH;
			probes->ladder.states[failed].err = -err;
		}
		close_objects(probes);
	}
	return fail(why, EXIT_MACHINE_CANT, ENOTSUP, "no set of probes holds on this kernel");
}

int probes_open(struct probes **out, const struct probe_options *options, struct failure *why)
{
	libbpf_print_fn_t print =
		libbpf_set_print(NULL); /* failures are expected, and told in rows */
	struct probes *probes = calloc(1, sizeof(*probes));
	struct btf *btf = NULL;
	int err, cpus;

	if (!probes) {
		err = fail(why, EXIT_MACHINE_CANT, ENOMEM, "out of memory");
		goto done;
	}
	probes->control_map = probes->counters_map = probes->sources_map = -1;
	cpus = libbpf_num_possible_cpus();
	if (cpus <= 0) {
		err = fail(why, EXIT_MACHINE_CANT, -cpus, "can't tell the number of CPUs: %s",
			   strerror(-cpus));
		goto done;
	}
	probes->cpus = (unsigned int)cpus;
	btf = btf__parse(KERNEL_TYPES, NULL);
	if (!btf) {
		err = fail(why, EXIT_MACHINE_CANT, errno,
			   "no kernel types in " KERNEL_TYPES " (%s): the kernel needs "
			   "CONFIG_DEBUG_INFO_BTF and /sys must be mounted",
			   strerror(errno));
		goto done;
	}
	read_layouts(probes, btf);
	read_pid_namespace(probes);
	err = create_maps(probes, why);
	if (!err)
		err = may_load(why);
	if (err)
		goto done;
	ladder_try(&probes->ladder, btf, options ? options->avoid : 0);
	err = settle(probes, why);
	if (!err && probes->ladder.rungs[GROUP_SYSCALLS] == RUNG_NONE)
		err = bpf_refused(ENOTSUP, "attach to the end of system calls by any probe", why);
	ladder_rows(&probes->ladder, probes->rows);
done:
	btf__free(btf);
	libbpf_set_print(print);
	if (err) {
		probes_close(probes);
		probes = NULL;
	}
	*out = probes;
	return err;
}

void probes_close(struct probes *probes)
{
	if (!probes)
		return;
	close_objects(probes);
	if (probes->control)
		munmap(probes->control, probes->control_size);
	if (probes->counters)
		munmap(probes->counters, probes->counters_size);
	if (probes->control_map >= 0)
		close(probes->control_map);
	if (probes->counters_map >= 0)
		close(probes->counters_map);
	if (probes->sources_map >= 0)
		close(probes->sources_map);
	free(probes);
}

const struct probe_row *probes_rows(const struct probes *probes)
{
	return probes->rows;
}

volatile uint32_t *probes_phase(struct probes *probes, enum role role)
{
	return &probes->control->phase[role].value;
}

void probes_distrust(struct probes *probes, enum probe_subject subject, bool ledger_is_right,
		     const char *reason)
{
	struct probe_row *row = &probes->rows[subject];
	char text[PROBE_REASON_MAX];

	if (row->rung == RUNG_NONE)
		return;
	snprintf(text, sizeof(text), "%s: %s%s%.160s", row->how, reason, row->reason[0] ? "; " : "",
		 row->reason);
	memcpy(row->reason, text, sizeof(text));
	probes->distrusted[subject] = true;
	if (ledger_is_right && row->second) {
		row->rung = RUNG_LEDGER;
		snprintf(row->how, sizeof(row->how), "%s", PROBE_LEDGER);
	} else {
		row->rung = RUNG_NONE;
		row->how[0] = '\0';
	}
	row->second = false;
}

void probes_distrust_ledger(struct probes *probes, enum probe_subject subject)
{
	probes->rows[subject].second_wrong = true;
}

/* Those of the transfer before: files that are gone, whose inodes may be others' by now. */
static void forget_sources(struct probes *probes)
{
	__u64 key;

	while (!bpf_map_get_next_key(probes->sources_map, NULL, &key))
		if (bpf_map_delete_elem(probes->sources_map, &key))
			return;
}

/* Lets the kernel side see which inode is behind the descriptor: see control.enrol_fd. */
static int enrol(struct probes *probes, int source, struct failure *why)
{
	volatile struct control *control = probes->control;
	struct statfs fs;
	char byte;

	control->enrolled = 0;
	control->enrol_fd = source;
	control->enrol_tgid = (__u32)getpid();
	/* where the probe can be preempted, another task's call may keep it from ours until that task has had this CPU again */
	for (int i = 0; i < ENROL_TRIES && !control->enrolled; i++) {
		const struct timespec pause = { .tv_nsec = i ? 1000000L : 0 };

		(void)nanosleep(&pause, NULL);
		syscall(SYS_getppid);
	}
	if (!control->enrolled)
		return fail(why, EXIT_MACHINE_CANT, EIO,
			    "the probe at the end of system calls did not see one of our own");
	if (fstatfs(source, &fs) == 0 &&
	    ((unsigned long)fs.f_type == OVERLAYFS_MAGIC || fs.f_type == ECRYPTFS_MAGIC) &&
	    pread(source, &byte, 1, 0) < 0) {
		/* then the file below stays unknown, and calibration finds its counts missing */
	}
	control->enrol_tgid = 0;
	return 0;
}

int probes_begin(struct probes *probes, const struct probe_target *target, struct failure *why)
{
	volatile struct control *control = probes->control;
	libbpf_print_fn_t print;
	size_t failed = 0;
	int err;

	memset(probes->control, 0, sizeof(*probes->control));
	memset(probes->counters, 0, probes->counters_size);
	forget_sources(probes);
	probes->tcp = target->tcp;
	probes->light = target->light;
	probes->device = target->device;
	print = libbpf_set_print(NULL);
	err = attach_again(probes, &failed);
	libbpf_set_print(print);
	if (err) {
		detach(probes);
		return fail(why, EXIT_MACHINE_CANT, -err, "can't attach %s %s: %s",
			    hooks[failed].how, hooks[failed].target, strerror(-err));
	}
	control->many = target->more_count > 0;
	err = enrol(probes, target->source, why);
	for (unsigned int i = 0; i < target->more_count && !err; i++)
		err = enrol(probes, target->more[i], why);
	if (err) {
		detach(probes);
		return err;
	}
	if (target->device)
		snprintf(probes->control->device, sizeof(probes->control->device), "%s",
			 target->device);
	missed(probes, probes->missed_before);
	control->tgid[ROLE_RECEIVER] = (__u32)target->receiver;
	control->tgid[ROLE_SENDER] = (__u32)target->sender;
	return 0;
}

static void read_counters(const struct probes *probes, struct probe_counts *out)
{
	out->tcp = probes->tcp;
	out->light = probes->light;
	out->device = probes->device;
	for (unsigned int cpu = 0; cpu < probes->cpus; cpu++)
		for (unsigned int role = 0; role < ROLES; role++)
			for (unsigned int phase = PHASE_SETUP; phase < PHASES; phase++) {
				unsigned int key =
					(cpu * ROLES + role) * COUNTED_PHASES + phase - 1;
				const __u64 *from = (const __u64 *)&probes->counters[key];
				__u64 *to = (__u64 *)&out->of[role][phase];

				for (size_t i = 0; i < sizeof(struct counters) / sizeof(__u64); i++)
					to[i] += from[i];
			}
}

/* Only while they are attached. */
static void read_missed(const struct probes *probes, struct probe_counts *out)
{
	uint64_t now[GROUPS];

	missed(probes, now);
	for (enum probe_subject s = 0; s < PROBE_SUBJECTS; s++)
		out->missed[s] =
			now[subject_group(s)] - probes->missed_before[subject_group(s)];
}

void probes_read(const struct probes *probes, struct probe_counts *out)
{
	memset(out, 0, sizeof(*out));
	read_counters(probes, out);
	read_missed(probes, out);
}

void probes_end(struct probes *probes, struct probe_counts *out)
{
	volatile struct control *control = probes->control;

	control->tgid[ROLE_SENDER] = control->tgid[ROLE_RECEIVER] = 0;
	if (out) {
		memset(out, 0, sizeof(*out));
		read_missed(probes, out);
	}
	detach(probes);
	if (out)
		read_counters(probes, out);
}
