#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What is tested inside the guest: run.sh runs this once on every kernel, in the checkout's top
# folder, with an empty disk at /dev/vda. Output goes to run.sh, which shows it on a failure; the
# last line is shown always. Exit: 0 passed, 77 skipped, anything else failed.
#
# Every method moves a payload from each file system and everything that was counted must be right to
# the byte. Emulation is slow: small payloads, one round, and no word about times.
set -u

copytax=${COPYTAX:-build/copytax}
size=${SIZE:-8M}
release=$(uname -r)
failed=0
nulls=0
kinds=

echo "kernel $release"
if ! [ -x "$copytax" ]; then
	echo "kernel $release: no $copytax; build it first ('make all')"
	exit 77
fi
if ! [ -s /sys/kernel/btf/vmlinux ]; then
	echo "kernel $release has no BTF"
	exit 1
fi

# Makes and mounts a file system; says no to one that this kernel or system does not have.
mounted() {
	mkdir -p /mnt/scratch
	case $1 in
	tmpfs) mount -t tmpfs -o size=256m tmpfs /mnt/scratch ;;
	ext4) mkfs.ext4 -q -F /dev/vda && mount -t ext4 /dev/vda /mnt/scratch ;;
	xfs) mkfs.xfs -q -f /dev/vda && mount -t xfs /dev/vda /mnt/scratch ;;
	btrfs) mkfs.btrfs -q -f /dev/vda && mount -t btrfs /dev/vda /mnt/scratch ;;
	esac
}

check() {
	fs=$1
	if ! mounted "$fs" >/tmp/mkfs.log 2>&1; then
		cat /tmp/mkfs.log
		echo "SKIP $fs: can't be made or mounted here"
		return
	fi
	# the newer methods differ by kernel, not by file system, and with the sink only in what the receiver does
	if [ "$fs" = ext4 ]; then
		transfers all drain && transfers classic truncate && kinds="$kinds $fs"
		several_files
	else
		transfers classic drain && kinds="$kinds $fs"
	fi
	umount /mnt/scratch
}

# transfers METHODS SINKS: all of them arrive, and what was counted is right to the byte
transfers() {
	out=/mnt/scratch/result
	rm -rf "$out"
	status=0
	"$copytax" run --quiet --methods "$1" --size "$size" --rounds 1 --warmup 0 --watched 1 --sink "$2" \
		--time-limit 300 --out "$out" >/tmp/run.log 2>&1 || status=$?
	if [ "$status" -ne 0 ]; then
		tail -n 30 /tmp/run.log
		echo "BAD $fs: copytax run ended with $status"
		failed=$((failed + 1))
		return 1
	fi
	if ! jq -r --arg fs "$fs" -f tests/counts/exact.jq "$out/result.json" >/tmp/exact.log; then
		echo "BAD $fs: the result can't be checked"
		failed=$((failed + 1))
		return 1
	fi
	wrong=$(grep -cv '^null:' /tmp/exact.log)
	null=$(grep -c '^null:' /tmp/exact.log)
	sed "s/^/$fs: /" /tmp/exact.log
	# unknown is allowed, with its reason; wrong never is
	[ "$wrong" -eq 0 ] || failed=$((failed + 1))
	nulls=$((nulls + null))
	jq -r --arg fs "$fs" '.cases[] | select(.status == "skipped" and .sink == "drain") |
		"\($fs): \(.method) skipped: \(.reason)"' "$out/result.json"
	jq -r '.probes[] | "  \(.name): \(.rung) \(.how // "-")"' "$out/result.json"
}

# Connections with a file each: the hooks know all of the files.
several_files() {
	if ! "$copytax" run --quiet --methods read_write,sendfile,splice,direct_write,uring_read_send --connections 4 --files many \
		--size "$size" --rounds 1 --warmup 0 --watched 1 --time-limit 300 --out /mnt/scratch/files >/tmp/run.log 2>&1 ||
		! jq -r --arg fs ext4 -f tests/counts/exact.jq /mnt/scratch/files/result.json >/tmp/exact.log; then
		tail -n 30 /tmp/run.log
		echo "BAD four files: no result to check"
		failed=$((failed + 1))
		return
	fi
	sed "s/^/four files: /" /tmp/exact.log
	[ "$(grep -cv '^null:' /tmp/exact.log)" -eq 0 ] || failed=$((failed + 1))
	jq -r '[.cases[] | select(.status == "ok")] | "four files: \(length) cases counted, file_to_user by \(.[0].copies.file_to_user.source)"' \
		/mnt/scratch/files/result.json
}

status=0
"$copytax" doctor >/tmp/doctor.log 2>&1 || status=$?
if [ "$status" -ne 0 ]; then
	cat /tmp/doctor.log
	echo "BAD doctor ended with $status"
	failed=$((failed + 1))
fi
for fs in ${FILE_SYSTEMS:-ext4 xfs btrfs tmpfs}; do
	began=$(cut -d. -f1 /proc/uptime)
	check "$fs"
	echo "$fs took $(($(cut -d. -f1 /proc/uptime) - began)) s"
done

if command -v bpftool >/dev/null 2>&1 || [ -x /usr/sbin/bpftool ]; then
	left=$(PATH=$PATH:/usr/sbin bpftool prog list 2>/dev/null | grep -c copytax)
	[ "$left" -eq 0 ] || {
		echo "BAD $left BPF programs are left"
		failed=$((failed + 1))
	}
fi
echo "kernel $release:$kinds counted, $failed wrong, $nulls unknown with a reason"
[ "$failed" -eq 0 ]
