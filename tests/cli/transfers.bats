#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What must be true of every transfer: its bytes, their hash, and how many calls the method took.
load helpers

# LARGE: a smaller stand-in for the 327,680,000 bytes, for builds that are slow; whole chunks of 32 KiB
setup_file() {
	export PAYLOADS=$BATS_FILE_TMPDIR
	export LARGE=${LARGE:-327680000}
	export CHUNKS=$((LARGE / 32768))
	: >"$PAYLOADS/0"
	head -c 1 /dev/urandom >"$PAYLOADS/1"
	head -c 4095 /dev/urandom >"$PAYLOADS/4095"
	head -c 32768 /dev/urandom >"$PAYLOADS/32768"
	head -c 1000003 /dev/urandom >"$PAYLOADS/1000003"
	head -c "$LARGE" /dev/urandom >"$PAYLOADS/$LARGE"
	# no chunk divides it, nor any page
	export ODD=$((LARGE / 3 / 4096 * 4096 + 1003))
	head -c "$ODD" "$PAYLOADS/$LARGE" >"$PAYLOADS/$ODD"
	# an independent tool's word for what the hash is
	for f in "$PAYLOADS"/*; do
		xxhsum -H3 <"$f" 2>/dev/null | sed 's/.* //' >"$f.hash"
	done
}

can() {
	"$copytax" send -m "$1" --file "$PAYLOADS/32768" >/dev/null 2>../why ||
		{ grep -q "can't be done here" ../why && skip "$(<../why)"; }
}

# Every sink takes all of it; what `verify` took hashes to what the file does.
sinks_take() {
	local method=$1 size=$2 sink
	shift 2
	can "$method"
	for sink in drain truncate splice; do
		run --separate-stderr "$copytax" send -m "$method" --file "$PAYLOADS/$size" --sink $sink --json "$@"
		echo "$sink: $output $stderr"
		[ "$status" -eq 0 ]
		[ -z "$stderr" ]
		jq -e --arg m "$method" --argjson n "$size" '.method == $m and .bytes == $n and .wall_s > 0' <<<"$output"
	done
	run --separate-stderr "$copytax" send -m "$method" --file "$PAYLOADS/$size" --sink verify --json "$@"
	echo "verify: $output $stderr"
	[ "$status" -eq 0 ]
	jq -e --argjson n "$size" '.bytes == $n and .verified == true' <<<"$output"
	run "$copytax" send -m "$method" --file "$PAYLOADS/$size" --sink verify "$@"
	echo "$output; own: $(<"$PAYLOADS/$size.hash")"
	[[ $output == *" $size bytes in "*"xxh3:$(<"$PAYLOADS/$size.hash") is the file's own" ]]
	nothing_left_but
}

# calls METHOD FILE: "name count" of the sender's own system calls, the receiver not among them
calls() {
	ASAN_OPTIONS=detect_leaks=0 strace -q -c -U name,calls -o ../counts \
		"$copytax" send -m "$1" --file "$2" --chunk 32K >/dev/null
	awk '/^-/ { on = !on; next } on { print $1, $2 }' ../counts
}

# textbook METHOD "NAME COUNT"...: a full payload's calls minus those of an empty one
textbook() {
	local method=$1 want name full empty
	shift
	can "$method"
	calls "$method" "$PAYLOADS/0" >../empty
	calls "$method" "$PAYLOADS/$LARGE" >../full
	for want; do
		name=${want% *}
		full=$(awk -v n="$name" '$1 == n { c = $2 } END { print c + 0 }' ../full)
		empty=$(awk -v n="$name" '$1 == n { c = $2 } END { print c + 0 }' ../empty)
		echo "$method: $name $full - $empty, the textbook says ${want#* }"
		[ $((full - empty)) -eq "${want#* }" ]
	done
}

@test "read_write: 1 byte, 4 KiB - 1, 32 KiB and an empty file arrive at every sink" {
	for size in 0 1 4095 32768; do sinks_take read_write $size; done
}

@test "read_write: the large payload arrives at every sink" {
	sinks_take read_write "$LARGE"
}

@test "read_write: any chunk will do: 4K, one that does not divide, 1G, whole" {
	for chunk in 4K 5000 12289 1G whole; do sinks_take read_write 1000003 --chunk $chunk; done
}

@test "mmap_write: 1 byte, 4 KiB - 1, 32 KiB and an empty file arrive at every sink" {
	for size in 0 1 4095 32768; do sinks_take mmap_write $size; done
}

@test "mmap_write: the large payload arrives at every sink" {
	sinks_take mmap_write "$LARGE"
}

@test "mmap_write: any chunk will do: 4K, one that does not divide, 1G, whole" {
	for chunk in 4K 5000 12289 1G whole; do sinks_take mmap_write 1000003 --chunk $chunk; done
}

@test "sendfile: 1 byte, 4 KiB - 1, 32 KiB and an empty file arrive at every sink" {
	for size in 0 1 4095 32768; do sinks_take sendfile $size; done
}

@test "sendfile: the large payload arrives at every sink" {
	sinks_take sendfile "$LARGE"
}

@test "sendfile: any chunk will do: 4K, one that does not divide, 1G, whole" {
	for chunk in 4K 5000 12289 1G whole; do sinks_take sendfile 1000003 --chunk $chunk; done
}

@test "splice: 1 byte, 4 KiB - 1, 32 KiB and an empty file arrive at every sink" {
	for size in 0 1 4095 32768; do sinks_take splice $size; done
}

@test "splice: the large payload arrives at every sink" {
	sinks_take splice "$LARGE"
}

@test "splice: any chunk will do: 4K, one that does not divide, 1G, whole" {
	for chunk in 4K 5000 12289 1G whole; do sinks_take splice 1000003 --chunk $chunk; done
}

@test "direct_write: 1 byte, 4 KiB - 1, 32 KiB and an empty file arrive at every sink" {
	for size in 0 1 4095 32768; do sinks_take direct_write $size; done
}

@test "direct_write: the large payload arrives at every sink" {
	sinks_take direct_write "$LARGE"
}

@test "direct_write: any chunk will do: 4K, one that does not divide, 1G, whole" {
	for chunk in 4K 5000 12289 1G whole; do sinks_take direct_write 1000003 --chunk $chunk; done
}

@test "the newer methods: 1 byte, 4 KiB - 1, 32 KiB and an empty file arrive at every sink" {
	for method in $NEWER; do
		able "$method" || continue
		for size in 0 1 4095 32768; do sinks_take "$method" $size; done
	done
}

@test "the newer methods: a large payload that no chunk divides arrives at every sink" {
	for method in $NEWER; do
		able "$method" || continue
		sinks_take "$method" "$ODD"
	done
}

@test "the newer methods: any chunk will do: 4K, one that does not divide, 1M, 1G, whole" {
	for method in $NEWER; do
		able "$method" || continue
		for chunk in 4K 5000 12289 1M 1G whole; do
			run "$copytax" send -m "$method" --file "$PAYLOADS/1000003" --sink verify --chunk $chunk
			echo "$chunk: $output; own: $(<"$PAYLOADS/1000003.hash")"
			[[ $output == *" 1000003 bytes in "*"xxh3:$(<"$PAYLOADS/1000003.hash") is the file's own" ]]
		done
	done
}

@test "the newer methods say what only they know" {
	for method in zerocopy read_zerocopy uring_send_zc; do
		able $method || continue
		run "$copytax" send -m $method --file "$PAYLOADS/1000003" --json
		echo "$output"
		# over loopback what was lent is copied after all, where the kernel says so
		jq -e '.method_figures | .completions == 31 and (has("copied_share") | not)
			or (.completions == 31 and .copied_share == 1 and .copied_bytes == 1000003)' <<<"$output"
	done
	for method in uring_read_send uring_splice uring_send_zc; do
		able $method || continue
		run "$copytax" send -m $method --file "$PAYLOADS/1000003" --json
		echo "$output"
		jq -e '.method_figures | .chunks_queued == 31 and .chunks_in_flight >= 1 and .chains_broken == 0
			and (.buffer_bytes // .pipe_bytes) >= 32768' <<<"$output"
	done
}

# With the default payload: 10,000 read and 10,000 write, 10,000 sendfile, 20,000 splice.
@test "read_write takes the textbook's calls" {
	textbook read_write "read $CHUNKS" "write $CHUNKS" "sendfile 0" "splice 0"
}

@test "mmap_write takes the textbook's calls" {
	textbook mmap_write "read 0" "write $CHUNKS" "sendfile 0" "splice 0"
}

@test "sendfile takes the textbook's calls" {
	textbook sendfile "read 0" "write 0" "sendfile $CHUNKS" "splice 0"
}

@test "splice takes the textbook's calls" {
	textbook splice "read 0" "write 0" "sendfile 0" "splice $((2 * CHUNKS))"
}

@test "direct_write takes the textbook's calls" {
	# and one read that tries whether this file can be read directly at all
	textbook direct_write "read $((CHUNKS + 1))" "write $CHUNKS" "sendfile 0" "splice 0"
}

@test "vmsplice takes the textbook's calls" {
	textbook vmsplice "write 0" "vmsplice $CHUNKS" "splice $CHUNKS"
}

@test "read_zerocopy takes the textbook's calls" {
	textbook read_zerocopy "read $CHUNKS" "write 0" "sendto $CHUNKS"
}

@test "every method goes on after EINTR, and after EAGAIN where there can be one" {
	file 3000000 payload
	while read -r method call error; do
		echo "$method $call $error"
		ASAN_OPTIONS=detect_leaks=0 strace -q -o ../trace -P "$PWD/payload" -P /dev/null -e trace="$call" -e inject="$call:error=$error:when=2..20+3" \
			"$copytax" send -m "$method" --file "$PWD/payload" --sink verify >../out
		grep -q "INJECTED" ../trace
		grep -q "is the file's own" ../out
	done <<-'END'
		read_write read EINTR
		sendfile sendfile EINTR
		sendfile sendfile EAGAIN
		splice splice EINTR
		direct_write read EINTR
		read_zerocopy read EINTR
	END
}

@test "writes to the socket are retried after EINTR and EAGAIN" {
	file 3000000 payload
	for error in EINTR EAGAIN; do
		for method in read_write mmap_write direct_write; do
			ASAN_OPTIONS=detect_leaks=0 strace -q -o ../trace -e trace=write -e inject="write:error=$error:when=5..20+3" \
				"$copytax" send -m $method --file payload --sink verify >../out
			grep -q INJECTED ../trace
			grep -q "is the file's own" ../out
		done
	done
}

@test "sends by reference go on after ENOBUFS, EINTR and EAGAIN" {
	able zerocopy || skip "no MSG_ZEROCOPY here"
	file 3000000 payload
	for error in ENOBUFS EINTR EAGAIN; do
		for method in zerocopy read_zerocopy; do
			ASAN_OPTIONS=detect_leaks=0 strace -q -o ../trace -e trace=sendto -e inject="sendto:error=$error:when=5..20+3" \
				"$copytax" send -m $method --file payload --sink verify >../out
			grep -q INJECTED ../trace
			grep -q "is the file's own" ../out
		done
	done
}

@test "io_uring goes on after an interrupted call" {
	able uring_read_send || skip "no io_uring here"
	file 3000000 payload
	for method in uring_read_send uring_splice uring_send_zc; do
		able $method || continue
		ASAN_OPTIONS=detect_leaks=0 strace -q -o ../trace -e trace=io_uring_enter -e inject=io_uring_enter:error=EINTR:when=2+2 \
			"$copytax" send -m $method --file payload --sink verify >../out
		grep -q INJECTED ../trace
		grep -q "is the file's own" ../out
	done
}

@test "a file of over 4 GiB arrives whole" {
	truncate -s $(((4 << 30) + 12345)) payload
	printf 'end' | dd of=payload bs=1 seek=$((4 << 30)) conv=notrunc status=none
	for method in sendfile mmap_write; do
		run "$copytax" send -m $method --file payload --chunk 1M --sink verify
		echo "$output"
		[ "$status" -eq 0 ]
		[[ $output == *" 4294979641 bytes in "*"is the file's own" ]]
	done
	# one call can't move more than 2 GiB - 4 KiB: 'whole' takes as many as it needs
	run "$copytax" send -m sendfile --file payload --chunk whole --sink verify
	[[ $output == *" 4294979641 bytes in "*"is the file's own" ]]
}

@test "buffers, nodelay, congestion control and placement of one's own" {
	for options in '--sndbuf auto --rcvbuf auto' '--sndbuf 4K --rcvbuf 4K' '--nodelay off' '--cc default' \
		'--placement none' '--placement same'; do
		# shellcheck disable=SC2086
		run --separate-stderr "$copytax" send -m splice --file "$PAYLOADS/1000003" --sink verify $options
		echo "$options: $output $stderr"
		[ "$status" -eq 0 ]
		[ -z "$stderr" ]
	done
}

@test "send makes a payload of its own and removes it" {
	run --separate-stderr "$copytax" send -m sendfile --size 1000003 --json
	[ "$status" -eq 0 ]
	[ "$(jq .bytes <<<"$output")" -eq 1000003 ]
	nothing_left_but
}

@test "the same port serves transfer after transfer" {
	port=$((20000 + RANDOM % 10000))
	for i in 1 2 3; do
		run --separate-stderr "$copytax" send -m sendfile --size 64K --port "$port"
		echo "$output $stderr"
		[ "$status" -eq 0 ]
	done
}

@test "a cache brought into a state is in that state" {
	file 4000000 payload
	for state in warm cold; do
		run --separate-stderr "$copytax" send -m sendfile --file payload --cache $state
		echo "$stderr"
		[ "$status" -eq 0 ]
	done
}
