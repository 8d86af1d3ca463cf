#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The second opinion: whole-process wall time of `copytax send` per method, by hyperfine.
#
# Usage: scripts/hyperfine.sh OUTDIR [-- more options of copytax send]
#
# Writes OUTDIR/hyperfine.json, which `copytax report` puts beside its own ratios. Methods, chunk and every
# condition (buffers, TCP_NODELAY, congestion control, placement) are those of OUTDIR/result.json. The
# first command, "base", sends an empty file: process start, connecting and leaving, to be taken off the
# others. The file of every other command is in the page cache, so its peers are the warm cases.
#
#   COPYTAX   the program                                   (build/copytax of this tree)
#   PAYLOAD   the file to send                              (OUTDIR/payload.bin)
#   METHODS   comma-separated; what this machine can't do is left out (those of the result)
#   CHUNK     the most one call may move                    (the main chunk of the result)
#   SECONDS_ALL   about how long all runs together may take (13)
#   RUNS, WARMUP  runs per method that count, and that don't (5 to 15, as the time allows; 0: the try-out warms up)
set -euo pipefail

fail() {
	echo "hyperfine.sh: $1" >&2
	exit "${2:-2}"
}

[ $# -ge 1 ] || fail "usage: hyperfine.sh OUTDIR [-- options of copytax send]"
out=$1
shift
[ "${1:-}" != -- ] || shift
here=$(dirname "$0")
copytax=${COPYTAX:-$here/../build/copytax}
payload=${PAYLOAD:-$out/payload.bin}
result=$out/result.json
warmup=${WARMUP:-0}
seconds_all=${SECONDS_ALL:-13}

[ -d "$out" ] || fail "no folder $out"
[ -x "$copytax" ] || fail "no program $copytax; build it, or name it in COPYTAX"
[ -s "$payload" ] || fail "no payload $payload; name it in PAYLOAD ('copytax run --keep-payload' leaves one)"
[ -r "$result" ] || fail "no $result: this is a second opinion on a result, under its conditions"
for tool in hyperfine jq; do
	command -v "$tool" >/dev/null || fail "$tool is not installed (Debian: apt install $tool)" 3
done
for number in "${RUNS:-0}" "$warmup" "$seconds_all"; do
	case $number in
	'' | *[!0-9]*) fail "RUNS, WARMUP and SECONDS_ALL are whole numbers" ;;
	esac
done

setting() {
	jq -er "$1" "$result" 2>/dev/null || fail "$result does not say its $2"
}

size=$(stat -Lc %s "$payload")
wanted=$(setting '.settings.payload_bytes | numbers' "payload size")
[ "$size" -eq "$wanted" ] || fail "$payload has $size bytes, the payload of $result had $wanted: not comparable"

chunk=${CHUNK:-$(setting '.settings.chunk_default | numbers' "main chunk")}
[ "$chunk" != 0 ] || chunk=whole
methods=${METHODS:-$(setting '.cases[].method' methods | awk '!seen[$0]++' | paste -sd, -)}
# the document has the placement in words, for people, and the CPUs
conditions=$(setting '.settings | @sh "--cc \(.congestion_control) --sndbuf \(.sndbuf) --rcvbuf \(.rcvbuf)",
	"--nodelay \(if .nodelay then "on" else "off" end)",
	"--placement \(if .sender_cpu < 0 then "none"
		elif .sender_cpu == .receiver_cpu then "same"
		elif .placement | test("threads of one core") then "sibling"
		else "cores" end)"' conditions | paste -sd ' ' -)

# hyperfine splits each command as a shell would, without being one (-N): quote what could hold a blank.
quoted() {
	printf "'%s'" "${1//\'/\'\\\'\'}"
}

work=$(mktemp -d "${TMPDIR:-/tmp}/copytax-hyperfine.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
: >"$work/empty"

options="--chunk $chunk --sink drain $conditions"
for option; do
	options+=" $(quoted "$option")"
done
send=$(quoted "$copytax")

# A first run of each, for its time; a method that this machine can't do is left out with its reason.
commands=() millis=()
IFS=, read -r -a names <<<"$methods"
for method in "${names[@]}"; do
	case $method in
	'' | *[!a-z0-9_]*) fail "no method has the name '$method'" ;;
	esac
	command="$send send --method $method --file $(quoted "$payload") $options"
	began=$(date +%s%3N)
	if sh -c "$command" >"$work/said" 2>&1; then
		commands+=("$command")
		millis+=($(($(date +%s%3N) - began)))
	else
		echo "hyperfine.sh: without $method: $(head -n 1 "$work/said")" >&2
	fi
done
[ ${#commands[@]} -gt 0 ] || fail "no method could send $payload" 4

# measure NAME COMMAND RUNS: one more part of the document
parts=0
measure() {
	parts=$((parts + 1))
	hyperfine -N --style none --warmup "$warmup" --runs "$3" --export-json "$work/$parts.json" \
		${1:+--command-name "$1"} "$2" >"$work/said" 2>&1 || {
		cat "$work/said" >&2
		fail "hyperfine failed" 4
	}
}

measure base "$send send --method ${BASE_METHOD:-read_write} --file $(quoted "$work/empty") $options" "${RUNS:-15}"
total=0
for i in "${!commands[@]}"; do
	# an equal share of the time for each: a slow method gets fewer runs, and not below five
	runs=${RUNS:-$((seconds_all * 1000 / ${#commands[@]} / (millis[i] + 1) - warmup))}
	if [ -z "${RUNS:-}" ]; then
		[ "$runs" -le 15 ] || runs=15
		[ "$runs" -ge 5 ] || runs=5
	fi
	measure "" "${commands[i]}" "$runs"
	total=$((total + runs))
done

# written whole or not at all
seq "$parts" | sed "s|.*|$work/&.json|" | xargs -d '\n' jq -s '{results: map(.results[])}' >"$out/.hyperfine.json.new"
mv "$out/.hyperfine.json.new" "$out/hyperfine.json"
echo "hyperfine: $out/hyperfine.json (${#commands[@]} methods, $total runs, chunk $chunk)"
