#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What `make test` runs: unit tests and command tests on the plain build, the same on a build with address and
# undefined-behaviour sanitizers, one pass under valgrind, and lint. Ends with the line
#   N passed, N failed, N skipped
# and exit code 1 when anything failed. SUITES='unit cli' chooses (unit cli asan memory fuzz lint vm); KERNELS names
# those that the vm suite boots.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}
suites=${SUITES:-unit cli asan memory fuzz lint vm}
kernels=${KERNELS:-6.1 6.12}
jobs=$(nproc)
# the caller's make hands down its own switches; the builds here are their own
unset BUILD MAKEFLAGS MFLAGS MAKELEVEL CC OPT CFLAGS
mkdir -p "$build"
build=$(cd "$build" && pwd)
results=$(mktemp -d "$build/tests.XXXXXX")
# one test's processes get no chance to outlive it, but its files might
beside=
trap '[ -z "$beside" ] || kill -- "-$beside" 2>/dev/null; rm -rf "$results"' EXIT
trap 'exit 130' INT TERM
# on the disk that the tree is on: tests of direct I/O want a real file system
export TMPDIR=$results/tmp
mkdir "$TMPDIR"
passed=0 failed=0 skipped=0

# make_all NAME ARGUMENTS...
make_all() {
	local name=$1
	shift
	printf 'building   %s\n' "$name"
	if ! make -j"$jobs" --no-print-directory "$@" all tests-build >"$results/$name.log" 2>&1; then
		cat "$results/$name.log"
		failed=$((failed + 1))
		return 1
	fi
}

# tally NAME [SECONDS]: counts a TAP stream. What its plan promises and it does not hold has failed: a crash is no pass.
tally() {
	local counts
	counts=$(awk '
		/^1\.\.[0-9]+/ { plan = substr($1, 4); planned = 1 }
		/^(not )?ok [0-9]+.*# *[sS][kK][iI][pP]/ { skip++; next }
		/^ok [0-9]+/ { ok++ }
		/^not ok [0-9]+/ { bad++ }
		END {
			missing = planned ? plan - ok - bad - skip : 1
			print ok + 0, bad + (missing > 0 ? missing : 0), skip + 0
		}' "$results/$1.tap")
	read -r ok bad skip <<<"$counts"
	printf '%-28s %3d passed, %d failed, %d skipped%s\n' "$1" "$ok" "$bad" "$skip" "${2:+, $2 s}"
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
	grep -iE '^(not )?ok [0-9]+.*# *skip' "$results/$1.tap" | sed 's/^/    /'
	[ "$bad" -eq 0 ] || grep -vE '^ok |^1\.\.' "$results/$1.tap" | sed 's/^/    /' | tee -a "$results/failures"
}

# one_unit NAME TEST
one_unit() {
	CMOCKA_MESSAGE_OUTPUT=TAP timeout 300 "$2" >"$results/$1.tap" 2>&1 ||
		# a leak is found after the last test has passed
		grep -q '^not ok' "$results/$1.tap" || echo "not ok 0 - ended with status $?" >>"$results/$1.tap"
}

# unit NAME BUILD: as many at a time as there are CPUs
unit() {
	local test
	# a subshell waits for its own
	(
		for test in "$2"/tests/*_test; do
			while [ "$(jobs -pr | wc -l)" -ge "$jobs" ]; do wait -n; done
			one_unit "$1-$(basename "$test" _test)" "$test" &
		done
		wait
	)
	for test in "$2"/tests/*_test; do
		tally "$1-$(basename "$test" _test)"
	done
}

# one_file NAME FILE: one bats file, and how long it took
one_file() {
	local from=$SECONDS
	timeout 900 bats --tap "tests/cli/$2.bats" >"$results/$1-$2.tap" 2>&1 </dev/null
	echo $((SECONDS - from)) >"$results/$1-$2.took"
}

# cli NAME BUILD FILE...: bats files, as many at a time as there are CPUs
cli() {
	local name=$1 file
	export COPYTAX=$2/copytax
	shift 2
	(
		for file; do
			while [ "$(jobs -pr | wc -l)" -ge "$jobs" ]; do wait -n; done
			one_file "$name" "$file" &
		done
		wait
	)
	for file; do
		tally "$name-$file" "$(<"$results/$name-$file.took")"
	done
}

wants() {
	[[ " $suites " == *" $1 "* ]]
}

started=$SECONDS
if make_all plain BUILD="$build"; then
	wants unit && unit unit "$build"
	others=()
	wants lint && others+=(lint)
	# shellcheck disable=SC2206 # a list of words
	wants vm && others+=($kernels)
	if [ ${#others[@]} -gt 0 ]; then
		setsid tests/beside.sh "$build" "$results" "${others[@]}" &
		beside=$!
	fi
	if wants cli; then
		# longest first
		cli cli "$build" conditions transfers product remote signals hostile page commands compare report lesson \
			calibrate bad_input deps
		# these build on the tree itself: alone
		cli cli "$build" make
		# a profile needs CPU time of its own: alone
		cli cli "$build" events
		cli cli "$build" dist
		# this looks at what is left on the machine, and refuses to while another copytax runs
		cli cli "$build" faults
		# this looks at processes' BPF programs and moves gigabytes: alone, too
		cli cli "$build" counts
	fi
	printf 'memory, after %d s\n' $((SECONDS - started))
	wants memory && cli valgrind "$build" memory
fi
if wants asan && make_all asan BUILD="$build/asan" OPT='-O1 -g' \
	SANITIZE_FLAGS='-fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all'; then
	export UBSAN_OPTIONS=print_stacktrace=1
	unit asan-unit "$build/asan"
	# a hundred chunks instead of ten thousand
	LARGE=3276800 cli asan "$build/asan" transfers signals remote commands hostile report bad_input
fi
if wants fuzz; then
	printf 'fuzz, after %d s\n' $((SECONDS - started))
	echo 'building   fuzz'
	if make -j"$jobs" --no-print-directory BUILD="$build" fuzz-build >"$results/fuzz.log" 2>&1 &&
		scripts/fuzz.sh "$build/fuzz" "${FUZZ_TIME:-10}" plan result protocol; then
		passed=$((passed + 1))
	else
		tail -n 20 "$results/fuzz.log"
		failed=$((failed + 1))
	fi
fi
if [ -n "$beside" ]; then
	printf 'what ran beside, waited for after %d s\n' $((SECONDS - started))
	wait "$beside"
	beside=
	if wants lint; then
		if [ "$(cat "$results/lint.status")" = 0 ]; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			cat "$results/lint.log" >>"$results/failures"
		fi
		cat "$results/lint.log"
	fi
	for kernel in $(wants vm && echo "$kernels"); do
		# its own closing line, which is one of three counts, is added up below
		grep -vE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$results/vm-$kernel.log"
		if IFS=" ," read -r ok _ bad _ skip _ < <(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$results/vm-$kernel.log"); then
			passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
			[ "$bad" -eq 0 ] || grep -E '^FAIL' "$results/vm-$kernel.log" >>"$results/failures"
		else
			failed=$((failed + 1))
			echo "kernel $kernel: no closing line" >>"$results/failures"
		fi
	done
fi
# a long log is cut in its middle where it is shown: what failed stands at its end, too
if [ -s "$results/failures" ]; then
	echo 'what failed:'
	head -n 60 "$results/failures"
fi
printf 'took %d s\n' $((SECONDS - started))
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
