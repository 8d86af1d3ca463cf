#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Lines of bench/ that the unit and command tests run. A process that is killed writes no figures, as when a transfer
# hangs: what only such ones ran counts as not run. Exits with 1 when less than LEAST per cent of the lines were run;
# with BATS-FILEs named it tells the share that these reach, and holds nothing against it.
# Usage: [LEAST=85] scripts/coverage.sh BUILD [BATS-FILE...]
set -uo pipefail
build=$1/coverage
least=${LEAST:-85}
shift
cd "$(dirname "$0")/.." || exit 1
command -v gcovr >/dev/null || {
	echo "coverage: gcovr is not installed ('make deps' installs it)" >&2
	exit 3
}
files=("$@")
[ ${#files[@]} -eq 0 ] || least=0
[ ${#files[@]} -gt 0 ] || mapfile -t files < <(find tests/cli -name "*.bats" ! -name make.bats ! -name dist.bats ! -name memory.bats ! -name deps.bats -printf "%f\n" | sed "s|.bats\$||" | sort)
jobs=$(nproc)
unset BUILD MAKEFLAGS MFLAGS MAKELEVEL
mkdir -p "$build"
build=$(cd "$build" && pwd)
find "$build" -name '*.gcda' -delete
# a child that ends by _exit writes its figures only when asked to: COPYTAX_COVERAGE. REPRODUCIBLE renames the build
# folder, and then gcov does not find the sources that were generated there
make -j"$jobs" --no-print-directory BUILD="$build" OPT='-O0 -g' REPRODUCIBLE='' SANITIZE_FLAGS='--coverage -fprofile-update=atomic -DCOPYTAX_COVERAGE -Wno-format-truncation' \
	all tests-build lesson-pages >"$build/log" 2>&1 || {
	tail "$build/log"
	exit 1
}
for test in "$build"/tests/*_test; do
	"$test" >>"$build/log" 2>&1 || echo "coverage: $(basename "$test") failed"
done
# some tests run as somebody else, who has something to add, too
"$build/copytax" --version >/dev/null
find "$build/obj" -type d -exec chmod a+rwx {} +
find "$build/obj" -name '*.gcda' -exec chmod a+rw {} +
for file in "${files[@]}"; do
	COPYTAX_COVERAGE=1 LARGE=3276800 COPYTAX=$build/copytax bats --tap "tests/cli/$file.bats" >"$build/$file.tap" 2>&1 </dev/null ||
		echo "coverage: $(grep -c '^not ok' "$build/$file.tap") tests of $file failed"
done
summary=$(gcovr --root . --object-directory "$build/obj" --filter bench/ --exclude bench/overhead/ --exclude bench/static/ \
	--gcov-ignore-parse-errors --html-details "$build/index.html" --print-summary --txt "$build/coverage.txt" "$build/obj") || exit 1
grep -E '^(lines|branches)' <<<"$summary"
echo "coverage: $build/index.html"
read -r run all < <(sed -n 's/^lines: .*(\([0-9]*\) out of \([0-9]*\)).*/\1 \2/p' <<<"$summary")
[ $((run * 100)) -ge $((all * least)) ] || {
	echo "coverage: less than $least % of the lines: the largest gaps"
	# FILE LINES RUN SHARE MISSING
	awk '$1 ~ /^bench/ && $2 + 0 > 0 { print $2 - $3, $1 }' "$build/coverage.txt" | sort -rn | head -n 10
	exit 1
}
