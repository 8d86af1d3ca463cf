#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The second opinion: whole-process wall time of `copytax send` per method, by hyperfine.
#
# Usage: scripts/hyperfine.sh OUTDIR [-- more options of copytax send]
#
# Writes OUTDIR/hyperfine.json, which `copytax report` puts beside its own ratios. The first command,
# "base", sends an empty file: process start, connecting and leaving, to be taken off the others. The
# file of every other command is in the page cache, so its peers are the warm cases.
#
#   COPYTAX   the program                                   (build/copytax of this tree)
#   PAYLOAD   the file to send                              (OUTDIR/payload.bin)
#   METHODS   comma-separated; what this machine can't do is left out (those of OUTDIR/result.json)
#   CHUNK     the most one call may move                    (the main chunk of OUTDIR/result.json, else 32K)
#   RUNS, WARMUP   runs that count and runs that don't, per method   (15, 2)
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
runs=${RUNS:-15}
warmup=${WARMUP:-2}

[ -d "$out" ] || fail "no folder $out"
[ -x "$copytax" ] || fail "no program $copytax; build it, or name it in COPYTAX"
[ -s "$payload" ] || fail "no payload $payload; name it in PAYLOAD ('copytax run --keep-payload' leaves one)"
command -v hyperfine >/dev/null || fail "hyperfine is not installed (Debian: apt install hyperfine)" 3
case $runs$warmup in
*[!0-9]*) fail "RUNS and WARMUP are whole numbers" ;;
esac

# A value of result.json without a JSON parser at hand: the document is written one member per line.
setting() {
	[ -r "$out/result.json" ] || return 0
	sed -n "s/^ *\"$1\": \"\{0,1\}\([A-Za-z0-9_]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$out/result.json"
}

chunk=${CHUNK:-$(setting chunk_default | head -n 1)}
case ${chunk:=32K} in
0) chunk=whole ;;
esac
methods=${METHODS:-$(setting method | awk '!seen[$0]++' | paste -sd, -)}
methods=${methods:-read_write,mmap_write,sendfile,splice}
control=$(setting congestion_control | head -n 1)

# hyperfine splits each command as a shell would, without being one (-N): quote what could hold a blank.
quoted() {
	printf "'%s'" "${1//\'/\'\\\'\'}"
}

empty=$(mktemp "${TMPDIR:-/tmp}/copytax-empty.XXXXXX")
try=$(mktemp "${TMPDIR:-/tmp}/copytax-try.XXXXXX")
trap 'rm -f "$empty" "$try"' EXIT
trap 'exit 130' INT TERM

options="--chunk $chunk --sink drain${control:+ --cc $control}"
for option; do
	options+=" $(quoted "$option")"
done
send=$(quoted "$copytax")

commands=()
IFS=, read -r -a names <<<"$methods"
for method in "${names[@]}"; do
	command="$send send --method $method --file $(quoted "$payload") $options"
	# a method that this machine can't do is left out with its reason, and doesn't end the others
	if sh -c "$command" >"$try" 2>&1; then
		commands+=("$command")
	else
		echo "hyperfine.sh: without $method: $(head -n 1 "$try")" >&2
	fi
done
[ ${#commands[@]} -gt 0 ] || fail "no method could send $payload" 4
base="$send send --method ${BASE_METHOD:-read_write} --file $(quoted "$empty") $options"

# written whole or not at all
hyperfine -N --style basic --warmup "$warmup" --runs "$runs" --export-json "$out/.hyperfine.json.new" \
	--command-name base "$base" "${commands[@]}" >"$try" 2>&1 || {
	cat "$try" >&2
	rm -f "$out/.hyperfine.json.new"
	fail "hyperfine failed" 4
}
mv "$out/.hyperfine.json.new" "$out/hyperfine.json"
echo "hyperfine: $out/hyperfine.json (${#commands[@]} methods, $runs runs each, chunk $chunk)"
