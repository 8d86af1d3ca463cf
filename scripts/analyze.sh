#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gcc's path-sensitive analyzer. Every finding that is new is an error.
# Usage: scripts/analyze.sh BUILD
set -uo pipefail
build=$1/analyze
cd "$(dirname "$0")/.." || exit 1
jobs=$(nproc)
unset BUILD MAKEFLAGS MFLAGS MAKELEVEL
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT TERM
# what was looked at and found wrong is in scripts/lint/analyzer-known
make -k -j"$jobs" --no-print-directory BUILD="$build" CC=gcc OPT='-O1 -g' \
	SANITIZE_FLAGS='-fanalyzer -Wno-error' all >"$log" 2>&1 || {
	grep -E 'error' "$log" || tail "$log"
	exit 1
}
grep -E 'warning:.*\[-Wanalyzer' "$log" | sort -u >"$log.found"
awk 'NR == FNR { if ($0 !~ /^#/) known[$1 " " $2] = 1; next }
	{ file = $0; sub(/:.*/, "", file); check = $0; sub(/.*\[/, "", check); sub(/\].*/, "", check) }
	!((file " " check) in known)' scripts/lint/analyzer-known "$log.found" >"$log.new"
cat "$log.new"
echo "analyze: $(wc -l <"$log.new") findings, $(($(wc -l <"$log.found") - $(wc -l <"$log.new"))) known and looked at"
new=$(wc -l <"$log.new")
rm -f "$log.found" "$log.new"
[ "$new" -eq 0 ]
