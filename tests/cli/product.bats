#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Part of `make product`: every method over every link to every sink on eight connections at once. One connection and
# more chunks are in conditions.bats, all together in `make product`.
load helpers

# Namespaces are named after the process that made them: one whose process is gone was left.
teardown_file() {
	local name pid
	for name in $(ip netns list 2>/dev/null | grep -o '^copytax-[0-9]*'); do
		pid=${name#copytax-}
		[ -e "/proc/$pid" ] || {
			echo "left: $name"
			return 1
		}
	done
}

@test "every method × sink × link arrives on eight connections, or is skipped for a right reason" {
	CHUNKS=32K CONNECTIONS=8 SIZE=500003 "$REPO/tests/product/run.sh" "$copytax" o >text || {
		cat text
		return 1
	}
	grep ' verified, ' text | sed 's/^/# /' >&3
	# sendfile to drain is refused nowhere
	jq -e '[.cases[] | select(.method == "sendfile" and .sink == "drain" and .status == "ok")] | length == 1' o/*/result.json >/dev/null
	[ "$(find o -name 'payload*' | wc -l)" -eq 0 ]
	[ -z "$(find o -maxdepth 1 -name 'product.*')" ]
}

@test "what is wrong is found: a result that lost a hash, and a skip without a right reason" {
	"$copytax" run --methods read_write,sendfile --size 64K --rounds 1 --warmup 0 --catch-up 0 --watched 0 --events none --quiet --out o >/dev/null
	run "$copytax" list methods
	printf "%s\n" "$output" >methods
	judge() {
		jq "$1" o/result.json | jq -r --rawfile list methods -f "$REPO/tests/product/judge.jq"
	}
	[ "$(judge . | sort -u)" = verified ]
	[[ $(judge '.cases[0].verified.ok = false') == wrong:* ]]
	[[ $(judge '.cases[0].verified.bytes -= 1') == wrong:* ]]
	[[ $(judge '.cases[0].samples.wall_s = []') == wrong:* ]]
	[[ $(judge '.cases[0] |= (.status = "skipped" | .reason = "it did not feel like it")') == wrong:* ]]
	# true of another sink only
	[[ $(judge '.cases[0] |= (.status = "skipped" | .reason = "an AF_UNIX stream ignores MSG_TRUNC")') == wrong:* ]]
	[[ $(judge '.cases[0] |= (.status = "failed" | .reason = "mapped no page")') == wrong:* ]]
}
