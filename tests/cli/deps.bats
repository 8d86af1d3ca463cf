#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# scripts/deps.sh on systems made up for the purpose: no package is installed and no network is used.
load helpers

extra_setup() {
	mkdir bin
	# a system of which only these commands are known
	for tool in bash env sed awk grep sort cat tr id dirname; do
		ln -s "$(command -v $tool)" bin/$tool
	done
	echo 'ID=debian' >os-release
	: >log
}

stub() {
	printf '#!/bin/bash\n%s\n' "$2" >"bin/$1"
	chmod +x "bin/$1"
}

debian() {
	stub apt-get 'echo "apt-get $*" >>log'
	stub dpkg-query "$1"
}

deps() {
	run --separate-stderr env -i PATH="$PWD/bin" OS_RELEASE="$PWD/os-release" bash "$REPO/scripts/deps.sh"
	echo "$status: $output $stderr"
}

@test "nothing is missing: nothing is done" {
	debian 'for p in "${@:3}"; do echo "$p installed"; done'
	deps
	[ "$status" -eq 0 ]
	[ ! -s log ]
}

@test "only what is missing is installed" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	debian 'for p in "${@:3}"; do case $p in jq | strace) ;; *) echo "$p installed" ;; esac; done; exit 1'
	deps
	[ "$status" -eq 0 ]
	[ "$(grep -c . log)" -eq 2 ]
	grep -qx 'apt-get update.*' log
	tail -n 1 log | grep -qE '^apt-get install .*\b(jq strace|strace jq)$'
}

@test "a package that was removed but not purged is missing" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	debian 'for p in "${@:3}"; do [ $p = jq ] && echo "jq config-files" || echo "$p installed"; done'
	deps
	[ "$status" -eq 0 ]
	tail -n 1 log | grep -qE '^apt-get install .* jq$'
}

@test "an installation that fails is a failure" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	debian 'exit 1'
	stub apt-get 'exit 100'
	deps
	[ "$status" -ne 0 ]
}

@test "not root and no sudo: says what to run" {
	debian 'exit 1'
	rm bin/id
	stub id 'echo 1000'
	deps
	[ "$status" -eq 3 ]
	[[ $stderr == *"apt-get install"*"libbpf-dev"* ]]
	[ ! -s log ]
}

@test "not root, with sudo" {
	debian 'for p in "${@:3}"; do [ $p = jq ] || echo "$p installed"; done'
	rm bin/id
	stub id 'echo 1000'
	stub sudo 'echo "sudo" >>log; "$@"'
	deps
	[ "$status" -eq 0 ]
	[ "$(grep -c sudo log)" -eq 2 ]
}

@test "Fedora and Arch: the packages are named, and it is no success" {
	for system in 'ID=fedora;dnf install;libbpf-devel' 'ID=arch;pacman -S;libbpf' 'ID=void;;libbpf'; do
		IFS=';' read -r id command package <<<"$system"
		echo "$id" >os-release
		deps
		[ "$status" -eq 3 ]
		[[ $output$stderr == *"$command"*"$package"* ]]
	done
}

@test "a derivative goes by what it is like" {
	printf 'ID=mint\nID_LIKE="ubuntu debian"\n' >os-release
	debian 'for p in "${@:3}"; do echo "$p installed"; done'
	deps
	[ "$status" -eq 0 ]
}
