#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The static program on every kernel under every hardship: boots, runs matrix-guest.sh, and writes the
# table kernel × hardship × method to a Markdown file.
set -euo pipefail

usage() {
	cat <<'END'
Usage: matrix.sh [--dist DIR] [--rows FILE] [--table FILE] [--timeout S] [VERSION...]

VERSION: 5.10 6.1 6.12 7.3 6.1-arm64 6.12-arm64 unless some are named.

  --dist DIR      where the programs are (build/dist): copytax-x86_64 and copytax-arm64, by 'make dist'
  --rows FILE     what earlier calls found, kept for the kernels that this one does not boot
                  (build/matrix.rows)
  --table FILE    where the table of all of it goes (docs/matrix.md)
  --timeout S     seconds for each boot; default 900

Exit: 0 all held, 1 something did not, 2 wrong use, 77 nothing could be tried
END
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
top=$(cd "$here/../.." && pwd -P)
dist=$top/build/dist
rows=$top/build/matrix.rows
table=$top/docs/matrix.md
limit=900
versions=()
while (($#)); do
	case $1 in
	-h | --help) usage && exit 0 ;;
	--dist | --rows | --table | --timeout)
		(($# > 1)) || { usage >&2 && exit 2; }
		case $1 in
		--dist) dist=$(realpath "$2") ;;
		--rows) rows=$2 ;;
		--table) table=$2 ;;
		--timeout) limit=$2 ;;
		esac
		shift
		;;
	-*) usage >&2 && exit 2 ;;
	*) versions+=("$1") ;;
	esac
	shift
done
((${#versions[@]})) || versions=(5.10 6.1 6.12 7.3 6.1-arm64 6.12-arm64)

# shellcheck source=tests/vm/guard.sh
. "$here/guard.sh"

# The three boots: name, arguments of boot.sh, hardships
boots=(
	"plain||ext4 xfs btrfs tmpfs io_uring-off paranoid-3 no-root no-types container full-disk"
	"lockdown|--append lockdown=confidentiality|lockdown"
	"small|--mem 512|memory-512M"
)

# attempt KERNEL-VERSION ARGUMENTS... -- HARDSHIP...: emulated guests panic or hang now and then: twice again, and said
attempt() {
	local version=$1 arguments=$2 hardships=$3 try status
	for try in 1 2 3; do
		status=0
		# shellcheck disable=SC2086 # lists of words
		guarded "$here/boot.sh" --kernel "$version" --cpus 1 --disk 1G --timeout "$limit" $arguments \
			-- "$here/matrix-guest.sh" "$program" $hardships || status=$?
		case $status in
		124 | 125) echo "    the emulated machine stopped early (exit $status), try $try of 3" ;;
		*) return "$status" ;;
		esac
	done
	return "$status"
}

passed=0 failed=0 skipped=0
: >"$work/rows"
: >"$work/kept"
for version in "${versions[@]}"; do
	program=$dist/copytax-x86_64
	[[ $version != *-arm64 ]] || program=$dist/copytax-arm64
	if [ ! -x "$program" ]; then
		echo "skip kernel $version: no $program: 'make dist' makes it"
		skipped=$((skipped + 1))
		continue
	fi
	status=0
	guarded "$here/fetch-kernel.sh" "$version" || status=$?
	if ((status)); then
		echo "skip kernel $version: $(tail -n 1 "$work/err")"
		skipped=$((skipped + 1))
		continue
	fi
	name=$(basename "$(tail -n 1 "$work/out")")
	for boot in "${boots[@]}"; do
		IFS='|' read -r what arguments hardships <<<"$boot"
		SECONDS=0
		status=0
		attempt "$version" "$arguments" "$hardships" || status=$?
		grep '^row' "$work/out" | sed "s/^row/$name/" >>"$work/rows" || true
		grep -hE '^SKIP' "$work/out" | sed 's/^/    /' || true
		if ((status == 0)); then
			passed=$((passed + 1))
			echo "ok kernel $name, $what: $hardships ($SECONDS s)"
		elif ((status == 77)); then
			skipped=$((skipped + 1))
			echo "skip kernel $name, $what: $(tail -n 1 "$work/err")"
		else
			failed=$((failed + 1))
			echo "FAIL kernel $name, $what: exit status $status ($SECONDS s)"
			sed 's/^/    /' "$work/out" "$work/err"
		fi
	done
done

# One table per kernel: a row is a hardship, a column a method; reasons below, numbered.
if [ -s "$work/rows" ]; then
	mkdir -p "$(dirname "$rows")"
	[ ! -f "$rows" ] || awk -F '\t' 'NR == FNR { now[$1]; next } !($1 in now)' "$work/rows" "$rows" >"$work/kept"
	cat "$work/rows" "$work/kept" | sort -s -t $'\t' -k 1,1V >"$rows"
	"$here/matrix-table.awk" "$rows" >"$work/table"
	cp "$work/table" "$table"
	echo "table: $table"
fi
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0)) || exit 1
((passed > 0)) || exit 77
