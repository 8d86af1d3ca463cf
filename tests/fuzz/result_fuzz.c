// SPDX-License-Identifier: MIT
/*
 * The result loader and everything that reads what it loaded: whatever the document, a result or a sentence;
 * and a result can be summarised, told, reported and saved again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "analysis/claims.h"
#include "analysis/prices.h"
#include "analysis/summary.h"
#include "fuzz.h"
#include "json_mutate.h"
#include "report/claims_text.h"
#include "report/markdown.h"
#include "report/table.h"
#include "result/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result *result = NULL;
	const struct report_parts parts = { .no_plots = "not drawn" };
	struct failure why = { 0 };
	char path[64];
	int fd = fuzz_file(data, size, path, sizeof(path));
	FILE *nowhere = fopen("/dev/null", "we");

	fuzz_must(nowhere != NULL);
	if (result_load(path, &result, &why)) {
		fuzz_must(why.text[0] && why.exit_code == EXIT_WRONG_USE);
	} else {
		for (size_t i = 0; i < result->case_count; i++)
			json_decref(summary_json(result, &result->cases[i]));
		fuzz_must(!prices_of_this_model(result));
		json_decref(claims_test(result));
		(void)table_terminal(result, nowhere);
		(void)claims_write(result, STYLE_TEXT, nowhere);
		(void)markdown_report(result, &parts, nowhere);
		result_free(result);
	}
	fclose(nowhere);
	close(fd);
	return 0;
}
