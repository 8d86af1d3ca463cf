#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Does `copytax compare` cry wolf? Pairs of runs of one build, of which no case should be called different, and
# a build that copies once more in read_write, run in turns with the other, which should be found every time.
# Usage: scripts/false-alarms.sh COPYTAX PLANTED; PAIRS, PLANTS, SIZE, ROUNDS and TURNS from the environment.
# Exits with 1 when more than 5 % of the cases are called different, or a planted copy is not found.
set -euo pipefail
cd "$(dirname "$0")/.."
copytax=$1
planted=$2
pairs=${PAIRS:-20}
plants=${PLANTS:-3}
size=${SIZE:-160000K}
rounds=${ROUNDS:-21}
# pairs of short runs in turns, for the planted copy: a tenth is less than two runs of one build may be apart
turns=${TURNS:-24}
began=$SECONDS
folder=$(mktemp -d "${FALSE_ALARMS_DIR:-.}/false-alarms.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

# measure PROGRAM NAME ROUNDS: the same file each time, for its folios are part of the cost
measure() {
	"$1" run --quiet --methods read_write,mmap_write,sendfile,splice --chunk 32K --rounds "$3" \
		--warmup 1 --watched 0 --events none --file "$folder/payload/payload.bin" \
		--out "$folder/$2" >/dev/null
}

# verdicts BASE NEW: lines "METHOD VERDICT", by sender CPU, and one "slower PERCENT"
verdicts() {
	"$copytax" compare --verdicts "$folder/$1" "$folder/$2"
}

"$copytax" run --quiet --methods sendfile --rounds 1 --warmup 0 --watched 0 --events none --size "$size" \
	--keep-payload --out "$folder/payload" >/dev/null
cases=0 alarms=0
for ((i = 1; i <= pairs; i++)); do
	measure "$copytax" base "$rounds"
	measure "$copytax" new "$rounds"
	said=$(verdicts base new)
	read -r n different slower names < <(awk '
		$1 == "slower" { slower = $2; next }
		{ n++ } $2 == "worse" || $2 == "better" { different++; names = names " " $1 " " $2 }
		END { print n, different + 0, slower names }' <<<"$said")
	cases=$((cases + n)) alarms=$((alarms + different))
	printf 'pair %d: %d of %d cases called different%s; host slower by %s %%\n' "$i" "$different" "$n" \
		"${names:+ ($names)}" "$slower"
done
# in_turns NEW NAME: the verdict on read_write, and how many of all cases were called different
in_turns() {
	VERDICTS=1 PAIRS=$turns SIZE=$size scripts/in-turns.sh "$copytax" "$1" "$folder/$2" 2>/dev/null | awk '
		$1 == "slower" { next }
		{ n++ }
		$2 == "worse" || $2 == "better" { different++ }
		$1 == "read_write" { verdict = $2 }
		END { print verdict, different + 0, n }'
	rm -rf "${folder:?}/$2"
}

found=0 turn_cases=0 turn_alarms=0
for ((i = 1; i <= plants; i++)); do
	read -r verdict different n < <(in_turns "$copytax" same)
	turn_cases=$((turn_cases + n)) turn_alarms=$((turn_alarms + different))
	printf 'in turns %d, one build: %d of %d cases called different\n' "$i" "$different" "$n"
	read -r verdict different n < <(in_turns "$planted" planted)
	[ "$verdict" != worse ] || found=$((found + 1))
	printf 'in turns %d, a copy planted in read_write: %s; %d of %d cases called different\n' "$i" "$verdict" "$different" "$n"
done
printf '%d of %d cases called different (%s %%), in turns %d of %d; planted copy found %d of %d times, %d s\n' "$alarms" "$cases" \
	"$(awk -v a="$alarms" -v n="$cases" 'BEGIN { printf "%.1f", n ? 100 * a / n : 0 }')" "$turn_alarms" "$turn_cases" \
	"$found" "$plants" $((SECONDS - began))
[ $(((alarms + turn_alarms) * 20)) -le $((cases + turn_cases)) ] && [ "$found" -eq "$plants" ]
