#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs guest.sh under each kernel and prints one line per kernel and a closing line.
set -euo pipefail

usage() {
	cat <<'END'
Usage: run.sh [--verbose] [--timeout S] [VERSION...]

Fetches and boots each kernel (default: 5.10 6.1 6.12 7.3 arm64) and runs guest.sh in it; for arm64
it cross-builds and runs arm64.sh, which has a PMU.

  --verbose     show the guest's output always, not only on a failure
  --timeout S   seconds for each kernel; default 600

Exit: 0 none failed, 1 some failed, 2 wrong use, 77 nothing could be tried
END
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
verbose=no
limit=600
versions=()
while (($#)); do
	case $1 in
	-h | --help)
		usage
		exit 0
		;;
	--verbose) verbose=yes ;;
	--timeout)
		(($# > 1)) || { usage >&2 && exit 2; }
		limit=$2
		shift
		;;
	-*)
		usage >&2
		exit 2
		;;
	*) versions+=("$1") ;;
	esac
	shift
done
((${#versions[@]})) || versions=(5.10 6.1 6.12 7.3 arm64)

# shellcheck source=tests/vm/guard.sh
. "$here/guard.sh"

passed=0 failed=0 skipped=0
for version in "${versions[@]}"; do
	SECONDS=0
	status=0
	name=$version
	if [[ $version = arm64 ]]; then
		guarded "$here/arm64.sh" --timeout "$limit" || status=$?
	else
		guarded "$here/fetch-kernel.sh" "$version" || status=$?
	fi
	if [[ $version = arm64 ]]; then
		last=$(tail -n 1 "$work/out")
	elif ((status == 0)); then
		name=$(basename "$(tail -n 1 "$work/out")")
		SECONDS=0
		# one CPU: while a kernel patches its own text for a probe, a second emulated one now and then
		# executes half of the old and half of the new, and the guest panics or hangs
		guarded "$here/boot.sh" --kernel "$version" --cpus 1 --disk 2G --timeout "$limit" \
			-- "$here/guest.sh" || status=$?
		last=$(tail -n 1 "$work/out")
	else
		last=
	fi
	[[ -n $last ]] || last=$(tail -n 1 "$work/err")
	case $status in
	0)
		passed=$((passed + 1))
		echo "ok kernel $name: $last ($SECONDS s)"
		;;
	77)
		skipped=$((skipped + 1))
		echo "skip kernel $name: $last"
		;;
	*)
		failed=$((failed + 1))
		echo "FAIL kernel $name: exit status $status after $SECONDS s${last:+: $last}"
		;;
	esac
	if [[ $verbose = yes ]] || ((status != 0 && status != 77)); then
		sed 's/^/    /' "$work/out" "$work/err"
	fi
done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0)) || exit 1
((passed > 0)) || exit 77
