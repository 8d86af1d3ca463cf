#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Is the static program what it promises? Built twice, in two places, from copies of the tree: the same
# bytes; not dynamic; small; starts at once.
# Usage: scripts/dist-check.sh BUILD
set -euo pipefail
build=$1
limit=$((8 << 20))
jobs=$(nproc)
cd "$(dirname "$0")/.."
unset BUILD MAKEFLAGS MFLAGS MAKELEVEL
mkdir -p "$build"
work=$(mktemp -d "$build/dist-check.XXXXXX")
work=$(cd "$work" && pwd)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
commit=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)

fail() {
	echo "dist-check: $1" >&2
	exit 1
}

# the sources alone, as they are now, committed or not
sources() {
	git ls-files -z --cached --others --exclude-standard 2>/dev/null | grep -zvE '^(plots|results)/' ||
		find . -type f ! -path './build/*' ! -path './.git/*' ! -path './results/*' -print0
}

for place in here "a place with a much longer name, and blanks"; do
	# make can't handle blanks in its folder: the name is long, at least
	place=${place//[ ,]/_}
	mkdir -p "$work/$place"
	sources | tar -c --null -T - | tar -x -C "$work/$place"
	make -C "$work/$place" -j"$jobs" --no-print-directory COMMIT="$commit" \
		BUILD="$work/$place.build" DIST="$work/$place.dist" dist >"$work/log" 2>&1 || {
		cat "$work/log"
		fail 'it does not build'
	}
done
programs=("$work"/*.dist/copytax-*)
cmp "${programs[0]}" "${programs[1]}" || fail 'two builds give different bytes'
# ldd answers in words of the C library
readelf -l "${programs[0]}" | grep -q INTERP && fail 'it asks for a loader: it is dynamic'
size=$(stat -c %s "${programs[0]}")
[ "$size" -le "$limit" ] || fail "it has $size bytes, more than $limit"
echo "dist-check: two builds are the same $size bytes: $(sha256sum <"${programs[0]}" | cut -c1-16)…, static"
