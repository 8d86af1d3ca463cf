#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# report.html as a browser has it. Without Chromium these are skipped.
load helpers

setup_file() {
	# five methods, two caches, two chunks: every picture there is
	one_result --size 1M --rounds 3 --chunk 4K,32K --cache warm,cold
}

extra_setup() {
	command -v chromium chromium-browser google-chrome >/dev/null ||
		skip "no Chromium here (Debian: apt install chromium)"
	mkdir o look
	cp "$RESULT" o/
}

# browse PAGE: found, what a reader would meet
browse() {
	found=$("$BATS_TEST_DIRNAME/browse.sh" "$1" look)
	jq -e '.frames | length == 3' <<<"$found" >/dev/null || {
		echo "the browser did not get through: $found"
		tail -5 look/log
		return 1
	}
}

# found EXPRESSION: holds of what was found
found() {
	jq -e "$1" <<<"$found" >/dev/null || {
		echo "not so: $1"
		jq -c 'del(.frames[].figures, .frames[].answer)' <<<"$found"
		return 1
	}
}

# What holds of every page of ours, whatever the result.
sound() {
	found '.console == []'
	found '.fetched == []'
	found 'all(.frames[]; .scroll <= .width)'
	found 'all(.frames[]; .outside == [] and .twice == [] and .dead == 0 and .nameless == 0)'
	found 'all(.frames[]; .unscoped == 0 and .boxed == .tables)'
	# one h1, which comes first, and no level left out on the way down
	found 'all(.frames[].headings; .[0] == 1 and ([.[] | select(. == 1)] | length) == 1 and
		([., .[1:]] | transpose | all(.[1] == null or .[1] <= .[0] + 1)))'
}

@test "the page is whole: pictures, tables, headings, and nothing fetched" {
	"$copytax" report o >/dev/null
	browse o/report.html
	sound
	for svg in o/plots/*.svg; do
		found "all(.frames[]; any(.figures[]; .id == \"plot-$(basename "$svg" .svg)\" and .svg > 100 and .caption != \"\"))"
	done
	for method in $METHODS; do
		[ -s "o/paths/$method.svg" ] || continue
		found "all(.frames[]; any(.figures[]; .id == \"path-$method\" and .svg > 50 and .caption != \"\"))"
	done
	[ "$(find o/plots -name '*.svg' | wc -l)" -ge 4 ]
	[ "$(find o/paths -name '*.svg' | wc -l)" -ge 4 ]
}

@test "the answer on the page is the answer of --json, and the command is the result's own" {
	"$copytax" report o --json >json
	browse o/report.html
	jq -n --argjson found "$found" --slurpfile json json \
		'($found.frames[0].answer | map(gsub("\\s+"; " "))) as $page | $json[0].answer.sentences as $said |
		if $page == $said then "same" else {$page, $said} | tojson | halt_error end'
	jq -n --argjson found "$found" --slurpfile result "$RESULT" \
		'($result[0].run.argv | join(" ")) as $typed |
		if ($found.frames[0].code[-1] | endswith($typed | sub("^[^ ]* "; ""))) then "same" else $typed | halt_error end'
}

@test "a page of hostile words: nothing runs, nothing is fetched" {
	hostile o/result.json
	"$copytax" report o >/dev/null
	browse o/report.html
	sound
	grep -q '&lt;script&gt;' o/report.html
}

@test "the lesson is a page, too" {
	build=$(dirname "$(realpath "$copytax")")
	make -s -C "$REPO" BUILD="$build" lesson-pages
	for page in lesson lesson.zh; do
		browse "$build/$page.html"
		sound
	done
}

@test "this test can fail: a page that fetches, complains and runs over is found out" {
	cat >bad.html <<-'HTML'
		<!DOCTYPE html><meta charset=utf-8><h2 id=a>2</h2><p id=a><table style="width:3000px"><th>1</table>
		<img src="http://192.0.2.1/x.png"><script>console.error("ouch")</script>
	HTML
	browse bad.html
	jq -e '.console[0] | test("ouch")' <<<"$found"
	jq -e '.fetched == ["http://192.0.2.1/x.png"]' <<<"$found"
	jq -e '.frames[0] | .scroll > .width and .twice == ["a"] and .unscoped == 1 and .headings == [2]' <<<"$found"
	run sound
	[ "$status" -ne 0 ]
}
