#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The root of an arm64 guest: what matrix-guest.sh calls, unpacked from this release's arm64 packages into the
# cache. Nothing is installed and no package's scripts are run, so that dpkg here keeps its one architecture.
set -euo pipefail

usage() {
	cat <<'END'
Usage: fetch-root.sh

Prints the folder. One already in the cache needs no network; it is fetched anew when this list of
packages or the release changes.

Cache:  COPYTAX_VM_CACHE, or ${XDG_CACHE_HOME:-$HOME/.cache}/copytax/vm
Exit:   0 done, 2 wrong use, 77 it can't be had here (one sentence on stderr says why)
END
}

cannot() {
	echo "fetch-root: $*" >&2
	exit 77
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tests/vm/apt.sh
. "$here/apt.sh"
case ${1-} in
'') ;;
-h | --help) usage && exit 0 ;;
*) usage >&2 && exit 2 ;;
esac

packages=(busybox-static dash coreutils util-linux mount grep sed findutils procps kmod jq iproute2 bpftool
	e2fsprogs xfsprogs btrfs-progs)
# shellcheck source=/dev/null
codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
[[ -n $codename ]] || cannot "/etc/os-release names no release to take arm64 packages of"
listed=$(cksum <<<"${packages[*]}")
cache=${COPYTAX_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/copytax/vm}/roots
root=$cache/arm64-$codename-${listed%% *}
if [[ -d $root ]]; then
	echo "$root"
	exit 0
fi

for tool in apt-get dpkg-deb flock timeout; do
	command -v "$tool" >/dev/null || cannot "this needs $tool, which is not installed"
done
apt_lock "$cache"
if [[ -d $root ]]; then
	echo "$root"
	exit 0
fi
work=$(mktemp -d "$cache/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

uri=$(apt_mirrors "$codename" | head -n 1)
[[ -n $uri ]] || cannot "this system's apt sources name no mirror of $codename"
apt_folder "$work/apt" arm64 "$codename" "$uri"
timeout 300 apt-get -q update >"$work/log" 2>&1 || cannot "$uri can't be read: $(tail -n 1 "$work/log")"
timeout 1200 apt-get -q -y --no-install-recommends --download-only install "${packages[@]}" >"$work/log" 2>&1 ||
	cannot "arm64 programs can't be had: $(tail -n 1 "$work/log")"
unset APT_CONFIG

# One /usr, as an installed system has it, whichever way a package still writes its paths.
mkdir -p "$work"/root/{etc,root,usr/bin,usr/sbin,usr/lib}
for name in bin sbin lib; do
	ln -s "usr/$name" "$work/root/$name"
done
for deb in "$work"/apt/archives/*.deb; do
	dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/root" --no-same-owner --keep-directory-symlink \
		--exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale'
done
[[ -e $work/root/bin/sh ]] || ln -s dash "$work/root/bin/sh"
printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'nobody:x:65534:65534:nobody:/nonexistent:/bin/false' >"$work/root/etc/passwd"
printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' >"$work/root/etc/group"
chmod -R u+rwX "$work/root"
mv "$work/root" "$root"
echo "$root"
