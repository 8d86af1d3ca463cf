#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a user can get wrong: one clear sentence, the documented exit code, nothing left behind.
load helpers

# refused CODE PATTERN ARGUMENTS...
refused() {
	local code=$1 pattern=$2
	shift 2
	run --separate-stderr timeout 20 "$copytax" "$@"
	says "$code" "$pattern"
}

@test "a method that does not exist" {
	refused 2 "no method 'teleport'.*read_write.*sendfile" run --methods teleport --out o
	refused 2 "no method 'teleport'" run --methods sendfile,teleport --out o
	refused 2 "no method 'teleport'.*copytax list" send -m teleport
	refused 2 "empty item" run --methods sendfile, --out o
	nothing_left_but
}

@test "send without a method" {
	refused 2 "--method" send
	nothing_left_but
}

@test "chunk sizes that are none" {
	for chunk in 0 1 4095 1025M -4K 4KK x ''; do
		refused 2 "'$chunk' is no chunk size|empty item" run --chunk "$chunk" --out o
		refused 2 "'$chunk' is no chunk size|empty item" send -m sendfile --chunk "$chunk"
	done
	nothing_left_but
}

@test "sizes, numbers and words that are none" {
	refused 2 "'12Q' is no size" run --size 12Q --out o
	refused 2 "'-1' is no size" send -m sendfile --size -1
	refused 2 "'99999999999999T' is no size" run --size 99999999999999T --out o
	refused 2 "'0' is no number of rounds" run --rounds 0 --out o
	refused 2 "'100001' is no number of rounds" run --rounds 100001 --out o
	refused 2 "'-1' is no number of warm-up rounds" run --warmup -1 --out o
	refused 2 "'x' is no seed" run --seed x --out o
	refused 2 "no cache state 'hot'" run --cache hot --out o
	refused 2 "no cache state 'hot'" send -m sendfile --cache hot
	refused 2 "no sink 'swim'" run --sink swim --out o
	refused 2 "no sink 'swim'" send -m sendfile --sink swim
	refused 2 "no link 'carrier-pigeon'" run --link carrier-pigeon --out o
	refused 2 "no placement 'moon'" run --placement moon --out o
	refused 2 "no TCP port" run --port 65536 --out o
	refused 2 "'maybe'|'on' or 'off'" run --nodelay maybe --out o
	refused 2 "no socket buffer size" run --sndbuf 1 --out o
	refused 2 "no socket buffer size" send -m sendfile --rcvbuf 2G
	refused 2 "congestion control" run --cc a-name-that-is-much-too-long --out o
	refused 2 "'0' is no number of seconds" send -m sendfile --time-limit 0
	refused 2 "'stray' is no option" run stray
	refused 2 "'stray' is no option" send -m sendfile stray
	refused 2 "no list of 'cats'" list cats
	refused 2 "no command 'dance'" dance
	nothing_left_but
}

@test "options that do not exist" {
	for command in run send list doctor report explain; do
		run --separate-stderr "$copytax" $command --no-such-option
		echo "$command: $status $stderr"
		[ "$status" -eq 2 ]
		[[ $stderr == *"unrecognized option '--no-such-option'"* ]]
	done
	nothing_left_but
}

@test "a congestion control that the kernel does not have" {
	refused 3 "congestion control to 'nonesuch'.*--cc" run --size 64K --cc nonesuch --out o
	refused 3 "congestion control to 'nonesuch'.*--cc" send -m sendfile --size 64K --cc nonesuch
	rmdir o
	nothing_left_but
}

@test "a payload that is missing" {
	refused 2 "missing.*No such file" run --file missing --out o
	refused 2 "missing.*No such file" send -m sendfile --file missing
	[ ! -e o/result.json ]
}

@test "a payload that may not be read" {
	file 4096 secret
	chmod 000 secret
	for command in 'run --out o' 'send -m sendfile'; do
		# shellcheck disable=SC2086
		run --separate-stderr without_privilege "$copytax" $command --file secret
		says 2 "secret.*Permission denied"
	done
	[ ! -e o/result.json ]
}

@test "a payload that is a folder" {
	mkdir folder
	refused 2 "folder.*directory, not a regular file" run --file folder --out o
	refused 2 "folder.*directory, not a regular file" send -m sendfile --file folder
}

@test "a payload that is a FIFO is refused, not waited for" {
	mkfifo pipe
	refused 2 "pipe.*FIFO, not a regular file" run --file pipe --out o
	refused 2 "pipe.*FIFO, not a regular file" send -m sendfile --file pipe
}

@test "a payload that is a device" {
	refused 2 "/dev/zero.*device, not a regular file" send -m sendfile --file /dev/zero
}

@test "a payload larger than the disk has room for" {
	refused 3 "no room.*smaller --size" run --quiet --size 4000000T --out o
	refused 3 "no room.*smaller --size" send -m sendfile --size 4000000T
	rmdir o
	nothing_left_but
}

@test "a disk that is full before the payload is written" {
	small_disk 4m
	refused 3 "no room for the payload" run --quiet --size 8M --out small/o
	[ ! -e small/o/payload.bin ]
	cd small
	refused 3 "no room for the payload" send -m sendfile --size 8M
	[ -z "$(find . -type f)" ]
	cd ..
}

@test "a disk that fills up while the payload is written" {
	small_disk 4m
	# the free space can't be asked for, so only the write itself can tell
	ASAN_OPTIONS=detect_leaks=0 run --separate-stderr strace -q -o ../trace -e trace=fstatfs \
		-e inject=fstatfs:error=ENOSYS "$copytax" run --size 8M --out small/o --quiet
	says 3 "can't write the payload.*No space left on device"
	grep -q INJECTED ../trace
	[ -z "$(find small -type f)" ]
	cd small
	ASAN_OPTIONS=detect_leaks=0 run --separate-stderr strace -q -o ../../trace -e trace=fstatfs \
		-e inject=fstatfs:error=ENOSYS "$copytax" send -m sendfile --size 8M
	says 3 "can't write the payload.*No space left on device"
	[ -z "$(find . -type f)" ]
	cd ..
}

@test "a limit on the size of files" {
	for command in 'run --quiet --out o' 'send -m sendfile'; do
		# shellcheck disable=SC2086
		run --separate-stderr bash -c 'ulimit -f 1024; exec "$@"' - "$copytax" $command --size 8M
		says 3 "can't write the payload.*File too large"
		[ -z "$(find . -type f)" ]
	done
}

@test "a disk that is full when the result is written" {
	small_disk 4m
	file 65536 payload
	mkdir small/o
	dd if=/dev/zero of=small/filler bs=64k status=none 2>/dev/null || true
	run --separate-stderr "$copytax" run --file payload --methods sendfile --rounds 1 --out small/o --quiet
	says 3 "can't write small/o/result.json: No space left on device"
	[ -z "$(find small/o -type f)" ]
}

@test "a result folder that can't be written" {
	mkdir sealed
	chmod 555 sealed
	for out in sealed sealed/o; do
		run --separate-stderr without_privilege "$copytax" run --size 64K --out $out --quiet
		says 3 "sealed.*Permission denied"
	done
	: >plain
	refused 3 "can't (make|write).*plain" run --quiet --size 64K --out plain
	refused 3 "can't make.*plain/o: Not a directory" run --quiet --size 64K --out plain/o
	[ -z "$(find sealed -type f)" ]
}

@test "a folder that send can't make its payload in" {
	mkdir sealed
	chmod 555 sealed
	cd sealed
	run --separate-stderr without_privilege "$copytax" send -m sendfile --size 64K
	says 3 "can't create the payload.*Permission denied"
	cd ..
}

@test "a payload that another run left is not overwritten" {
	mkdir o
	echo precious >o/payload.bin
	refused 3 "o/payload.bin is there already.*remove it" run --quiet --size 64K --out o
	[ "$(<o/payload.bin)" = precious ]
}

@test "a plan that is none" {
	echo 'case chunk=1' >plan
	refused 2 "plan line 1: '1' is no chunk size" run --plan plan --out o
	: >empty
	refused 2 "empty has no case line" run --plan empty --out o
	refused 2 "can't read the plan missing: No such file" run --plan missing --out o
	refused 2 "can't read the plan .: Is a directory" run --plan . --out o
	nothing_left_but plan empty
}

@test "a port that somebody listens on" {
	local port
	for _ in 1 2 3 4; do
		port=$((20000 + RANDOM % 10000))
		busybox nc -l -p "$port" </dev/null >/dev/null 2>&1 3>&- &
		listener=$!
		sleep 0.3
		kill -0 "$listener" 2>/dev/null && break
	done
	run --separate-stderr "$copytax" send -m sendfile --size 64K --port "$port"
	says 3 "127.0.0.1 port $port: Address already in use.*--port"
	run --separate-stderr "$copytax" run --size 64K --port "$port" --quiet --out o
	kill "$listener"
	says 3 "127.0.0.1 port $port: Address already in use.*--port"
	[ -z "$(find . -type f)" ]
}

@test "output that can't be written is not passed over" {
	for command in 'list' 'send -m sendfile --size 64K' '--help'; do
		# shellcheck disable=SC2086
		run --separate-stderr bash -c '"$@" >/dev/full' - "$copytax" $command
		says 3 "No space left on device"
	done
	# nobody reads on: that is the reader's decision, and no failure
	run --separate-stderr bash -c '"$1" list | true; exit ${PIPESTATUS[0]}' - "$copytax"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
}
