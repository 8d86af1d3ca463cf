#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing on Debian and its derivatives, and names the packages elsewhere. When nothing is
# missing it does nothing and needs no network. Exit codes: 0 all there, 3 something is missing still.
set -uo pipefail

# Package on Debian, Fedora and Arch, and how to find out elsewhere that it is there:
# a command, or lib:NAME for pkg-config, or file:PATH. "-" is a part of another package there.
packages='
gcc                           gcc                gcc              gcc
libc6-dev                     glibc-devel        -                file:/usr/include/stdio.h
make                          make               make             make
clang                         clang              clang            clang
libclang-rt-dev               compiler-rt        compiler-rt      file:/usr/lib/clang
pkg-config                    pkgconf            pkgconf          pkg-config
bpftool                       bpftool            bpf              bpftool
libbpf-dev                    libbpf-devel       libbpf           lib:libbpf
liburing-dev                  liburing-devel     liburing         lib:liburing
libelf-dev                    elfutils-libelf-devel libelf        lib:libelf
zlib1g-dev                    zlib-devel         zlib             lib:zlib
libpfm4-dev                   libpfm-devel       libpfm           file:/usr/include/perfmon/pfmlib.h
libhwloc-dev                  hwloc-devel        hwloc            lib:hwloc
libxxhash-dev                 xxhash-devel       xxhash           lib:libxxhash
libgsl-dev                    gsl-devel          gsl              lib:gsl
libjansson-dev                jansson-devel      jansson          lib:jansson
nettle-dev                    nettle-devel       nettle           lib:nettle
libcmark-gfm-dev              cmark-gfm-devel    cmark-gfm        file:/usr/include/cmark-gfm.h
libcmark-gfm-extensions-dev   -                  -                file:/usr/include/cmark-gfm-core-extensions.h
graphviz                      graphviz           graphviz         dot
gnuplot-nox                   gnuplot            gnuplot          gnuplot
fonts-dejavu-core             dejavu-sans-fonts  ttf-dejavu       file:/usr/share/fonts
hyperfine                     hyperfine          hyperfine        hyperfine
git                           git                git              git
libcap-dev                    libcap-devel       libcap           lib:libcap
libcmocka-dev                 libcmocka-devel    cmocka           lib:cmocka
bats                          bats               bash-bats        bats
jq                            jq                 jq               jq
libxml2-utils                 libxml2            libxml2          xmllint
python3                       python3            python           python3
procps                        procps-ng          procps-ng        pgrep
util-linux                    util-linux         util-linux       setpriv
strace                        strace             strace           strace
valgrind                      valgrind           valgrind         valgrind
xxhash                        xxhash             xxhash           xxhsum
clang-format                  clang-tools-extra  -                clang-format
clang-tidy                    clang-tools-extra  -                clang-tidy
cppcheck                      cppcheck           cppcheck         cppcheck
shellcheck                    ShellCheck         shellcheck       shellcheck
man-db                        man-db             man-db           man
qemu-system-x86               qemu-system-x86    qemu-system-x86  qemu-system-x86_64
qemu-system-arm               qemu-system-aarch64 qemu-system-aarch64 qemu-system-aarch64
gcc-aarch64-linux-gnu         gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc aarch64-linux-gnu-gcc
libc6-dev-arm64-cross         -                  -                aarch64-linux-gnu-gcc
busybox-static                busybox            busybox          busybox
cpio                          cpio               cpio             cpio
kmod                          kmod               kmod             modprobe
xz-utils                      xz                 xz               xz
zstd                          zstd               zstd             zstd
debian-archive-keyring        -                  -                file:/usr/share/keyrings
e2fsprogs                     e2fsprogs          e2fsprogs        mkfs.ext4
xfsprogs                      xfsprogs           xfsprogs         mkfs.xfs
btrfs-progs                   btrfs-progs        btrfs-progs      mkfs.btrfs
iproute2                      iproute            iproute2         ip
chromium                      chromium           chromium         chromium
linux-perf                    perf               perf             perf
bpftrace                      bpftrace           bpftrace         bpftrace
dpkg-dev                      dpkg               dpkg             dpkg-shlibdeps
lintian                       -                  -                lintian
gcovr                         gcovr              gcovr            gcovr
binutils                      binutils           binutils         readelf
libcap2-bin                   libcap             libcap           setcap
'

# What 'make peers' compares with: not needed for anything else.
peers='
nginx-light                   nginx              nginx            nginx
curl                          curl               curl             curl
iperf3                        iperf3             iperf3           iperf3
socat                         socat              socat            socat
netcat-openbsd                netcat             openbsd-netcat   nc
'
case ${1:-} in
'') ;;
peers) packages=$peers ;;
*)
	echo "deps: there is no list '$1'; there is: peers" >&2
	exit 2
	;;
esac

# Not in every release of a Debian-like system (Ubuntu has no such package); its tests are skipped without it.
optional=' chromium '

column() {
	awk -v n="$1" 'NF && $n != "-" { print $n }' <<<"$packages" | sort -u | tr '\n' ' ' | sed 's/ $//'
}

# Of the packages named, those that are not installed whole.
missing_debian() {
	# shellcheck disable=SC2016 # the format is dpkg-query's
	dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
		awk -v wanted="$*" '
			$2 == "installed" { there[$1] = 1 }
			END { n = split(wanted, all, " "); for (i = 1; i <= n; i++) if (!(all[i] in there)) print all[i] }'
}

# Drops from `missing` what is optional and not to be had here.
drop_optional() {
	local package kept=()
	for package in "${missing[@]}"; do
		case $optional in
		*" $package "*) apt-cache show "$package" >/dev/null 2>&1 || continue ;;
		esac
		kept+=("$package")
	done
	missing=("${kept[@]}")
}

install_debian() {
	local wanted missing as_root=()
	read -ra wanted <<<"$(column 1)"
	mapfile -t missing < <(missing_debian "${wanted[@]}")
	[ "${missing[*]}" != chromium ] || drop_optional
	if [ ${#missing[@]} -eq 0 ]; then
		echo 'deps: all there'
		return 0
	fi
	if [ "$(id -u)" -ne 0 ]; then
		if ! command -v sudo >/dev/null; then
			printf 'deps: run as root: apt-get update && apt-get install --yes --no-install-recommends %s\n' \
				"${missing[*]}" >&2
			return 3
		fi
		as_root=(sudo)
	fi
	echo "deps: installing ${missing[*]}"
	"${as_root[@]}" apt-get update --quiet || echo 'deps: apt-get update failed; trying with the lists at hand' >&2
	drop_optional
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes \
		--no-install-recommends "${missing[@]}" </dev/null || {
		echo "deps: apt-get could not install: ${missing[*]}" >&2
		return 3
	}
}

there() {
	case $1 in
	lib:*) pkg-config --exists "${1#lib:}" 2>/dev/null ;;
	file:*) [ -e "${1#file:}" ] ;;
	*) command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] ;;
	esac
}

# name_packages COLUMN COMMAND: what is not there, and how the packages are called
name_packages() {
	local what missing=()
	for what in $(column 4); do
		there "$what" || missing+=("${what#*:}")
	done
	if [ ${#missing[@]} -eq 0 ]; then
		echo 'deps: all there'
		return 0
	fi
	{
		echo "deps: not found: ${missing[*]}"
		echo "deps: this script installs on Debian and Ubuntu only. The packages here are:"
		echo "  $2 $(column "$1")"
	} >&2
	return 3
}

# ID and ID_LIKE of the system, as one line of words
read_system() {
	sed -n 's/^ID\(_LIKE\)\?=//p' "${OS_RELEASE:-/etc/os-release}" 2>/dev/null | tr -d '"' | tr '\n' ' '
}

case " $(read_system)" in
*' debian '* | *' ubuntu '*) install_debian ;;
*' fedora '* | *' rhel '*) name_packages 2 'dnf install' ;;
*' arch '*) name_packages 3 'pacman -S --needed' ;;
*) name_packages 1 '(by their names on Debian)' ;;
esac
