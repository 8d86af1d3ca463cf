#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The same study with its payload on ext4, xfs, btrfs and tmpfs: each on a loop device (tmpfs in memory) that is made
# for it and removed after it, on every way out. The mounts live in a mount namespace of this script, so that
# even a SIGKILL leaves no mount and no loop device, only image files: OUT/copytax-*.img.
# Usage: scripts/filesystems.sh BUILD OUT "FS..." [copytax run's options but --out, --file]
# Exit codes: 0 all measured, 2 wrong use, 3 not all could be made, else copytax run's
set -uo pipefail
build=${1:?usage: scripts/filesystems.sh BUILD OUT "FS..." [options of copytax run]}
out=${2:?where to}
kinds=${3:?which file systems}
if [ "$(id -u)" -ne 0 ]; then
	echo 'filesystems: mounting needs root' >&2
	exit 3
fi
if [ -z "${FILESYSTEMS_INSIDE:-}" ]; then
	FILESYSTEMS_INSIDE=1 exec unshare --mount --propagation private -- "$0" "$@"
fi
shift 3
copytax=$(realpath "$build/copytax") || exit 2
mkdir -p "$out" || exit 2
out=$(cd "$out" && pwd)
name=copytax-$$
image=$out/$name.img
point=$out/$name
copytax_pid=

cleanup() {
	if [ -n "$copytax_pid" ]; then
		kill "$copytax_pid" 2>/dev/null
		wait "$copytax_pid"
	fi
	if mountpoint -q "$point"; then umount "$point" || umount -l "$point"; fi
	rmdir "$point" 2>/dev/null
	rm -f "$image"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# The payload twice (warm and cold), files of connections, and what xfs and btrfs ask for as a minimum.
bytes=${FILESYSTEMS_SIZE:-2G}

# mounted FS: makes it and mounts it on $point; on failure it says why
mounted() {
	local fs=$1 said
	mkdir -p "$point" || return 1
	if [ "$fs" = tmpfs ]; then
		said=$(mount -t tmpfs -o "size=$bytes" copytax "$point" 2>&1) && return 0
	else
		command -v "mkfs.$fs" >/dev/null || {
			echo "filesystems: mkfs.$fs is not installed ('make deps' installs it)" >&2
			return 1
		}
		said=$(rm -f "$image" && truncate -s "$bytes" "$image" && "mkfs.$fs" -q "$image" 2>&1 &&
			mount -t "$fs" -o loop "$image" "$point" 2>&1) && return 0
	fi
	echo "filesystems: no $fs here: ${said##*$'\n'}" >&2
	return 1
}

PATH=$PATH:/usr/sbin:/sbin
status=0
for fs in $kinds; do
	case $fs in
	ext4 | xfs | btrfs | tmpfs) ;;
	*)
		echo "filesystems: there is no '$fs'; there are: ext4 xfs btrfs tmpfs" >&2
		exit 2
		;;
	esac
	if ! mounted "$fs"; then
		status=3
		cleanup
		continue
	fi
	echo "== $fs"
	"$copytax" run "$@" --out "$point/out" &
	copytax_pid=$!
	wait "$copytax_pid" || status=$?
	copytax_pid=
	mkdir -p "$out/$fs"
	cp "$point/out/result.json" "$out/$fs/" 2>/dev/null && echo "filesystems: $out/$fs/result.json"
	cleanup
done
exit "$status"
