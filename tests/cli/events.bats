#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Events, energy and profiles: what a user sees of them, with a PMU and without, and whether perf sees the same.

load helpers

# Counts and samples a process as copytax does (tests/trial/beside.c).
find_beside() {
	beside=$(dirname "$BINARY")/trial/beside
	[ -x "$beside" ] || skip "there is no $beside: 'make tests-build' builds it"
}

find_perf() {
	command -v perf >/dev/null || skip 'perf is not installed'
	perf stat -x, -e task-clock -o /dev/null true 2>/dev/null || skip 'perf does not work here'
}

# attach OURS... -- PERF...: runs `beside OURS`, attaches `perf PERF` to the process it made before that has run
# at all, lets it run to its end, and waits for both: whatever the process does, both have seen it all.
attach() {
	local words=() pid there perf
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	shift
	mkfifo go control ready
	"$beside" "${words[@]}" <go >ours 2>number &
	there=$!
	exec 7>go 8<>control 9<>ready
	wait_until 10 test -s number
	read -r pid <number
	[[ $pid =~ ^[0-9]+$ ]] || {
		echo "beside: $pid"
		exec 7>&- 8>&- 9>&-
		wait $there || true
		return 1
	}
	perf "$@" -p "$pid" -D -1 --control fifo:control,ready >perf.out 2>&1 7>&- &
	perf=$!
	echo enable >&8
	read -r -t 20 -u 9 || {
		cat perf.out
		echo go >&7
		exec 7>&- 8>&- 9>&-
		wait $there $perf || true
		skip "perf can't be attached here: $(tail -n 1 perf.out)"
	}
	echo go >&7
	exec 7>&-
	wait $there
	wait $perf || true
	exec 8>&- 9>&-
}

# within PERCENT A B
within() {
	awk -v p="$1" -v a="$2" -v b="$3" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(d <= p / 100 * b) }'
}

@test 'software events are those of perf stat, to one per cent' {
	find_beside
	find_perf
	attach count none "$copytax" send --method mmap_write --size 64M -- \
		stat -x, -o theirs -e task-clock,context-switches,cpu-migrations,minor-faults,major-faults
	cat theirs
	for event in task-clock context-switches cpu-migrations minor-faults major-faults; do
		theirs=$(awk -F, -v e=$event '$3 == e { print $1 }' theirs)
		# perf shows its clock in ms
		ours=$(jq --arg e $event '[.[] | select(.name == $e) | .value] | add
			| if $e == "task-clock" then . / 1e6 else . end' ours)
		echo "$event: perf $theirs, copytax $ours"
		[ -n "$theirs" ]
		within 1 "$ours" "$theirs"
	done
	# and something happened
	[ "$(jq '[.[] | select(.name == "minor-faults") | .value] | add' ours)" -gt 100 ]
}

@test 'shares of the profile are those of perf record, to five points' {
	find_beside
	find_perf
	[ "$(sysctl -n kernel.kptr_restrict 2>/dev/null || echo 0)" -lt 2 ] || skip 'kernel.kptr_restrict hides the names'
	run -0 "$copytax" run --quiet --size 64M --rounds 1 --warmup 0 --watched 0 --events none --methods read_write \
		--keep-payload --out out
	for method in read_write sendfile; do
		rm -f go control ready number
		# enough of the same that chance is small: some thousand samples
		attach sample bash -c 'for ((i = 0; i < 24; i++)); do "$0" send --method "$1" --file "$2" || exit 1; done' \
			"$copytax" $method out/payload.bin -- record -q -e cpu-clock -c 499979 -g -o recorded
		perf script -i recorded -F ip,sym 2>/dev/null | awk '
			function put(  i, line) {
				line = "worker"
				for (i = n; i > 0; i--)
					line = line ";" frame[i]
				if (n)
					print line " 1"
				n = 0
			}
			!NF { put(); next }
			{
				name = $2
				for (i = 3; i <= NF; i++)
					name = name "_" $i
				frame[++n] = ($1 ~ /^ffff/) ? name "_[k]" : name
			}
			END { put() }' >theirs
		"$beside" sites <ours >ours.sites
		"$beside" sites <theirs >theirs.sites
		echo "$method: site, copytax's share and samples, perf's"
		join ours.sites theirs.sites
		[ "$(awk '{ n += $3 } END { print n + 0 }' theirs.sites)" -gt 500 ]
		join ours.sites theirs.sites | awk '
			{ d = $2 - $4; if (d < 0) d = -d; if (d > 0.05) { print "too far apart: " $0; bad = 1 } }
			END { exit bad || NR < 10 }'
	done
}

# without_pmu: skips where there is one
without_pmu() {
	run -0 "$copytax" list events
	[[ $output == *'no PMU'* || $output == *'given no PMU'* ]] || skip 'this machine has a PMU'
}

# event NAME SCOPE FILTER: of the first case of out/result.json
event() {
	jq -r --arg n "$1" --arg s "$2" ".cases[0].events[] | select(.name == \$n and .scope == \$s) | $3" out/result.json
}

@test 'without a PMU every hardware event is null with the reason, and all the rest is whole' {
	without_pmu
	run -0 "$copytax" run --quiet --size 4M --rounds 2 --watched 1 --methods read_write,sendfile --out out
	[[ $output == *'no PMU'* ]]
	for event in cycles instructions cache-references cache-misses dTLB-load-misses branch-misses \
		stalled-cycles-frontend stalled-cycles-backend; do
		for scope in user kernel; do
			[ "$(event $event $scope .value)" = null ]
			event $event $scope .reason | grep -q 'no PMU'
		done
	done
	# a software event's 0 is a real one
	[ "$(jq '[.cases[].events[] | select(.source == "software event of the kernel" and .value == null)] | length' \
		out/result.json)" -eq 0 ]
	[ "$(event task-clock all .value)" -gt 0 ]
	[ "$(event emulation-faults user .value)" -eq 0 ]
	jq -e '.cases[].figures[] | .value == null and (.reason | test("no PMU"))' out/result.json
	run -0 "$copytax" report out
	[ -z "$stderr" ]
	[ ! -e out/plots/cycles.svg ]
	grep -q 'No picture of “CPU cycles.*no PMU' out/report.md
	grep -q 'No picture of “CPU cycles' out/report.html
	[ -s out/plots/cpu.svg ] || ! command -v gnuplot
	[ "$(awk -F '\t' '$8 == "cycles" && $10 == "NaN"' out/data/events.tsv | wc -l)" -eq 4 ]
}

@test "events by any of libpfm4's names, with modifiers" {
	run -0 "$copytax" run --quiet --size 1M --rounds 1 --warmup 0 --watched 0 --methods read_write --out out \
		--events 'CONTEXT-SWITCHES,perf::PAGE-FAULTS:k,PERF_COUNT_SW_CPU_CLOCK:u=1,cycles:u,instructions:zz,no-such-event'
	# in the mode that was asked for, and in no other
	[ "$(event perf::PAGE-FAULTS kernel .name)" = perf::PAGE-FAULTS ]
	[ -z "$(event perf::PAGE-FAULTS user .name)" ]
	[ "$(event PERF_COUNT_SW_CPU_CLOCK user .name)" = PERF_COUNT_SW_CPU_CLOCK ]
	[ "$(event cycles user .name)" = cycles ]
	[ -z "$(event cycles kernel .name)" ]
	# the unknown is kept, with its reason
	event no-such-event kernel .reason | grep -q 'not found.*list events'
	event instructions:zz user .reason | grep -q attribute
	# a software event of the fixed list is not counted twice, and others of the default list are not there
	[ -z "$(event CONTEXT-SWITCHES all .name)" ]
	[ -z "$(event branch-misses user .name)" ]
	# with none the pass is left out
	run -0 "$copytax" run --quiet --size 1M --rounds 1 --warmup 0 --watched 0 --methods read_write --events none --out none
	[ "$(jq '.cases[0].events | length' none/result.json)" -eq 0 ]
	run -2 "$copytax" run --quiet --size 1M --methods read_write --events 'cycles,,instructions' --out bad
	[[ $output == *'no list of events'* ]]
}

@test 'what this machine offers is listed' {
	run -0 "$copytax" list events
	[[ $output == *task-clock*'can be counted'* ]]
	[[ $output == *stalled-cycles-backend* ]]
	run -0 "$copytax" list all-events
	[[ $output == *perf::PERF_COUNT_HW_CPU_CYCLES* ]]
}

@test 'a forbidden event names the sysctl and the capability' {
	need_root
	paranoid=$(cat /proc/sys/kernel/perf_event_paranoid)
	[ "$paranoid" -ge 2 ] || skip "kernel.perf_event_paranoid is $paranoid: everybody may count"
	chmod 755 "$BATS_TEST_TMPDIR" . || true
	mkdir out && chmod 777 out
	cp -L "$copytax" plain
	run -0 setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all ./plain run --quiet --size 1M \
		--rounds 1 --warmup 0 --watched 0 --methods read_write --profile --out out
	event context-switches all .reason | grep -q "kernel.perf_event_paranoid is $paranoid.*CAP_PERFMON"
	event minor-faults kernel .reason | grep -q 'CAP_PERFMON'
	[ "$(jq -r '.cases[0].profile.samples' out/result.json)" = null ]
	jq -e '.cases[0].profile.reason | test("CAP_PERFMON")' out/result.json
	[[ $output == *CAP_PERFMON* ]]
}

@test 'energy is what the power counters say, less the idle machine' {
	need_root
	unshare -m true 2>/dev/null || skip "can't make a mount namespace here"
	# a machine of 20 W when idle, and of 60 while a transfer's processes are there
	cat >energetic <<-'END'
		mount -t tmpfs none /sys/class || exit 77
		zone=/sys/class/powercap/intel-rapl:0
		mkdir -p $zone && echo package-0 >$zone/name && echo 262143328850 >$zone/max_energy_range_uj
		echo 1000000 >$zone/energy_uj
		"$@" &
		pid=$!
		uj=1000000 before=${EPOCHREALTIME/./}
		while kill -0 $pid 2>/dev/null; do
			watts=20
			! pgrep -P $pid >/dev/null || watts=60
			now=${EPOCHREALTIME/./}
			uj=$((uj + watts * (now - before))) before=$now
			echo $uj >$zone/energy_uj
		done
		wait $pid
	END
	run unshare -m bash ./energetic "$copytax" run --quiet --size 320000K --rounds 1 --warmup 0 --watched 0 \
		--methods read_write --out out
	[ "$status" -ne 77 ] || skip "can't mount over /sys/class here"
	echo "$output"
	[ "$status" -eq 0 ]
	jq -c '.cases[0].energy' out/result.json
	# the counter is read, and its idle watts are those it was told: the writer's pace blurs them
	jq -e '.cases[0].energy.package | if .value == null then .reason | test("no more than the idle")
		else .joules > 0 and .idle_watts > 10 and .idle_watts < 40 and .source == "powercap"
			and ((.joules - .idle_joules) / .value * 1e9 / 327680000 | fabs | . > 0.99 and . < 5.01) end' out/result.json
	jq -e '.cases[0].energy.dram.value == null and (.cases[0].energy.dram.reason | length > 10)' out/result.json
}

@test 'a profile of every method: sites, stacks, flame graphs, links' {
	run -0 "$copytax" run --quiet --size 16M --rounds 2 --watched 1 --profile --out out
	[ "$(jq -r '.cases[0].profile.samples' out/result.json)" != null ] ||
		skip "no stacks here: $(jq -r '.cases[0].profile.reason' out/result.json)"
	jq -e '.cases[0].profile.sites.copying' out/result.json || skip 'the kernel has no names here'
	jq -r '.cases[] | select(.profile.sites) | [.method, .profile.samples, .profile.sites.copying.share,
		.profile.sites.other.share] | @tsv' out/result.json
	for method in $(jq -r '.cases[] | select(.profile.samples) | .method' out/result.json); do
		[ -s "out/profile/$method.folded" ]
		grep -q '</html>' "out/profile/$method.html"
	done
	# chance needs some samples to be small
	jq -e '[.cases[] | select(.profile.samples != null and .profile.samples > 100)
		| select(.profile.sites.other.share >= 0.05)] | length == 0' out/result.json
	jq -e '.cases[] | select(.method == "sendfile") | .profile.sites.copying.share < 0.02
		and (.profile.agreement.reason | test("copies nothing"))' out/result.json
	jq -e '.cases[] | select(.method == "read_write") | .profile.sites.copying.samples > 0
		and .profile.agreement.profile_ns_per_kib > 0' out/result.json
	[[ $output == *"Where the sender's CPU time went"* ]]
	run -0 "$copytax" report out
	grep -q '(profile/sendfile.html)' out/report.md
	for method in read_write sendfile; do
		grep -q "href=\"profile/$method.html\"" out/report.html
	done
	[ -s out/plots/sites.svg ] || ! command -v gnuplot
	# elsewhere the links would lead nowhere
	run -0 "$copytax" report out --out there --no-plots
	run ! grep -q 'profile/sendfile.html' there/report.md
}

@test 'a profile of another chunk and of a cold cache, where the plan has no other' {
	run -0 "$copytax" run --quiet --size 4M --rounds 1 --warmup 0 --watched 0 --events none --chunk 64K --sink truncate \
		--methods read_write --profile --out out
	[ "$(jq -r '.cases[0].profile | length > 0' out/result.json)" = true ]
	[ "$(jq -r '.cases[0].profile.samples' out/result.json)" = null ] || [ -s out/profile/read_write.folded ]
}
