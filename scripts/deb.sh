#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The Debian package of what is built: by `make install` into a folder, and dpkg-deb around it. The same
# bytes for the same sources: times are the commit's (SOURCE_DATE_EPOCH), owners root.
# Usage: scripts/deb.sh BUILD VERSION OUT
set -euo pipefail
build=$1 version=$2 out=$3
cd "$(dirname "$0")/.."
for tool in dpkg-deb dpkg-shlibdeps dpkg-architecture gzip; do
	command -v "$tool" >/dev/null || {
		echo "deb: $tool is not installed (Debian: apt install dpkg-dev)" >&2
		exit 3
	}
done
unset MAKEFLAGS MFLAGS MAKELEVEL
umask 022
work=$(mktemp -d "$build/deb.XXXXXX")
work=$(cd "$work" && pwd)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
arch=$(dpkg-architecture -qDEB_HOST_ARCH)
epoch=${SOURCE_DATE_EPOCH:-1}
# whoever builds it answers for it: the names that Debian's own tools take
maintainer="${DEBFULLNAME:-copytax contributors} <${DEBEMAIL:-copytax@localhost.localdomain}>"
year=$(date -u -d "@$epoch" +%Y)
root=$work/root doc=$work/root/usr/share/doc/copytax

make --no-print-directory BUILD="$build" DESTDIR="$root" PREFIX=/usr install
strip --remove-section=.comment --remove-section=.note "$root/usr/bin/copytax"
gzip -9n "$root/usr/share/man/man1/copytax.1"
install -d "$doc/examples" "$root/DEBIAN"
# a user looks for examples there; the program finds its own in share/copytax
install -m 644 bench/plans/*.plan "$doc/examples/"
cat >"$doc/copyright" <<END
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: copytax

Files: *
Copyright: $year $(sed -n 's/^Copyright (c) //p' LICENSE)
License: Expat
$(sed -n '/^Permission/,$p' LICENSE | sed 's/^$/./; s/^/ /')

Files: bpf/*
Copyright: $year $(sed -n 's/^Copyright (c) //p' LICENSE)
License: Expat or GPL-2
 The programs that are loaded into the kernel are under either licence. On Debian systems the text of the
 GNU General Public License, version 2, is in /usr/share/common-licenses/GPL-2.
END
{
	printf 'copytax (%s) unstable; urgency=medium\n\n  * Built from %s.\n\n -- %s  %s\n' "$version" \
		"$(git rev-parse --short=12 HEAD 2>/dev/null || echo 'an export of the sources')" "$maintainer" \
		"$(LC_ALL=C date -u -R -d "@$epoch")"
} | gzip -9n >"$doc/changelog.gz"

# a package built at home has no address that the world could write to
if [ -z "${DEBEMAIL:-}" ]; then
	install -d "$root/usr/share/lintian/overrides"
	printf '%s\n' '# built locally: DEBEMAIL was not set' 'copytax: bogus-mail-host *' \
		'copytax: bogus-mail-host-in-debian-changelog *' >"$root/usr/share/lintian/overrides/copytax"
fi

# the libraries that the program asks for, by the packages they are in
mkdir "$work/debian"
printf 'Source: copytax\n\nPackage: copytax\nArchitecture: %s\n' "$arch" >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O root/usr/bin/copytax 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || {
	echo 'deb: dpkg-shlibdeps found no libraries' >&2
	exit 1
}
cat >"$root/DEBIAN/control" <<END
Package: copytax
Version: $version
Architecture: $arch
Maintainer: $maintainer
Installed-Size: $(du -k --apparent-size -s "$root/usr" | cut -f1)
Depends: $depends
Recommends: gnuplot-nox | gnuplot, hyperfine
Section: utils
Priority: optional
Description: measures what a copy from a file to a socket costs
 Moves the same file to a TCP socket by read and write, mmap, sendfile, splice
 and direct I/O, and reports what each cost: throughput and CPU seconds of
 sender and receiver, and beside every timing the proof: system calls,
 crossings, context switches and copied bytes, counted by eBPF probes.
 .
 Every figure comes with its spread, and with a list of what misleads on the
 machine at hand.
END
find "$root" -exec touch --no-dereference --date="@$epoch" {} +
(cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
touch --date="@$epoch" "$root/DEBIAN/md5sums" "$root/DEBIAN"
mkdir -p "$out"
package=$out/copytax_${version}_$arch.deb
SOURCE_DATE_EPOCH=$epoch dpkg-deb --root-owner-group -Zxz --build "$root" "$package" >/dev/null
echo "deb: $package ($(stat -c %s "$package") bytes)"
