// SPDX-License-Identifier: MIT
/* The plan parser: whatever the text, a plan or a sentence; and a plan can be expanded. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzz.h"
#include "study/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct plan_line nothing;
	struct plan plan = { .warmup = -1, .rounds = 1 };
	struct plan_case *cases = NULL;
	struct failure why = { 0 };
	char path[64];
	size_t count = 0;
	int fd = fuzz_file(data, size, path, sizeof(path)), err;

	err = plan_load(&plan, path, &why);
	fuzz_must(err ? why.text[0] && why.exit_code == EXIT_WRONG_USE : plan.line_count > 0);
	if (!err) {
		err = plan_expand(&plan, &nothing, &cases, &count, &why);
		fuzz_must(!err && count > 0);
		for (size_t i = 0; i < count; i++)
			fuzz_must(cases[i].method && cases[i].rounds > 0 &&
				  (!cases[i].chunk ||
				   (cases[i].chunk >= CHUNK_MIN && cases[i].chunk <= CHUNK_MAX)));
		free(cases);
	}
	close(fd);
	return 0;
}
