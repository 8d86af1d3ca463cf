#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Results that nobody measured: deep, huge, not a number, full of markup, or with parts missing. Every command that
# reads results says in one sentence what is wrong, or escapes what it shows. None of them crashes.
load helpers

setup_file() {
	one_result --size 256K --rounds 3 --chunk 4K,32K
}

extra_setup() {
	mkdir o
	cp "$RESULT" good.json
}

# readers: prints every command that reads o/result.json, one per line
readers() {
	echo "report o --no-plots --json"
	echo "compare good.json o/result.json"
	echo "explain read_write --result o"
}

# survives: every reader ends with a documented code, and says why when it is not 0 (1: compare found a difference)
survives() {
	local command
	while read -r command; do
		# shellcheck disable=SC2086
		run --separate-stderr timeout 60 "$copytax" $command
		echo "$command: $status ${stderr:0:300}"
		case $status in
		0 | 1) ;;
		2 | 3) [ "$(printf '%s\n' "$stderr" | wc -l)" -eq 1 ] && [[ $stderr == copytax*:* ]] ;;
		*) return 1 ;;
		esac || return 1
		[[ ! $stderr =~ (Sanitizer|runtime error|\(null\)) ]] || return 1
		# a terminal is not driven by a document
		[[ $output != *$'\e'* ]] || return 1
	done < <(readers)
}

# refused PATTERN: every reader turns the document down for that reason
refused() {
	local command
	while read -r command; do
		# shellcheck disable=SC2086
		run --separate-stderr timeout 60 "$copytax" $command
		echo "$command: $status $stderr"
		[ "$status" -eq 2 ] || return 1
		[ "$(printf '%s\n' "$stderr" | wc -l)" -eq 1 ] || return 1
		[[ $stderr =~ ^copytax.*$1 ]] || return 1
	done < <(readers)
}

@test "nesting without end" {
	{
		printf '{"schema": "copytax.result/1", "host": '
		head -c 300000 /dev/zero | tr '\0' '['
	} >o/result.json
	refused "o/result.json.*JSON"
	# as deep as the JSON library takes, in each part that is shown member by member
	for part in .host .settings .prices '.cases[0].counts' '.cases[0].copies' '.cases[0].profile'; do
		jq --argjson depth 400 "$part.deep = (reduce range(\$depth) as \$i (1; {a: .}))
			| $part.row = (reduce range(\$depth) as \$i (1; [.]))" good.json >o/result.json
		survives
	done
}

@test "numbers that are none" {
	for number in NaN -Infinity 1e999 99999999999999999999999 0x10; do
		sed "0,/\"wall_s\": \[/s//\"wall_s\": [ $number,/" good.json >o/result.json
		refused "o/result.json.*(JSON|line)"
	done
}

@test "numbers beyond measure" {
	for number in 1e308 -1e308 9223372036854775807 1e-320 0 -1; do
		# one kind of number at a time: what one place refuses must not hide what another does
		for part in '.cases[].samples |= map_values(map($n))' \
			'(.cases[].counts[].value?, .cases[].copies[].bytes?, .cases[].copies[].calls?) = $n' \
			'(.prices, .host, .settings, .cases[].profile) |= walk(if type == "number" then $n else . end)' \
			'.cases[].payload = $n' '.cases[].chunk = $n' '.cases[].connections = $n'; do
			jq --argjson n "$number" "$part" good.json >o/result.json
			echo "$part = $number"
			survives
		done
	done
}

@test "markup, script and control characters in every string" {
	cp good.json o/result.json
	hostile o/result.json
	survives
	"$copytax" report o --no-plots >/dev/null
	grep -q '&lt;script&gt;' o/report.html
	[ "$(xmllint --html --xpath 'count(//script | //img | //iframe | //title[2] | //*[@onerror] | //a[starts-with(@href, "java")])' \
		o/report.html 2>/dev/null)" = 0 ]
	# nor in the Markdown, where a forge renders it: outside of code every < of theirs is escaped
	awk '/^````*/ { code = !code; next } !code' o/report.md >words
	run grep -cE '(^|[^\\])<(script|img|/title)' words
	[ "$output" -eq 0 ]
	run grep -cE '^# h|(^|[^\\])\]\(javascript' words
	[ "$output" -eq 0 ]
	run bash -c "xmllint --html --noout o/report.html 2>&1 | grep -v 'Tag .* invalid' | grep -i error"
	[ -z "$output" ]
}

@test "the same, drawn" {
	command -v gnuplot >/dev/null || skip "no gnuplot"
	cp good.json o/result.json
	hostile o/result.json
	run --separate-stderr timeout 120 "$copytax" report o
	echo "$status $stderr"
	[ "$status" -eq 0 ]
	for svg in o/plots/*.svg o/paths/*.svg; do
		[ -e "$svg" ] || continue
		xmllint --noout "$svg"
		run grep -c '<script\|<image' "$svg"
		[ "$output" -eq 0 ]
	done
}

@test "any part taken out, or of another kind" {
	# what the schema asks for is refused in words, the rest is done without
	while read -r path; do
		jq --argjson p "$path" 'delpaths([$p])' good.json >o/result.json
		echo "without $path"
		survives
	done < <(jq -c '(paths | select(length == 1)), (["cases", 0] + (.cases[0] | paths | select(length == 1)))' good.json)
	for value in null '"x"' '[]' '{}' 7; do
		jq "(.run, .host, .settings, .warnings, .probes, .prices, .claims, .tool)[]? = $value" good.json >o/result.json
		echo "all members: $value"
		survives
		jq ".cases[0] |= ((.counts, .copies, .profile, .verified, .events, .notes, .figures)[]? = $value)" good.json >o/result.json
		echo "cases[0], all members: $value"
		survives
	done
}

@test "more cases than a page has room for" {
	jq '.cases |= [range(300) as $i | .[$i % length] | .method = "m\($i)"]' good.json >o/result.json
	survives
	jq '.cases |= [range(300) as $i | .[0] | .chunk = 4096 * ($i + 1)]' good.json >o/result.json
	survives
	jq '.cases = []' good.json >o/result.json
	survives
}
