#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every command doing what it is for.
load helpers

@test "help and version" {
	run --separate-stderr "$copytax" --help
	[ "$status" -eq 0 ]
	for command in run send list doctor report; do
		[[ $output == *"copytax $command "* ]]
	done
	[ "$output" = "$("$copytax" help)" ]
	[ "$output" = "$("$copytax" -h)" ]
	run --separate-stderr "$copytax" --version
	[ "$status" -eq 0 ]
	[[ ${lines[0]} =~ ^copytax\ [0-9]+\.[0-9]+\.[0-9]+\ \([0-9a-z]+(\+changed)?\)$ ]]
	for library in libbpf libpfm hwloc jansson GSL xxHash cmark-gfm zlib 'C library'; do
		[[ $output =~ $library\ [0-9]+\.[0-9]+ ]]
	done
	run --separate-stderr "$copytax"
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[[ $stderr == Usage:* ]]
}

@test "every command has --help, with an exit code of 0" {
	for command in $("$copytax" --help | awk '$1 == "copytax" { print $2 }'); do
		run --separate-stderr "$copytax" "$command" --help
		echo "$command: $status $output"
		[ "$status" -eq 0 ]
		[ -z "$stderr" ]
		[[ $output == "Usage: copytax $command"* ]]
	done
}

@test "list names every method, sink, cache state and link" {
	run --separate-stderr "$copytax" list
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	for word in $METHODS $NEWER drain truncate splice verify warm cold tcp; do
		[[ $output == *"  $word "* ]]
	done
	for part in methods sinks caches links; do
		run --separate-stderr "$copytax" list $part
		[ "$status" -eq 0 ]
		[ "$(grep -c '(--' <<<"$output")" -eq 1 ]
	done
	nothing_left_but
}

# A folder on a file system without direct I/O: refuses/
no_direct_io() {
	need_root
	mkdir refuses
	mount -t ramfs none refuses 2>/dev/null || skip "can't mount a ramfs here"
	mounted=$PWD/refuses
	chmod 755 refuses
}

@test "list says what a file system can't do, and why" {
	no_direct_io
	run --separate-stderr "$copytax" list --dir refuses methods
	echo "$output"
	[ "$status" -eq 0 ]
	# RWF_DONTCACHE is the kernel's as much as the file system's
	[ "$(grep 'not here:' <<<"$output" | grep -vc RWF_DONTCACHE)" -eq 1 ]
	[[ $output == *direct_write*"not here: "*"does not do direct I/O"* ]]
	[ -z "$(find refuses -type f)" ]
}

@test "list lists where it can't try" {
	run --separate-stderr "$copytax" list --dir nonexistent
	says 2 "nonexistent: No such file"
	mkdir sealed
	chmod 555 sealed
	run --separate-stderr without_privilege "$copytax" list --dir sealed
	says 0 "methods not tried: .*Permission denied"
	[[ $output == *sendfile* ]]
}

@test "run writes the result and prints the table" {
	run --separate-stderr "$copytax" run --size 1M --rounds 3 --catch-up 0 --quiet --out deep/er/o
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	for method in $METHODS; do
		[[ $output == *"$method"* ]]
	done
	[[ $output == *"deep/er/o/result.json"* ]]
	jq -e '
		.schema == "copytax.result/1" and .tool.version and .run.interrupted == false
		and (.run.argv[0:2] == ["copytax", "run"]) and .settings.seed == 1
		and .settings.payload_bytes == 1048576
		and (.cases | length == 5)
		and all(.cases[]; .payload == 1048576 and .chunk == 32768 and .cache == "warm" and .sink == "drain"
			and .link == "tcp" and .connections == 1)
		and all(.cases[] | select(.status == "ok");
			(.samples.wall_s | length == 4) and (.samples.warmup == [1, 0, 0, 0])
			and (.samples.round | sort == [0, 1, 2, 3])
			and all(.samples.wall_s[]; . > 0) and all(.samples.sender_cpu_s[]; . > 0)
			and .verified.ok == true and .verified.bytes == 1048576
			and (.summary.wall_s.n + .summary.apart.n + .summary.slowed.n + .summary.stolen.n == 3) and .summary.throughput_bytes_per_s.median > 0
			and .summary.wall_s.low <= .summary.wall_s.median and .summary.wall_s.median <= .summary.wall_s.high)
		and all(.cases[] | select(.status != "ok"); .reason | length > 10)' deep/er/o/result.json
	nothing_left_but deep deep/er deep/er/o deep/er/o/result.json
}

@test "one round in which every position is taken once" {
	"$copytax" run --size 64K --rounds 5 --quiet --out o --seed 3 >/dev/null
	jq -e '[.cases[] | select(.status == "ok")] as $c | ($c | length) as $n
		| [range(6)] | all(. as $r | [$c[] | .samples.position[.samples.round | index($r)]] | sort == [range($n)])' o/result.json
}

@test "the seed decides the order; another seed, another order" {
	for seed in 7 7 8; do
		rm -rf o
		"$copytax" run --size 64K --rounds 6 --catch-up 0 --quiet --out o --seed $seed --methods read_write,sendfile,splice >/dev/null
		jq -c '[.cases[].samples.position]' o/result.json >>../orders
	done
	[ "$(sed -n 1p ../orders)" = "$(sed -n 2p ../orders)" ]
	[ "$(sed -n 1p ../orders)" != "$(sed -n 3p ../orders)" ]
}

@test "no number that was not measured is in the result without a reason" {
	"$copytax" run --size 64K --rounds 2 --quiet --out o --chunk 4K,whole --cache warm,cold >/dev/null
	# every null has a reason beside it or above it; a cell of a sample column is unknown by being null
	jq -e '[paths(. == null)] as $nulls | [ $nulls[] | select((.[-1] | type) == "string")
		| . as $p | select(.[-1] | IN("reason", "ratio", "finished", "payload_written_in_bytes") | not)
		| select(any(range(1; $p | length); . as $k | $p[0:-$k] as $up
			| (($docs[0] | getpath($up)) | type == "object" and (.reason // .why) != null)) | not) ] == []' \
		--slurpfile docs o/result.json o/result.json
}

@test "an empty payload is a payload" {
	run --separate-stderr "$copytax" run --size 0 --rounds 2 --quiet --out o
	echo "$output $stderr"
	[ "$status" -eq 0 ] || [ "$status" -eq 3 ]
	jq -e 'all(.cases[] | select(.status == "ok"); .verified.ok and .verified.bytes == 0
		and .summary.cpu_s_per_gb.sender.median == null)' o/result.json
}

@test "a file of the user's own is used and left alone" {
	file 3000001 mine
	sum=$(cksum mine)
	run --separate-stderr "$copytax" run --file mine --rounds 1 --quiet --out o --sink drain,verify,splice --methods sendfile
	[ "$status" -eq 0 ]
	[ "$(cksum mine)" = "$sum" ]
	jq -e '.settings.payload_made == false and .settings.payload_written_in_bytes == null
		and (.cases | length == 3)
		and all(.cases[]; .verified.ok and .payload == 3000001)
		and all(.cases[] | select(.sink == "verify"); .samples.wall_s == [])' o/result.json
	nothing_left_but mine o o/result.json
}

@test "the made payload is kept when asked for, and the same for the same seed" {
	for seed in 1 1 2; do
		rm -rf o
		"$copytax" run --size 1000003 --rounds 1 --methods sendfile --quiet --keep-payload --seed $seed --out o >/dev/null
		[ "$(stat -c %s o/payload.bin)" -eq 1000003 ]
		cksum <o/payload.bin >>../sums
	done
	[ "$(sort -u ../sums | wc -l)" -eq 2 ]
	[ "$(sed -n 1p ../sums)" = "$(sed -n 2p ../sums)" ]
}

@test "--json prints the document" {
	run --separate-stderr "$copytax" run --size 64K --rounds 1 --json --quiet --out o
	[ "$status" -eq 0 ]
	[ "$output" = "$(<o/result.json)" ]
}

@test "a plan, and the command line over it" {
	printf '%s\n' 'size 64K' 'rounds 4' 'warmup 0' 'case methods=sendfile,splice chunk=4K,8K rounds=2' \
		'case methods=read_write cache=cold' >plan
	"$copytax" run --plan plan --catch-up 0 --quiet --out o >/dev/null
	jq -e '[.cases[] | [.method, .chunk, .cache, (.samples.wall_s | length)]] ==
		[["sendfile", 4096, "warm", 2], ["splice", 4096, "warm", 2], ["sendfile", 8192, "warm", 2],
		 ["splice", 8192, "warm", 2], ["read_write", 32768, "cold", 4]]' o/result.json
	"$copytax" run --plan plan --catch-up 0 --quiet --out p --methods sendfile --chunk 16K --rounds 3 --warmup 1 --size 32K >/dev/null
	jq -e '[.cases[] | [.method, .chunk, .cache, .payload, (.samples.wall_s | length)]] ==
		[["sendfile", 16384, "warm", 32768, 3], ["sendfile", 16384, "cold", 32768, 4]]' p/result.json
}

@test "a method that this file system can't do is skipped with the reason, everywhere" {
	no_direct_io
	run --separate-stderr "$copytax" run --size 64K --rounds 1 --quiet --methods sendfile,direct_write --out refuses/o
	says 0 "direct_write skipped: .*direct I/O"
	[[ $output == *direct_write*"direct I/O"* ]]
	jq -e '([.cases[].status] == ["ok", "skipped"]) and (.cases[1].reason | test("direct I/O"))
		and .cases[1].samples.wall_s == []' refuses/o/result.json
	run --separate-stderr "$copytax" report refuses/o --no-plots --out here
	[ "$status" -eq 0 ]
	grep -q 'direct I/O' here/report.md
	grep -q 'direct I/O' here/report.html
}

@test "only what can't be done: the machine's fault" {
	no_direct_io
	run --separate-stderr "$copytax" run --size 64K --rounds 1 --quiet --methods direct_write --out refuses/o
	says 3 "direct_write skipped: .*direct I/O"
	: >refuses/file
	run --separate-stderr "$copytax" send -m direct_write --file refuses/file
	says 3 "direct_write can't be done here: .*direct I/O"
}

@test "progress goes to stderr, and --quiet silences it" {
	run --separate-stderr "$copytax" run --size 64K --rounds 1 --methods sendfile --out o
	[[ $stderr == *"sendfile 32K warm"* ]]
	[[ $stderr != *$'\033'* ]]
	[[ $output != *"verifying the bytes"* ]]
	rm -rf o
	run --separate-stderr "$copytax" run --size 64K --rounds 1 --methods sendfile --out o --quiet
	[ -z "$stderr" ]
}

@test "send prints a line, or JSON" {
	run --separate-stderr "$copytax" send -m sendfile --size 64K
	[[ $output =~ ^sendfile:\ 65536\ bytes\ in\ [0-9.]+\ s,\ [0-9.]+\ GB/s\;\ CPU:\ sender\ [0-9.]+\ s,\ receiver\ [0-9.]+\ s$ ]]
	run --separate-stderr "$copytax" send -m splice --size 64K --json
	jq -e '.method == "splice" and .bytes == 65536 and .chunk == 32768 and .sink == "drain" and (.note | test("pipe"))' <<<"$output"
}

@test "doctor: each line says what it is; what misleads says what it does and how to change it" {
	run --separate-stderr "$copytax" doctor
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ $output == *ongestion* ]]
	[[ $output != *"(null)"* ]]
	[[ $output != *" nan"* ]]
	run --separate-stderr "$copytax" doctor --json
	[ "$status" -eq 0 ]
	jq -e 'type == "object"' <<<"$output"
	nothing_left_but
}

@test "explain sets the texts beside what was counted" {
	run --separate-stderr "$copytax" explain sendfile
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[[ $output == *sendfile* ]]
	run --separate-stderr "$copytax" explain teleport
	says 2 "teleport"
}
