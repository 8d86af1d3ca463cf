#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds copytax for arm64 and runs it where there is a PMU: QEMU's neoverse-n1 with -icount counts cycles
# and instructions, which no x86 emulation does. The counts are by construction (two cycles per instruction);
# what is tested is that events open, group, multiplex, sample, and are null with a reason where they can't.
set -euo pipefail

usage() {
	cat <<'END'
Usage: arm64.sh [--verbose] [--timeout S] [--dist FILE]

Fetches an arm64 kernel and libraries into the cache, builds, boots, tests.

  --verbose     show the guest's output always, not only on a failure
  --timeout S   seconds for the machine; default 400
  --dist FILE   only build the static program, to FILE; nothing is booted

Exit: 0 passed, 1 failed, 2 wrong use, 77 can't be tried here
END
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
top=$(cd "$here/../.." && pwd -P)
verbose=no
limit=400
dist=
while (($#)); do
	case $1 in
	-h | --help) usage && exit 0 ;;
	--verbose) verbose=yes ;;
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
	echo "skip arm64: $*"
	exit 77
}

for tool in aarch64-linux-gnu-gcc aarch64-linux-gnu-readelf qemu-system-aarch64 apt-get dpkg-deb cpio gzip make timeout; do
	PATH=$PATH:/sbin:/usr/sbin command -v "$tool" >/dev/null ||
		cannot "this needs $tool (packages gcc-aarch64-linux-gnu, qemu-system-arm, cpio)"
done
# shellcheck source=/dev/null
codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
[[ -n $codename ]] || cannot "/etc/os-release names no release to take arm64 packages of"

cache=${COPYTAX_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/copytax/vm}/arm64-$codename
build=${BUILD:-$top/build}/arm64
work=$(mktemp -d "${TMPDIR:-/tmp}/copytax-arm64.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ---- kernel and libraries, with an apt of its own: the system's architectures stay as they are ----

libraries=(libc6-dev libpfm4-dev libjansson-dev libelf-dev zlib1g-dev libxxhash-dev libgsl-dev libhwloc-dev
	libbpf-dev libcmark-gfm-dev libcmark-gfm-extensions-dev liburing-dev libcap-dev libcmocka-dev)

fetch() {
	local uri dir=$cache/apt deb kernel keyring=
	# shellcheck disable=SC2016 # apt fills these in
	uri=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 'Component: main' \
		2>/dev/null | awk -v r="$codename" '$2 == r { print $1; exit }')
	[[ -n $uri ]] || cannot "this system's apt sources name no mirror of $codename"
	for deb in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		[[ ! -r $deb ]] || { keyring="signed-by=$deb" && break; }
	done
	rm -rf "$cache.new" && mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/none" "$cache.new/root"
	: >"$dir/status"
	echo "deb [arch=arm64 $keyring] $uri $codename main" >"$dir/sources.list"
	cat >"$dir/apt.conf" <<-END
		APT::Architecture "arm64";
		APT::Architectures { "arm64"; };
		Dir::State "$dir";
		Dir::State::Lists "$dir/lists";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir";
		Dir::Cache::Archives "$dir/archives";
		Dir::Etc::SourceList "$dir/sources.list";
		Dir::Etc::SourceParts "$dir/none";
		Dir::Etc::Preferences "$dir/none/preferences";
		Dir::Etc::PreferencesParts "$dir/none";
		APT::Sandbox::User "root";
		APT::Update::Post-Invoke "";
		Acquire::Languages "none";
		Acquire::Retries "2";
	END
	export APT_CONFIG=$dir/apt.conf
	timeout 300 apt-get -q update >"$work/log" 2>&1 || cannot "$uri can't be read: $(tail -n 1 "$work/log")"
	kernel=$(apt-cache depends linux-image-arm64 | sed -n 's/^ *Depends: //p' | head -n 1)
	[[ -n $kernel ]] || cannot "$codename has no arm64 kernel on this mirror"
	timeout 1200 apt-get -q -y --no-install-recommends --download-only install "${libraries[@]}" \
		>"$work/log" 2>&1 || cannot "arm64 libraries can't be had: $(tail -n 1 "$work/log")"
	(cd "$work" && timeout 1200 apt-get -q download "$kernel" busybox-static) >"$work/log" 2>&1 ||
		cannot "$kernel can't be had: $(tail -n 1 "$work/log")"
	for deb in "$dir"/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$cache.new/root" --no-same-owner --exclude=./usr/share/doc
	done
	mkdir "$work/kernel"
	for deb in "$work"/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/kernel" --no-same-owner --exclude=./lib
	done
	cp "$work"/kernel/boot/vmlinuz-* "$cache.new/vmlinuz"
	cp "$work"/kernel/bin/busybox "$cache.new/busybox"
	rm -rf "$dir/archives"
	mkdir -p "$cache"
	mv "$cache.new/root" "$cache.new/vmlinuz" "$cache.new/busybox" "$cache/"
	: >"$cache/complete"
	unset APT_CONFIG
}

[[ -f $cache/complete ]] || fetch

# ---- build ----

compiler="aarch64-linux-gnu-gcc --sysroot=$cache/root"
if [[ -n $dist ]]; then
	mkdir -p "$(dirname "$dist")"
	if ! make -C "$top" -j"$(nproc)" ARCH=arm64 CC="$compiler" BUILD="$build-dist" DIST="$build-dist" dist >"$work/make" 2>&1; then
		cat "$work/make"
		echo "FAIL arm64: the static program does not build"
		exit 1
	fi
	cp "$build-dist/copytax-arm64" "$dist"
	echo "ok arm64: $dist ($(stat -c %s "$dist") bytes)"
	exit 0
fi

tests=(events_test profile_test pmu_test)
if ! make -C "$top" -j"$(nproc)" BUILD="$build" ARCH=arm64 CC="$compiler" \
	"$build/copytax" "$build/copytax-static" "${tests[@]/#/$build/tests/}" >"$work/make" 2>&1; then
	cat "$work/make"
	echo "FAIL arm64: it does not build"
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
SECONDS=0
timeout --kill-after=5 "$limit" qemu-system-aarch64 -M virt -accel tcg,thread=single -cpu neoverse-n1 \
	-icount shift=1,sleep=off -m 1536 -nodefaults -no-reboot -display none -serial stdio \
	-kernel "$cache/vmlinuz" -initrd "$work/initramfs" \
	-append 'console=ttyAMA0 quiet panic=-1 rdinit=/init' </dev/null >"$work/out" 2>&1 || status=$?
tr -d '\r' <"$work/out" >"$work/text"
verdict=$(sed -n 's/^arm64-guest: //p' "$work/text" | tail -n 1)
if [[ $verbose = yes || $verdict != passed* ]]; then
	sed 's/^/    /' "$work/text"
fi
case $verdict in
passed*)
	echo "ok arm64: $verdict ($SECONDS s)"
	;;
*)
	echo "FAIL arm64: ${verdict:-the machine stopped early, status $status} ($SECONDS s)"
	exit 1
	;;
esac
