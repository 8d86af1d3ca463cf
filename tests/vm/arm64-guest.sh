#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# shellcheck shell=dash
#
# /init of arm64.sh's machine: runs the tests that a PMU is for, says how they ended in one last line
# that starts with "arm64-guest:", and turns the machine off.

/bin/busybox --install -s /bin
export PATH=/bin LD_LIBRARY_PATH=/lib TMPDIR=/tmp HOME=/tmp COPYTAX_TEST_PMU=qemu-neoverse-n1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
ifconfig lo 127.0.0.1 up

failed=
passed=0
for test in events_test profile_test pmu_test; do
	echo "--- $test"
	if "$test" >/tmp/out 2>&1; then
		passed=$((passed + 1))
	else
		failed="$failed $test"
	fi
	cat /tmp/out
done

echo "--- copytax run"
if copytax run --methods read_write,sendfile --size 4M --rounds 1 --out /tmp/result >/tmp/out 2>&1; then
	passed=$((passed + 1))
else
	failed="$failed copytax-run($?)"
fi
cat /tmp/out

# nothing of the libraries that the others load: the same copies, by a program that brings all it needs
echo "--- the static program"
if LD_LIBRARY_PATH=/none copytax-static run --methods read_write,mmap_write,sendfile,splice --size 1M --rounds 1 --events none \
	--quiet --out /tmp/static >/tmp/out 2>&1 && [ "$(grep -c '"ok": true' /tmp/static/result.json)" -eq 4 ]; then
	passed=$((passed + 1))
else
	failed="$failed copytax-static($?)"
fi
cat /tmp/out

if [ -n "$failed" ]; then
	echo "arm64-guest: failed:$failed"
else
	pmu=$(cd /sys/bus/event_source/devices && echo armv8*)
	echo "arm64-guest: passed $passed on kernel $(uname -r), PMU $pmu"
fi
poweroff -f
