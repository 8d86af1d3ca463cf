#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# shellcheck shell=dash
#
# Process 1 of the guest once the host's root is /: runs the command that boot.sh wrote to
# /run/vm/command, sends its output and its exit status to the host through three ports, and
# turns the machine off.

box=/run/vm/busybox

# The device of the virtio port called $1.
port() {
	for at in /sys/class/virtio-ports/*; do
		if [ "$(cat "$at/name")" = "$1" ]; then
			echo "/dev/${at##*/}"
			return
		fi
	done
	echo "copytax-vm: no port $1" >/dev/console
	$box reboot -f
}

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8 TERM=dumb

# A port can be open only once, so the command gets pipes, which
# /dev/stderr and the like can reopen.
$box mkfifo /run/vm/out /run/vm/err
$box cat </run/vm/out >"$(port out)" &
out=$!
$box cat </run/vm/err >"$(port err)" &
err=$!

# By the host's own shell: this one would take busybox's commands before the host's.
/bin/sh /run/vm/command </dev/null >/run/vm/out 2>/run/vm/err
status=$?

# What the command left running may hold the pipes open: it gets a moment, not for ever.
($box sleep 5 && kill "$out" "$err") 2>/dev/null &
wait "$out" "$err"

echo "$status" >"$(port status)"
$box sync
$box reboot -f
