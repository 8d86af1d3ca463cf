#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the probes count, to the byte, and against tools that are not ours. Never a time.

load helpers

payload=327680000
rounds=10000

needs_probes() {
	[ "$("$copytax" doctor --json | jq '[.probes[] | select(.status == "ok")] | length')" -gt 1 ] ||
		skip "nothing can be counted here: $("$copytax" doctor --json | jq -r '.probes[0].reason')"
}

# A tracefs for tools that need one; unmounted again by unmount_tracefs.
mount_tracefs() {
	tracefs=
	[ -e /sys/kernel/tracing/README ] || [ -e /sys/kernel/debug/tracing/README ] && return 0
	mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null || skip 'no tracefs can be mounted'
	tracefs=/sys/kernel/tracing
}

# Of one system call in strace's table; a call that was never made is not in it.
calls_of() {
	awk -v c="$2" '$NF == c { n = $4 } END { print n + 0 }' "$1"
}

# Numbers of the BPF programs that a process or its children hold, one a line. The kernel gives a number only once:
# what others load meanwhile is never taken for ours.
held() {
	local process
	for process in "$1" $(pgrep -P "$1"); do
		sed -n 's/^prog_id:[[:blank:]]*//p' "/proc/$process/fdinfo/"* 2>/dev/null || true
	done | sort -un
}

# Which of the numbers on stdin are those of programs still loaded.
still_loaded() {
	PATH=$PATH:/usr/sbin bpftool prog list | sed -n 's/^\([0-9]*\): .*/\1/p' | sort >loaded
	sort | comm -12 - loaded
}

holds_some() {
	[ -n "$(held "$1")" ]
}

unmount_tracefs() {
	[ -z "$tracefs" ] || umount "$tracefs"
}

@test 'every count of the classic transfer is exact, for drain and truncate' {
	needs_probes
	run -0 "$copytax" run --quiet --rounds 1 --warmup 0 --watched 1 --sink drain,truncate --out out
	run -0 jq -r --arg fs "$(stat -f -c %T .)" -f "$REPO/tests/counts/exact.jq" out/result.json
	echo "$output"
	# unknown, with its reason, is allowed; wrong is not
	wrong=$(sed '/^null:/d' <<<"$output")
	[ -z "$wrong" ]
	# ten thousand rounds, to the digit, where calls can be counted at all
	[ "$(jq '.cases[0].counts.syscalls.by.read' out/result.json)" -eq $rounds ]
	[ "$(jq '.cases[0].copies.socket_to_user.bytes' out/result.json)" -eq $payload ]
	# the claims follow from them
	[ "$(jq -r '.claims[] | select(.id == "ten_thousand_rounds").verdict' out/result.json)" = confirmed ]
	[ "$(jq -r '.claims[] | select(.id == "forty_thousand_switches").verdict' out/result.json)" = corrected ]
	[ "$(jq -r '.claims[] | select(.id == "mmap_zero_copy").verdict' out/result.json)" = corrected ]
}

@test 'set-up calls are counted apart from the transfer' {
	needs_probes
	run -0 "$copytax" run --quiet --size 320K --rounds 1 --warmup 0 --watched 1 --methods sendfile --out out
	[ "$(jq '.cases[0].counts.syscalls.by.sendfile' out/result.json)" -eq 10 ]
	[ "$(jq '.cases[0].counts.syscalls.by.connect // 0' out/result.json)" -eq 0 ]
	[ "$(jq '.cases[0].counts.syscalls_setup.by.connect' out/result.json)" -eq 1 ]
}

@test 'system calls agree with strace -c' {
	needs_probes
	run -0 "$copytax" run --quiet --keep-payload --rounds 1 --warmup 0 --watched 1 \
		--methods read_write,splice --out out
	for method in read_write splice; do
		run -0 strace -qq -c -e trace=read,write,splice -o calls "$copytax" send --method $method \
			--file out/payload.bin
		: >empty
		run -0 strace -qq -c -e trace=read,write,splice -o base "$copytax" send --method $method --file empty
		for call in read write splice; do
			theirs=$(($(calls_of calls $call) - $(calls_of base $call)))
			ours=$(jq --arg m $method --arg c $call \
				'.cases[] | select(.method == $m) | .counts.syscalls.by[$c] // 0' out/result.json)
			echo "$method $call: strace $theirs, copytax $ours"
			# the line that send prints is a write of the base as well as of the transfer
			[ "$theirs" -eq "$ours" ]
		done
	done
}

@test 'page faults and context switches agree with perf stat' {
	command -v perf >/dev/null || skip 'perf is not installed'
	run -0 "$copytax" run --quiet --keep-payload --rounds 1 --warmup 0 --watched 0 --methods mmap_write --out out
	: >empty
	for file in out/payload.bin empty; do
		perf stat -x, -i -e context-switches,page-faults -o stat "$copytax" send --json --method mmap_write \
			--file "$file" >sent || skip 'perf stat does not work here'
		faults=$(awk -F, '$3 == "page-faults" { print $1 }' stat)
		switches=$(awk -F, '$3 == "context-switches" { print $1 }' stat)
		[ "$file" != empty ] || break
		all_faults=$faults all_switches=$switches
		ours_faults=$(jq '.faults_minor + .faults_major' sent)
		ours_switches=$(jq '.switches_voluntary + .switches_involuntary' sent)
	done
	echo "faults: perf $all_faults less $faults outside, copytax $ours_faults"
	echo "switches: perf $all_switches less about $switches outside, copytax $ours_switches"
	# what lies outside the timed span differs by a few from run to run
	[ $((all_faults - faults - ours_faults)) -ge -20 ]
	[ $((all_faults - faults - ours_faults)) -le 20 ]
	[ "$ours_switches" -le "$all_switches" ]
	# the scheduler interrupts what lies outside too, on a busy machine often
	[ $((all_switches - ours_switches)) -le $((switches + 50 + all_switches / 10)) ]
}

@test 'the copy into the receiver agrees with bpftrace' {
	needs_probes
	command -v bpftrace >/dev/null || skip 'bpftrace is not installed'
	mount_tracefs
	run -0 "$copytax" run --quiet --keep-payload --rounds 1 --warmup 0 --watched 1 --methods read_write --out out
	: >empty
	for file in out/payload.bin empty; do
		bpftrace -e 'tracepoint:skb:skb_copy_datagram_iovec /comm == "copytax"/ { @bytes = sum(args->len); }' \
			-c "$copytax send --method read_write --file $file" >traced 2>&1 || {
			unmount_tracefs
			skip "bpftrace does not work here: $(tail -n 1 traced)"
		}
		[ "$file" = empty ] || all=$(awk '$1 == "@bytes:" { print $2 }' traced)
	done
	unmount_tracefs
	base=$(awk '$1 == "@bytes:" { print $2 }' traced)
	ours=$(jq '.cases[0].copies.socket_to_user.bytes' out/result.json)
	echo "bpftrace $all less $base, copytax $ours"
	[ $((all - base)) -eq "$ours" ]
}

@test 'no BPF program is left behind, nor there while timing' {
	needs_probes
	"$copytax" run --quiet --size 32M --rounds 3 --watched 0 --out timed >/dev/null &
	pid=$!
	looks=0
	while kill -0 $pid 2>/dev/null; do
		held $pid >>during
		looks=$((looks + 1))
		sleep 0.02
	done
	wait $pid
	echo "looked $looks times; held while timing: $(<during)"
	[ $looks -gt 3 ]
	[ ! -s during ]
	# killed in the middle of the counting pass
	"$copytax" run --quiet --size 64M --rounds 1 --warmup 0 --watched 9 --out counted >/dev/null &
	pid=$!
	wait_until 10 holds_some $pid
	held $pid >ours
	# the list shows them, so it would show them later, too
	[ -n "$(still_loaded <ours)" ]
	kill -KILL $pid
	wait $pid || true
	sleep 1
	left=$(still_loaded <ours)
	echo "left behind: $left"
	[ -z "$left" ]
}

@test 'without privileges everything else works, and the reason says what to grant' {
	[ "$(id -u)" -eq 0 ] || skip 'not root: this is how every test here runs'
	chmod 755 "$BATS_TEST_TMPDIR" . || true
	mkdir out && chmod 777 out
	cp -L "$copytax" plain
	run -0 setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all ./plain run --quiet \
		--size 1M --rounds 2 --out out
	[ "$(jq -r '.cases[0].counts.syscalls.value' out/result.json)" = null ]
	jq -e '.cases[0].counts.syscalls.reason | test("CAP_BPF|cap_bpf"; "i")' out/result.json
	[ "$(jq -r '.cases[0].status' out/result.json)" = ok ]
}
