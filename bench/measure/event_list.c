// SPDX-License-Identifier: MIT
#include "measure/event_list.h"

#include <perfmon/pfmlib.h>
#include <string.h>
#include <unistd.h>

#include "measure/event_names.h"

/* Opens the event on this process for a moment. */
static void try_code(const struct pmu_machine *machine, struct event_code *code)
{
	int fd;

	if (code->reason[0])
		return;
	code->attr.disabled = 1;
	fd = pmu_open(&code->attr, 0, -1, -1);
	if (fd < 0)
		pmu_explain(machine, &code->attr, -fd, code->reason, sizeof(code->reason));
	else
		close(fd);
}

static void print_tried(FILE *file, const struct event_codes *codes)
{
	for (size_t i = 0; i < codes->count; i++) {
		const struct event_code *code = &codes->code[i];
		const struct event_code *next = i + 1 < codes->count ? &codes->code[i + 1] : NULL;
		bool both = next && !strcmp(code->name, next->name);

		/* one line for both modes where they have the same fate */
		if (both && !strcmp(code->reason, next->reason)) {
			fprintf(file, "  %-26s %-12s %s%s\n", code->name, "user, kernel",
				code->reason[0] ? "not here: " : "can be counted", code->reason);
			i++;
		} else {
			fprintf(file, "  %-26s %-12s %s%s\n", code->name,
				event_scope_names[code->scope],
				code->reason[0] ? "not here: " : "can be counted", code->reason);
		}
	}
}

static void print_names(FILE *file, const pfm_pmu_info_t *pmu)
{
	for (int i = pmu->first_event; i != -1; i = pfm_get_event_next(i)) {
		pfm_event_info_t info = { .size = sizeof(info) };

		if (pfm_get_event_info(i, PFM_OS_PERF_EVENT, &info) == PFM_SUCCESS)
			fprintf(file, "    %s::%s  %.*s\n", pmu->name, info.name,
				(int)strcspn(info.desc ? info.desc : "", "\n"),
				info.desc ? info.desc : "");
	}
}

static void print_models(FILE *file, bool all)
{
	pfm_pmu_t pmu;

	pfm_for_all_pmus(pmu)
	{
		pfm_pmu_info_t info = { .size = sizeof(info) };

		if (pfm_get_pmu_info(pmu, &info) != PFM_SUCCESS || !info.is_present)
			continue;
		fprintf(file, "  %-26s %d events, %s\n", info.name, info.nevents, info.desc);
		if (all)
			print_names(file, &info);
	}
}

int event_list_print(FILE *file, bool all)
{
	struct pmu_machine machine;
	struct event_codes codes;
	struct failure why = { 0 };
	int err;

	pmu_machine_read(PMU_DEVICES, 0, &machine);
	err = event_codes_of(NULL, &machine, &codes, &why);
	if (err) {
		fprintf(file, "Events (--events): none: %s\n", why.text);
		return err;
	}
	fprintf(file, "Events (--events), those counted when none are named; "
		      "software events always:\n");
	for (size_t i = 0; i < codes.count; i++)
		try_code(&machine, &codes.code[i]);
	print_tried(file, &codes);
	event_codes_free(&codes);

	fprintf(file, "PMUs of the kernel's drivers:\n");
	for (size_t i = 0; i < machine.count; i++)
		fprintf(file, "  %-26s type %u\n", machine.kinds[i].name, machine.kinds[i].type);
	if (!machine.count)
		fprintf(file, "  none%s\n",
			machine.virtual ? ": this virtual machine is given no PMU" : "");
	fprintf(file, "Tables of event names that libpfm4 has for this machine:\n");
	print_models(file, all);
	if (!all)
		fprintf(file, "  (all of their events by name: copytax list all-events)\n");
	return 0;
}
