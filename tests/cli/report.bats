#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The report of a result, and of everything that is no result.
load helpers

setup_file() {
	one_result --size 256K --rounds 3 --chunk 4K,32K
}

extra_setup() {
	mkdir o
	cp "$RESULT" o/
}

# reported: `copytax report` did, and what it says of itself is true
reported() {
	run --separate-stderr "$copytax" report "$@"
	echo "$output $stderr"
	[ "$status" -eq 0 ]
}

refused() {
	local pattern=$1
	shift
	run --separate-stderr timeout 20 "$copytax" report "$@"
	says 2 "$pattern"
}

@test "a report of a folder: text, page, tables and pictures" {
	reported o
	[ -s o/report.md ]
	[ -s o/report.html ]
	[ -s o/data/samples.tsv ]
	[ -n "$(find o/plots -name '*.svg' -size +1k)" ]
	for method in $METHODS; do
		grep -q "$method" o/report.md
		grep -q "$method" o/report.html
	done
	# well-formed, and alone: nothing is fetched when it is opened
	xmllint --html --noout o/report.html 2>&1 | grep -v 'Tag .* invalid' | grep -i error && return 1
	run grep -oE '(src|href)="https?:[^"]*"' o/report.html
	[[ $output != *src=* ]]
	for svg in o/plots/*.svg; do
		xmllint --noout "$svg"
	done
	cmp o/result.json "$RESULT"
}

@test "a report of a file, and one written elsewhere" {
	reported o/result.json --out there
	[ -s there/report.md ]
	[ ! -e o/report.md ]
}

@test "pictures alone, or none" {
	reported o --plots-only --out pictures
	[ -n "$(find pictures -name '*.svg')" ]
	[ ! -e o/report.md ]
	reported o --no-plots
	[ -s o/report.md ]
	[ ! -e o/plots ]
}

@test "the answer as JSON" {
	reported o --no-plots --json
	jq -e 'type == "object"' <<<"$output"
}

@test "text in the pictures is text: a font is there" {
	command -v gnuplot >/dev/null || skip "no gnuplot"
	reported o
	for png in o/plots/*.png; do
		[ "$(stat -c %s "$png")" -gt 5000 ]
	done
	# a missing font is told by the drawing library, on stderr
	run gnuplot -e 'set terminal pngcairo; set output "/dev/null"; set title "text"; plot x'
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "an interrupted result is reported as one" {
	jq '.run.interrupted = true' "$RESULT" >o/result.json
	reported o --no-plots
	grep -qi interrupted o/report.md
}

@test "a failed case and a skipped one are in the report, with their reasons" {
	jq '.cases[0] += {status: "failed", reason: "the cable was cut by <b>mice</b> & rats"}
		| .cases[1] += {status: "skipped", reason: "no such road here"}' "$RESULT" >o/result.json
	reported o --no-plots
	grep -q "the cable was cut" o/report.md
	grep -q "no such road here" o/report.md
	grep -q "the cable was cut" o/report.html
	# a reason is text, not markup
	run grep -c '<b>mice' o/report.html
	[ "$output" -eq 0 ]
}

@test "a result without one sample" {
	jq '.cases |= map(.samples |= map_values([]))' "$RESULT" >o/result.json
	reported o --no-plots
	run grep -ciE '\bnan\b|-nan|\binf\b' o/report.md
	[ "$output" -eq 0 ]
}

@test "a result cut short, anywhere" {
	size=$(stat -c %s "$RESULT")
	for part in 0 1 2 $((size / 4)) $((size / 2)) $((size - 3)); do
		head -c $part "$RESULT" >o/result.json
		refused "o/result.json.*(JSON|cut short)" o
	done
	nothing_left_but o o/result.json
}

@test "a result of another schema" {
	jq '.schema = "copytax.result/99"' "$RESULT" >o/result.json
	refused 'schema "copytax.result/99".*"copytax.result/1"' o
	jq 'del(.schema)' "$RESULT" >o/result.json
	refused 'no "schema"' o
	nothing_left_but o o/result.json
}

@test "a result with a part of the wrong kind" {
	for change in '.cases = {}' '.host = []' 'del(.settings)' '.cases[0].samples.wall_s = 1' '.cases[0].status = "well"' \
		'.cases[0].samples.wall_s += [1]' '.cases[0].chunk = "32K"' '.cases[0].method = null' '.cases[0] = 7'; do
		jq "$change" "$RESULT" >o/result.json
		echo "$change"
		refused "o/result.json is not a whole copytax result" o
	done
	nothing_left_but o o/result.json
}

@test "a result that is missing, a FIFO, a folder, or may not be read" {
	refused "missing.*No such file" missing
	mkdir empty
	refused "empty/result.json.*No such file" empty
	mkdir -p p
	mkfifo p/result.json
	refused "p/result.json.*not a regular file" p
	refused "p/result.json.*not a regular file" p/result.json
	mkdir -p d/result.json
	refused "d/result.json" d
	chmod 000 o/result.json
	run --separate-stderr without_privilege "$copytax" report o
	says 2 "o/result.json.*Permission denied"
	refused "which result" --no-plots
}

@test "a folder that the report can't be written to" {
	chmod 555 o
	run --separate-stderr without_privilege "$copytax" report o --no-plots
	chmod 755 o
	says 3 "Permission denied"
	nothing_left_but o o/result.json
}

@test "report --prices: JSON by this version's model, an older result's fitted anew, and nothing written" {
	jq '.prices.model = "an older one" | .prices.terms = []' "$REPO/results/reference/result.json" >result.json
	before=$(ls)
	run --separate-stderr "$copytax" report --prices result.json
	[ "$status" -eq 0 ]
	jq -e '.anew and (.terms | length) > 10 and .model != "an older one" and .r_squared > 0.9' <<<"$output"
	[ "$(ls)" = "$before" ]
	# the same again
	[ "$output" = "$("$copytax" report --prices result.json)" ]
	run "$copytax" report --prices --json result.json
	[ "$status" -eq 2 ]
}
