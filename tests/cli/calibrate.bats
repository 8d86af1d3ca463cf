#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The prices measured one by one. What they are is this machine's business; that each is there or says why not is ours.
load helpers

IDS='null_call read_call read_copy read_copy_4K read_copy_1M memcpy_copy fault fault_pages fresh_mapping handed_copy mapped_copy queued_copy queued_mapped_copy sent_copy sent_mapped_copy
	switch_same_cpu switch_cross_cpu disk_wait disk_read delivered_wait delivered_bytes'

@test "each price is a number in its interval, or null with a reason" {
	run --separate-stderr "$copytax" calibrate --size 2M --chunk 8K --json
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	# shellcheck disable=SC2086
	jq -e '
		.chunk == 8192 and .bytes == 2097152
		and ([.measurements[].id] == $ARGS.positional)
		and all(.measurements[]; (.name | length > 10) and (.unit | length > 5) and (.how | length > 10)
			and if .value == null then (.reason | length > 10) else
				.value > 0 and .low <= .value and .value <= .high and .n > 0 and .confidence > 0.5 end)
		# nothing can keep these from being measured
		and all(.measurements[] | select(.id | IN("null_call", "read_call", "memcpy_copy")); .value > 0)
		# a mapping of 512 pages takes between one fault and one for each
		and all(.measurements[] | select(.id == "fault_pages" and .value); .value >= 1 and .value <= 512)' \
		--args $IDS <<<"$output"
	nothing_left_but
}

@test "calibrate in words" {
	run --separate-stderr "$copytax" calibrate --size 1M
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ $output == *"chunk 32K, file of 1M"* ]]
	[[ $output =~ "a system call that does nothing: "[0-9.e+]+\ (ns|µs|ms)\ \([0-9.e+]+\ (ns|µs|ms)\ to\ [0-9.e+]+\ (ns|µs|ms)\)\ per\ call ]]
	[[ $output == *"pages that a fault maps: "* ]]
	[[ ! $output =~ :\ (nan|inf|-) ]]
	# a line for each, and one below it that says how
	[ "$(tail -n +4 <<<"$output" | grep -c '^[a-z].*: ')" -eq 21 ]
	nothing_left_but
}

@test "what a file system can't do is not known, with the reason, and the rest is" {
	need_root
	mkdir refuses
	mount -t ramfs none refuses 2>/dev/null || skip "can't mount a ramfs here"
	mounted=$PWD/refuses
	run --separate-stderr "$copytax" calibrate --size 1M --dir refuses --json
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	jq -e '[.measurements[] | select(.id | startswith("disk_")) | .value == null and (.reason | test("O_DIRECT: Invalid argument"))]
		== [true, true] and (.measurements[] | select(.id == "null_call") | .value > 0)' <<<"$output"
	run --separate-stderr "$copytax" calibrate --size 1M --dir refuses
	[[ $output == *"a wait for the disk: not known: reading the file with O_DIRECT: Invalid argument"* ]]
	[ -z "$(find refuses -type f)" ]
}

@test "on one CPU there is no other to wait for" {
	run --separate-stderr taskset -c "$(taskset -pc $$ | sed 's/.*: //; s/[-,].*//')" "$copytax" calibrate --size 1M --json
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	jq -e '.cpu == .peer_cpu and (.measurements[] | select(.id == "switch_cross_cpu")
		| .value == null and (.reason | test("share a CPU")))' <<<"$output"
}

@test "calibrate: what it refuses" {
	run --separate-stderr "$copytax" calibrate --size 4K
	says 2 "'4K' is no size of 1M or more"
	run --separate-stderr "$copytax" calibrate --chunk 1
	says 2 "'1' is no chunk of 512 to 1G"
	run --separate-stderr "$copytax" calibrate --size many
	says 2 "'many' is no size"
	run --separate-stderr "$copytax" calibrate --size 1M --dir nowhere
	says 3 "nowhere.*No such file"
	run --separate-stderr "$copytax" calibrate --dir "$(head -c 5000 /dev/zero | tr '\0' x)"
	says 2 "too long"
	run --separate-stderr "$copytax" calibrate now
	[ "$status" -eq 2 ]
	nothing_left_but
}

made() {
	compgen -G 'copytax-calibrate-*.bin' >/dev/null
}

@test "calibrate: a signal ends it, and the file with it" {
	start calibrate --size 64M
	wait_until 10 made
	kill -INT "$pid"
	finish
	says 130 "interrupted"
	[ -z "$output" ]
	nothing_left_but
}

@test "run --calibrate: five sittings between the rounds, all samples kept" {
	run --separate-stderr "$copytax" run --methods read_write,sendfile --size 1M --rounds 3 --watched 0 --calibrate --catch-up 0 --quiet --out o
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	# shellcheck disable=SC2086
	jq -e --args '.prices.direct.measurements
		| [.[].id] == $ARGS.positional
		and all(.[]; (.sittings | length) == 5)
		and all(.[].sittings[]; (.samples | length) == 3 or (.reason | length > 10))
		# the value is that of all samples
		and (.[0] | .n == 15 and ([.sittings[].samples[]] | sort | .[7]) == .value)' $IDS <o/result.json
	nothing_left_but o o/result.json
}

sitting() {
	grep -q "one by one, 1 of 5" err
}

@test "a signal in a sitting ends the run, with a valid result" {
	"$copytax" run --methods read_write --size 64M --rounds 3 --watched 0 --calibrate --out o >out 2>err &
	pid=$!
	wait_until 20 sitting
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	echo "$status $(cat err)"
	[ "$status" -eq 130 ]
	grep -q "interrupted" err
	jq -e '.run.interrupted' o/result.json
	nothing_left_but err o o/result.json out
}
