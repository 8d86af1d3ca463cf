// SPDX-License-Identifier: MIT
#include "measure/probes_json.h"

static const char *const rung_names[] = {
	[RUNG_FEXIT] = "fexit",		  [RUNG_KRETPROBE] = "kretprobe",
	[RUNG_TRACEPOINT] = "tracepoint", [RUNG_RAW_TRACEPOINT] = "raw tracepoint",
	[RUNG_LEDGER] = "ledger",	  [RUNG_NONE] = "none",
};

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

json_t *probes_json(const struct probes *probes)
{
	const struct probe_row *rows = probes_rows(probes);
	json_t *out = json_array();

	for (int i = 0; i < PROBE_SUBJECTS; i++)
		json_array_append_new(
			out, json_pack("{s:s, s:s, s:s, s:o, s:o}", "name", rows[i].name, "status",
				       rows[i].rung == RUNG_NONE ? "unavailable" : "ok", "rung",
				       rung_names[rows[i].rung], "how", text_or_null(rows[i].how),
				       "reason", text_or_null(rows[i].reason)));
	return out;
}

json_t *probes_json_none(const char *reason)
{
	return json_pack("[{s:s, s:s, s:s, s:n, s:s}]", "name", "all", "status", "unavailable",
			 "rung", rung_names[RUNG_NONE], "how", "reason", reason);
}
