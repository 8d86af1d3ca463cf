#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds copytax for arm64 and runs it where there is a PMU: QEMU's neoverse-n1 with -icount counts cycles
# and instructions, which no x86 emulation does. The counts are by construction (two cycles per instruction);
# what is tested is that events open, group, multiplex, sample, and are null with a reason where they can't.
set -euo pipefail

usage() {
	cat <<'END'
Usage: arm64.sh [--verbose] [--timeout S] [--keep DIR] [--dist FILE]

Fetches an arm64 kernel and libraries into the cache, builds, boots, tests.

  --verbose     show the guest's output always, not only on a failure
  --timeout S   seconds for the machine; default 400
  --keep DIR    leave the result of the run there as DIR/result.json
  --dist FILE   only build the static program, to FILE; nothing is booted

Exit: 0 passed, 1 failed, 2 wrong use, 77 can't be tried here
END
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tests/vm/apt.sh
. "$here/apt.sh"
top=$(cd "$here/../.." && pwd -P)
verbose=no
keep=
limit=400
dist=
while (($#)); do
	case $1 in
	-h | --help) usage && exit 0 ;;
	--verbose) verbose=yes ;;
	--keep)
		(($# > 1)) || { usage >&2 && exit 2; }
		keep=$2
		shift
		;;
	--timeout)
		(($# > 1)) || { usage >&2 && exit 2; }
		limit=$2
		shift
		;;
	--dist)
		(($# > 1)) || { usage >&2 && exit 2; }
		dist=$(realpath -m "$2")
		shift
		;;
	*) usage >&2 && exit 2 ;;
	esac
	shift
done

cannot() {
	echo "$*"
	exit 77
}

for tool in apt-get dpkg-deb; do
	command -v "$tool" >/dev/null || cannot "this takes arm64's libraries from Debian's archive, and there is no $tool"
done
tools=(aarch64-linux-gnu-gcc aarch64-linux-gnu-readelf make flock timeout)
[[ -n $dist ]] || tools+=(qemu-system-aarch64 cpio gzip jq)
for tool in "${tools[@]}"; do
	PATH=$PATH:/sbin:/usr/sbin command -v "$tool" >/dev/null ||
		cannot "this needs $tool ('make deps' installs gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-system-arm)"
done
# shellcheck source=/dev/null
codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
[[ -n $codename ]] || cannot "/etc/os-release names no release to take arm64 packages of"

# What the Makefile links and its headers, for arm64: the libraries of deps.sh. The cache is for this list.
mapfile -t libraries < <(sed -n 's/^\([a-z0-9.+-]*-dev\) .*/\1/p' "$top/scripts/deps.sh" |
	grep -vxE 'libclang-rt-dev|dpkg-dev')
listed=$(cksum <<<"${libraries[*]}")
caches=${COPYTAX_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/copytax/vm}
cache=$caches/arm64/$codename-${listed%% *}
build=$(realpath -m "${BUILD:-$top/build}")/arm64
work=$(mktemp -d "${TMPDIR:-/tmp}/copytax-arm64.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ---- kernel and libraries ----

fetch() {
	local uri dir=$cache.apt deb kernel
	uri=$(apt_mirrors "$codename" | head -n 1)
	[[ -n $uri ]] || cannot "this system's apt sources name no mirror of $codename"
	rm -rf "$cache.new" && mkdir -p "$cache.new/root"
	apt_folder "$dir" arm64 "$codename" "$uri"
	timeout 300 apt-get -q update >"$work/log" 2>&1 || cannot "$uri can't be read: $(tail -n 1 "$work/log")"
	kernel=$(apt-cache depends linux-image-arm64 | sed -n 's/^ *Depends: //p' | head -n 1)
	[[ -n $kernel ]] || cannot "$codename has no arm64 kernel on this mirror"
	timeout 1200 apt-get -q -y --no-install-recommends --download-only install "${libraries[@]}" \
		>"$work/log" 2>&1 || cannot "arm64 libraries can't be had: $(tail -n 1 "$work/log")"
	(cd "$work" && timeout 1200 apt-get -q download "$kernel" busybox-static) >"$work/log" 2>&1 ||
		cannot "$kernel can't be had: $(tail -n 1 "$work/log")"
	unset APT_CONFIG
	for deb in "$dir"/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$cache.new/root" --no-same-owner --exclude=./usr/share/doc
	done
	mkdir "$work/kernel"
	for deb in "$work"/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/kernel" --no-same-owner --exclude=./lib
	done
	mv "$work"/kernel/boot/vmlinuz-* "$cache.new/vmlinuz"
	mv "$work"/kernel/bin/busybox "$cache.new/busybox"
	rm -rf "$dir"
	mv "$cache.new" "$cache"
}

if [[ ! -d $cache ]]; then
	apt_lock "$caches/arm64"
	[[ -d $cache ]] || fetch
fi

# ---- build ----

# the caller's make hands down its own switches
unset MAKEFLAGS MFLAGS MAKELEVEL
# the cache's place gets into no binary, as the tree's does not
compiler="aarch64-linux-gnu-gcc --sysroot=$cache/root -ffile-prefix-map=$cache/root=/"
if [[ -n $dist ]]; then
	mkdir -p "$(dirname "$dist")"
	if ! nice make -C "$top" -j"$(nproc)" ARCH=arm64 CC="$compiler" BUILD="$build-dist" OPT='-O2 -g0' \
		${COMMIT:+COMMIT="$COMMIT"} static >"$work/make" 2>&1; then
		cat "$work/make"
		echo "FAIL arm64: the static program does not build"
		exit 1
	fi
	cp "$build-dist/copytax-static" "$dist"
	printf '  %-8s %s (%d bytes)\n' DIST "$dist" "$(stat -c %s "$dist")"
	exit 0
fi

tests=(events_test profile_test pmu_test)
if ! nice make -C "$top" -j"$(nproc)" BUILD="$build" ARCH=arm64 CC="$compiler" \
	"$build/copytax" "$build/copytax-static" "${tests[@]/#/$build/tests/}" >"$work/make" 2>&1; then
	cat "$work/make"
	echo "it does not build for arm64"
	exit 1
fi

# ---- initramfs: busybox, the programs and what they load ----

image=$work/image
mkdir -p "$image"/{bin,dev,proc,sys,tmp,lib}
cp "$cache/busybox" "$image/bin/"
cp "$build/copytax" "$build/copytax-static" "${tests[@]/#/$build/tests/}" "$image/bin/"
cp "$here/arm64-guest.sh" "$image/init"
chmod 755 "$image/init"
libs="$cache/root/lib/aarch64-linux-gnu $cache/root/usr/lib/aarch64-linux-gnu"
take_libraries() { # FILE: copies what it needs, and what that needs
	local name dir
	for name in $(aarch64-linux-gnu-readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p') ld-linux-aarch64.so.1; do
		[[ ! -e $image/lib/$name ]] || continue
		for dir in $libs; do
			[[ -e $dir/$name ]] || continue
			cp -L "$dir/$name" "$image/lib/$name"
			take_libraries "$image/lib/$name"
			break
		done
	done
}
for program in copytax "${tests[@]}"; do
	take_libraries "$image/bin/$program"
done
(cd "$image" && find . | cpio --quiet -o -H newc) | gzip -1 >"$work/initramfs"

# ---- run ----

status=0
timeout --kill-after=5 "$limit" qemu-system-aarch64 -M virt -accel tcg,thread=single -cpu neoverse-n1 \
	-icount shift=1,sleep=off -m 1536 -nodefaults -no-reboot -display none -serial stdio \
	-kernel "$cache/vmlinuz" -initrd "$work/initramfs" \
	-append 'console=ttyAMA0 quiet panic=-1 rdinit=/init' </dev/null >"$work/out" 2>&1 || status=$?
tr -d '\r' <"$work/out" >"$work/text"
verdict=$(sed -n 's/^arm64-guest: //p' "$work/text" | tail -n 1)

# ---- what copytax run wrote there, judged here ----

# result NAME: the document that the guest printed between two marks
result() {
	sed -n "/^BEGIN $1\$/,/^END $1\$/p" "$work/text" | sed '1d;$d' >"$work/$1.json"
	jq -e . "$work/$1.json" >/dev/null 2>&1
}
wrong=
if [[ $verdict = passed* ]]; then
	for name in methods crowded; do
		if result "$name"; then
			wrong+=$(jq -r --arg which "$name" -f "$here/arm64.jq" "$work/$name.json" || echo "$name: jq failed")
		else
			wrong+="$name: no whole result came out of the machine"
		fi
	done
fi
sed -i '/^BEGIN /,/^END /d' "$work/text"
if [[ $verbose = yes || $verdict != passed* ]]; then
	sed 's/^/    /' "$work/text"
fi
if [[ -n $keep ]]; then
	mkdir -p "$keep"
	cp "$work"/methods.json "$keep/result.json"
fi
if [[ $verdict = passed* && -z $wrong ]]; then
	echo "$verdict"
else
	[[ -z $wrong ]] || printf '%s\n' "$wrong" | sed 's/^/    /'
	echo "${verdict:-the machine stopped early, status $status}${wrong:+, but its results are wrong}"
	exit 1
fi
