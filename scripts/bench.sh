#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The main job: measure, ask hyperfine for a second opinion, draw and report.
# Usage: scripts/bench.sh COPYTAX OUT [copytax run options]
set -uo pipefail
copytax=$1
out=$2
shift 2
here=$(dirname "$0")
trap 'rm -f "$out/payload.bin"' EXIT
trap 'exit 130' INT TERM

"$copytax" run --out "$out" --keep-payload "$@"
code=$?
# 4: some transfer failed, but what did not fail is worth reporting
[ "$code" -eq 0 ] || [ "$code" -eq 4 ] || exit "$code"
if command -v hyperfine >/dev/null; then
	COPYTAX=$copytax "$here/hyperfine.sh" "$out" || echo "bench: hyperfine's second opinion is missing" >&2
else
	echo "bench: hyperfine is not installed ('make deps' installs it); its second opinion is missing" >&2
fi
rm -f "$out/payload.bin"
"$copytax" report "$out" || code=$?
exit "$code"
