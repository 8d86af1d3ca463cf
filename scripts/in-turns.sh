#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two builds of copytax in turns, and what tells them apart: base new, new base, base new, … of short runs over one payload.
# Usage: scripts/in-turns.sh BASE NEW FOLDER [OPTION of copytax run...]; PAIRS (24), ROUNDS of each run (3), SIZE (160000K) and
# FAIL_IF ('sender_cpu>5%') from the environment; VERDICTS=1 for a line a case. The results stay in FOLDER. Exit code: copytax compare's.
set -euo pipefail
base=$1 new=$2 folder=$3
shift 3
pairs=${PAIRS:-24}
rounds=${ROUNDS:-3}
for program in "$base" "$new"; do
	[ -x "$program" ] || { echo "in-turns: no program $program: name two builds of copytax" >&2 && exit 2; }
done
mkdir -p "$folder"
payload=$folder/payload
trap 'rm -rf "$payload"' EXIT
trap 'exit 130' INT TERM

# the same file each time, for its folios are part of the cost
"$base" run --quiet --methods sendfile --rounds 1 --warmup 0 --watched 0 --events none --size "${SIZE:-160000K}" \
	--keep-payload --out "$payload" >/dev/null

# measure PROGRAM NAME
measure() {
	"$1" run --quiet --rounds "$rounds" --warmup 1 --watched 0 --events none --file "$payload/payload.bin" \
		"${options[@]}" --out "$folder/$2" >/dev/null
}

options=("$@")
[ ${#options[@]} -gt 0 ] || options=(--methods 'read_write,mmap_write,sendfile,splice' --chunk 32K)
results=()
began=$SECONDS
for ((i = 1; i <= pairs; i++)); do
	# who comes first changes: what the first of a pair leaves to the second is not the build's
	if ((i % 2)); then
		measure "$base" "base-$i"
		measure "$new" "new-$i"
	else
		measure "$new" "new-$i"
		measure "$base" "base-$i"
	fi
	results+=("$folder/base-$i" "$folder/new-$i")
	if [ -t 2 ]; then
		printf '\rpair %d of %d, %d s left ' "$i" "$pairs" $(((SECONDS - began) * (pairs - i) / i)) >&2
	elif ((i % 8 == 0)); then
		printf 'pair %d of %d\n' "$i" "$pairs" >&2
	fi
done
[ ! -t 2 ] || printf '\r\033[K' >&2
fail=()
[ -z "${FAIL_IF:-}" ] || fail=(--fail-if "$FAIL_IF")
"$new" compare --in-turns "${fail[@]}" ${VERDICTS:+--verdicts} "${results[@]}"
