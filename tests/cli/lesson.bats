#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The lesson says what the reference result says, in both languages, and its commands work as they are typed.
load helpers

# commands FILE: the lines of its code blocks
commands() {
	awk '/^```/ { code = !code; next } code' "$REPO/docs/$1"
}

@test "every figure of the lesson is the reference result's" {
	for lesson in lesson lesson.zh; do
		"$REPO/scripts/lesson.sh" "$copytax" "$REPO/results/reference/result.json" "$REPO/docs/lesson/$lesson.in.md" >$lesson.md
		diff $lesson.md "$REPO/docs/$lesson.md" || {
			echo "'make lesson' writes it anew"
			return 1
		}
		run grep -n '{{' $lesson.md
		[ "$status" -ne 0 ]
	done
}

@test "so is the README's table" {
	cp "$REPO/README.md" .
	"$REPO/scripts/readme-table.sh" "$copytax" "$REPO/results/reference" README.md
	diff README.md "$REPO/README.md"
}

@test "a figure that nobody knows is an error, and one that was not measured a dash" {
	echo 'a {{read_write.calls}} b {{no.such}}' >text
	run --separate-stderr "$REPO/scripts/lesson.sh" "$copytax" "$REPO/results/reference/result.json" text
	[ "$status" -ne 0 ]
	[[ $stderr == *no.such* ]]
	jq '.cases[].counts.syscalls = {value: null, reason: "x"} | .prices = {}' "$REPO/results/reference/result.json" >result.json
	echo '{{read_write.calls}} {{price.copy}}' >text
	[ "$("$REPO/scripts/lesson.sh" "$copytax" result.json text)" = "– –" ]
}

@test "both languages type the same and quote the same" {
	[ "$(commands lesson.md)" = "$(commands lesson.zh.md)" ]
	for lesson in lesson lesson.zh; do
		grep -o '{{[^}]*}}' "$REPO/docs/lesson/$lesson.in.md" | sort -u >$lesson.names
	done
	diff lesson.names lesson.zh.names
}

@test "every command of the lesson works, with a smaller payload" {
	mkdir build
	ln -s "$copytax" build/copytax
	[ "$(commands lesson.md | wc -l)" -ge 15 ]
	while read -r command; do
		case $command in
		make*) continue ;;
		*' run '*) command="$command --size 1M --rounds 1 --quiet" ;;
		*' send '*) command="$command --size 1M" ;;
		esac
		[[ $command != strace* ]] || command -v strace >/dev/null || continue
		echo "$command"
		# doctor's code says what it found
		# shellcheck disable=SC2086
		run --separate-stderr env ASAN_OPTIONS=detect_leaks=0 $command </dev/null
		echo "$status $stderr"
		[ "$status" -eq 0 ] || [[ $command == *doctor* ]]
	done < <(commands lesson.md)
	[ -s results/lab3/report.md ]
}
