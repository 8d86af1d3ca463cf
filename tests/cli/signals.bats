#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What happens to a transfer from outside, halfway through. A frozen receiver makes "halfway" certain.
load helpers

# Large enough to be caught in the act, sparse enough to cost nothing.
extra_setup() {
	truncate -s 1G big
}

result_is_whole() {
	jq -e '.schema == "copytax.result/1" and (.run.finished | type == "string")' o/result.json
}

@test "send: the receiver is killed" {
	for method in $METHODS $NEWER; do
		able "$method" || continue
		start send -m "$method" --file big --chunk 32K
		freeze send big
		kill -KILL "$receiver"
		finish
		says 4 "^copytax: $method: the receiver (went away after [0-9]+ of 1073741824 bytes|was killed by signal 9)"
		nothing_left_but big
	done
}

@test "run: the receiver is killed; that case fails, the others go on" {
	start run --file big --methods sendfile,splice --rounds 3 --warmup 0 --catch-up 0 --quiet --out o
	freeze run big
	kill -KILL "$receiver"
	finish
	says 4 "(sendfile|splice) failed: .*the receiver was killed by signal 9 \(Killed\)"
	result_is_whole
	jq -e '.run.interrupted == false and ([.cases[].status] | sort == ["failed", "ok"])
		and ([.cases[] | select(.status == "ok") | .samples.wall_s | length] == [3])
		and ([.cases[] | select(.status == "failed") | .reason | test("killed by signal 9")] == [true])' o/result.json
	nothing_left_but big o o/result.json
}

@test "run: the sender is killed; that case fails, the others go on" {
	start run --file big --methods sendfile,splice --rounds 3 --warmup 0 --catch-up 0 --quiet --out o
	freeze run big
	sender=$(pgrep -P "$pid" | grep -vx "$receiver")
	kill -KILL "$sender"
	kill -CONT "$receiver" 2>/dev/null || true
	finish
	says 4 "(sendfile|splice) failed: .*(the sender was killed by signal 9 \(Killed\)|bytes arrived)"
	result_is_whole
	nothing_left_but big o o/result.json
}

@test "send: the receiver hangs: given up after --time-limit" {
	start send -m sendfile --file big --time-limit 2
	freeze send big
	finish
	says 4 "^copytax: sendfile: not done after 2 s \(--time-limit\)"
	nothing_left_but big
}

@test "run: the receiver hangs: that case fails after --time-limit, the others go on" {
	start run --file big --methods sendfile,splice --rounds 2 --warmup 0 --quiet --out o --time-limit 15
	freeze run big
	finish
	says 4 "(sendfile|splice) failed: .*not done after 15 s \(--time-limit\)"
	result_is_whole
	jq -e '[.cases[].status] | sort == ["failed", "ok"]' o/result.json
	nothing_left_but big o o/result.json
}

@test "send: the file gets shorter on the way" {
	for method in $METHODS $NEWER; do
		able "$method" || continue
		truncate -s 1G big
		start send -m "$method" --file big --chunk 32K
		freeze send big
		truncate -s 4096 big
		kill -CONT "$receiver" 2>/dev/null || true
		finish
		says 4 "^copytax: $method: .*big.*(got shorter|is gone)"
		nothing_left_but big
	done
}

@test "run: the file gets shorter on the way, mapped or not" {
	start run --file big --methods mmap_write,sendfile --rounds 2 --warmup 0 --quiet --out o
	freeze run big
	truncate -s 4096 big
	kill -CONT "$receiver" 2>/dev/null || true
	finish
	echo "$status $stderr"
	[ "$status" -eq 4 ]
	# both methods, each in its own words, or once when they are the same
	[ "$(wc -l <<<"$stderr")" -le 2 ]
	[ "$(grep -cE '^copytax: (mmap_write|sendfile) failed: .*(got shorter|is gone)' <<<"$stderr")" -eq "$(wc -l <<<"$stderr")" ]
	result_is_whole
	jq -e '[.cases[].status] == ["failed", "failed"]' o/result.json
	nothing_left_but big o o/result.json
}

interrupted_run() {
	rm big
	start run --size 32M --methods sendfile,read_write,mmap_write --rounds 100000 --quiet --out o
	# samples of each method are there, so that keeping them can be seen
	under_way 40
	kill -"$1" "$pid"
	finish
	says 130 "^copytax: interrupted"
	result_is_whole
	jq -e '.run.interrupted == true and ([.cases[] | select(.status == "ok")] | length == 3)
		and ([.cases[].samples.wall_s | length] | add > 0)' o/result.json
	[[ $output == *sendfile* ]]
	nothing_left_but o o/result.json
}

@test "run: SIGINT keeps and marks what was measured" {
	interrupted_run INT
}

@test "run: SIGTERM keeps and marks what was measured" {
	interrupted_run TERM
}

@test "run: SIGHUP, a terminal that closes, does the same" {
	interrupted_run HUP
}

@test "run: SIGINT while a transfer hangs" {
	start run --file big --methods sendfile --rounds 2 --quiet --out o
	freeze run big
	kill -INT "$pid"
	finish
	says 130 "^copytax: interrupted"
	result_is_whole
	jq -e '.run.interrupted == true' o/result.json
	nothing_left_but big o o/result.json
}

@test "run: SIGTERM while the payload is written leaves no payload" {
	rm big
	start run --size 8G --methods sendfile --rounds 2 --quiet --out o
	wait_until 30 test -s o/payload.bin
	kill -TERM "$pid"
	finish
	says 130 "^copytax: interrupted"
	nothing_left_but o
}

@test "send: SIGINT and SIGTERM halfway" {
	for signal in INT TERM HUP; do
		start send -m sendfile --file big
		freeze send big
		kill -$signal "$pid"
		finish
		says 130 "^copytax: interrupted"
		nothing_left_but big
	done
}

@test "send: SIGTERM while the payload is written leaves no payload" {
	rm big
	start send -m sendfile --size 8G
	wait_until 30 eval 'test -s copytax-payload-*.bin'
	kill -TERM "$pid"
	finish
	says 130 "^copytax: interrupted"
	nothing_left_but
}

@test "interrupted while it is looked where the CPUs are" {
	[ "$("$copytax" doctor --json | jq -r '.host.cpu.hypervisor.value // "none"')" != none ] || skip 'no virtual machine: there is nothing to look for'
	[ "$(nproc)" -gt 1 ] || skip 'needs two CPUs'
	# long enough, by the guess, to be worth a look
	start run --size 1M --methods sendfile --rounds 100000 --watched 0 --events none --out o
	wait_until 30 grep -q 'looking where the host puts the CPUs' ../err
	kill -INT "$pid"
	finish
	[ "$status" -eq 130 ]
	[ "$(tail -n 1 ../err)" = 'copytax: interrupted' ]
	result_is_whole
	jq -e '.run.interrupted == true' o/result.json
	nothing_left_but big o o/result.json
}

@test "a short study does not look, and says nothing of it" {
	run --separate-stderr "$copytax" run --size 1M --methods sendfile --rounds 2 --watched 0 --events none --out o
	[ "$status" -eq 0 ]
	[[ $stderr != *'looking where'* ]]
	jq -e 'all(.cases[].samples.gather_s[]; . == null) and (.run.core_latency | has("gathered") | not)' o/result.json
}

@test "kill -9 leaves no process, and says so when asked again" {
	start run --size 512M --methods sendfile,read_write --rounds 100000 --quiet --out o
	# a receiver that hangs can't notice by itself that everybody else is gone
	freeze run o/payload.bin
	kill -KILL "$pid"
	finish
	[ "$status" -eq 137 ]
	wait_until 5 eval '[ -z "$(strays)" ]'
	run --separate-stderr "$copytax" run --size 64K --quiet --out o
	says 3 "o/payload.bin is there already, perhaps from a run that .* was killed; remove it"
}
