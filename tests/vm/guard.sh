# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For sourcing: a folder "$work" that is removed at the end, however that comes, and guarded(), whose command ends
# with this script.

work=$(mktemp -d "${TMPDIR:-/tmp}/copytax-vm-run.XXXXXX")
child=''
# shellcheck disable=SC2317 # the trap calls it
finish() {
	local status=$?
	trap - EXIT INT TERM HUP
	if [[ -n $child ]] && kill "$child" 2>/dev/null; then
		wait "$child" || true
	fi
	rm -rf "$work"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Its output in "$work"/out and err. In the background and waited for, so that a signal here ends the command at once.
guarded() {
	local status=0
	"$@" >"$work/out" 2>"$work/err" &
	child=$!
	wait "$child" || status=$?
	child=''
	return "$status"
}
