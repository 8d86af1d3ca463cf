#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What can go wrong on somebody else's machine, each made to happen once. After every one: one sentence, the
# right exit code, a whole result or none (and an older one intact), nothing left behind. What a killed or
# frozen process does to a transfer is in signals.bats.
#
#   FAULT_INTERRUPTS=N     as many runs interrupted at random moments (200)
#   FAULT_CPU=N            take CPU N offline for real, for a moment; nothing else should need it
load helpers

extra_setup() {
	before_programs=$(programs)
	before_mounts=$(mounts)
	before_namespaces=$(namespaces)
}

# BPF programs that no process holds: by their numbers. What another copytax is using is not ours.
programs() {
	[ "$(id -u)" -ne 0 ] || PATH=$PATH:/usr/sbin bpftool prog list -j 2>/dev/null |
		jq -r '.[] | select((.pids // []) | length == 0) | .id' | sort
}

mounts() {
	# this test's own small disk apart
	grep -c copytax- /proc/self/mounts || true
}

# Network namespaces whose run is over. One of a run that another test is at is not ours.
namespaces() {
	local space process
	for space in /run/netns/copytax-*; do
		process=${space#*/copytax-}
		[ ! -e "$space" ] || [ -e "/proc/${process%-*}" ] || echo "$space"
	done
}

# no_more BEFORE COMMAND: it lists nothing that is not in BEFORE
no_more() {
	[ -z "$(comm -13 <(printf '%s\n' "$1") <("$2"))" ]
}

# clean ENTRY...: no process, no file but those, no BPF program, mount or namespace more than before
clean() {
	nothing_left_but "$@"
	[ "$(mounts)" = "$before_mounts" ] || pgrep -x copytax
	# the kernel takes its time with what nobody holds any more
	wait_until 5 no_more "$before_namespaces" namespaces
	wait_until 5 no_more "$before_programs" programs
}

result_is_whole() {
	jq -e '.schema == "copytax.result/1" and (.cases | length > 0)' o/result.json >/dev/null
}

need_strace() {
	command -v strace >/dev/null || skip "strace is not installed"
	[[ ${ASAN_OPTIONS:-}${UBSAN_OPTIONS:-} != *print_stacktrace* ]] || skip "the leak checker can't run under strace"
	strace -o /dev/null true 2>/dev/null || skip "this system allows no tracing"
}

quick=(--rounds 2 --warmup 0 --watched 0 --events none --quiet)

# inject FAULTS... -- COPYTAX ARGUMENTS: faults by strace -e inject, in copytax and its processes
inject() {
	local faults=()
	while [ "$1" != -- ]; do
		faults+=("$1")
		shift
	done
	shift
	run --separate-stderr strace -f -q -o ../strace.log "${faults[@]}" "$copytax" "$@"
	# strace says which path it took a given one for
	stderr=$(grep -v '^strace: Requested path' <<<"$stderr" || true)
}

# ---- the payload ----

@test "the payload is replaced by another of the same size mid-run: named, not measured" {
	file 8M a
	start run --file a --methods sendfile,read_write --rounds 100000 --warmup 0 --watched 0 --events none --quiet --out o
	under_way 12
	file 8M b
	mv b a
	finish
	says 4 "failed: .*payload a was replaced by another file during the run"
	result_is_whole
	jq -e 'all(.cases[]; .status == "failed" and (.samples.wall_s | length > 0))' o/result.json
	clean a o o/result.json
}

@test "the payload is written to mid-run: named" {
	file 8M a
	start run --file a --methods sendfile,read_write --rounds 100000 --warmup 0 --watched 0 --events none --quiet --out o
	under_way 12
	printf x | dd of=a conv=notrunc bs=1 seek=4096 status=none
	finish
	says 4 "failed: .*payload a was written to during the run"
	result_is_whole
	clean a o o/result.json
}

@test "the payload is deleted mid-run: named" {
	file 8M a
	start run --file a --methods sendfile,read_write --rounds 100000 --warmup 0 --watched 0 --events none --quiet --out o
	under_way 12
	rm a
	finish
	[ "$status" -eq 4 ]
	grep -qE '^copytax: (sendfile|read_write) failed: .*(a: No such file|failed on a: No such)' <<<"$stderr"
	result_is_whole
	jq -e 'all(.cases[]; .status == "failed")' o/result.json
	clean o o/result.json
}

@test "the source gives EIO (injected into the call that reads it): each method's own words" {
	need_strace
	file 1M a
	local method call
	for method in read_write:read mmap_write:write sendfile:sendfile splice:splice direct_write:read; do
		call=${method#*:} method=${method%:*}
		"$copytax" list methods | grep -q "$method.*can't" && continue
		# the fourth: after preparing and the first chunks, and in the worker only, which alone reads a
		if [ "$method" = mmap_write ]; then
			# reading a mapping that can't be read is a fault of write: EFAULT is what the kernel gives
			inject -e trace=write,sendto -e inject=write:error=EFAULT:when=4 -- \
				send -m "$method" --file a --chunk 32K
			says 4 "^copytax: $method: .*(page of the mapping of a is gone|can't be read)"
		else
			inject -P "$PWD/a" -e "inject=$call:error=EIO:when=4" -- send -m "$method" --file a --chunk 32K
			says 4 "^copytax: $method: .*a: Input/output error"
		fi
		clean a
	done
}

@test "run: EIO from the source fails the cases, and the result says so" {
	need_strace
	file 1M a
	inject -P "$PWD/a" -e inject=sendfile:error=EIO:when=6+ -- \
		run --file a --methods sendfile,read_write "${quick[@]}" --out o
	says 4 "^copytax: sendfile failed: .*a: Input/output error"
	result_is_whole
	jq -e '[.cases[] | [.method, .status]] | sort == [["read_write", "ok"], ["sendfile", "failed"]]' o/result.json
	clean a o o/result.json
}

# failing_disk BYTES: a file system at disk/ whose file `a` can be read to its half only, as soon as there is a file `bad`
failing_disk() {
	local status=0
	need_root
	mkdir disk
	python3 "$BATS_TEST_DIRNAME/failing-disk.py" disk "$1" "$PWD/bad" >../disk-says 2>&1 3>&- &
	disk=$!
	wait_until 10 eval '[ -s ../disk-says ] || ! kill -0 "$disk" 2>/dev/null'
	grep -qx mounted ../disk-says || {
		wait "$disk" || status=$?
		[ "$status" -ne 77 ] || skip "no FUSE here: $(<../disk-says)"
		cat ../disk-says
		return 1
	}
	mounted=$PWD/disk
}

@test "a disk that can't be read (FUSE): each method says so" {
	failing_disk $((8 << 20))
	touch bad
	for method in $METHODS $NEWER; do
		able "$method" || continue
		run --separate-stderr "$copytax" send -m "$method" --file disk/a --chunk 32K --cache cold
		[ "$status" -ne 3 ] || continue # its set-up reads the file, so that nothing is cold
		says 4 "^copytax: $method: .*(disk/a: Input/output error|disk/a .*can't be read)"
	done
	run --separate-stderr "$copytax" send -m sendfile --file disk/a --sink verify
	says 4 "^copytax: can't read the payload disk/a: Input/output error"
	run --separate-stderr "$copytax" run --file disk/a --methods sendfile "${quick[@]}" --out o
	says 4 "^copytax: can't read the payload disk/a: Input/output error"
	result_is_whole
	clean bad disk o o/result.json
}

@test "a disk that fails mid-run (FUSE): what is in memory is sent on, the other cases fail, none is called impossible" {
	failing_disk $((8 << 20))
	start run --file disk/a --methods "${METHODS// /,}" --cache cold --rounds 100000 --warmup 0 --watched 0 --events none --quiet --out o
	under_way 30
	touch bad
	finish
	echo "$status $stderr"
	[ "$status" -eq 4 ]
	# pages that a transfer which failed had lent to its socket can't be dropped before that is gone
	[ "$(grep -cE "^copytax: [a-z_]+ failed: .*(disk/a: Input/output error|disk/a .*can't be read|pages of disk/a can't be dropped)" <<<"$stderr")" \
		-eq "$(wc -l <<<"$stderr")" ]
	result_is_whole
	jq -e 'all(.cases[]; .status == "failed") and ([.cases[].samples.wall_s | length] | add > 0)' o/result.json
	clean bad disk o o/result.json
	# and where the cache has to be filled anew for it
	rm bad
	start run --file disk/a --methods sendfile,read_write --cache warm,cold --rounds 100000 --warmup 0 --watched 0 --events none --quiet --out o
	under_way 24
	touch bad
	finish
	echo "$status $stderr"
	[ "$status" -eq 4 ]
	jq -e 'all(.cases[]; .status == "failed" and (.reason | test("Input/output error|read")))' o/result.json
	clean bad disk o o/result.json
}

# ---- writing the result ----

# The calls that write a result, in their order: name and how often it comes on these paths
write_steps() {
	printf '%s\n' openat:ENOSPC write:ENOSPC fsync:EIO renameat:EIO
}

@test "disk full, or failing, at each step of writing the result: named, the old result intact, no half one" {
	need_strace
	file 64K a
	"$copytax" run --file a --methods sendfile "${quick[@]}" --out o >/dev/null
	cp o/result.json old.json
	local step call error
	for step in $(write_steps) write2:ENOSPC; do
		call=${step%:*} error=${step#*:}
		when=1
		[ "$call" != write2 ] || { call="write" && when=2; }
		inject -P "$PWD/o/.result.json.new" -P .result.json.new -P o/.result.json.new \
			-e "trace=openat,write,fsync,renameat,renameat2" \
			-e "inject=$call:error=$error:when=$when" -- run --file a --methods sendfile "${quick[@]}" --out o
		echo "$step"
		grep -c INJECTED ../strace.log
		says 3 "^copytax: can't write o/result.json: (No space left on device|Input/output error)"
		cmp o/result.json old.json
		clean a old.json o o/result.json
	done
}

@test "a disk that is full when the result is written (tmpfs)" {
	small_disk 1M
	file 64K a
	mkdir small/o
	# no room for the result, room for its name
	dd if=/dev/zero of=small/filler bs=4K status=none 2>/dev/null || true
	run --separate-stderr "$copytax" run --file a --methods sendfile "${quick[@]}" --out small/o
	says 3 "^copytax: can't write small/o/result.json: No space left on device"
	rm small/filler
	clean a small small/o
}

@test "the disk is full when the payload is written, by send, run and calibrate: named, nothing left" {
	need_strace
	small_disk 3M
	head -c 2M /dev/zero >small/filler
	cd small
	for command in "send -m sendfile" "run --methods sendfile --quiet --out o" calibrate; do
		# what is seen before anything is written
		# shellcheck disable=SC2086
		run --separate-stderr "$copytax" $command --size 2M
		says 3 "^copytax: no room for the payload in .*: it needs 2097152 bytes"
	done
	cd ..
	# and what is not: a quota, or somebody else's file meanwhile
	for command in "send -m sendfile" "run --methods sendfile --quiet --out o" calibrate; do
		# shellcheck disable=SC2086
		inject -e trace=write -e inject=write:error=ENOSPC:when=2 -- $command --size 2M
		says 3 "^copytax: can't write the payload .*: No space left on device"
		[ "$command" != "${command/run/}" ] || clean small small/filler small/o
		rm -rf o
	done
	clean small small/filler small/o
}

@test "the disk is full when a long run saves on its way: it ends, named, the old result intact" {
	small_disk 3M
	file 64K a
	"$copytax" run --file a --methods sendfile "${quick[@]}" --seed 1 --out small/o >/dev/null
	cp small/o/result.json old.json
	dd if=/dev/zero of=small/filler bs=4K status=none 2>/dev/null || true
	start run --file a --methods sendfile --rounds 100000 --warmup 0 --watched 0 --events none --quiet --out small/o
	finish
	says 3 "^copytax: can't write small/o/result.json: No space left on device"
	cmp small/o/result.json old.json
	clean a old.json small small/filler small/o small/o/result.json
}

@test "the disk is full when a report is written: named, no half file" {
	file 64K a
	"$copytax" run --file a --methods sendfile "${quick[@]}" --out o >/dev/null
	small_disk 1M
	dd if=/dev/zero of=small/filler bs=4K status=none 2>/dev/null || true
	run --separate-stderr "$copytax" report o --no-plots --out small/r
	says 3 "^copytax: can't write small/r/data/.*: No space left on device"
	[ -z "$(find small/r -type f)" ]
	# room for the tables, not for the page
	truncate -s -64K small/filler
	run --separate-stderr "$copytax" report o --no-plots --out small/r
	says 3 "^copytax: can't write small/r/report.(md|html): No space left on device"
	[ ! -e small/r/report.html ]
	rm -rf small/r
	clean a o o/result.json small small/filler
}

@test "a file size limit (ulimit -f) stops the result, not the program" {
	[ -z "${COPYTAX_COVERAGE:-}" ] || skip "the figures of coverage are files, too"
	file 64K a
	run --separate-stderr bash -c 'ulimit -f 1; exec "$@"' run "$copytax" run --file a --methods sendfile "${quick[@]}" --out o
	says 3 "^copytax: can't write o/result.json: File too large"
	clean a o
}

@test "the output folder is removed mid-run" {
	file 1M a
	start run --file a --methods sendfile --rounds 60 --warmup 0 --watched 0 --events none --quiet --out o
	wait_until 30 test -d o
	rmdir o
	finish
	says 3 "^copytax: can't write o/result.json: No such file or directory"
	clean a
}

@test "a power cut at each step of writing the result: the old one whole, or the new one" {
	need_strace
	file 64K a
	"$copytax" run --file a --methods sendfile "${quick[@]}" --seed 1 --out o >/dev/null
	cp o/result.json old.json
	local call when news=0 olds=0
	for call in unlinkat:1 openat:1 write:1 write:2 fsync:1 renameat:1 fsync:2; do
		when=${call#*:} call=${call%:*}
		cp old.json o/result.json
		inject -P "$PWD/o/.result.json.new" -P "$PWD/o" -P .result.json.new -P o/.result.json.new -P o \
			-e "trace=unlinkat,openat,write,fsync,renameat" \
			-e "inject=$call:signal=KILL:when=$when" -- run --file a --methods sendfile "${quick[@]}" --seed 2 --out o
		echo "$call $when: status $status"
		wait_until 10 eval '[ -z "$(strays)" ]'
		result_is_whole
		if cmp -s o/result.json old.json; then olds=$((olds + 1)); else
			jq -e '.settings.seed == 2' o/result.json
			news=$((news + 1))
		fi
		# what the next run finds there does not disturb it
		"$copytax" run --file a --methods sendfile "${quick[@]}" --seed 3 --out o >/dev/null
		jq -e '.settings.seed == 3' o/result.json
		[ ! -e o/.result.json.new ]
	done
	# killed before the rename: the old one; after: the new one. Both were seen
	[ "$olds" -ge 4 ]
	[ "$news" -ge 1 ]
	clean a old.json o o/result.json
}

@test "the result reaches the disk before its name does, and the name after" {
	need_strace
	file 64K a
	inject -P "$PWD/o/.result.json.new" -P "$PWD/o" -P .result.json.new -P o/.result.json.new -P o \
		-e trace=write,fsync,renameat -- run --file a --methods sendfile "${quick[@]}" --out o
	[ "$status" -eq 0 ]
	order=$(grep -oE '(write|fsync|renameat)\(' ../strace.log | tail -n 5 | tr -d '(\n' )
	echo "$order"
	[ "$order" = writewritefsyncrenameatfsync ]
}

# ---- the machine ----

@test "memory runs out (RLIMIT_AS): the case fails by name, the others go on" {
	[[ ${UBSAN_OPTIONS:-} != *print_stacktrace* ]] || skip "the address sanitizer needs terabytes of address space"
	truncate -s 400M big
	# 400 MB in one chunk do not fit; splice needs no memory of its own
	run --separate-stderr bash -c 'ulimit -v 200000; exec "$@"' run \
		"$copytax" run --file big --methods read_write,sendfile --chunk whole --rounds 1 --warmup 0 --watched 0 --events none --quiet --out o
	echo "$status $stderr"
	[ "$status" -eq 4 ]
	grep -qE '^copytax: read_write failed: .*(allocate a buffer|Cannot allocate memory)' <<<"$stderr"
	jq -e '[.cases[] | select(.method == "sendfile") | .status] == ["ok"]' o/result.json
	clean big o o/result.json
}

@test "memory runs out (control group): the OOM killer takes the worker, not the run" {
	need_root
	[[ ${UBSAN_OPTIONS:-} != *print_stacktrace* ]] || skip "the address sanitizer's own memory would be counted"
	group=
	if [ -f /sys/fs/cgroup/memory/memory.limit_in_bytes ]; then
		group=/sys/fs/cgroup/memory/copytax-test-$$
		mkdir "$group" 2>/dev/null || skip "can't make a control group here"
		echo 120M >"$group/memory.limit_in_bytes" || { rmdir "$group"; skip "can't limit a control group here"; }
	elif grep -qw memory /sys/fs/cgroup/cgroup.subtree_control 2>/dev/null; then
		group=/sys/fs/cgroup/copytax-test-$$
		mkdir "$group" 2>/dev/null || skip "can't make a control group here"
		echo 120M >"$group/memory.max" || { rmdir "$group"; skip "can't limit a control group here"; }
	else
		skip "no memory control group here"
	fi
	# on a tmpfs and written outside the group: its pages stay, and are not charged to the group
	small_disk 220M
	head -c 200M /dev/zero >small/big
	run --separate-stderr bash -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' run "$group" \
		"$copytax" run --file small/big --methods read_write,sendfile --chunk whole --rounds 1 --warmup 0 --watched 0 --events none --quiet --out o
	for ((i = 0; i < 100; i++)); do rmdir "$group" 2>/dev/null && break; sleep 0.05; done
	echo "$status $stderr"
	[ ! -d "$group" ]
	[ "$status" -eq 4 ]
	# the buffer of 200 MB can't be had in 120: killed where it is touched
	grep -qE '^copytax: read_write failed: the sender was killed by signal 9 \(Killed\): .*want of memory' <<<"$stderr"
	result_is_whole
	clean o o/result.json small small/big
}

@test "the clock is stepped back and forth: no sample is touched" {
	[[ ${UBSAN_OPTIONS:-} != *print_stacktrace* ]] || skip "the address sanitizer wants to be loaded first"
	ldd "$BINARY" >/dev/null 2>&1 || skip "a static program can't be given another clock"
	${CC:-cc} -shared -fPIC -O2 -o ../stepped.so "$REPO/tests/cli/stepped-clock.c" || skip "no C compiler"
	file 1M a
	STEPPED_CLOCK=../calls LD_PRELOAD=$PWD/../stepped.so run --separate-stderr "$copytax" run --file a --methods sendfile,read_write --rounds 5 \
		--catch-up 0 --warmup 0 --watched 0 --events none --quiet --out o
	[ "$status" -eq 0 ]
	[ -s ../calls ] # the clock was asked, and stepped
	jq -e 'all(.cases[]; .status == "ok" and (.samples.wall_s | length == 5) and all(.samples.wall_s[]; . > 0 and . < 60)
		and all(.samples.sender_cpu_s[]; . >= 0))' o/result.json
	clean a o o/result.json
}

# A run over veth that lasts, once both of its processes move bytes
start_veth() {
	need_root
	"$copytax" send -m sendfile --size 64K --link veth >/dev/null 2>../why || skip "no veth here: $(<../why)"
	start run --size 1M --methods sendfile,read_write --link veth --rounds 100000 --warmup 0 --watched 0 --events none \
		--quiet --time-limit 3 --out o
	under_way 12
}

@test "its network namespaces are deleted mid-run: it holds them until it is done" {
	start_veth
	ip netns del "copytax-$pid-sender"
	ip netns del "copytax-$pid-receiver"
	# and goes on
	under_way 8
	kill -INT "$pid"
	finish
	says 130 "^copytax: interrupted"
	jq -e '.run.interrupted and all(.cases[]; .status == "ok" and (.samples.wall_s | length > 0))' o/result.json
	clean o o/result.json
}

@test "the devices in its network namespaces are taken away mid-run: the cases fail, with the reason" {
	start_veth
	ip -n "copytax-$pid-receiver" link del copytax-r
	finish
	echo "$status $stderr"
	[ "$status" -eq 4 ]
	# the one that was under way came to nothing, or had no way to connect; the next had nowhere to listen
	[ "$(grep -cE "^copytax: (sendfile|read_write) failed: (.*not done after 3 s \(--time-limit\)|can't (listen on|connect to) 192.0.2.2.* in the network namespace made for the run: .*did somebody take its device away\?)" \
		<<<"$stderr")" -eq "$(wc -l <<<"$stderr")" ]
	jq -e 'all(.cases[]; .status == "failed") and any(.cases[]; .samples.wall_s | length > 0)' o/result.json
	clean o o/result.json
}

@test "a network namespace can't be made (injected): skipped beside others, refused alone" {
	need_root
	need_strace
	# ip is the only one that mounts
	inject -e trace=mount -e inject=mount:error=EPERM -- \
		run --size 64K --methods sendfile --link veth,tcp "${quick[@]}" --out o
	says 0 "^copytax: sendfile skipped: can't make a network namespace: .*needs CAP_SYS_ADMIN"
	jq -e '[.cases[] | [.link, .status]] | sort == [["tcp", "ok"], ["veth", "skipped"]]' o/result.json
	clean o o/result.json
	inject -e trace=mount -e inject=mount:error=EPERM -- run --size 64K --methods sendfile --link veth "${quick[@]}" --out o
	says 3 "^copytax: sendfile skipped: can't make a network namespace"
	clean o o/result.json
}

@test "a CPU that went away (injected): named, the others go on" {
	need_strace
	[ "$(nproc)" -gt 1 ] || skip "one CPU: nothing is pinned apart"
	file 1M a
	inject -e trace=sched_setaffinity -e inject=sched_setaffinity:error=EINVAL:when=1+ -- \
		run --file a --methods sendfile "${quick[@]}" --out o
	# whose pinning fails first has the word: nothing was sent by then
	if [ "$status" -eq 3 ]; then
		says 3 "^copytax: sendfile skipped: can't pin the sender to CPU [0-9]+: Invalid argument; was it taken offline"
	else
		says 4 "^copytax: sendfile failed: the receiver could not get ready: Invalid argument"
	fi
	result_is_whole
	clean a o o/result.json
}

@test "io_uring switched off is a reason, not a failure" {
	need_root
	[ -e /proc/sys/kernel/io_uring_disabled ] || skip "this kernel can't switch it off"
	# the switch is the whole machine's: held for a moment, put back whatever happens, and here, where no other test runs
	was=$(</proc/sys/kernel/io_uring_disabled)
	[ "$was" -eq 0 ] || skip "it is switched off here"
	echo 2 >/proc/sys/kernel/io_uring_disabled 2>/dev/null || skip "it can't be written here"
	run --separate-stderr "$copytax" send -m uring_splice --size 64K
	echo "$was" >/proc/sys/kernel/io_uring_disabled
	says 3 "kernel.io_uring_disabled=2.*sysctl -w kernel.io_uring_disabled=0"
}

@test "a known transfer that goes wrong is tried again, and then the result names the step" {
	need_root
	file 64K a
	inject -e trace=vmsplice -e inject=vmsplice:error=EIO:when=1 -- run --file a --methods sendfile --rounds 1 --warmup 0 \
		--watched 1 --events none --catch-up 0 --quiet --out o
	[ "$status" -eq 0 ]
	jq -e '.probes | length > 1' o/result.json || skip "nothing can be counted here"
	jq -e '[.warnings[] | select(.code == "not_calibrated") | .text]
		== ["calibration, vmsplice: the sender\u0027s part failed: Input/output error"]' o/result.json
	# once in each of three tries
	[ "$(grep -c 'vmsplice.*INJECTED' ../strace.log)" -eq 3 ]
	clean a o o/result.json
}

@test "a CPU is taken offline for real" {
	need_root
	[ -n "${FAULT_CPU:-}" ] || skip "changes the machine: name a CPU with FAULT_CPU=N"
	online=/sys/devices/system/cpu/cpu$FAULT_CPU/online
	[ -w "$online" ] || skip "CPU $FAULT_CPU can't be taken offline here"
	file 8M a
	start run --file a --methods sendfile,read_write --rounds 100000 --warmup 0 --watched 0 --events none --quiet --out o
	wait_until 30 eval 'pgrep -P "$pid" >/dev/null'
	echo 0 >"$online"
	sleep 1
	echo 1 >"$online"
	kill -INT "$pid" 2>/dev/null || true
	finish
	# by which side was on it, and whether it was looking just then
	case $status in
	3) says 3 "skipped: can't pin the (sender|receiver) to CPU $FAULT_CPU: Invalid argument; was it taken offline" ;;
	4) says 4 "failed: .{10,}" ;;
	*) says 130 "interrupted" ;;
	esac
	result_is_whole
	clean a o o/result.json
}

# ---- interruptions ----

# What is interrupted: a short run as it is by default, with namespaces, with many files, with stacks. Each has its own ends.
interrupted_kinds() {
	local link=unix
	[ "$(id -u)" -ne 0 ] || link=veth
	printf -- '--methods %s\n' sendfile,read_write,splice,mmap_write "sendfile --link $link" \
		'sendfile --cache cold --files many --connections 2' 'sendfile --profile'
}

# begin KIND...: a run in the background, in a process group of its own, in which SIGINT does what it does at a terminal: pid
begin() {
	rm -rf o
	setsid env --default-signal=INT "$PWD/copytax" run --size 256K --rounds 2 --warmup 0 --watched 1 --catch-up 0 \
		--out o "$@" >out 2>err 3>&- &
	pid=$!
}

# errors: what the run said but for its progress
errors() {
	grep -vE '^([0-9]+ cases?, [0-9]+ timed transfers|writing a payload|verifying the bytes|round [0-9]+ of|counting( events)?, case|sampling stacks)' err
}

# until_verifying: a run that has its milestones said is at the first of its bytes' checks, or over
until_verifying() {
	until grep -q '^verifying' err || ! kill -0 "$pid" 2>/dev/null; do sleep 0.005; done
}

# after_interruption STATUS: nothing but a whole result or none; prints how far the run had come
after_interruption() {
	local left
	[ "$1" -eq 0 ] || [ "$1" -eq 130 ] || {
		echo "status $1"
		return 1
	}
	# one sentence, or none if it came before anything was begun
	errors | grep -vE '^copytax: interrupted' && return 1
	[ "$(errors | wc -l)" -eq $(($1 == 130 && $(errors | wc -c) > 0)) ] || return 1
	left=$(pgrep -f "^$PWD/copytax " || find /run/netns -name "copytax-$pid-*" 2>/dev/null)
	[ -z "$left" ] || {
		echo "still there: $left"
		return 1
	}
	left=$(find . -mindepth 1 ! -name copytax ! -name out ! -name err ! -path ./o ! -path ./o/result.json ! -path ./o/profile ! -path './o/profile/*')
	[ -z "$left" ] || {
		echo "left behind: $left"
		return 1
	}
	[ -e o/result.json ] || {
		[ "$1" -eq 130 ] && echo none
		return
	}
	jq -er --argjson status "$1" '
		if .schema == "copytax.result/1" and (.cases | length > 0) and (.run.finished | type == "string")
			and .run.interrupted == ($status == 130) and all(.cases[]; .status == "ok")
			and all(.cases[]; .verified.ok or ($status == 130 and .verified.ok == null))
			and all(.cases[]; (.samples.wall_s | length) == 2 or $status == 130)
		then
			if $status == 0 then "done"
			elif all(.cases[]; .verified.ok == null) then "starting"
			elif any(.cases[]; .verified.ok == null) then "verifying"
			elif any(.cases[]; (.samples.wall_s | length) < 2) then "timing"
			elif any(.cases[]; .counts.syscalls.value == null and (.counts.syscalls.reason | test("did not reach"))) then "counting"
			else "later" end
		else error("not whole") end' o/result.json
}

# whole_run KIND...: without an interruption; prints the milliseconds
whole_run() {
	local began end
	began=$(date +%s%3N)
	begin "$@"
	wait "$pid"
	end=$(after_interruption 0) && [ "$end" = "done" ] && echo $(($(date +%s%3N) - began))
}

# interruptions LANE LANES COUNT MS...: each LANES-th of them, in a folder of its own; MS: how long each kind takes. Writes ../ends.
interruptions() {
	local lane=$1 lanes=$2 count=$3 i kind turn place ms aimed status end
	local durations=("${@:4}") kinds
	mapfile -t kinds < <(interrupted_kinds)
	RANDOM=$((${SEED:-7} + lane))
	for ((i = lane; i < count; i += lanes)); do
		kind=$((i / lanes % 4))
		# every part of its life gets its share: the n-th moment is somewhere in the n-th part
		turn=$((i / lanes / 4))
		place=$((turn * lanes + lane))
		ms=$(((place * 1000 + RANDOM % 1000) * 4 / count))
		# thousandths so far; the beginning is the shortest part, and half of them go closer to it
		[ $((i % 2)) -eq 0 ] || ms=$((ms * ms / 1000))
		ms=$((ms * durations[kind] / 1000))
		# checking bytes is over soon: each eighth is aimed at that
		aimed=$((i / lanes % 8 == 0))
		[ "$aimed" -eq 0 ] || ms=$((RANDOM % 300))
		# shellcheck disable=SC2086
		begin ${kinds[kind]}
		[ "$aimed" -eq 0 ] || until_verifying
		sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
		# a terminal tells all of them, kill the one
		[ $((RANDOM % 2)) -eq 0 ] && kill -INT -- "-$pid" 2>/dev/null || kill -INT "$pid" 2>/dev/null || true
		status=0
		wait "$pid" || status=$?
		end=$(after_interruption "$status" 2>&1) || {
			echo "wrong: number $i, run ${kinds[kind]} at $ms ms: status $status, $(errors) $end" >>../ends
			return
		}
		echo "$end" >>../ends
	done
}

@test "SIGINT at ${FAULT_INTERRUPTS:-200} random moments of its life: a whole result or none, and nothing else" {
	local count=${FAULT_INTERRUPTS:-200} lanes i kinds durations=() running=() began
	# mostly they wait: for a CPU to be quiet, for the kernel to take probes away
	lanes=$((4 * $(nproc)))
	mapfile -t kinds < <(interrupted_kinds)
	for ((i = 0; i < lanes; i++)); do
		mkdir "lane$i"
		ln -s "$BINARY" "lane$i/copytax"
	done
	# how long they take when as many run at once
	for ((i = 0; i < lanes; i++)); do
		# shellcheck disable=SC2086
		(cd "lane$i" && whole_run ${kinds[i % 4]} >../took$((i % 4))) 3>&- &
		running+=("$!")
	done
	for i in "${running[@]}"; do wait "$i"; done
	for ((i = 0; i < 4; i++)); do durations+=("$(<took$i)"); done
	echo "they take ${durations[*]} ms"
	running=()
	for ((i = 0; i < lanes; i++)); do
		(cd "lane$i" && interruptions "$i" "$lanes" "$count" "${durations[@]}") 3>&- &
		running+=("$!")
	done
	for i in "${running[@]}"; do wait "$i"; done
	sort ends | uniq -c
	run -1 grep wrong ends
	[ "$(wc -l <ends)" -eq "$count" ]
	# there was one in every part of it
	[ "$count" -lt 100 ] || for i in starting verifying timing counting later "done"; do grep -qx "$i" ends; done
	rm -rf lane* took* ends
	clean
}

@test "SIGINT at each step of writing the result: the whole new result, or the old one" {
	need_strace
	file 64K a
	"$copytax" run --file a --methods sendfile "${quick[@]}" --seed 1 --out o >/dev/null
	cp o/result.json old.json
	local call when
	for call in unlinkat:1 openat:1 write:1 write:2 fsync:1 renameat:1 fsync:2; do
		when=${call#*:} call=${call%:*}
		cp old.json o/result.json
		inject -P "$PWD/o/.result.json.new" -P "$PWD/o" -P .result.json.new -P o/.result.json.new -P o \
			-e "trace=unlinkat,openat,write,fsync,renameat" \
			-e "inject=$call:signal=INT:when=$when" -- run --file a --methods sendfile "${quick[@]}" --seed 2 --out o
		echo "$call $when: status $status $stderr"
		grep -q SIGINT ../strace.log || wait_until 1 grep -c "$call" ../strace.log
		# the study is over: what is written is whole
		[ "$status" -eq 0 ]
		jq -e '.settings.seed == 2 and .run.interrupted == false' o/result.json
		clean a old.json o o/result.json
	done
}

@test "calibrate and send: interrupted at any time, they leave no payload" {
	local signal ms
	for signal in INT TERM HUP; do
		for ms in 0.05 0.2 0.6; do
			start calibrate --size 8M
			sleep $ms
			kill -$signal "$pid"
			finish
			# it takes seconds; before it has taken the signal over, it is ended by it
			[ "$status" -eq 143 ] || [ "$status" -eq 129 ] || says 130 "^copytax: interrupted"
			clean
		done
	done
	for ms in 0.02 0.05 0.1 0.2 0.3; do
		start send -m read_write --chunk 4K --size 1G
		sleep $ms
		kill -TERM "$pid"
		finish
		# before it has taken the signal over, it is ended by it
		[ "$status" -eq 143 ] || says 130 "^copytax: interrupted"
		clean
	done
}

@test "report and compare: interrupted, they leave no working folder" {
	file 64K a
	"$copytax" run --file a --methods sendfile,read_write "${quick[@]}" --out o >/dev/null
	# one that takes its time
	mkdir tmp slow
	printf '#!/bin/sh\nexec sleep 60\n' >slow/gnuplot
	chmod +x slow/gnuplot
	export TMPDIR=$PWD/tmp PATH=$PWD/slow:$PATH
	for command in "report o --plots-only --out plots" "compare o o o --plot plots/trend.svg"; do
		mkdir -p plots
		# shellcheck disable=SC2086
		setsid env --default-signal=INT "$copytax" $command >../out 2>../err 3>&- &
		pid=$!
		wait_until 20 pgrep -f "^sleep 60" -g "$pid" >/dev/null
		[ "$(find tmp -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ]
		kill -INT -- "-$pid"
		finish
		echo "$command: $status $stderr"
		[ "$status" -eq 130 ]
		[ -z "$(find tmp -mindepth 1)" ]
	done
	rm -rf plots slow
	clean a o o/result.json tmp
}

# ---- privilege ----

@test "run and serve: worker and receiver, and their threads, have no capability and can gain none" {
	local options tries
	truncate -s 4G big
	for options in "--methods sendfile" "--methods read_write --connections 4" "--methods uring_send_zc_sqpoll"; do
		[[ $options != *uring* ]] || able uring_send_zc_sqpoll || continue
		# shellcheck disable=SC2086
		start run --file big $options --time-limit 60 "${quick[@]}" --out o
		freeze run big
		sender=$(pgrep -P "$pid" | grep -vx "$receiver")
		# it may have been caught before it was ready, and then the sender waits
		for ((tries = 0; tries < 20; tries++)); do
			! unprivileged "$sender" "$receiver" >../caps || break
			kill -CONT "$receiver"
			sleep 0.01
			kill -STOP "$receiver"
		done
		cat ../caps
		[ "$tries" -lt 20 ]
		kill -KILL "$receiver"
		kill -INT "$pid"
		finish
		rm -rf o
	done
	"$copytax" serve >../served 2>&1 3>&- &
	server=$!
	wait_until 10 grep -q '^listening on' ../served
	start send -m sendfile --file big --link remote --peer "$(sed -n 's/^listening on //p' ../served)" --time-limit 60
	wait_until 20 receives_unprivileged
	finish
	[ "$status" -eq 0 ]
	kill -INT "$server"
	wait "$server" || true
	clean big
}

# The server's process that receives, held for as long as it is looked at: where this shell is slow, the transfer is not.
receives_unprivileged() {
	local process held=1
	process=$(pgrep -P "$(pgrep -P "$server")" 2>/dev/null) && kill -STOP "$process" 2>/dev/null || return 1
	unprivileged "$process" >../caps 2>&1 || held=0
	kill -CONT "$process" 2>/dev/null || return 1
	[ $held -eq 1 ]
}

# unprivileged PROCESS...: each and its threads. A kernel thread that polls for requests has what its ring was made with:
# nothing but what preparing takes (dac_read_search, ipc_lock, sys_resource).
unprivileged() {
	local process task caps
	for process; do
		for task in /proc/"$process"/task/*; do
			if grep -q '^Name:[[:space:]]*iou-sqp-' "$task/status"; then
				caps=$(sed -n 's/^Cap\(Prm\|Eff\):[[:space:]]*/0x/p' "$task/status")
				for caps in $caps; do [ $((caps & ~0x1004004)) -eq 0 ] || return 1; done
				continue
			fi
			[ "$(grep -cE '^Cap(Inh|Prm|Eff|Amb):[[:space:]]*0+$|^NoNewPrivs:[[:space:]]*1$' "$task/status")" -eq 5 ] || {
				grep -E '^(Name|Cap|NoNewPrivs)' "$task/status"
				return 1
			}
		done
	done
}

@test "root may send a file that only its owner may read, though the worker has no privilege" {
	need_root
	file 64K a
	chown 65534 a
	chmod 600 a
	"$copytax" run --file a --methods sendfile,mmap_write "${quick[@]}" --out o >/dev/null
	jq -e 'all(.cases[]; .status == "ok" and .verified.ok)' o/result.json
}

# granted CAPS COMMAND...: as nobody, with these capabilities and no more
granted() {
	local caps=$1 plus
	shift
	plus=+${caps//,/,+}
	setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps="-all,$plus" --ambient-caps="-all,$plus" \
		--bounding-set="-all,$plus" "$@"
}

@test "cap_bpf, cap_perfmon and cap_syslog instead of root: copies and calls are counted" {
	need_root
	[[ ${UBSAN_OPTIONS:-} != *print_stacktrace* ]] || skip "the plain build is what is granted"
	"$copytax" run --size 64K --methods sendfile --rounds 1 --warmup 0 --watched 1 --events none --quiet --out root >/dev/null
	jq -e '.cases[0].counts.syscalls.value' root/result.json || skip "root can't count here either"
	cp "$BINARY" ../granted
	rm "$copytax"
	mv ../granted "$copytax"
	chmod 755 "$copytax" "$BATS_TEST_TMPDIR" "$PWD"
	mkdir n
	chown 65534 n
	# the way there may be closed to others: dac_read_search. Before 5.11 BPF needs locked memory: sys_resource
	caps=dac_read_search,bpf,perfmon,syslog
	! setpriv --dump | grep -q '^Capability bounding set:.*sys_resource' || caps+=,sys_resource
	run --separate-stderr granted "$caps" "$copytax" run --size 64K --methods sendfile --rounds 1 \
		--warmup 0 --watched 1 --events none --quiet --out n/o
	echo "$status $stderr"
	[ "$status" -eq 0 ]
	jq -e '.cases[0].counts.syscalls.value' n/o/result.json
	[ "$(jq -c '.cases[0].counts.syscalls.value, .cases[0].copies.factor.value' root/result.json)" = \
		"$(jq -c '.cases[0].counts.syscalls.value, .cases[0].copies.factor.value' n/o/result.json)" ]
	# the same by a grant on the file, as the reason says it, with the process that much more closed to its user
	if setcap cap_bpf,cap_perfmon,cap_syslog=ep "$copytax" 2>/dev/null; then
		run --separate-stderr granted dac_read_search,bpf,perfmon,syslog setpriv --ambient-caps=-all,+dac_read_search \
			--inh-caps=-all,+dac_read_search "$copytax" run --size 64K --methods sendfile --rounds 1 --warmup 0 --watched 1 \
			--events none --quiet --out n/q
		[ "$status" -eq 0 ]
		jq -e '.cases[0].counts.syscalls.value and .cases[0].copies.factor.value == 0' n/q/result.json
		setcap -r "$copytax"
	fi
	# and without: everything but the counts, with the reason and the mend
	run --separate-stderr granted dac_read_search "$copytax" run --size 64K --methods sendfile --rounds 1 --warmup 0 \
		--watched 1 --events none --quiet --out n/p
	[ "$status" -eq 0 ]
	jq -e '.cases[0].status == "ok" and .cases[0].counts.syscalls.value == null
		and (.cases[0].counts.syscalls.reason | test("CAP_BPF.*setcap cap_bpf,cap_perfmon,cap_syslog"))' n/p/result.json
}

@test "a run writes nothing outside its output folder" {
	need_strace
	[ -z "${COPYTAX_COVERAGE:-}" ] || skip "the figures of coverage are files, too"
	mkdir o
	# what a run does by default, and more
	inject -e 'trace=open,openat,openat2,creat,mkdir,mkdirat,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,truncate,mknod,mknodat,chmod,fchmodat,mount' -- \
		run --size 256K --cache warm,cold --rounds 1 --warmup 0 --watched 1 --profile --quiet --out o
	[ "$status" -eq 0 ]
	# calls that could write, and where
	grep -vE '(ENOENT|EACCES|EEXIST|EPERM)|\+\+\+|---' ../strace.log |
		grep -E 'O_(WRONLY|RDWR|CREAT)|^[0-9]+ +(creat|mkdir|unlink|rename|link|symlink|truncate|mknod|chmod|fchmod|mount)' \
			>../writes || true
	# what is no file: a process's own settings, devices that swallow, tracing that is asked for
	sed -E 's/^[0-9]+ +//' ../writes | grep -vE '"(o|o/[^"]*)"|AT_FDCWD, "o(/|")|"\.?result\.json(\.new)?"' |
		grep -vE '"/proc/self/(oom_score_adj|task)|"/dev/null"|"/sys/kernel/(debug/)?tracing/' >../outside || true
	cat ../outside
	[ ! -s ../outside ]
	grep -q 'O_EXCL' ../writes
	# every file that is created is created anew, and no link is followed
	grep -E 'O_CREAT' ../writes | grep -vE 'O_EXCL.*O_NOFOLLOW|O_NOFOLLOW.*O_EXCL' >../loose || true
	cat ../loose
	[ ! -s ../loose ]
	[ -z "$(find o -perm /0022)" ]
}

@test "links planted in the output folder are replaced, not written through" {
	mkdir o
	echo precious >victim
	ln -s ../victim o/.result.json.new
	"$copytax" run --size 64K --methods sendfile "${quick[@]}" --out o >/dev/null
	[ "$(cat victim)" = precious ]
	[ ! -L o/result.json ]
	ln -s ../victim o/payload.bin
	run --separate-stderr "$copytax" run --size 64K --methods sendfile "${quick[@]}" --out o
	says 3 "o/payload.bin is there already"
	[ "$(cat victim)" = precious ]
}

# ---- what SIGKILL leaves ----

# alone COMMAND...: as if nothing else ran on this machine, so that no other copytax keeps it from removing. Root only.
alone() {
	if [ "$(id -u)" -eq 0 ] && unshare --pid --fork --mount --mount-proc true 2>/dev/null; then
		unshare --pid --fork --mount --mount-proc "$@"
	else
		"$@"
	fi
}

@test "doctor --leftovers: the namespaces of a killed run over veth, removed with their devices" {
	start_veth
	kill -KILL "$pid"
	finish
	wait_until 10 eval '[ -z "$(strays)" ]'
	run --separate-stderr "$copytax" doctor --leftovers
	[ "$status" -eq 0 ]
	for end in sender receiver; do
		grep -qF "network namespace: /run/netns/copytax-$pid-$end" <<<"$output"
	done
	grep -qF 'payload: ./o/payload.bin' <<<"$output"
	# removed by it, if nobody else's is there, which it could not tell from ours
	if ! pgrep -x copytax && ! find /run/netns -name 'copytax-*' ! -name "copytax-$pid-*" | grep . && ! grep copytax- /proc/mounts | grep -vF "/run/netns/copytax-$pid-"; then
		TMPDIR=$PWD run --separate-stderr "$copytax" doctor --leftovers --remove
		echo "$status $output $stderr"
		[ "$status" -eq 0 ]
	else
		for end in sender receiver; do ip netns del "copytax-$pid-$end"; done
		rm o/payload.bin
	fi
	clean o
}

@test "doctor --leftovers: working folders of scripts and reports, disk images, mount points" {
	mkdir ../tmp .copytax-peers-aB3dE6 ../tmp/copytax-data.aB3dE6 ../tmp/copytax-hyperfine.aB3dE6 copytax-77 copytax-78 ../tmp/copytax-data.x
	mkdir ../tmp/copytax-hyperfine.aB3dE6/deeper copytax-mine copytax-79x
	export TMPDIR=$PWD/../tmp
	echo precious >mine
	ln -s "$PWD/mine" ../tmp/copytax-data.aB3dE6/link
	ln -s "$PWD/mine" ../tmp/copytax-trend.aB3dE6
	touch .copytax-peers-aB3dE6/payload.bin ../tmp/copytax-hyperfine.aB3dE6/deeper/json copytax-78/mine copytax-77.img copytax-mine.img
	before=$(find . ../tmp | wc -l)
	run --separate-stderr "$copytax" doctor --leftovers
	[ "$status" -eq 0 ]
	grep -qF 'working folder: ./.copytax-peers-aB3dE6' <<<"$output"
	grep -qF "working folder: $PWD/../tmp/copytax-data.aB3dE6" <<<"$output"
	grep -qF "working folder: $PWD/../tmp/copytax-hyperfine.aB3dE6" <<<"$output"
	grep -qF 'disk image: ./copytax-77.img' <<<"$output"
	grep -qF 'mount point: ./copytax-77' <<<"$output"
	[ "$(grep -cE '^  (work|disk|mount point)' <<<"$output")" -eq 5 ]
	[ "$(find . ../tmp | wc -l)" -eq "$before" ]
	need_root
	# the machine's own are another test's
	run --separate-stderr alone unshare --net bash -c 'mount -t tmpfs none /run && exec "$@"' leftovers "$copytax" doctor --leftovers --remove
	echo "$status $output $stderr"
	[ "$status" -eq 0 ]
	[ "$(find . -mindepth 1 | sort | tr '\n' ' ')" = "./copytax-78 ./copytax-78/mine ./copytax-79x ./copytax-mine ./copytax-mine.img ./mine " ]
	[ "$(find ../tmp -mindepth 1 | sort | tr '\n' ' ')" = "../tmp/copytax-data.x ../tmp/copytax-trend.aB3dE6 " ]
	[ "$(<mine)" = precious ]
}

@test "doctor --leftovers: a loop device on an image of ours is let go" {
	need_root
	PATH=$PATH:/usr/sbin
	truncate -s 1M copytax-77.img other.img
	device=$(losetup --find --show "$PWD/copytax-77.img" 2>/dev/null) || skip "no loop device to be had"
	other=$(losetup --find --show "$PWD/other.img" 2>/dev/null) || {
		losetup -d "$device"
		skip "no second loop device to be had"
	}
	run --separate-stderr alone unshare --net bash -c 'mount -t tmpfs none /run && exec "$@"' leftovers "$copytax" doctor --leftovers --remove
	left=$(losetup --noheadings --output NAME --all)
	losetup -d "$other"
	! grep -qx "$device" <<<"$left" || losetup -d "$device"
	echo "$status $output $stderr $left"
	[ "$status" -eq 0 ]
	grep -qF "loop device: ${device#/dev/}: removed" <<<"$output"
	run -1 grep -x "$device" <<<"$left"
	grep -qx "$other" <<<"$left"
	clean other.img
}

@test "doctor --leftovers finds what a killed run left, and only that; --remove removes it" {
	file 64K payload.bin # somebody's own, whatever its name
	"$copytax" run --size 64K --methods sendfile "${quick[@]}" --keep-payload --out kept >/dev/null
	start run --size 8M --methods sendfile --cache warm,cold --rounds 100000 --quiet --out results/o
	wait_until 30 test -s results/o/payload-cold.bin
	kill -KILL "$pid"
	finish
	wait_until 10 eval '[ -z "$(strays)" ]'
	touch results/o/.result.json.new
	start send -m sendfile --size 512M
	wait_until 30 eval 'test -s copytax-payload-*.bin'
	kill -KILL "$pid"
	finish
	wait_until 10 eval '[ -z "$(strays)" ]'
	export TMPDIR=$PWD
	run --separate-stderr "$copytax" doctor --leftovers
	[ "$status" -eq 0 ]
	grep -qF 'payload: ./results/o/payload.bin' <<<"$output"
	grep -qF 'payload: ./results/o/payload-cold.bin' <<<"$output"
	grep -qE 'payload: ./copytax-payload-[0-9]+.bin' <<<"$output"
	grep -qF 'temporary file: ./results/o/.result.json.new' <<<"$output"
	[ "$(grep -c '^  [pt]' <<<"$output")" -eq 4 ]
	# looking removes nothing
	[ -e results/o/payload.bin ]
	[ "$(id -u)" -eq 0 ] || ! pgrep -x copytax || skip "another copytax is running: leftovers are not touched then"
	run --separate-stderr alone bash -c 'mount -t tmpfs none /run 2>/dev/null; exec "$@"' leftovers "$copytax" doctor --leftovers --remove
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[ "$(find . -type f | sort | tr '\n' ' ')" = "./kept/payload.bin ./kept/result.json ./payload.bin " ]
	run --separate-stderr "$copytax" doctor --leftovers
	[ "$status" -eq 0 ]
	[ "$(grep -c '^  [pt]' <<<"$output")" -eq 0 ]
}

@test "doctor --leftovers: a namespace and a mount that bear copytax's name" {
	need_root
	export TMPDIR=$PWD
	# in namespaces of its own: the machine's are left alone, and no other copytax is seen
	run --separate-stderr alone unshare --net bash -c '
		mount -t tmpfs none /run && mkdir -p /run/netns copytax-mnt || exit 77
		mount -t tmpfs none copytax-mnt && touch /run/netns/copytax-left && mount --bind /proc/self/ns/net /run/netns/copytax-left || exit 77
		"$1" doctor --leftovers && "$1" doctor --leftovers --remove || exit 1
		! grep copytax-mnt /proc/self/mounts && [ ! -e /run/netns/copytax-left ]' leftovers "$copytax"
	echo "$output $stderr"
	[ "$status" -ne 77 ] || skip "can't make namespaces here"
	[ "$status" -eq 0 ]
	grep -qF 'network namespace: /run/netns/copytax-left: removed' <<<"$output"
	grep -qE 'mount: .*/copytax-mnt: removed' <<<"$output"
}

@test "doctor --remove alone is wrong use" {
	run --separate-stderr "$copytax" doctor --remove
	says 2 "remove goes with --leftovers"
}
