#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What tests/run.sh has going on beside its tests, which wait for their timers half of the time: lint, then the other
# kernels. The nicest of processes takes what the tests leave.
#
# Usage: beside.sh BUILD RESULTS [lint] [KERNEL...]
# Leaves in RESULTS lint.log and lint.status, and vm-KERNEL.log of each kernel.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
build=$1 results=$2
shift 2
# where each session has a share of the CPU of its own (autogroup), the session has to be nice, too
renice -n 19 $$ >/dev/null
{ echo 19 >/proc/self/autogroup; } 2>/dev/null
trap 'kill $(jobs -pr) 2>/dev/null' EXIT
trap 'exit 130' INT TERM

if [ "${1:-}" = lint ]; then
	shift
	# gcc has had its say: the plain build is its
	LINT_BUILD=$build scripts/lint.sh clang tidy cppcheck shell texts >"$results/lint.log" 2>&1 &
	wait $!
	echo $? >"$results/lint.status"
fi
# each has one emulated CPU: as many at a time as there are real ones; fetched one after the other
for kernel; do
	[ "$kernel" = arm64 ] || tests/vm/fetch-kernel.sh "$kernel" >/dev/null 2>&1
done
for kernel; do
	while [ "$(jobs -pr | wc -l)" -ge "$(nproc)" ]; do wait -n; done
	# beside tests they get a part of a CPU
	BUILD=$build COPYTAX=$build/copytax tests/vm/run.sh --timeout 1200 "$kernel" >"$results/vm-$kernel.log" 2>&1 &
done
wait
