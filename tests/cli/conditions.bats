#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Conditions as dimensions: every method over every link, sink and cache state, many connections, resuming,
# and nothing left behind. Small payloads; no time is looked at.
load helpers

root_only() {
	[ "$(id -u)" -eq 0 ] || skip 'needs root'
}

# Namespaces, mounts and loop devices of copytax's.
leftovers() {
	ip netns list 2>/dev/null | grep '^copytax-' || true
	grep ' /[^ ]*copytax-[0-9]' /proc/mounts || true
}

teardown_leftovers() {
	local left
	left=$(leftovers)
	[ -z "$left" ] || {
		echo "left: $left"
		return 1
	}
}

cases() {
	jq -c ".cases[] | $1" o/result.json
}

# No case is like this; a filter that jq refuses is a failure too.
none() {
	local found
	found=$(cases "$1 | {method, chunk, cache, sink, link, connections, payload, files: .conditions.files, status, reason, counts, copies}") || return 1
	[ -z "$found" ] || {
		printf '%.3000s\n' "$found"
		return 1
	}
}

@test "every method verifies over every link, with every sink that it can have" {
	links=tcp,unix
	[ "$(id -u)" -ne 0 ] || links=tcp,unix,veth
	"$copytax" run --size 200001 --chunk 4K,32K,whole --link $links --sink drain,truncate,splice --rounds 1 --warmup 0 \
		--watched 0 --events none --quiet --out o >/dev/null
	# skipped with a reason, or right to the byte
	none 'select(.status == "failed")'
	none 'select(.status == "skipped" and (.reason | length) < 20)'
	none 'select(.status == "ok" and (.verified.ok != true or .verified.bytes != 200001))'
	# AF_UNIX ignores MSG_TRUNC, and that is said
	none 'select(.link == "unix" and .sink == "truncate" and (.reason // "" | contains("MSG_TRUNC") | not))'
	[ "$(cases 'select(.status == "ok" and .link == "unix") | .sink' | sort -u | wc -l)" -eq 2 ]
	teardown_leftovers
}

@test "the product of the lists is run, and what means nothing on a link multiplies nothing" {
	run -0 "$copytax" run --methods sendfile --size 64K,128K --chunk 4K,32K --connections 1,2 --link tcp,unix --nodelay on,off \
		--cc reno --dry-run
	# tcp: 2 sizes × 2 chunks × 2 connections × 2 nodelay; unix: without nodelay
	[ "$(grep -c rounds <<<"$output")" -eq 24 ]
	[[ ${lines[-1]} =~ ^24\ cases,\ .*guess ]]
	[ -z "$(ls)" ]
}

@test "all connections get all of theirs, counted and compared one by one" {
	"$copytax" run --methods read_write,sendfile,splice --size 1000000 --connections 1,7,32 --each share,whole --rounds 2 --warmup 0 \
		--watched 1 --events none --quiet --out o >/dev/null
	none 'select(.status != "ok" or .verified.ok != true or .verified.connections != .connections)'
	none 'select(.conditions.each == "whole" and .payload != 1000000 * .connections)'
	none 'select(.conditions.each == "share" and .payload != (1000000 / .connections | floor) * .connections)'
	# how they shared: only of several
	none 'select((.connections > 1) != (.samples | has("share_jain")))'
	none 'select(.connections > 1) | select(.samples.share_jain | any(. > 1.000001 or . <= 0))'
	none 'select(.connections > 1) | select([.samples.share_min, .samples.share_max] | transpose | any(.[0] > .[1]))'
}

@test "a lead goes before the payload, over every connection, and is not counted with it" {
	"$copytax" run --methods read_write,splice --size 1M --chunk 32K --connections 1,3 --link tcp,unix --lead 0,256,65536 --rounds 2 --warmup 0 \
		--watched 1 --events none --catch-up 0 --quiet --out o >/dev/null
	# unix has none, and so no cases for it
	[ "$(cases .method | wc -l)" -eq 16 ]
	none 'select(.status != "ok" or .verified.ok != true)'
	none 'select((.link == "unix") != (.conditions.lead == null))'
	[ "$(cases 'select(.link == "tcp") | .conditions.lead' | sort -n | uniq -c | awk '{ print $1, $2 }' | xargs)" = '4 0 4 256 4 65536' ]
	[ "$(cases '.counts.syscalls.value' | grep -vc null)" -eq 16 ] || skip 'nothing can be counted here'
	none 'select(.method == "read_write" and .connections == 1) | select(.counts.syscalls.by.write != 32 or .copies.user_to_socket.bytes != 1048576)'
}

@test "the lead is the first thing on the connection" {
	command -v strace >/dev/null || skip 'no strace'
	strace -f -o trace -e trace=sendto,sendfile "$copytax" send --method sendfile --size 64K --lead 300 >/dev/null
	# before any of the payload
	awk '/ sendfile\(/ { exit } / = 300$/ { found = 1 } END { exit !found }' trace
	strace -f -o trace -e trace=sendto,sendfile "$copytax" send --method sendfile --size 64K --lead 0 >/dev/null
	run ! grep -q ' = 256$' trace
}

@test "counts over several connections are exact" {
	root_only
	"$copytax" run --methods read_write,sendfile --size 2M --chunk 32K --connections 1,16 --link tcp,unix --rounds 1 --warmup 0 \
		--watched 1 --events none --quiet --out o >/dev/null
	[ "$(cases 'select(.status == "ok")' | wc -l)" -eq 8 ]
	[ "$(cases '.counts.syscalls.value' | grep -vc null)" -eq 8 ] || skip 'nothing can be counted here'
	none 'select(.method == "read_write") | select(.counts.syscalls.by.read != 64 or .counts.syscalls.by.write != 64)'
	none 'select(.method == "sendfile") | select(.counts.syscalls.by.sendfile != 64)'
	none 'select(.counts.syscalls.by.recvfrom != .connections)'
	none 'select(.method == "read_write") | select(.copies.user_to_socket.bytes != 2097152)'
	none 'select(.method == "sendfile") | select(.copies.by_reference.bytes != 2097152 or .copies.user_to_socket.bytes != 0)'
	# hooks in TCP see no AF_UNIX: its numbers are not theirs
	none 'select(.link == "unix") | select(.copies.user_to_socket.source | contains("tcp_"))'
}

@test "a device without scatter-gather makes the kernel copy, and that is counted" {
	root_only
	"$copytax" run --methods read_write,sendfile --size 1M --link veth --scatter-gather on,off --mtu 9000 --rounds 1 --warmup 0 \
		--watched 1 --events none --quiet --out o >/dev/null
	cases 'select(.status != "ok") | .reason' | grep -q . && skip 'no veth here'
	[ "$(cases '.copies.linearized.bytes' | grep -vc null)" -eq 4 ] || skip 'nothing can be counted here'
	none 'select(.conditions.scatter_gather == true) | select(.copies.linearized.bytes != 0)'
	# what is sent again is copied again
	none 'select(.conditions.scatter_gather == false) | select(.copies.linearized.bytes < 1048576 or .copies.linearized.bytes > 1300000)'
	none 'select(.conditions.scatter_gather == false and .method == "sendfile") | select(.copies.factor.value < 1)'
	teardown_leftovers
}

@test "an interrupt leaves no namespace" {
	root_only
	"$copytax" run --methods sendfile --size 1M --link veth --rounds 10000 --watched 0 --events none --quiet --out o >/dev/null 2>&1 &
	wait_until 20 test -s o/payload.bin
	sleep 0.5
	kill -INT $!
	wait $! || [ $? -eq 130 ]
	teardown_leftovers
	[ "$(ls o)" = result.json ]
}

@test "a half-resident cache is half resident, and counted as such" {
	"$copytax" run --methods read_write --size 8M --cache half --rounds 1 --warmup 0 --watched 1 --events none --quiet --out o >/dev/null ||
		{ [ "$(stat -f -c %T .)" != tmpfs ] || skip 'tmpfs'; return 1; }
	[ "$(cases .status)" = '"ok"' ]
	added=$(cases .counts.page_cache_pages_added.value)
	[ "$added" = null ] || [ "$added" -eq $((4 * 1048576 / $(getconf PAGESIZE))) ]
}

@test "connections can have a file each" {
	"$copytax" run --methods sendfile --size 1M --connections 4 --files many --rounds 1 --warmup 0 --watched 1 --events none --quiet --out o >/dev/null
	[ "$(cases '[.status, .verified.ok, .verified.connections]')" = '["ok",true,4]' ]
	[ "$(ls o)" = result.json ]
	file 64K mine
	run --separate-stderr "$copytax" run --methods sendfile --file mine --connections 4 --files many --quiet --out p
	says 2 'does not go with --file'
}

@test "counts over several files are exact" {
	root_only
	"$copytax" run --methods read_write,sendfile,zerocopy --size 2M --chunk 32K --connections 4,64 --files one,many --cache warm,cold --rounds 1 \
		--warmup 0 --watched 1 --events none --quiet --out o >/dev/null
	[ "$(cases 'select(.status == "ok")' | wc -l)" -eq 24 ]
	[ "$(cases '.counts.syscalls.value' | grep -vc null)" -eq 24 ] || skip 'nothing can be counted here'
	none 'select(.method == "read_write") | select(.copies.file_to_user.bytes != .payload or .copies.user_to_socket.bytes != .payload)'
	none 'select(.method == "sendfile") | select(.copies.file_to_user.bytes != 0 or .copies.by_reference.bytes != .payload)'
	none 'select(.method == "zerocopy") | select(.copies.file_to_user.bytes != 0 or .copies.by_reference.bytes != .payload)'
	none 'select(.copies | has("factor") | not)'
	# of cold files all pages are brought in, of each once; of the one file no more than there are
	pages='.counts.page_cache_pages_added.value'
	none "select(.cache == \"warm\") | select($pages != 0 and $pages != null)"
	none "select(.cache == \"cold\" and .conditions.files == \"many\") | select($pages != null and $pages < .payload / $(getconf PAGESIZE))"
	none "select(.cache == \"cold\") | select($pages == 0)"
}

@test "1,024 connections, none of which fails" {
	"$copytax" run --methods sendfile,read_write --size 32M --connections 1024 --rounds 1 --warmup 0 --watched 0 --events none --quiet --out o >/dev/null
	[ "$(cases '[.status, .verified.ok, .verified.connections]' | sort -u)" = '["ok",true,1024]' ]
}

@test "too few descriptors for the connections is said, with what to do" {
	root_can=$(id -u)
	run --separate-stderr bash -c "ulimit -n 200; exec setpriv --bounding-set=-all --inh-caps=-all '$copytax' run --methods sendfile --size 1M \
		--connections 200 --rounds 1 --quiet --events none --watched 0 --out o"
	[ "$status" -eq 3 ] || [ "$root_can" -eq 0 ]
	[ "$status" -eq 0 ] || grep -q 'ulimit -n' <<<"$stderr"
}

@test "an interrupted study goes on where it stopped" {
	"$copytax" run --methods read_write,sendfile --size 1M --connections 1,2 --rounds 40 --warmup 1 --catch-up 0 --seed 5 --watched 0 --events none --quiet \
		--out o >/dev/null 2>&1 &
	wait_until 30 test -s o/payload.bin
	sleep 1.5
	kill -INT $!
	wait $! || [ $? -eq 130 ]
	[ "$(jq .run.interrupted o/result.json)" = true ]
	before=$(jq -c '[.cases[].samples.wall_s[0]]' o/result.json)
	id=$(jq -c .run.id o/result.json)
	cp -r o other
	"$copytax" run --resume o --quiet >/dev/null
	[ "$(jq .run.interrupted o/result.json)" = false ]
	[ "$(jq -c .run.id o/result.json)" = "$id" ]
	[ "$(jq '.run.resumed | length' o/result.json)" -eq 1 ]
	# every round once, and what was measured is still there
	[ "$(cases '.samples.round | length, (unique | length)' | sort -u)" = 41 ]
	jq -e --argjson before "$before" '[[.cases[].samples.wall_s[0]], $before] | transpose | all(.[1] == null or .[0] == .[1])' o/result.json
	[ "$(ls o)" = result.json ]
	# complete, or another study
	run --separate-stderr "$copytax" run --resume o --quiet
	says 2 'complete'
	run --separate-stderr "$copytax" run --resume other --seed 6 --quiet
	says 2 'its seed is 5, and here it is 6'
	run --separate-stderr "$copytax" run --resume other --rounds 3 --quiet
	says 2 'its rounds is 40, and here it is 3'
	run --separate-stderr "$copytax" run --resume other --sink truncate --quiet
	says 2 'its case 1 .* is another now'
	run --separate-stderr "$copytax" run --resume nowhere --quiet
	[ "$status" -eq 2 ]
}

@test "a transfer that could not end in time is refused before a byte is written" {
	run --separate-stderr "$copytax" run --methods sendfile --size 4000G --sparse --cache cold --time-limit 10 --quiet --out o
	says 2 'raise --time-limit'
	[ ! -e o/payload.bin ]
}

@test "a sparse payload takes no room and no memory" {
	"$copytax" run --methods sendfile,read_write --size 1G --sparse --cache cold --rounds 1 --warmup 0 --watched 0 --events none --quiet \
		--keep-payload --out o >/dev/null
	[ "$(cases '[.status, .verified.ok, .payload]' | sort -u)" = '["ok",true,1073741824]' ]
	[ "$(stat -c %b o/payload.bin)" -lt 1000 ]
}

@test "what varied is drawn" {
	command -v gnuplot >/dev/null || skip 'no gnuplot'
	"$copytax" run --methods read_write,sendfile --size 256K --connections 1,2,4 --link tcp,unix --sndbuf 64K,1M --rounds 2 --warmup 0 \
		--watched 0 --events none --quiet --out o >/dev/null
	"$copytax" report o >/dev/null
	for name in connections link sndbuf; do
		[ -s o/plots/sweep-$name.svg ]
		grep -q "plots/sweep-$name.svg" o/report.md
	done
	[ ! -e o/plots/sweep-sink.svg ]
	# each method a row for each value
	[ "$(cut -f 2 o/data/sweep-connections.tsv | tail -n +2 | sort -n | uniq -c | tr -s ' ' | tr '\n' ';')" = ' 2 1; 2 2; 2 4;' ]
}

@test "the share that was copied after all stands in every picture that shows such a method" {
	command -v gnuplot >/dev/null || skip 'no gnuplot'
	able zerocopy || skip 'no zerocopy here'
	"$copytax" run --methods read_write,zerocopy,uring_read_send_sqpoll --size 256K --chunk 4K,32K --connections 1,2 --rounds 2 --warmup 0 \
		--watched 1 --events none --quiet --out o >/dev/null
	[ "$(cases 'select(.method == "zerocopy") | .method_figures.copied_share.value // .method_figures.copied_share' | sort -u)" = 1 ]
	"$copytax" report o >/dev/null
	[ -s o/plots/sweep-connections.svg ]
	for picture in o/plots/*.svg; do
		echo "$picture"
		grep -q 'zerocopy 100% copied' "$picture"
		# no method's name is cut
		if grep -qE 'uring_read_send_sqpo?<' "$picture"; then return 1; fi
	done
	grep -q 'zerocopy ‡' o/plots/sweep-connections.svg
	grep -q 'uring_read_send_sqpoll<' o/plots/sweep-connections.svg
}

@test "file systems on loop devices are made and removed" {
	root_only
	[ -e /dev/loop-control ] || skip 'no loop devices'
	"$REPO/scripts/filesystems.sh" "$(dirname "$BINARY")" o "ext4 tmpfs" --methods read_write --size 256K --rounds 1 --warmup 0 --watched 0 \
		--events none --quiet >/dev/null 2>errors || { cat errors; skip 'no loop mounts here'; }
	[ "$(jq -r .host.storage.file_system.value o/ext4/result.json)" = ext4 ]
	[ "$(jq -r .host.storage.file_system.value o/tmpfs/result.json)" = tmpfs ]
	[ "$(find o -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' ')" = 'ext4 tmpfs ' ]
	teardown_leftovers
	[ -z "$(losetup -a 2>/dev/null | grep copytax- || true)" ]
}

@test "peers over the same file, in turns" {
	for tool in nc socat iperf3 nginx; do
		command -v $tool >/dev/null && there=1
	done
	[ -n "${there:-}" ] || skip 'no peer is installed'
	PEERS_METHODS=sendfile PEERS_CHUNKS=1M "$REPO/scripts/peers.sh" "$(dirname "$BINARY")" o 1M 2 >text
	[ "$(jq '[.rows[] | select((.wall_s | length) != 2 or .gb_per_s.median <= 0)] | length' o/peers.json)" -eq 0 ]
	[ "$(jq '[.rows[] | select(.is_peer)] | length' o/peers.json)" -ge 1 ]
	grep -q 'copytax sendfile 1M' text
	[ "$(ls -A o)" = peers.json ]
}
