#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Are the static programs what they promise? Built twice, in two places, from copies of the tree: the same
# bytes; not dynamic; small. The one for arm64 is looked at where it can be built (arm64.sh).
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
grep '^dist: none' "$work/log" || true
for program in "$work"/here.dist/copytax-*; do
	name=$(basename "$program")
	cmp "$program" "$work"/a_place*.dist/"$name" || fail "$name: two builds give different bytes"
	# ldd answers in words of the C library, and of its own machine's programs only
	readelf -l "$program" | grep -q INTERP && fail "$name asks for a loader: it is dynamic"
	size=$(stat -c %s "$program")
	[ "$size" -le "$limit" ] || fail "$name has $size bytes, more than $limit"
	echo "dist-check: $name: two builds are the same $size bytes: $(sha256sum <"$program" | cut -c1-16)…, static"
done
