#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Puts the table of a result between the README's two marks. Nothing there is edited by hand.
# Usage: scripts/readme-table.sh COPYTAX RESULT README.md
set -euo pipefail
copytax=$1 result=$2 readme=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$copytax" report "$result" --no-plots --out "$work" >/dev/null
# the report's section of that name, without its heading and the empty lines around it
awk '/^## / { on = $0 == "## The table"; next } on' "$work/report.md" | sed -e '/./,$!d' |
	sed -e ':a' -e '/^\n*$/{$d;N;ba' -e '}' >"$work/table"
[ -s "$work/table" ]
awk -v table="$work/table" '
	/<!-- table:begin -->/ { print; while ((getline line < table) > 0) print line; skip = 1; next }
	/<!-- table:end -->/ { skip = 0; seen = 1 }
	!skip
	END { exit !seen }' "$readme" >"$work/readme"
cat "$work/readme" >"$readme"
