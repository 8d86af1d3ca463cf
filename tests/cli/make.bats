#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the Makefile promises, with the program already built.
load helpers

extra_setup() {
	build=$(dirname "$BINARY")
}

target() {
	MAKEFLAGS='' MAKELEVEL='' run --separate-stderr make -s -C "$REPO" BUILD="$build" "$@"
	echo "$output $stderr"
	[ "$status" -eq 0 ]
}

@test "make alone lists the targets" {
	target
	for name in deps all bench bench-quick plots test lint format install uninstall clean; do
		grep -qE "^  make $name +[^ ]" <<<"$output"
	done
	[ "$output" = "$(MAKEFLAGS='' make -s -C "$REPO" help)" ]
}

@test "a built tree has nothing to build" {
	MAKEFLAGS='' run make -q -C "$REPO" BUILD="$build" all
	[ "$status" -eq 0 ]
}

@test "install puts everything under DESTDIR and PREFIX, and uninstall takes it away" {
	[ -f "$REPO/docs/copytax.1" ] || skip "no man page yet"
	target install DESTDIR="$PWD/root" PREFIX=/opt/copytax
	[ -x root/opt/copytax/bin/copytax ]
	[ -s root/opt/copytax/share/man/man1/copytax.1 ]
	find root -type f | grep -q 'share/copytax/plots/.*\.gp'
	find root -type f | grep -q 'share/copytax/plans/bench.plan'
	[ -z "$(find root -type f ! -path 'root/opt/copytax/*')" ]
	# the installed program is whole: it finds its plots by itself
	root/opt/copytax/bin/copytax run --size 64K --rounds 2 --quiet --out o >/dev/null
	env -u COPYTAX_SHARE root/opt/copytax/bin/copytax report o >/dev/null
	[ -n "$(find o/plots -name '*.svg')" ]
	target uninstall DESTDIR="$PWD/root" PREFIX=/opt/copytax
	[ -z "$(find root -type f)" ]
}

@test "make bench-quick, end to end, with conditions of one's own" {
	target bench-quick SIZE=2M ROUNDS=2 CHUNKS=8K METHODS=read_write,sendfile OUT="$PWD/o"
	jq -e '.settings.payload_bytes == 2097152 and all(.cases[]; .chunk == 8192)
		and ([.cases[].method] | unique == ["read_write", "sendfile"])' o/result.json
	[ -s o/report.md ]
	[ -s o/report.html ]
	[ -n "$(find o/plots -name '*.svg')" ]
	! command -v hyperfine >/dev/null || [ -n "$(find o -name '*hyperfine*.json')" ]
	[ ! -e o/payload.bin ]
	nothing_left_but "$(find o -mindepth 0)"
}

@test "another commit makes another program, and a changed tree says so" {
	git -C "$REPO" rev-parse HEAD >/dev/null 2>&1 || skip 'not a git checkout'
	git clone -q "$REPO" tree
	cd tree
	git config user.name t && git config user.email t@localhost
	cp "$REPO/Makefile" .
	git commit -q -am 'the Makefile that is tested' || true
	first=$(git rev-parse --short=12 HEAD)
	MAKEFLAGS='' make -s BUILD=b b/commit
	[ "$(cat b/commit)" = "$first" ]
	git commit -q --allow-empty -m another
	second=$(git rev-parse --short=12 HEAD)
	[ "$first" != "$second" ]
	# what is built from the commit has to be built anew
	MAKEFLAGS='' make -s BUILD=b -n b/obj/bench/cmd/version.o >plan
	[ "$(cat b/commit)" = "$second" ]
	grep -q "COPYTAX_COMMIT='\"$second\"'" plan
	echo >>README.md
	MAKEFLAGS='' make -s BUILD=b -n b/obj/bench/cmd/version.o >/dev/null
	[ "$(cat b/commit)" = "$second+changed" ]
}
