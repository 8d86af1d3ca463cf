#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# One pass of each command under valgrind: no access to what is not ours, nothing lost.
load helpers

checked() {
	rm -f ../valgrind.*
	run --separate-stderr timeout 300 valgrind --quiet --log-file=../valgrind.%p --error-exitcode=99 \
		--leak-check=full --errors-for-leak-kinds=definite \
		--suppressions="$BATS_TEST_DIRNAME/valgrind.supp" "$BINARY" "$@"
	echo "$*: status $status"
	# a child's findings don't change the parent's exit code, but they are written; "--" lines are about
	# system calls that valgrind does not know
	if grep -hE '^==' ../valgrind.*; then
		return 1
	fi
	[ "$status" -eq 0 ]
}

extra_setup() {
	command -v valgrind >/dev/null || skip "no valgrind"
}

@test "valgrind: send, by every method" {
	for method in $METHODS; do
		checked send -m "$method" --size 100003 --sink verify
	done
}

@test "valgrind: run and report" {
	checked run --size 100003 --rounds 2 --quiet --out o --chunk 4K
	checked report o --no-plots
}

@test "valgrind: list and explain" {
	checked list
	checked explain sendfile
}
