// SPDX-License-Identifier: MIT
#include "measure/event_names.h"

#include <ctype.h>
#include <errno.h>
#include <perfmon/pfmlib_perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const event_scope_names[EVENT_SCOPES] = { "user", "kernel", "all" };

/* Ratios are taken between neighbours, and neighbours share a group. */
const char event_defaults[] =
	"cycles,instructions,cache-references,cache-misses,dTLB-load-misses,branch-misses,"
	"stalled-cycles-frontend,stalled-cycles-backend";

const struct software_event software_events[] = {
	/* a clock runs through both modes, and the scheduler is always the kernel's: no halves to tell apart */
	{ "task-clock", PERF_COUNT_SW_TASK_CLOCK, false, "ns" },
	{ "context-switches", PERF_COUNT_SW_CONTEXT_SWITCHES, false, NULL },
	{ "cpu-migrations", PERF_COUNT_SW_CPU_MIGRATIONS, false, NULL },
	{ "minor-faults", PERF_COUNT_SW_PAGE_FAULTS_MIN, true, NULL },
	{ "major-faults", PERF_COUNT_SW_PAGE_FAULTS_MAJ, true, NULL },
	{ "alignment-faults", PERF_COUNT_SW_ALIGNMENT_FAULTS, true, NULL },
	{ "emulation-faults", PERF_COUNT_SW_EMULATION_FAULTS, true, NULL },
	{ NULL, 0, false, NULL },
};

/* Adds one place; NULL when out of memory. */
static struct event_code *add(struct event_codes *codes, const char *name, enum event_scope scope)
{
	struct event_code *grown =
		reallocarray(codes->code, codes->count + 1, sizeof(*codes->code));
	struct event_code *code;

	if (!grown)
		return NULL;
	codes->code = grown;
	code = &grown[codes->count++];
	memset(code, 0, sizeof(*code));
	snprintf(code->name, sizeof(code->name), "%s", name);
	code->scope = scope;
	code->attr.size = sizeof(code->attr);
	return code;
}

static int add_software(struct event_codes *codes)
{
	for (const struct software_event *s = software_events; s->name; s++) {
		enum event_scope from = s->split ? EVENT_USER : EVENT_ALL;
		enum event_scope to = s->split ? EVENT_KERNEL : EVENT_ALL;

		for (enum event_scope scope = from; scope <= to; scope++) {
			struct event_code *code = add(codes, s->name, scope);

			if (!code)
				return -ENOMEM;
			code->attr.type = PERF_TYPE_SOFTWARE;
			code->attr.config = s->config;
			code->attr.exclude_kernel = scope == EVENT_USER;
			code->attr.exclude_user = scope == EVENT_KERNEL;
			/* the clock counts the same without the kernel's mode, and then needs no privilege */
			if (s->config == PERF_COUNT_SW_TASK_CLOCK)
				code->attr.exclude_kernel = 1;
			snprintf(code->source, sizeof(code->source), "software event of the kernel");
		}
	}
	return 0;
}

static bool is_software(const char *name)
{
	for (const struct software_event *s = software_events; s->name; s++)
		if (!strcasecmp(s->name, name))
			return true;
	return false;
}

/* Drops the words u and k (with or without =0, =1) from an event's attributes: they become its scope. */
static void without_modes(const char *text, char *name, size_t size)
{
	char copy[EVENT_NAME_MAX], *rest = NULL;
	size_t used = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	name[0] = '\0';
	for (char *word = copy; word; word = rest) {
		size_t len = strcspn(word, ":");
		bool mode = word != copy && strchr("ukUK", word[0]) && word[0] &&
			    (len == 1 || (len == 3 && word[1] == '='));

		rest = word[len] ? word + len + 1 : NULL;
		if (!mode && used < size)
			used += (size_t)snprintf(name + used, size - used, "%s%.*s",
						 used ? ":" : "", (int)len, word);
	}
}

static int encode(const char *text, struct perf_event_attr *attr, char *source, size_t size)
{
	char *full = NULL;
	pfm_perf_encode_arg_t arg = { .attr = attr, .fstr = &full, .size = sizeof(arg) };
	int err;

	memset(attr, 0, sizeof(*attr));
	attr->size = sizeof(*attr);
	err = pfm_get_os_event_encoding(text, PFM_PLM0 | PFM_PLM3, PFM_OS_PERF_EVENT, &arg);
	/* libpfm4 knows more of the names than of the kernel's newest fields, and 0 is right for those */
	attr->size = sizeof(*attr);
	snprintf(source, size, "%s", err == PFM_SUCCESS && full ? full : text);
	free(full);
	return err;
}

static bool is_core_type(const struct pmu_machine *machine, uint32_t type)
{
	for (size_t i = 0; i < machine->count; i++)
		if (machine->kinds[i].type == type)
			return true;
	return false;
}

/* Tries the name with every PMU model that libpfm4 finds here, until one is of the wanted kind of core. */
static bool encode_for(const char *text, uint32_t type, struct perf_event_attr *attr, char *source,
		       size_t size)
{
	pfm_pmu_t pmu;

	pfm_for_all_pmus(pmu) {
		pfm_pmu_info_t info = { .size = sizeof(info) };
		char qualified[2 * EVENT_NAME_MAX];

		if (pfm_get_pmu_info(pmu, &info) != PFM_SUCCESS || !info.is_present)
			continue;
		snprintf(qualified, sizeof(qualified), "%s::%s", info.name, text);
		if (encode(qualified, attr, source, size) == PFM_SUCCESS && attr->type == type)
			return true;
	}
	return false;
}

/*
 * Where cores are of several kinds an encoding means the PMU of one kind. Takes care that it is that of the
 * worker's CPU; where it can't be, says so in `reason`.
 */
static void fit_hybrid(const char *text, const struct pmu_machine *machine, struct event_code *code)
{
	struct perf_event_attr *attr = &code->attr;
	const struct pmu_kind *own = machine->own < 0 ? NULL : &machine->kinds[machine->own];
	bool core = attr->type == PERF_TYPE_HARDWARE || attr->type == PERF_TYPE_HW_CACHE ||
		    attr->type == PERF_TYPE_RAW || is_core_type(machine, attr->type);

	if (machine->count < 2 || !core)
		return;
	if (!own) {
		snprintf(code->reason, sizeof(code->reason),
			 "this CPU's cores are of %zu kinds, each with a PMU of its own, and the worker is pinned to none",
			 machine->count);
		return;
	}
	if (attr->type == PERF_TYPE_HARDWARE || attr->type == PERF_TYPE_HW_CACHE) {
		/* the kernel's generic events carry the PMU in their upper half */
		attr->config = (attr->config & UINT32_MAX) | (uint64_t)own->type << 32;
	} else if (attr->type == PERF_TYPE_RAW) {
		attr->type = own->type;
	} else if (attr->type != own->type &&
		   (strstr(text, "::") ||
		    !encode_for(text, own->type, attr, code->source, sizeof(code->source)))) {
		snprintf(code->reason, sizeof(code->reason),
			 "an event of another kind of core: the worker is pinned to one of %s",
			 own->name);
	}
}

static int add_named(struct event_codes *codes, const char *text, const struct pmu_machine *machine)
{
	struct event_code first = { 0 };
	int err = encode(text, &first.attr, first.source, sizeof(first.source));
	bool user = !first.attr.exclude_user, kernel = !first.attr.exclude_kernel;

	without_modes(text, first.name, sizeof(first.name));
	if (err != PFM_SUCCESS) {
		user = kernel = true;
		snprintf(first.reason, sizeof(first.reason), "libpfm4 for this CPU: %s%s",
			 pfm_strerror(err),
			 err == PFM_ERR_NOTFOUND ? " ('copytax list events' names what there is)" :
						   "");
	} else if (!user && !kernel) {
		user = kernel = true;
		snprintf(first.reason, sizeof(first.reason),
			 "only user and kernel mode are counted, and '%s' names another", text);
	} else {
		fit_hybrid(text, machine, &first);
	}
	for (enum event_scope scope = EVENT_USER; scope <= EVENT_KERNEL; scope++) {
		struct event_code *code;

		if (scope == EVENT_USER ? !user : !kernel)
			continue;
		code = add(codes, first.name, scope);
		if (!code)
			return -ENOMEM;
		code->attr = first.attr;
		code->attr.exclude_user = scope != EVENT_USER;
		code->attr.exclude_kernel = scope != EVENT_KERNEL;
		memcpy(code->source, first.source, sizeof(code->source));
		memcpy(code->reason, first.reason, sizeof(code->reason));
	}
	return 0;
}

static bool is_there(const struct event_codes *codes, const char *text)
{
	char name[EVENT_NAME_MAX];

	without_modes(text, name, sizeof(name));
	for (size_t i = 0; i < codes->count; i++)
		if (!strcasecmp(codes->code[i].name, name))
			return true;
	return false;
}

static int add_list(struct event_codes *codes, const char *list, const struct pmu_machine *machine,
		    struct failure *why)
{
	char *copy = strdup(list), *rest = copy, *word;
	int err = copy ? 0 : -ENOMEM;

	while (!err && (word = strsep(&rest, ","))) {
		word += strspn(word, " \t");
		for (size_t len = strlen(word); len && isspace((unsigned char)word[len - 1]); len--)
			word[len - 1] = '\0';
		if (!word[0] || strlen(word) >= EVENT_NAME_MAX || strpbrk(word, " \t\n"))
			err = fail(why, EXIT_WRONG_USE, EINVAL,
				   "'%.200s' is no list of events: names with a comma between, such as cycles,instructions:u",
				   list);
		else if (!strcmp(word, "default"))
			err = add_list(codes, event_defaults, machine, why);
		else if (strcmp(word, "none") != 0 && !is_software(word) && !is_there(codes, word))
			err = add_named(codes, word, machine);
	}
	free(copy);
	return err;
}

int event_codes_of(const char *list, const struct pmu_machine *machine, struct event_codes *out,
		   struct failure *why)
{
	int err;

	*out = (struct event_codes){ 0 };
	err = pfm_initialize();
	if (err != PFM_SUCCESS)
		return fail(why, EXIT_MACHINE_CANT, ENOTSUP, "libpfm4 can't start: %s",
			    pfm_strerror(err));
	err = add_software(out);
	if (!err)
		err = add_list(out, list ? list : "default", machine, why);
	if (err)
		event_codes_free(out);
	return err;
}

void event_codes_free(struct event_codes *codes)
{
	free(codes->code);
	*codes = (struct event_codes){ 0 };
}
