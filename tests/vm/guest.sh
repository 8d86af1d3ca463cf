#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What is tested inside the guest: run.sh runs this once on every kernel, in the checkout's top
# folder, with an empty disk at /dev/vda. Output goes to run.sh, which shows it on a failure; the
# last line is shown always. Exit: 0 passed, 77 skipped, anything else failed.
set -eu

release=$(uname -r)
echo "kernel $release"

if ! [ -s /sys/kernel/btf/vmlinux ]; then
	echo "kernel $release has no BTF"
	exit 1
fi
summary="BTF $(stat -c %s /sys/kernel/btf/vmlinux) bytes"

# A file with real block I/O under it, written and read back past the page cache.
mkfs.ext4 -q -F /dev/vda
mkdir -p /mnt/scratch
mount -t ext4 /dev/vda /mnt/scratch
head -c 8M /dev/urandom >/tmp/payload
cp /tmp/payload /mnt/scratch/payload
sync
echo 3 >/proc/sys/vm/drop_caches
cmp /tmp/payload /mnt/scratch/payload
summary="$summary, ext4 on /dev/vda"

if [ -x build/copytax ]; then
	status=0
	build/copytax doctor || status=$?
	summary="$summary, doctor exit $status"
	# 3 is doctor's answer for a machine that can't measure everything.
	case $status in
	0 | 3) ;;
	*)
		echo "$summary"
		exit 1
		;;
	esac
else
	summary="$summary, no build/copytax to try"
fi

umount /mnt/scratch
echo "$summary"
