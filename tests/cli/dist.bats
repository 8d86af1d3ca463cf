#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What leaves the tree: the static program and the Debian package. Builds in the build folder under test.
load helpers

extra_setup() {
	build=$(dirname "$BINARY")
	arch=$(uname -m)
	arch=${arch/aarch64/arm64}
	static=$build/dist/copytax-$arch
}

target() {
	MAKEFLAGS='' MAKELEVEL='' run --separate-stderr make -s -j2 -C "$REPO" BUILD="$build" "$@"
	echo "$output $stderr"
	[ "$status" -eq 0 ]
}

@test "the static program asks for no library, and needs nothing beside it" {
	target "dist-$arch"
	run ldd "$static"
	[ "$status" -ne 0 ]
	[[ $output == *'not a dynamic executable'* ]]
	[ "$(stat -c %s "$static")" -le $((8 << 20)) ]
	# no folder of ours, no plan, no library to find; only what the kernel gives
	if [ "$(id -u)" -eq 0 ]; then
		mkdir -p bare/proc bare/sys bare/dev bare/out
		cp "$static" bare/copytax
		unshare --mount bash -c '
			mount --bind /proc bare/proc && mount --bind /sys bare/sys && mount --bind /dev bare/dev || exit 77
			exec chroot bare /copytax run --plan quick --size 64K --methods sendfile,mmap_write --watched 0 --quiet --out /out' >log ||
			[ $? -eq 77 ] || {
			cat log
			return 1
		}
		jq -e 'all(.cases[]; .status == "ok" and .verified.ok)' bare/out/result.json
	fi
}

@test "the static program counts what the dynamic one counts" {
	target "dist-$arch"
	for program in "$static" "$copytax"; do
		"$program" run --size 1M --methods read_write,mmap_write,sendfile,splice,direct_write --rounds 1 --warmup 0 --watched 1 \
			--events none --quiet --out o >/dev/null
		jq -S '[.cases[] | {method, status, calls: .counts.syscalls.by, copies: (.copies | map_values(.bytes)), factor: .copies.factor.value,
			reason: .counts.syscalls.reason}]' o/result.json >"$(basename "$program").counts"
		jq -S '[.host.cpu.cores.value, .host.cpu.threads.value, .host.cpu.caches.value, .settings.placement]' o/result.json \
			>"$(basename "$program").topology"
		rm -r o
	done
	sed -i "s|$static|copytax|g" ./*.counts
	sed -i "s|$BINARY|copytax|g" ./*.counts
	diff "$(basename "$static").counts" copytax.counts
	diff "$(basename "$static").topology" copytax.topology
}

@test "the static program for arm64 is one, too, and make dist makes both" {
	[ "$arch" = x86_64 ] || skip 'this is not an x86-64 machine'
	rm -f "$build/dist/copytax-arm64"
	target dist
	[[ $output != *'dist: none for arm64'* ]] || skip "$(grep -B 1 '^dist: none' <<<"$output" | head -n 1)"
	[ -x "$static" ]
	program=$build/dist/copytax-arm64
	readelf -h "$program" | grep -E 'Machine: +AArch64'
	readelf -l "$program" >headers
	run ! grep -q INTERP headers
	[ "$(stat -c %s "$program")" -le $((8 << 20)) ]
}

@test "two builds of it, in two places, are the same bytes" {
	target dist-check
	[[ $output == *"copytax-$arch: two builds are the same"* ]]
}

@test "the Debian package: checked, installed, run, removed without a trace" {
	for tool in dpkg dpkg-deb dpkg-shlibdeps; do
		command -v "$tool" >/dev/null || skip "$tool is not installed"
	done
	target deb
	package=$(echo "$build"/dist/copytax_*.deb)
	if command -v lintian >/dev/null; then
		lintian --allow-root --fail-on error,warning "$package"
	fi
	# a system of its own to install into
	mkdir -p root/var/lib/dpkg/info root/var/lib/dpkg/updates
	touch root/var/lib/dpkg/status root/var/lib/dpkg/available
	dpkg --root="$PWD/root" --force-depends --force-not-root --force-script-chrootless --log=/dev/null -i "$package"
	for path in bin/copytax share/man/man1/copytax.1.gz share/bash-completion/completions/copytax \
		share/doc/copytax/copyright share/doc/copytax/examples/quick.plan; do
		[ -s "root/usr/$path" ]
	done
	env -u COPYTAX_SHARE root/usr/bin/copytax run --plan quick --size 64K --methods sendfile --watched 0 --quiet --out o >/dev/null
	env -u COPYTAX_SHARE root/usr/bin/copytax report o >/dev/null
	[ -n "$(find o/plots -name '*.svg')" ]
	dpkg --root="$PWD/root" --force-not-root --force-script-chrootless --log=/dev/null --purge copytax
	find root -type f ! -path 'root/var/*'
	[ -z "$(find root -type f ! -path 'root/var/*')" ]
}

@test "completion offers the commands, options and methods that there are" {
	complete_words() {
		PATH=$BATS_TEST_TMPDIR:$PATH bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _copytax copytax
			printf "%s\n" "${COMPREPLY[@]}"' complete "$REPO/scripts/completion/copytax.bash" "$@"
	}
	[ "$(complete_words copytax doc)" = doctor ]
	[ "$(complete_words copytax run --keep)" = --keep-payload ]
	[ "$(complete_words copytax run --methods sendf)" = sendfile ]
	[ "$(complete_words copytax run --methods = mmap_write,spli | head -n 1)" = mmap_write,splice ]
	[ "$(complete_words copytax run --sink dr)" = drain ]
	complete_words copytax run --methods '' | grep -qx read_write
	complete_words copytax run --plan lin | grep -qx links
	# nothing was started by asking
	nothing_left_but
}
