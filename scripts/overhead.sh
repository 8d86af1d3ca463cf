#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Does the harness cost anything? Sender CPU of `copytax send` against a bare loop, in turns.
# Usage: scripts/overhead.sh BUILD [METHOD...]; ROUNDS, CHUNK and SIZE from the environment.
set -euo pipefail
build=$1
shift
methods=("$@")
[ ${#methods[@]} -gt 0 ] || methods=(read_write mmap_write sendfile splice)
folder=$(mktemp -d "${OVERHEAD_DIR:-$build}/overhead.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
# written the way `copytax run` writes it: the folios of the page cache decide a good part of the cost
"$build/copytax" run --quiet --methods sendfile --rounds 1 --warmup 0 --watched 0 --events none --size "${SIZE:-320000K}" \
	--keep-payload --out "$folder" >/dev/null
"$build/overhead" "$build/bare" "$build/copytax" "$folder/payload.bin" "${ROUNDS:-41}" \
	"${CHUNK:-32768}" "${methods[@]}"
