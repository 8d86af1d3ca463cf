#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the fuzz targets one after the other, each from its kept corpus. What they find new is kept in the
# build folder; `--merge` takes into the corpus what reaches code that nothing there reaches.
# Usage: scripts/fuzz.sh BUILD SECONDS|--merge TARGET...
set -uo pipefail
build=$1 seconds=$2
shift 2
cd "$(dirname "$0")/.." || exit 1
failed=0
for target; do
	corpus=tests/fuzz/corpus/$target found=$build/found/$target
	mkdir -p "$found" "$build/crashes"
	if [ "$seconds" = --merge ]; then
		"$build/${target}_fuzz" -merge=1 -max_len=16384 "$corpus" "$found" 2>&1 | tail -n 1
		continue
	fi
	# real documents are seeds too, but too large to be kept twice; a hang is a finding
	seeds=("$corpus")
	if "$build/${target}_fuzz" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
		-artifact_prefix="$build/crashes/$target-" "$found" "${seeds[@]}" >"$build/$target.log" 2>&1; then
		echo "fuzz: $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$target.log") inputs, nothing found"
	else
		grep -E '^==|SUMMARY|ERROR|Test unit written|runtime error' "$build/$target.log"
		tail -n 30 "$build/$target.log"
		echo "fuzz: $target: FOUND, see $build/crashes/"
		failed=1
	fi
done
exit $failed
