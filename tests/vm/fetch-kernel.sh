#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Gets a stock Debian kernel without installing it: downloads the package through the mirror that
# this system's own sources name, with apt folders of its own, and unpacks it into the cache.
# apt checks the archive's signature and the package's hash; without a keyring there is no kernel.
set -euo pipefail

usage() {
	cat <<'END'
Usage: fetch-kernel.sh [--refresh] VERSION

VERSION is the start of a kernel version: 5.10, 6.1, 6.12, 6.12.90, 7.3; with -arm64 behind it the
one for arm64. Prints two lines: the path of vmlinuz and the folder of its modules. A kernel already
in the cache needs no network; --refresh looks for a newer one.

Cache:  COPYTAX_VM_CACHE, or ${XDG_CACHE_HOME:-$HOME/.cache}/copytax/vm
Exit:   0 done, 2 wrong use, 77 the kernel can't be had here (one sentence on stderr says why)
END
}

cannot() {
	echo "fetch-kernel: $*" >&2
	exit 77
}

# shellcheck source=tests/vm/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

refresh=no
version=
while (($#)); do
	case $1 in
	-h | --help)
		usage
		exit 0
		;;
	--refresh) refresh=yes ;;
	-*)
		usage >&2
		exit 2
		;;
	*)
		[[ -z $version ]] || { usage >&2 && exit 2; }
		version=$1
		;;
	esac
	shift
done
if [[ ! $version =~ ^[0-9]+(\.[0-9]+)+(-arm64)?$ ]]; then
	usage >&2
	exit 2
fi

cache=${COPYTAX_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/copytax/vm}
chosen=$cache/chosen/$version # a link to the kernel that VERSION last stood for
architecture=amd64
[[ $version != *-arm64 ]] || architecture=arm64
version=${version%-arm64}

# Prints the answer when the cache has it.
answer() {
	local release
	[[ -L $chosen ]] || return 1
	release=$(basename "$(readlink "$chosen")")
	[[ -f $cache/kernels/$release/vmlinuz ]] || return 1
	printf '%s\n' "$cache/kernels/$release/vmlinuz" "$cache/kernels/$release/lib/modules/$release"
}

if [[ $refresh = no ]] && answer; then
	exit 0
fi

for tool in apt-get apt-cache dpkg dpkg-deb depmod flock timeout; do
	PATH=$PATH:/sbin:/usr/sbin command -v "$tool" >/dev/null ||
		cannot "this needs $tool, which is not installed"
done
[[ $architecture = arm64 || $(dpkg --print-architecture) = amd64 ]] ||
	cannot "no amd64 kernel is of use: this is not an amd64 system"

mkdir -p "$cache/apt" "$cache/chosen" "$cache/kernels"
apt_lock "$cache"
if [[ $refresh = no ]] && answer; then
	exit 0
fi

work=$(mktemp -d "$cache/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# The suites to look in, the likeliest first. The first one that has the version wins.
suites() {
	case $1 in
	5.10*) echo bullseye bullseye-security ;;
	6.1 | 6.1.*) echo bookworm bookworm-security ;;
	6.12*) echo bookworm-security bookworm-backports ;;
	esac
	echo trixie-backports trixie-security trixie bookworm-backports bookworm bullseye-backports sid
}

# The newest stock kernel package of VERSION in the suite that APT_CONFIG names. "cloud" kernels
# have no 9p, "rt" ones are not what people run.
newest() {
	apt-cache search --names-only "^linux-image-${version//./\\.}[.+-].*-$architecture\$" |
		awk '$1 !~ /-(cloud|rt)-[a-z0-9]*$/ {print $1}' | sort -V | tail -n 1
}

# A newer kernel's image package is empty: the files are in packages that it needs at its own
# exact version and with its own release in their names.
parts() {
	local release=${1#linux-image-}
	echo "$1"
	apt-cache show --no-all-versions "$1" | sed -n 's/^Depends: //p' | tr ',' '\n' |
		awk -v end="-$release" '{
			at = length($1) - length(end) + 1
			if ($1 ~ /^linux-(base|binary|modules)-/ && at > 0 && substr($1, at) == end)
				print $1
		}'
}

# Some drivers are most of a kernel's size and can't be of use in this virtual machine.
unpack() {
	local package=$1 release=${1#linux-image-} deb
	local tree=$work/tree
	mkdir -p "$work/debs" "$tree"
	mapfile -t names < <(parts "$package")
	(cd "$work/debs" && timeout 1200 apt-get -qq download "${names[@]}") >"$work/log" 2>&1 || return 1
	for deb in "$work"/debs/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$tree" --no-same-owner \
			--exclude='*/kernel/sound' --exclude='*/kernel/drivers/gpu' \
			--exclude='*/kernel/drivers/media' --exclude='*/kernel/drivers/iio' \
			--exclude='*/kernel/drivers/staging' --exclude='*/kernel/drivers/infiniband' \
			--exclude='*/kernel/drivers/net/wireless' --exclude='*/kernel/drivers/net/ethernet' \
			--exclude='*/kernel/drivers/scsi' --exclude='./usr/share' || return 1
	done >>"$work/log" 2>&1

	local kernel=$work/kernel modules=
	for modules in "$tree"/usr/lib/modules/"$release" "$tree"/lib/modules/"$release" ''; do
		[[ -d $modules ]] && break
	done
	mkdir -p "$kernel/lib/modules" "$kernel/usr"
	ln -s ../lib "$kernel/usr/lib" # kmod looks in one or the other
	if [[ -z $modules ]] || ! mv "$modules" "$kernel/lib/modules/"; then
		echo "the package has no modules for $release" >>"$work/log"
		return 1
	fi
	local image
	for image in "$tree/boot/vmlinuz-$release" "$kernel/lib/modules/$release/vmlinuz" ''; do
		[[ -f $image ]] && break
	done
	[[ -n $image ]] || { echo "the package has no vmlinuz" >>"$work/log" && return 1; }
	mv "$image" "$kernel/vmlinuz"
	for image in "$tree/boot/config-$release" "$kernel/lib/modules/$release/config"; do
		[[ ! -f $image ]] || mv "$image" "$kernel/config"
	done
	PATH=$PATH:/sbin:/usr/sbin depmod -b "$kernel" "$release" >>"$work/log" 2>&1 || return 1
	for image in "${names[@]}"; do
		apt-cache show --no-all-versions "$image" | sed -n '/^\(Package\|Version\|SHA256\): /p'
	done >"$kernel/packages"
	echo "Suite: $suite" >>"$kernel/packages"
	chmod -R u+rwX "$kernel"
	rm -rf "$cache/kernels/$release"
	mv "$kernel" "$cache/kernels/$release"
	ln -sfn "../kernels/$release" "$chosen"
}

declare -A silent=()
reached=no
asked=no
reason=
for suite in $(suites "$version" | tr ' ' '\n' | awk '!seen[$0]++'); do
	unset APT_CONFIG
	mapfile -t uris < <(apt_mirrors "$suite")
	for uri in "${uris[@]}"; do
		asked=yes
		[[ -z ${silent[$uri]-} ]] || continue
		apt_folder "$cache/apt/$suite${architecture#amd64}" "$architecture" "$suite" "$uri"
		if ! timeout 300 apt-get -q update >"$work/log" 2>&1; then
			[[ -n $reason ]] || reason=$(sed -n 's/^[EW]: //p' "$work/log" | head -n 1)
			# A mirror out of reach stays so for every suite; a missing suite is only that.
			if grep -qE 'resolv|[Cc]onnect|[Tt]imed out|unreachable' "$work/log"; then
				silent[$uri]=yes
			fi
			continue
		fi
		reached=yes
		package=$(newest)
		[[ -n $package ]] || continue
		if [[ -f $cache/kernels/${package#linux-image-}/vmlinuz ]]; then
			ln -sfn "../kernels/${package#linux-image-}" "$chosen"
			answer
			exit 0
		fi
		if unpack "$package"; then
			answer
			exit 0
		fi
		cannot "$package is in $suite and can't be had: $(tail -n 1 "$work/log")"
	done
done
[[ $asked = yes ]] || cannot "this system's apt sources name no mirror to ask for a kernel $version"
[[ $reached = yes ]] ||
	cannot "no suite with a kernel $version could be read from the mirror: ${reason:-no answer}"
cannot "no suite on this system's mirror has a stock $architecture kernel $version"
