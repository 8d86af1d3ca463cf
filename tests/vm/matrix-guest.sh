#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What matrix.sh runs inside a guest: the static program under one hardship after the other. Each run of
# copytax becomes lines that start with "row" and are tab-separated:
#   row condition method status verified factor calls file_to_user user_to_socket by_reference reason
# Whatever does not hold is a line that starts with "BAD". Exit: 0 all held, 1 something did not.
#
# Usage: matrix-guest.sh PROGRAM CONDITION...
set -u

copytax=$1
shift
size=${SIZE:-2M}
# emulation is slow: every method where methods may differ, the classic five elsewhere
classic=read_write,mmap_write,sendfile,splice,direct_write
failed=0
nobody=65534

bad() {
	echo "BAD $condition: $*"
	failed=$((failed + 1))
}

# mounted FILE-SYSTEM: at /mnt/scratch, empty, for everybody
mounted() {
	mkdir -p /mnt/scratch
	case $1 in
	tmpfs) mount -t tmpfs -o size=64m tmpfs /mnt/scratch ;;
	ext4) mkfs.ext4 -q -F /dev/vda && mount -t ext4 /dev/vda /mnt/scratch ;;
	xfs) mkfs.xfs -q -f /dev/vda && mount -t xfs /dev/vda /mnt/scratch ;;
	btrfs) mkfs.btrfs -q -f /dev/vda && mount -t btrfs /dev/vda /mnt/scratch ;;
	esac >/tmp/mkfs.log 2>&1 && chmod 1777 /mnt/scratch
}

# run_it PREFIX...: one run behind a command that makes the hardship; rows and checks
run_it() {
	status=0
	rm -rf /mnt/scratch/o
	case $condition in
	ext4 | io_uring-off) methods=all ;;
	*) methods=$classic ;;
	esac
	"$@" "$copytax" run --quiet --methods "$methods" --size "$size" --rounds 1 --warmup 0 --watched 1 --events none \
		--time-limit 120 --out /mnt/scratch/o >/tmp/run.log 2>&1 || status=$?
	if [ "$status" -ne 0 ] || ! [ -s /mnt/scratch/o/result.json ]; then
		tail -n 5 /tmp/run.log
		bad "copytax run ended with $status"
		return
	fi
	jq -r --arg condition "$condition" --arg program "$copytax" '
		def rung($name): [.probes[] | select(.name == $name or .name == "all") |
			if .rung == null or .rung == "none" then "–" else .rung end][0] // "–";
		. as $all | .cases[] | ["row", $condition, .method, .status, (.verified.ok // "–" | tostring),
			(.copies.factor.value // "–" | tostring), ($all | rung("syscalls")), ($all | rung("file_to_user")),
			($all | rung("user_to_socket")), ($all | rung("by_reference")),
			(.reason // .copies.factor.reason // .counts.syscalls.reason // "" | split($program) | join("copytax"))] | @tsv' /mnt/scratch/o/result.json
	jq -r --arg fs "$fs" -f tests/counts/exact.jq /mnt/scratch/o/result.json >/tmp/exact.log || bad "the result can't be checked"
	grep -v '^null:' /tmp/exact.log && bad 'a count is wrong'
	# what is not known has a reason a person can read
	jq -e 'all(.cases[]; .status != "failed" and (.status != "ok" or .verified.ok == true) and
		([.counts[], .copies[]] | all(((.value // .bytes) != null) or ((.reason | type) == "string" and (.reason | length) > 10))))' \
		/mnt/scratch/o/result.json >/dev/null || bad 'a case failed, is not verified, or is null without a reason'
	# The classic methods: all of them ran, and the factor is known, or unknown for the hardship's reason
	case $condition in
	paranoid-3 | no-root | container) why='^no permission for BPF' ;;
	no-types) why='^no kernel types in /sys/kernel/btf/vmlinux' ;;
	lockdown) why='^the kernel is locked down for confidentiality' ;;
	*) why= ;;
	esac
	jq -r --arg why "$why" --arg classic "$classic" --arg fs "$fs" '
		($classic | split(",")) as $wanted | ($wanted - [.cases[].method] | .[] | "\(.) is not there"),
		(.cases[] | select(.method | IN($wanted[])) |
			if .status != "ok" then
				select(.method != "direct_write" or $fs != "tmpfs" or (.reason | test("does not do direct I/O") | not)) |
				"\(.method) is \(.status): \(.reason)"
			elif $why == "" then select(.copies.factor.value == null) | "\(.method): the factor is not known: \(.copies.factor.reason)"
			else select(.copies.factor.value != null or (.copies.factor.reason | test($why) | not)) |
				"\(.method): the factor is \(.copies.factor.value), for \(.copies.factor.reason)" end)' \
		/mnt/scratch/o/result.json >/tmp/classic.log || bad "the result can't be checked"
	[ ! -s /tmp/classic.log ] || {
		cat /tmp/classic.log
		bad 'a classic method did not run, or its copies are not known, or not for this reason'
	}
	[ -z "$(find /mnt/scratch/o -name 'payload*' -o -name '.*.new')" ] || bad 'files are left'
}

# doctor_says PATTERN PREFIX...: copytax doctor behind the same command
doctor_says() {
	pattern=$1
	shift
	"$@" "$copytax" doctor --dir /mnt/scratch >/tmp/doctor.log 2>&1 || bad "doctor ended with $?"
	# its lines are wrapped
	tr -s '\n ' '  ' </tmp/doctor.log | grep -qE "$pattern" || {
		tail -n 20 /tmp/doctor.log
		bad "doctor does not say '$pattern'"
	}
}

as_nobody() {
	setpriv --reuid $nobody --regid $nobody --clear-groups --inh-caps=-all --ambient-caps=-all "$@"
}

# What a container engine gives by default: few capabilities, no tracing file system, its own namespaces
in_container() {
	few=-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,+sys_chroot
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount --pid --fork --mount-proc --net sh -c '
		ip link set lo up
		for at in /sys/kernel/tracing /sys/kernel/debug /sys/fs/bpf; do
			[ ! -d $at ] || mount -t tmpfs -o ro none $at
		done
		few=$1
		shift
		exec setpriv --bounding-set "$few" --inh-caps="$few" "$@"' container "$few" "$@"
}

without_types() {
	unshare --mount sh -c 'mount -t tmpfs none /sys/kernel/btf && exec "$@"' types "$@"
}

full_disk() {
	mkdir -p /mnt/full
	mount -t tmpfs -o size=1m none /mnt/full
	mkdir /mnt/full/o
	head -c 65536 /dev/urandom >/tmp/small
	dd if=/dev/zero of=/mnt/full/filler bs=4k >/dev/null 2>&1
	status=0
	"$copytax" run --quiet --file /tmp/small --methods sendfile --rounds 1 --warmup 0 --watched 0 --events none \
		--out /mnt/full/o >/tmp/run.log 2>&1 || status=$?
	if [ "$status" -ne 3 ] || ! grep -q "can't write /mnt/full/o/result.json: No space left on device" /tmp/run.log; then
		cat /tmp/run.log
		bad "ended with $status"
	fi
	[ -z "$(find /mnt/full/o -mindepth 1)" ] || bad 'files are left'
	printf 'row\t%s\t(run)\texit %s\t–\t–\t–\t–\t–\t–\t%s\n' "$condition" "$status" "$(head -n 1 /tmp/run.log)"
	umount /mnt/full
}

# each hardship in turn
for condition; do
	case $condition in
	ext4 | xfs | btrfs | tmpfs) fs=$condition ;;
	*) fs=ext4 ;;
	esac
	if ! mounted "$fs"; then
		echo "SKIP $condition: $fs can't be made or mounted here: $(tail -n 1 /tmp/mkfs.log)"
		continue
	fi
	case $condition in
	ext4 | xfs | btrfs | tmpfs | memory-512M)
		run_it env
		;;
	lockdown)
		run_it env
		doctor_says 'locked down|lockdown|confidentiality' env
		;;
	io_uring-off)
		if echo 2 2>/dev/null >/proc/sys/kernel/io_uring_disabled; then
			run_it env
			echo 0 >/proc/sys/kernel/io_uring_disabled
		else
			echo "SKIP $condition: this kernel has no kernel.io_uring_disabled"
		fi
		;;
	paranoid-3)
		was=$(cat /proc/sys/kernel/perf_event_paranoid)
		echo 3 >/proc/sys/kernel/perf_event_paranoid
		run_it as_nobody
		as_nobody "$copytax" run --quiet --size 64K --methods sendfile --rounds 1 --warmup 0 --watched 0 \
			--out /mnt/scratch/e >/tmp/run.log 2>&1 || bad "copytax run with events ended with $?"
		jq -e 'any(.cases[0].events[]; .value == null and (.reason | test("kernel.perf_event_paranoid is 3; counting in kernel mode needs 1 or less")))' \
			/mnt/scratch/e/result.json >/dev/null || bad 'events are not null for the right reason'
		echo "$was" >/proc/sys/kernel/perf_event_paranoid
		;;
	no-root)
		run_it as_nobody
		doctor_says 'no permission for BPF .*setcap cap_bpf,cap_perfmon' as_nobody
		;;
	no-types)
		run_it without_types
		doctor_says 'no kernel types in /sys/kernel/btf/vmlinux' without_types
		;;
	container)
		run_it in_container
		doctor_says 'no permission for BPF' in_container
		;;
	full-disk)
		full_disk
		;;
	*)
		bad 'there is no such condition'
		;;
	esac
	umount /mnt/scratch
	left=$(PATH=$PATH:/usr/sbin bpftool prog list 2>/dev/null | grep -c copytax)
	[ "${left:-0}" -eq 0 ] || bad "$left BPF programs are left"
	pgrep -x copytax >/dev/null && bad 'processes are left'
done
[ "$failed" -eq 0 ]
