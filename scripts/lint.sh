#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a compiler or a checker can find without running anything: both compilers under the Makefile's flags,
# clang-tidy, cppcheck, shellcheck, the gnuplot sources and the man page. Every finding is an error.
# shellcheck disable=SC2317 # the functions below are called through lint()
# Usage: scripts/lint.sh [gcc|clang|tidy|cppcheck|shell|texts]...   (all)
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
jobs=$(nproc)
build=${LINT_BUILD:-build}
# a caller's build folder and jobserver are not for the builds made here
unset BUILD MAKEFLAGS MFLAGS MAKELEVEL
failed=0
found=$(mktemp)
trap 'rm -f "$found"' EXIT
trap 'exit 130' INT TERM

# lint NAME COMMAND...: one line when clean, the command's whole output when not
lint() {
	local name=$1 from=$SECONDS
	shift
	if "$@" >"$found" 2>&1; then
		printf "  %-12s clean, %d s\n" "$name" $((SECONDS - from))
	else
		printf '  %-12s FOUND:\n' "$name"
		cat "$found"
		failed=1
	fi
}

needs() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null && continue
		printf "  %-12s is not installed: 'make deps' installs it\n" "$tool"
		failed=1
		return 1
	done
}

compile() {
	local compiler=$1 into=$build/lint-$1
	make -j"$jobs" --no-print-directory BUILD="$into" CC="$compiler" OPT='-O2 -g' all tests-build
}

# Our own .c files, but for the kernel side, which clang compiles for another machine.
c_files() {
	find bench tests/unit -name '*.c' | sort
}

tidy() {
	# the skeletons of the kernel side are among the headers
	make -j"$jobs" --no-print-directory BUILD="$build/lint-clang" CC=clang skeletons || return
	TIDY_FLAGS=$(make -s --no-print-directory BUILD="$build/lint-clang" CC=clang print-cflags)
	export TIDY_FLAGS
	# one file at a time: clang-tidy 14 takes every va_list for uninitialised in the second of two. On its
	# standard error it counts warnings in the system's headers
	# shellcheck disable=SC2016 # expanded by the shell that xargs starts
	c_files | xargs -P "$jobs" -n 1 bash -c 'clang-tidy --quiet "$@" -- ${TIDY_FLAGS%% -MMD*}' tidy 2>/dev/null
}

check_c() {
	# unusedStructMember and its kind belong to --enable=style, which the compilers and clang-tidy cover
	cppcheck --enable=warning,performance,portability --error-exitcode=1 --inline-suppr --quiet \
		--std=c11 --platform=unix64 -D_GNU_SOURCE -D__linux__ -Ibench -j "$jobs" \
		--suppress=missingIncludeSystem --suppress=assignmentInAssert:bench/overhead/bare.c \
		--include=scripts/lint/macros.h bench tests/unit
}

shell_files() {
	find scripts tests .ci -type f \( -name '*.sh' -o -name '*.bash' -o -name '*.bats' -o -path '.ci/*' \) | sort
}

check_shell() {
	# bats sets variables that shellcheck does not know, runs each test in a subshell, and hands
	# code to other shells in single quotes
	shell_files | grep '\.bats$' | xargs -P "$jobs" -n 3 shellcheck -x -e SC2154,SC2034,SC2030,SC2031,SC2103,SC2016 &&
		shell_files | grep -v '\.bats$' | xargs -P "$jobs" -n 6 shellcheck -x
}

# The man page's macros, and blanks at line ends everywhere.
check_texts() {
	local status=0
	if [ -f docs/copytax.1 ]; then
		LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=100 man --warnings -E UTF-8 -l -Tutf8 -Z docs/copytax.1 \
			2>&1 >/dev/null | grep . && status=1
	fi
	# two blanks at a line's end mean something in Markdown
	grep -rnIE '[[:blank:]]+$' --exclude='*.md' bench bpf scripts tests docs Makefile .ci && {
		echo 'trailing blanks'
		status=1
	}
	return "$status"
}

[ $# -gt 0 ] || set -- gcc clang tidy cppcheck shell texts
for what; do
	case $what in
	gcc | clang) needs "$what" && lint "$what" compile "$what" ;;
	tidy) needs clang-tidy clang && lint clang-tidy tidy ;;
	cppcheck) needs cppcheck && lint cppcheck check_c ;;
	shell) needs shellcheck && lint shellcheck check_shell ;;
	texts) lint texts check_texts ;;
	*)
		echo "lint: there is no '$what'; there are: gcc clang tidy cppcheck shell texts" >&2
		exit 2
		;;
	esac
done
exit $failed
