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

# measure NAME ARGUMENTS: a run, and its result for arm64.sh to judge
measure() {
	name=$1
	shift
	echo "--- copytax run: $name"
	if copytax run --quiet --size 16M --rounds 1 --warmup 0 --out "/tmp/$name" "$@" >/tmp/out 2>&1; then
		passed=$((passed + 1))
	else
		failed="$failed copytax-run-$name($?)"
	fi
	cat /tmp/out
	echo "BEGIN $name"
	cat "/tmp/$name/result.json"
	echo "END $name"
}
measure methods --watched 1 --events default,arm_n1::L1D_CACHE_REFILL --profile
# six by two modes: the same two by their generic, kernel's and raw names
measure crowded --size 64M --watched 0 --methods read_write,sendfile \
	--events cycles,instructions,CPU-CYCLES,PERF_COUNT_HW_INSTRUCTIONS,r11,r8

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
