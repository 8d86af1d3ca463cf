# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154
# What the command tests share. COPYTAX names the binary under test (build/copytax).
bats_require_minimum_version 1.5.0

METHODS='read_write mmap_write sendfile splice direct_write'
NEWER='mmap_populate mmap_sequential mmap_hugepage preadv2_dontcache vmsplice zerocopy read_zerocopy uring_read_send
	uring_splice uring_send_zc uring_read_send_sqpoll uring_splice_sqpoll uring_send_zc_sqpoll'
REPO=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BINARY=$(realpath "${COPYTAX:-$REPO/build/copytax}")
export COPYTAX_SHARE=$REPO/scripts

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir here
	cd here || return 1
	# a name of its own: by it every process of this test is found
	copytax=$BATS_TEST_TMPDIR/copytax
	ln -s "$BINARY" "$copytax"
	mounted=
	extra_setup
}

extra_setup() { :; }

# one_result OPTION...: for a file's setup_file: a result that all its tests may read, RESULT
one_result() {
	cd "$BATS_FILE_TMPDIR" || return 1
	"$BINARY" run --quiet --out o "$@" >/dev/null
	export RESULT=$BATS_FILE_TMPDIR/o/result.json
}

teardown() {
	local left
	[ -z "$mounted" ] || umount "$mounted"
	left=$(strays)
	if [ -n "$left" ]; then
		echo "stray processes:"
		# shellcheck disable=SC2086
		ps -o pid,ppid,stat,args -p $left
		# shellcheck disable=SC2086
		kill -KILL $left
		return 1
	fi
}

# Processes of the copytax under test that are still there.
strays() {
	pgrep -f "^$copytax " || true
}

# No process is left, and the folder holds the named entries only.
nothing_left_but() {
	local left
	left=$(strays)
	[ -z "$left" ] || {
		echo "stray processes: $left"
		return 1
	}
	left=$(find . -mindepth 1 | sed 's|^\./||' | sort)
	[ "$left" = "$(printf '%s\n' "$@" | sort | sed '/^$/d')" ] || {
		printf 'left behind:\n%s\n' "$left"
		return 1
	}
}

# says CODE PATTERN: the exit code, and exactly one sentence on stderr that matches (extended regex).
says() {
	echo "status $status, stderr: $stderr"
	[ "$status" -eq "$1" ] || return 1
	[ "$(printf '%s\n' "$stderr" | wc -l)" -eq 1 ] || return 1
	[[ $stderr =~ ^copytax(\ [a-z]+)?:\ .{10,} ]] || return 1
	# an error that nobody translated, or a number where words belong
	[[ ! $stderr =~ (Success|errno|\(null\)|nan) ]] || return 1
	[[ $stderr =~ $2 ]]
}

# file SIZE NAME: as fast as the disk takes it, not sparse
file() {
	head -c "$1" /dev/urandom >"$2"
}

# wait_until SECONDS CONDITION...: polls
wait_until() {
	local tenths=$(($1 * 20))
	shift
	until "$@"; do
		tenths=$((tenths - 1))
		[ $tenths -gt 0 ] || {
			echo "never came: $*"
			return 1
		}
		sleep 0.05
	done
}

# Can this machine do a method? What it can't do says why, with the exit code for that.
able() {
	local why status=0
	why=$("$copytax" send -m "$1" --size 64K 2>&1 >/dev/null) || status=$?
	[ "$status" -ne 0 ] || return 0
	echo "# $1: $why"
	[ "$status" -eq 3 ] && [[ $why == *"can't be done here: "* ]] && return 1
	echo "$1 failed: $why" >&2
	exit 1
}

# Starts copytax in the background: pid; its stderr goes to err, its output to out. Tests that run under nohup have
# SIGHUP ignored, and copytax would leave it so.
start() {
	env --default-signal=HUP "$copytax" "$@" >../out 2>../err &
	pid=$!
}

# Waits for it: status and stderr as `run` sets them.
finish() {
	status=0
	wait "$pid" || status=$?
	stderr=$(<../err)
	output=$(<../out)
}

# receiver_of PID: prints the process that takes the bytes. Of `send` it is the only child; of `run` the
# child that does not have the payload open.
receiver_of() {
	local child children
	children=$(pgrep -P "$1") || return 1
	case $(wc -w <<<"$children") in
	1) [ "$2" = send ] && echo "$children" ;;
	2)
		for child in $children; do
			# shellcheck disable=SC2012
			readlink "/proc/$child/fd/"* 2>/dev/null | grep -qF "$3" || continue
			grep -vx "$child" <<<"$children"
			return 0
		done
		return 1
		;;
	*) return 1 ;;
	esac
}

# freeze send|run PAYLOAD: stops the receiver of $pid mid-transfer: receiver
freeze() {
	local tries
	for ((tries = 0; tries < 2000; tries++)); do
		if receiver=$(receiver_of "$pid" "$1" "$2") && kill -STOP "$receiver" 2>/dev/null &&
			kill -0 "$receiver" 2>/dev/null; then
			return 0
		fi
		kill -0 "$pid" 2>/dev/null || break
	done
	echo "no transfer was caught"
	return 1
}

# under_way N: waits until N processes of transfers were seen: the first ones verify, those after are samples
under_way() {
	local seen='' tries
	for ((tries = 0; tries < 3000; tries++)); do
		seen=$({ printf '%s\n' "$seen" && pgrep -P "$pid"; } | sort -u | sed '/^$/d')
		[ "$(wc -l <<<"$seen")" -lt "$1" ] || return 0
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.02
	done
	echo "not under way: $seen"
	return 1
}

need_root() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
}

# Runs a command that file permissions hold for, root or not.
without_privilege() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --bounding-set -dac_override,-dac_read_search,-fowner "$@"
	else
		"$@"
	fi
}

# small_disk SIZE: a file system of its own at small/
small_disk() {
	need_root
	mkdir small
	mount -t tmpfs -o "size=$1" none small 2>/dev/null || skip "can't mount a tmpfs here"
	mounted=$PWD/small
}

# hostile FILE: every string of a result but those that the loader gives a meaning becomes markup, script and control
# characters; new members appear where documents are read member by member.
hostile() {
	local evil='</title></svg><script>alert(1)</script><img src=x onerror=alert(2)>|`~*_![i](http://192.0.2.1/i.png)[l](javascript:alert(3))'
	jq --arg evil "$evil" '
		def keep: . as $p | ($p[-1] | tostring) as $k |
			$p == ["schema"] or ($p[0] == "cases" and ($k == "status" or $k == "cache" or $k == "sink" or $k == "link"))
			or ($p[0] == "cases" and $k == "method" and $p[1] % 2 == 0) or $k == "verdict" or $k == "id";
		[paths(type == "string")] as $all |
		reduce ($all[] | select(keep | not)) as $p (.; setpath($p; getpath($p) + $evil + "\u001b[2J\n# h\n\n```\n"))
		| .host[$evil] = {($evil): {value: $evil, source: $evil}}
		| .warnings += [{code: $evil, text: $evil, effect: $evil}]
		| .claims += [{id: $evil, claim: $evil, verdict: $evil, measured: $evil, why: $evil}]
		| .cases[0].notes += [$evil] | .cases[0].counts[$evil] = {value: 1, source: $evil}
		| .cases[1].copies.file_to_user = {bytes: null, calls: null, reason: $evil}
		| .run.argv += [$evil, "\u0027", "`id`", "$(id)"]' "$1" >"$1.new"
	mv "$1.new" "$1"
}
