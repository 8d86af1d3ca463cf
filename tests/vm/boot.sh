#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs one command under another kernel: boots it in QEMU without KVM, with this system's own root
# (read-only, under a tmpfs overlay) as the guest's root. Counts made in there are exact; times
# mean nothing. An arm64 guest gets a root of its own (fetch-root.sh): this one's programs are no use to it.
set -euo pipefail

usage() {
	cat <<'END'
Usage: boot.sh [OPTIONS] [--] COMMAND [ARGUMENT...]

Runs COMMAND as root in a guest that sees this system's files. Writes stay in the guest, except
below the checkout's top folder and every --share folder, which it sees at the paths they have
here. Its standard output and standard error come out here; its exit status is returned.

  --kernel VERSION   5.10, 6.1, 6.12, 7.3, … (fetch-kernel.sh gets it); default 6.1. With -arm64
                     behind it an arm64 machine, whose root is arm64 Debian's, not this system's
  --mem M            memory in MiB; default 4096
  --cpus N           processors; default 2
  --append ARGS      further kernel arguments, like 'lockdown=confidentiality'
  --share DIR        one more folder that the guest may write to; may be repeated
  --disk SIZE        an empty /dev/vda of this size (2G), thrown away after
  --timeout S        seconds for boot and command together; default 300
  --log FILE         where to keep the kernel's messages; default: in the cache, only on failure

Exit: the command's status; 2 wrong use, 77 can't be done here, 124 out of time, 125 the guest
stopped before the command ended (the end of the kernel's messages is printed)
END
}

wrong() {
	echo "boot: $*; see --help" >&2
	exit 2
}

cannot() {
	echo "boot: $*" >&2
	exit 77
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
top=$(cd "$here/../.." && pwd -P)
cache=${COPYTAX_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/copytax/vm}

kernel=6.1 mem=4096 cpus=2 append='' disk='' limit=300 keep=''
shares=("$top")
while (($#)); do
	case $1 in
	-h | --help)
		usage
		exit 0
		;;
	--kernel | --mem | --cpus | --append | --share | --disk | --timeout | --log)
		(($# > 1)) || wrong "$1 needs a value"
		case $1 in
		--kernel) kernel=$2 ;;
		--mem) mem=$2 ;;
		--cpus) cpus=$2 ;;
		--append) append=$2 ;;
		--share)
			[[ -d $2 ]] || wrong "no folder $2"
			shares+=("$(cd "$2" && pwd -P)")
			;;
		--disk) disk=$2 ;;
		--timeout) limit=$2 ;;
		--log) keep=$2 ;;
		esac
		shift
		;;
	--)
		shift
		break
		;;
	-*) wrong "no option $1" ;;
	*) break ;;
	esac
	shift
done
(($#)) || wrong "no command"
for number in "$mem" "$cpus" "$limit"; do
	[[ $number =~ ^[1-9][0-9]*$ ]] || wrong "'$number' is not a whole number above 0"
done

# root: what the guest takes for its own. PCI on either: all devices are virtio's.
if [[ $kernel = *-arm64 ]]; then
	emulator=qemu-system-aarch64:qemu-system-arm
	machine_type=(-M virt -cpu neoverse-n1) console=ttyAMA0
	root=$("$here/fetch-root.sh") || exit $?
	busybox=$root/bin/busybox
else
	emulator=qemu-system-x86_64:qemu-system-x86
	machine_type=(-cpu max) console=ttyS0
	root=/
	busybox=busybox
fi
PATH=$PATH:/sbin:/usr/sbin
for tool in "$emulator" "$busybox:busybox-static" cpio:cpio modprobe:kmod setpriv:util-linux xz:xz-utils; do
	command -v "${tool%:*}" >/dev/null || cannot "this needs the package ${tool#*:}"
done
busybox=$(command -v "$busybox")
# A dynamically linked busybox would find no libraries in the initramfs.
if [[ $root = / ]] && ldd "$busybox" >/dev/null 2>&1; then
	cannot "$busybox is not a static one: this needs the package busybox-static"
fi

paths=$("$here/fetch-kernel.sh" "$kernel") || exit $?
mapfile -t paths <<<"$paths"
vmlinuz=${paths[0]} modules=${paths[1]}
release=$(basename "$modules")

run=$(mktemp -d "${TMPDIR:-/tmp}/copytax-vm.XXXXXX")
machine=''
# shellcheck disable=SC2317 # the trap calls it
finish() {
	local status=$?
	trap - EXIT INT TERM HUP
	if [[ -n $machine ]] && kill "$machine" 2>/dev/null; then
		wait "$machine" || true
	fi
	rm -rf "$run"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Prints each argument so that a POSIX shell reads it back as it was.
quote() {
	local word
	for word; do
		printf "'%s' " "${word//\'/\'\\\'\'}"
	done
	echo
}

# The modules that must be there before /lib/modules is, each after what it needs, not compressed.
initramfs() {
	local tree=$run/initramfs module verb file name share n=0
	mkdir -p "$tree/bin" "$tree/modules" "$tree/vm" "$tree/dev"
	cp "$busybox" "$tree/bin/busybox"
	cp "$here/init.sh" "$tree/init"
	cp "$here/session.sh" "$tree/vm/session.sh"
	chmod 755 "$tree/init"
	for module in virtio_pci virtio_blk virtio_console 9pnet_virtio 9p overlay; do
		modprobe --config /dev/null --dirname "${modules%/lib/modules/*}" --set-version "$release" \
			--show-depends "$module" || return 1
	done >"$run/modules"
	while read -r verb file _; do
		[[ $verb = insmod ]] || continue
		name=$(basename "$file")
		name=${name%.ko*}.ko
		[[ ! -e $tree/modules/$name ]] || continue
		case $file in
		*.xz) xz -dc "$file" ;;
		*.zst) zstd -qdc "$file" ;;
		*.gz) gzip -dc "$file" ;;
		*) cat "$file" ;;
		esac >"$tree/modules/$name" || return 1
		echo "$name" >>"$tree/modules/order"
	done <"$run/modules"

	local folder=$top
	case $PWD/ in "$top"/*) folder=$PWD ;; esac
	printf 'cd %s || exit 125\nexec %s\n' "$(quote "$folder")" "$(quote "$@")" >"$tree/vm/command"
	for share in "${shares[@]}"; do
		echo "share$((n++)) $share"
	done >"$tree/vm/shares"
	(cd "$tree" && find . -print0 | cpio --quiet --null -o -H newc -R 0:0) >"$run/initramfs.cpio"
}
initramfs "$@" || cannot "no initramfs could be made of the modules of $release"

# One 9p folder. Owners and modes are the host's as far as this user may set them.
plan9() { # TAG FOLDER [OPTION]
	printf '%s\n' -fsdev "local,id=$1,path=${2//,/,,},security_model=none,multidevs=remap${3-}" \
		-device "virtio-9p-pci,fsdev=$1,mount_tag=$1"
}

# What the guest writes to the port NAME goes to the file, or to whoever reads the fifo.
port() { # NAME FILE
	printf '%s\n' -chardev "file,id=$1,path=${2//,/,,}" \
		-device "virtserialport,chardev=$1,name=$1"
}

machine_arguments=(
	"${machine_type[@]}" -accel "tcg,thread=multi" -smp "$cpus" -m "$mem"
	-nodefaults -no-user-config -display none -no-reboot
	-chardev "file,id=console,path=${run//,/,,}/console" -serial chardev:console
	-kernel "$vmlinuz" -initrd "$run/initramfs.cpio"
	-append "console=$console panic=-1 $append"
	-device virtio-serial-pci
)
mkfifo "$run/out" "$run/err"
: >"$run/status"
add() {
	local line
	while IFS= read -r line; do
		machine_arguments+=("$line")
	done
}
add < <(port out "$run/out" && port err "$run/err" && port status "$run/status")
add < <(plan9 root "$root" ,readonly=on && plan9 modules "$modules" ,readonly=on)
for n in "${!shares[@]}"; do
	add < <(plan9 "share$n" "${shares[n]}")
done
if [[ -n $disk ]]; then
	truncate -s "$disk" "$run/disk" || wrong "'$disk' is not a size"
	machine_arguments+=(
		-drive "if=none,id=scratch,format=raw,cache=unsafe,discard=unmap,file=${run//,/,,}/disk"
		-device "virtio-blk-pci,drive=scratch"
	)
fi

# This shell holds the fifos open until the machine is gone, so that no reader waits for a writer
# that never comes, and none is left behind.
exec 3<>"$run/out" 4<>"$run/err"
cat <"$run/out" 3>&- 4>&- &
readers=$!
cat <"$run/err" >&2 3>&- 4>&- &
readers+=" $!"
# setpriv: should this shell be killed outright, the machine goes with it.
setpriv --pdeathsig TERM timeout -k 5 "$limit" "${emulator%:*}" "${machine_arguments[@]}" \
	</dev/null >"$run/qemu" 2>&1 3>&- 4>&- &
machine=$!
ended=0
wait "$machine" || ended=$?
machine=''
exec 3>&- 4>&-
# shellcheck disable=SC2086 # two process ids
wait $readers || true

status=$(cat "$run/status")
if [[ -z $status ]]; then
	status=125
	if ((ended == 124 || ended == 137)); then
		status=124
		echo "boot: $release: not done within $limit s; the kernel's last messages:" >&2
	else
		echo "boot: $release: the guest stopped early; the kernel's last messages:" >&2
	fi
	cat "$run/qemu" >&2
	[[ ! -f $run/console ]] || tail -n 40 "$run/console" | tr -d '\r' | sed 's/^/    /' >&2
fi
if [[ -z $keep ]] && ((status != 0)); then
	mkdir -p "$cache/logs"
	keep=$cache/logs/$release.log
	echo "boot: $release: exit status $status; the kernel's messages are in $keep" >&2
fi
if [[ -n $keep && -f $run/console ]]; then
	tr -d '\r' <"$run/console" >"$keep"
fi
exit "$status"
