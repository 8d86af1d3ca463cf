#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Puts the figures of a result into a text: {{read_write.crossings}} in TEMPLATE becomes the number. A name that the result
# has no figure for becomes "–"; one that nobody knows is an error. Without a template: all names and figures.
# Prices are those of this version's model, as in the report.
# Usage: scripts/lesson.sh COPYTAX RESULT.json [TEMPLATE]
set -euo pipefail
copytax=$1 result=$2
prices=$("$copytax" report --prices "$result")

figures() {
	jq -r --argjson prices "$prices" '
	def commas: tostring as $all |
		[range(($all | length); 0; -3) as $to | $all[([0, $to - 3] | max):$to]] | reverse | join(",");
	def count: if . == null then "–" else (. | round | commas) end;
	# three significant digits
	def three: if . == null then "–" elif . == 0 then "0" elif fabs >= 999.5 then count else
		(fabs | log10 | floor) as $e | ([2 - $e, 0] | max) as $d | pow(10; $d) as $p | ((. * $p) | round) as $n |
		if $d == 0 then ($n | tostring) else
			(if $n < 0 then "-" else "" end) + (($n | fabs) as $a | (($a / $p) | floor | tostring) + "." +
			("000000000" + (($a % $p) | tostring))[-$d:]) end end;
	def range3: if . == null or .median == null then "–" else "\(.median | three) (\(.low | three)–\(.high | three))" end;
	def mb: if . == null then "–" else . / 1e6 | (if . == 0 then "0" else (. * 10 | round | "\(. / 10 | floor).\(. % 10)") end) end;
	def plus($a; $b): if $a == null or $b == null then null else $a + $b end;
	def figures_of($p): . as $c | .counts as $n | .copies as $b | .summary as $s | {
		calls: ($n.syscalls.value | count), crossings: ($n.crossings.value | count),
		reads: ($n.syscalls.by.read? | count), writes: ($n.syscalls.by.write? | count),
		voluntary: ($n.context_switches_voluntary.value | count),
		involuntary: ($n.context_switches_involuntary.value | count),
		switches: (plus($n.context_switches_voluntary.value; $n.context_switches_involuntary.value) | count),
		file_to_user: ($b.file_to_user.bytes | mb), user_to_socket: ($b.user_to_socket.bytes | mb),
		by_reference: ($b.by_reference.bytes | mb), socket_to_user: ($b.socket_to_user.bytes | mb),
		factor: ($b.factor.value | if . == null then "–" else three end),
		cpu_gb: ($s.cpu_s_per_gb.sender | range3), rate: ($s.throughput_bytes_per_s.median | if . then . / 1e9 else . end | three),
		faults: ($s.faults_minor.median | count), release_ms: ($s.release_cpu_s.median | if . then . * 1e3 else . end | three),
		ratio_cpu: ($s.ratio.sender_cpu? | range3), ratio_wall: ($s.ratio.wall? | range3)
	} | to_entries[] | "\($p).\(.key)\t\(.value)";
	. as $r | .settings.chunk_default as $main |
	def plain: select(.sink == "drain" and .link == "tcp" and .connections == 1 and .payload == $r.settings.payload_bytes);
	def warm($m; $chunk): first(.cases[] | plain | select(.method == $m and .chunk == $chunk and .cache == "warm")) // {};
	def price($id): first($prices.terms[]? | select(.id == $id) | .price) // null;
	"cpu\t\(.host.cpu.model.value // "–")", "kernel\t\(.host.kernel.release.value // "–")", "date\t\(.run.started[:10])",
	"payload\t\(.settings.payload_bytes | count)", "payload_mb\t\(.settings.payload_bytes | mb)",
	"payload_pages\t\(.settings.payload_bytes / 4096 | count)",
	"price.calls\t\(price("calls") | if . then . * 1e6 else . end | three)",
	"price.faults\t\((first($prices.terms[]? | select(.id == "faults")) // {}) | if .low then "\(.low * 1e6 | three) to \(.high * 1e6 | three)" else "–" end)",
	"direct.fault\t\((first($prices.direct.measurements[]? | select(.id == "fault")) // {}) | .value | if . then . * 1e6 else . end | three)",
	"price.copy\t\((price("file_to_user") // price("user_to_socket")) | if . then . * 1e3 else . end | three)",
	(("read_write", "mmap_write", "sendfile", "splice", "direct_write") as $m |
		(warm($m; $main) | figures_of($m)),
		(warm($m; 4096) | figures_of($m + ".4K")), (warm($m; 1048576) | figures_of($m + ".1M")),
		((first(.cases[] | plain | select(.method == $m and .chunk == $main and .cache == "cold")) // {}) | figures_of($m + ".cold"))),
	((warm("read_write"; 4096).summary.sender_cpu_s.median) as $small | (warm("read_write"; $main).summary.sender_cpu_s.median) as $large |
		"read_write.4K.times\t\(if $small and $large then $small / $large else null end | three)")
	' "$result"
}

if [ $# -lt 3 ]; then
	figures
	exit
fi
awk -F '\t' '
	NR == FNR { figure[$1] = $2; next }
	{
		out = ""
		while (match($0, /\{\{[^}]*\}\}/)) {
			name = substr($0, RSTART + 2, RLENGTH - 4)
			if (!(name in figure)) { print FILENAME ": no figure is called " name > "/dev/stderr"; bad = 1 }
			out = out substr($0, 1, RSTART - 1) figure[name]
			$0 = substr($0, RSTART + RLENGTH)
		}
		print out $0
	}
	END { exit bad }' <(figures) "$3"
