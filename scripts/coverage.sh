#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Lines of bench/ that the unit and command tests run. Children that are killed, as measured processes are when
# a transfer fails, write no figures: what only they ran counts as not run.
# Usage: scripts/coverage.sh BUILD [BATS-FILE...]
set -uo pipefail
build=$1/coverage
shift
cd "$(dirname "$0")/.." || exit 1
command -v gcovr >/dev/null || {
	echo "coverage: gcovr is not installed ('make deps' installs it)" >&2
	exit 3
}
files=("$@")
[ ${#files[@]} -gt 0 ] || mapfile -t files < <(find tests/cli -name "*.bats" ! -name make.bats ! -name dist.bats ! -name memory.bats ! -name deps.bats -printf "%f\n" | sed "s|.bats\$||" | sort)
jobs=$(nproc)
unset BUILD MAKEFLAGS MFLAGS MAKELEVEL
mkdir -p "$build"
build=$(cd "$build" && pwd)
find "$build" -name '*.gcda' -delete
# a child that ends by _exit writes its figures only when asked to: COPYTAX_COVERAGE
make -j"$jobs" --no-print-directory BUILD="$build" OPT='-O0 -g' SANITIZE_FLAGS='--coverage -fprofile-update=atomic -DCOPYTAX_COVERAGE -Wno-format-truncation' \
	all tests-build >"$build/log" 2>&1 || {
	tail "$build/log"
	exit 1
}
for test in "$build"/tests/*_test; do
	"$test" >>"$build/log" 2>&1 || echo "coverage: $(basename "$test") failed"
done
for file in "${files[@]}"; do
	COPYTAX_COVERAGE=1 LARGE=3276800 COPYTAX=$build/copytax bats --tap "tests/cli/$file.bats" >"$build/$file.tap" 2>&1 </dev/null ||
		echo "coverage: $(grep -c '^not ok' "$build/$file.tap") tests of $file failed"
done
gcovr --root . --object-directory "$build/obj" --filter bench/ --exclude bench/overhead/ --exclude bench/static/ \
	--gcov-ignore-parse-errors --html-details "$build/index.html" --print-summary --txt "$build/coverage.txt" "$build/obj" |
	grep -E '^(lines|branches)'
echo "coverage: $build/index.html"
