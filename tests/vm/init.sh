#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# shellcheck shell=dash
#
# /init of the guest's initramfs: loads what the root needs, puts a tmpfs over the host's root,
# mounts the shares and hands over to session.sh. boot.sh writes /vm/shares and /vm/command.

stop() {
	echo "copytax-vm: $*" >/dev/console
	/bin/busybox reboot -f
}

export PATH=/bin
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /lower /over /new
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev

# In the order of their dependencies, so insmod will do.
while read -r module; do
	insmod "/modules/$module" || stop "$module does not load"
done </modules/order

plan9() { # TAG FOLDER OPTIONS
	mount -t 9p -o "trans=virtio,version=9p2000.L,msize=512000,$3" "$1" "$2" ||
		stop "can't mount 9p share $1 on $2"
}

plan9 root /lower ro,cache=loose
mount -t tmpfs -o mode=755 over /over
mkdir /over/upper /over/work
mount -t overlay -o lowerdir=/lower,upperdir=/over/upper,workdir=/over/work root /new ||
	stop "can't put an overlay over the host's root"

# The host's own /proc, /sys, /dev, /run and /tmp must not show through.
cd /new || stop "no root"
mkdir -p proc sys dev run tmp
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t sysfs -o nosuid,nodev,noexec sys sys
mount -t devtmpfs -o nosuid dev dev
mkdir -p dev/pts dev/shm
mount -t devpts -o mode=620,ptmxmode=666 pts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
mount -t tmpfs -o mode=755 run run
mount -t tmpfs -o mode=1777 tmp tmp
[ -e dev/fd ] || ln -s /proc/self/fd dev/fd
for name in 0:stdin 1:stdout 2:stderr; do
	[ -e "dev/${name#*:}" ] || ln -s "/proc/self/fd/${name%%:*}" "dev/${name#*:}"
done

# Not every kernel has each of these; a test that needs one finds out by itself.
mount -t securityfs securityfs sys/kernel/security
mount -t tracefs tracefs sys/kernel/tracing
mount -t debugfs debugfs sys/kernel/debug
mount -t bpf bpf sys/fs/bpf
mount -t cgroup2 cgroup2 sys/fs/cgroup
ifconfig lo 127.0.0.1 up
hostname copytax-vm

modules=lib/modules/$(uname -r)
mkdir -p "$modules"
plan9 modules "$modules" ro,cache=loose
# Opening one of these loads its module (loop, btrfs, fuse, tun); elsewhere udev makes them.
while read -r _ name number; do
	case $name in '' | Device) continue ;; esac
	kind=${number%%[0-9]*} number=${number#?}
	mkdir -p "dev/$(dirname "$name")"
	[ -e "dev/$name" ] || mknod -m 600 "dev/$name" "$kind" "${number%:*}" "${number#*:}"
done <"$modules/modules.devname"
while read -r tag folder; do
	mkdir -p "/new$folder"
	plan9 "$tag" "/new$folder" rw,cache=mmap
done </vm/shares

cp -r /vm run/vm
cp /bin/busybox run/vm/busybox
umount /sys /proc
exec switch_root /new /run/vm/busybox sh /run/vm/session.sh
