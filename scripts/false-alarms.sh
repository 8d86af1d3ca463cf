#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Does `copytax compare` cry wolf? Pairs of runs of one build, of which no case should be called different, and
# runs of a build that copies once more in read_write, which should be found every time.
# Usage: scripts/false-alarms.sh COPYTAX PLANTED; PAIRS, PLANTS, SIZE, ROUNDS and PLANT_ROUNDS from the environment.
# Exits with 1 when more than 5 % of the cases are called different, or a planted copy is not found.
set -euo pipefail
copytax=$1
planted=$2
pairs=${PAIRS:-20}
plants=${PLANTS:-3}
size=${SIZE:-160000K}
rounds=${ROUNDS:-21}
# a tenth among samples that scatter by a tenth, with neighbouring rounds alike, takes more of them
plant_rounds=${PLANT_ROUNDS:-101}
# a host that changes its speed by more hides a tenth: that pair can't be judged, and is taken again, so often
same_speed=3
tries=6
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
found=0 judged=0
for ((i = 1; i <= plants * tries && judged < plants; i++)); do
	measure "$copytax" base "$plant_rounds"
	measure "$planted" new "$plant_rounds"
	said=$(verdicts base new)
	read -r slower verdict < <(awk '
		$1 == "slower" { slower = $2 } $1 == "read_write" { verdict = $2 }
		END { print slower, verdict }' <<<"$said")
	if awk -v s="$slower" -v most="$same_speed" 'BEGIN { exit !(s == "unknown" || s > most || s < -most) }'; then
		printf 'planted copy: not judged, the host was slower by %s %%\n' "$slower"
		continue
	fi
	judged=$((judged + 1))
	[ "$verdict" != worse ] || found=$((found + 1))
	printf 'planted copy %d: read_write %s; host slower by %s %%\n' "$judged" "$verdict" "$slower"
done
printf '%d of %d cases called different (%s %%), planted copy found %d of %d times, %d s\n' "$alarms" "$cases" \
	"$(awk -v a="$alarms" -v n="$cases" 'BEGIN { printf "%.1f", n ? 100 * a / n : 0 }')" "$found" "$judged" \
	$((SECONDS - began))
[ $((alarms * 20)) -le "$cases" ] && [ "$found" -eq "$judged" ] && [ "$judged" -gt 0 ]
