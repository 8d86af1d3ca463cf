#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Results beside each other, the trend of many, and rounds until medians are known.
load helpers

setup_file() {
	local binary
	binary=$(realpath "${COPYTAX:-$BATS_TEST_DIRNAME/../../build/copytax}")
	cd "$BATS_FILE_TMPDIR" || return 1
	"$binary" run --size 256K --rounds 24 --methods read_write,sendfile --watched 0 --events none --catch-up 0 --quiet \
		--out a >/dev/null
	# a steady machine: verdicts on one that moves are in the unit tests, and this one may move just now
	jq '.cases[].samples |= (.sender_cpu_s |= [range(length) | 0.0002 * (1 + (. * . * 37 % 97) / 5000)]
		| .yardstick_s |= [range(length) | 0.0025 * (1 + (. * . * 31 % 89) / 5000)]
		| .core_latency_s |= map(1.2e-7) | .core_latency_after_s |= map(1.2e-7) | .apart |= map(0) | .steal_s |= map(0))' a/result.json >steady
	mv steady a/result.json
	# a day later, the same host; and then another one, where all of it costs ten times as much at the same speed
	jq '.run.started = "2099-01-02T03:04:05Z"' a/result.json >b.json
	jq '.run.started = "2098-01-02T03:04:05Z" | .host.cpu.model = {value: "another <b>CPU</b>", source: "made up"}
		| .cases[].samples.sender_cpu_s[] *= 10' a/result.json >c.json
	export RESULTS=$BATS_FILE_TMPDIR
}

extra_setup() {
	cp -r "$RESULTS/a" "$RESULTS/b.json" "$RESULTS/c.json" .
}

@test "a result is the same as itself, and the host was equally fast" {
	run --separate-stderr "$copytax" compare a b.json
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"equally fast both times"* ]]
	run --separate-stderr "$copytax" compare --verdicts a b.json
	[ "$status" -eq 0 ]
	[ "${lines[2]}" = "slower 0.0" ]
	[[ ! $output =~ worse|better ]]
}

@test "ten times as dear is worse, fails the gate, and another host is named first" {
	run --separate-stderr "$copytax" compare --fail-if 'sender_cpu>5%' a c.json
	echo "$output"
	[ "$status" -eq 1 ]
	[[ ${lines[1]} == "Not comparable, because"* ]]
	[[ $output == *"sender_cpu > 5 %: FAILED"* ]]
	"$copytax" compare --json a c.json | jq -e '.comparisons[0] | .host_speed.slower == 1 and
		(.cases | all(.metrics.sender_cpu | .verdict == "worse" and .at_equal_speed.ratio == .ratio))'
}

@test "a slower host is no slower build" {
	jq '.cases[].samples |= (.sender_cpu_s[] *= 1.3 | .yardstick_s |= map(if . then . * 1.3 else . end))' \
		a/result.json >slow.json
	run --separate-stderr "$copytax" compare --fail-if 'sender_cpu>5%' a slow.json
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"the host was 30 % slower"* ]]
}

@test "an older result has no yardstick, and that is said" {
	jq 'del(.cases[].samples.yardstick_s)' a/result.json >old.json
	run --separate-stderr "$copytax" compare old.json b.json
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[[ $output == *"no yardstick"* ]]
}

@test "more than two stand side by side, in the order of time, by host" {
	run --separate-stderr "$copytax" compare b.json a c.json
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"1. a: "*"2. c.json: "*"host 2 (another <b>CPU</b>"*"3. b.json: "* ]]
	run --separate-stderr "$copytax" compare --markdown a b.json c.json
	[[ $output != *"<b>"* ]]
	"$copytax" compare --json a b.json c.json | jq -e '.all | .hosts == 2 and (.results | length) == 3 and
		(.cases | length) == 2 and (.cases | all(.sender_cpu_s | length == 3))'
}

@test "a trend is drawn of one host, and of nothing else" {
	command -v gnuplot >/dev/null || skip "gnuplot is not installed"
	run --separate-stderr "$copytax" compare --verdicts --plot trend.svg a b.json
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	xmllint --noout trend.svg 2>/dev/null || grep -q '</svg>' trend.svg
	grep -q sendfile trend.svg
	run --separate-stderr "$copytax" compare --verdicts --plot other.svg a c.json
	says 2 'several hosts'
	[ ! -e other.svg ]
	run --separate-stderr "$copytax" compare --verdicts --plot trend.jpeg a b.json
	says 2 'no picture'
	run --separate-stderr "$copytax" compare --verdicts --plot nowhere/trend.svg a b.json
	says 2 'nowhere'
}

@test "a trend has one line per method, of cases under the same conditions, and as many as have a place" {
	command -v gnuplot >/dev/null || skip "gnuplot is not installed"
	jq '.cases += [.cases[] | .sink = "truncate", (.link = "unix")]' a/result.json >sinks.json
	jq '.run.started = "2099-01-02T03:04:05Z"' sinks.json >later.json
	run --separate-stderr "$copytax" compare --verdicts --plot trend.svg sinks.json later.json
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$(grep -c '<text>sendfile<' trend.svg)" -eq 1 ]
	grep -q 'warm, drain, tcp, chunk 32K' trend.svg
	# more methods than there are names for
	jq '.cases = [range(70) as $i | .cases[0] | .method = "m\($i)"]' a/result.json >many.json
	run --separate-stderr "$copytax" compare --verdicts --plot many.svg many.json many.json
	echo "$stderr"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	grep -q '<text>m63<' many.svg
	jq '.cases[].cache = "cold"' a/result.json >cold.json
	run --separate-stderr "$copytax" compare --verdicts --plot none.svg cold.json cold.json
	says 2 'no warm case to draw'
	[ ! -e none.svg ]
}

@test "precision is reached, or the result says that it never was" {
	"$copytax" run --size 256K --methods sendfile --rounds 2 --precision 99% --watched 0 --events none --quiet \
		--out wide >/dev/null
	# no interval of two samples covers the median with 95 %
	jq -e '.settings.precision == 0.99 and (.cases[0].samples.round | length) >= 7' wide/result.json
	"$copytax" run --size 256K --methods sendfile --rounds 2 --precision 0.01% --precision-time 5 --watched 0 \
		--events none --quiet --out narrow >/dev/null
	jq -e '[.warnings[] | select(.code == "precision_not_reached")] | length == 1 and
		(.[0].text | test("never was: sendfile 32K warm"))' narrow/result.json
	# rounds are numbered on, and none twice
	jq -e '.cases[0].samples.round | . == (. | unique) and length > 7' narrow/result.json
	run --separate-stderr "$copytax" run --precision 2 --out none
	says 2 'no precision'
}

@test "in turns: pairs of runs are one comparison, and a difference in all of them is told" {
	local pairs=() i
	for i in 1 2 3 4 5 6 7 8; do
		# a host of another mood in each pair, which both runs of it feel
		jq --argjson f "$i" '.cases[].samples.sender_cpu_s[] *= $f' a/result.json >"base$i.json"
		jq --argjson f "$i" '.cases[].samples.sender_cpu_s[] *= $f
			| (.cases[] | select(.method == "read_write") | .samples.sender_cpu_s[]) *= 1.1' a/result.json >"new$i.json"
		pairs+=("base$i.json" "new$i.json")
	done
	run --separate-stderr "$copytax" compare --in-turns --fail-if 'sender_cpu>5%' "${pairs[@]}"
	echo "$output $stderr"
	[ "$status" -eq 1 ]
	[[ $output == *"8 pairs of runs in turns"* ]]
	[[ $output == *"read_write 32K warm"*"+10.0 % (+10.0 to +10.0)  worse"* ]]
	"$copytax" compare --in-turns --json "${pairs[@]}" | jq -e '.comparisons | length == 1 and (.[0] | .turns.pairs == 8 and
		(.cases | map(.metrics.sender_cpu | [.verdict, .n_new])) == [["worse", 8], ["same", 8]])'
	# one after the other, the same sixteen show nothing but the host
	run --separate-stderr "$copytax" compare base1.json new2.json
	[[ $output != *"read_write 32K warm"*"+10.0 %"* ]]
	run --separate-stderr "$copytax" compare --in-turns base1.json new1.json base2.json
	[ "$status" -eq 2 ]
	[[ $stderr == *"in pairs"* ]]
}

@test "results whose CPUs were at different distances are compared where both have samples, or not comparable" {
	jq '.cases[].samples |= (.core_latency_s |= map(1.2e-7) | .core_latency_after_s |= map(1.2e-7))' a/result.json >near.json
	jq '.cases[].samples |= (.core_latency_s |= map(4.5e-7) | .core_latency_after_s |= map(4.5e-7))' a/result.json >far.json
	# most far, ten of a case's rounds near
	jq '.cases[].samples |= (.core_latency_s[3:13] = [range(10) | 1.2e-7] | .core_latency_after_s = .core_latency_s)' far.json >both.json
	run --separate-stderr "$copytax" compare near.json far.json
	echo "$output"
	[[ $output == *"Not comparable"*"distance of the two CPUs"* ]]
	"$copytax" compare --json near.json both.json | jq -e '.comparisons[0] | .comparable and (.cases | all(.metrics.sender_cpu.n_new == 10))'
}

@test "in-turns.sh: pairs of runs of two builds, the payload removed, the results kept" {
	PAIRS=2 ROUNDS=1 SIZE=256K run --separate-stderr "$REPO/scripts/in-turns.sh" "$copytax" "$copytax" turns --methods sendfile
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[[ $output == *"2 pairs of runs in turns"* ]]
	[[ $output == *"sendfile 32K warm"*"can't tell"* ]]
	[ "$(ls turns)" = "$(printf '%s\n' base-1 base-2 new-1 new-2)" ]
	run --separate-stderr "$REPO/scripts/in-turns.sh" "$copytax" nothing turns
	[ "$status" -eq 2 ]
	[[ $stderr == *"no program nothing"* ]]
}
