#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a user would use instead: nginx with sendfile and curl, iperf3 -F -Z, socat, nc, and copytax's methods, over
# the same file, in turns, here and now. Prints a table and writes OUT/peers.json. A tool that is not installed is left
# out and named. As root everything runs in a network namespace of its own, with the congestion control that
# copytax sets by default; else under the system's.
# Usage: scripts/peers.sh BUILD OUT [SIZE] [ROUNDS]
# Exit codes: 0 done, 2 wrong use, 3 nothing to compare with, 4 a transfer failed
set -uo pipefail
build=${1:?usage: scripts/peers.sh BUILD OUT [SIZE] [ROUNDS]}
out=${2:?where to}
size=${3:-320000K}
rounds=${4:-9}
congestion=reno
methods=${PEERS_METHODS:-sendfile splice mmap_write read_write}
chunks=${PEERS_CHUNKS:-32K 256K 1M}

if [ -z "${PEERS_INSIDE:-}" ] && [ "$(id -u)" -eq 0 ] && unshare --net true 2>/dev/null; then
	PEERS_INSIDE=1 exec unshare --net -- "$0" "$@"
fi

copytax=$(realpath "$build/copytax") || exit 2
mkdir -p "$out" || exit 2
out=$(cd "$out" && pwd)
work=$(mktemp -d "$out/.copytax-peers-XXXXXX") || exit 3
payload=$work/payload.bin
running=()
nginx=

cleanup() {
	local pid
	for pid in "${running[@]}"; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	if [ -n "$nginx" ]; then
		kill "$nginx" 2>/dev/null
		wait "$nginx" 2>/dev/null
	fi
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

die() {
	echo "peers: $2" >&2
	exit "$1"
}

if [ -n "${PEERS_INSIDE:-}" ]; then
	ip link set lo up || die 3 'the loopback device of the namespace would not come up'
	echo "$congestion" >/proc/sys/net/ipv4/tcp_congestion_control 2>/dev/null
fi
congestion=$(cat /proc/sys/net/ipv4/tcp_congestion_control)

# port: one that nobody listens on
port() {
	local p
	while :; do
		p=$((20000 + RANDOM % 20000))
		(exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || break
	done
	echo "$p"
}

# listening PORT: waits until somebody does, without connecting to it
listening() {
	local hex
	hex=$(printf ':%04X ' "$1")
	for _ in $(seq 200); do
		grep -q "$hex.* 0A " /proc/net/tcp /proc/net/tcp6 2>/dev/null && return 0
		sleep 0.01
	done
	return 1
}

# record NAME WALL_S SENDER_CPU_S
record() {
	printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$work/samples.tsv"
}

# CPU seconds of a process so far; the scheduler's nanoseconds, and ticks where it keeps none
cpu_of() {
	if [ -r "/proc/$1/schedstat" ]; then
		awk '{ printf "%.9f", $1 / 1e9 }' "/proc/$1/schedstat"
	else
		awk -v hz="$(getconf CLK_TCK)" '{ printf "%.9f", ($14 + $15) / hz }' "/proc/$1/stat"
	fi
}

# seconds COMMAND...: user + system CPU of a process, to the millisecond; its output goes to $work/said
seconds() {
	local TIMEFORMAT='%U %S'
	{ time "$@" >"$work/said" 2>"$work/errors"; } 2>"$work/time" || return 1
	awk '{ printf "%.3f", $1 + $2 }' "$work/time"
}

# exec_on CPU COMMAND...: in a subshell or in the background only, whose process becomes the command
exec_on() {
	if [ "$1" -ge 0 ]; then exec taskset -c "$@"; else exec "${@:2}"; fi
}

# On the CPUs that copytax gives its own two processes.
on_sender() (
	exec_on "$sender" "$@"
)

on_receiver() (
	exec_on "$receiver" "$@"
)

start_nginx() {
	nginx_port=$(port)
	cat >"$work/nginx.conf" <<-CONF
		user $(id -un);
		worker_processes 1;
		daemon off;
		pid $work/nginx.pid;
		error_log $work/nginx.log;
		events { }
		http {
			access_log off;
			sendfile on;
			tcp_nopush on;
			sendfile_max_chunk 0;
			server { listen 127.0.0.1:$nginx_port; root $work; }
		}
	CONF
	exec_on "$sender" nginx -e "$work/nginx.log" -p "$work" -c "$work/nginx.conf" >/dev/null 2>&1 &
	nginx=$!
	listening "$nginx_port"
}

once_nginx() {
	local worker before wall
	worker=$(pgrep -P "$(cat "$work/nginx.pid")" | head -1) || return 1
	before=$(cpu_of "$worker")
	wall=$(on_receiver curl --silent --fail --output /dev/null --write-out '%{size_download} %{time_total}' \
		"http://127.0.0.1:$nginx_port/payload.bin") || return 1
	[ "${wall% *}" = "$bytes" ] || return 1
	record nginx "${wall#* }" "$(awk -v a="$before" -v b="$(cpu_of "$worker")" 'BEGIN { printf "%.9f", b - a }')"
}

once_iperf3() {
	local p cpu
	p=$(port)
	exec_on "$receiver" iperf3 --server --one-off --port "$p" >/dev/null 2>&1 &
	running=($!)
	listening "$p" || return 1
	cpu=$(seconds on_sender iperf3 --client 127.0.0.1 --port "$p" -F "$payload" -Z --json) || return 1
	wait "${running[0]}"
	running=()
	[ "$(jq '.end.sum_sent.bytes' "$work/said")" = "$bytes" ] || return 1
	record iperf3 "$(jq '.end.sum_sent.seconds' "$work/said")" "$cpu"
}

# Wall time from the sender's start to the receiver's end: both are processes that do nothing else.
once_pair() {
	local name=$1 start stop cpu
	start=$EPOCHREALTIME
	cpu=$(seconds "${@:2}") || return 1
	wait "${running[0]}" || return 1
	stop=$EPOCHREALTIME
	running=()
	[ "$(cat "$work/got")" = "$bytes" ] || return 1
	record "$name" "$(awk -v a="$start" -v b="$stop" 'BEGIN { printf "%.6f", b - a }')" "$cpu"
}

# The receivers count what they get only in the first, untimed round: counting costs them time.
once_socat() {
	local p
	p=$(port)
	echo "$bytes" >"$work/got"
	if [ "$round" -eq 0 ]; then
		(socat -u -b 1048576 "TCP-LISTEN:$p,bind=127.0.0.1,reuseaddr" STDOUT | wc -c >"$work/got") &
	else
		exec_on "$receiver" socat -u -b 1048576 "TCP-LISTEN:$p,bind=127.0.0.1,reuseaddr" OPEN:/dev/null &
	fi
	running=($!)
	listening "$p" || return 1
	once_pair socat on_sender socat -u -b 1048576 "OPEN:$payload,rdonly" "TCP:127.0.0.1:$p"
}

send_nc() {
	on_sender nc -N 127.0.0.1 "$1" <"$payload"
}

once_nc() {
	local p
	p=$(port)
	echo "$bytes" >"$work/got"
	if [ "$round" -eq 0 ]; then
		(nc -l 127.0.0.1 "$p" | wc -c >"$work/got") &
	else
		exec_on "$receiver" nc -l 127.0.0.1 "$p" >/dev/null &
	fi
	running=($!)
	listening "$p" || return 1
	once_pair nc send_nc "$p"
}

once_copytax() {
	local method=${1%:*} chunk=${1#*:}
	"$copytax" send --method "$method" --chunk "$chunk" --file "$payload" --json >"$work/said" 2>"$work/errors" || return 1
	[ "$(jq .bytes "$work/said")" = "$bytes" ] || return 1
	record "copytax $method $chunk" "$(jq .wall_s "$work/said")" "$(jq .sender_cpu_s "$work/said")"
}

# ---- who takes part ----

(cd "$work" && "$copytax" run --methods sendfile --size "$size" --rounds 1 --warmup 0 --watched 0 --events none --quiet \
	--keep-payload --out made >/dev/null 2>errors) || die 4 "no payload: $(cat "$work/errors")"
mv "$work/made/payload.bin" "$payload" || die 4 'no payload'
bytes=$(stat -c %s "$payload")
sender=$(jq .settings.sender_cpu "$work/made/result.json")
receiver=$(jq .settings.receiver_cpu "$work/made/result.json")

entrants=()
missing=()
peer() {
	local name=$1 tool
	for tool in "${@:2}"; do
		if ! command -v "$tool" >/dev/null; then
			missing+=("$name")
			return
		fi
	done
	entrants+=("$name")
}
PATH=$PATH:/usr/sbin:/sbin
peer nginx nginx curl
peer iperf3 iperf3
peer socat socat
peer nc nc
[ ${#entrants[@]} -gt 0 ] || die 3 "none of nginx, iperf3, socat, nc is installed: 'make deps-peers' installs them"
for name in "${missing[@]}"; do
	echo "peers: $name is not installed and left out ('make deps-peers' installs it)" >&2
done
if [[ " ${entrants[*]} " == *' nginx '* ]]; then
	start_nginx || die 4 "nginx would not start: $(tail -1 "$work/nginx.log" 2>/dev/null)"
fi
for method in $methods; do
	for chunk in $chunks; do
		entrants+=("copytax:$method:$chunk")
	done
done

# ---- in turns; round 0 warms up and is left out ----

for round in $(seq 0 "$rounds"); do
	while read -r -u 3 who; do
		cat "$payload" >/dev/null
		case $who in
		copytax:*) once_copytax "${who#copytax:}" ;;
		*) "once_$who" ;;
		esac || die 4 "$who failed in round $round: $(tail -1 "$work/errors" 2>/dev/null)"
	done 3< <(printf '%s\n' "${entrants[@]}" | shuf --random-source=<(yes "$round"))
	[ "$round" -gt 0 ] || : >"$work/samples.tsv"
done

version_of() {
	case $1 in
	nginx) nginx -v 2>&1 | sed 's|.*/||' ;;
	iperf3) iperf3 --version | sed -n '1s/iperf \([^ ]*\).*/\1/p' ;;
	socat) socat -V | sed -n 's/^socat version \([^ ]*\).*/\1/p' ;;
	nc) dpkg-query -W -f '${Version}' netcat-openbsd 2>/dev/null || echo unknown ;;
	esac
}
for name in nginx iperf3 socat nc; do
	[[ " ${entrants[*]} " != *" $name "* ]] || printf '%s\t%s\n' "$name" "$(version_of "$name")"
done >"$work/versions.tsv"

jq -n --rawfile samples "$work/samples.tsv" --rawfile versions "$work/versions.tsv" --argjson bytes "$bytes" \
	--argjson rounds "$rounds" --arg congestion "$congestion" --arg kernel "$(uname -r)" \
	--arg measured "$(date -u +%FT%TZ)" --argjson sender "$sender" --argjson receiver "$receiver" \
	--arg missing "${missing[*]}" '
	def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
	def rows: split("\n") | map(select(. != "") | split("\t"));
	($versions | rows | map({ key: .[0], value: .[1] }) | from_entries) as $version
	| ($samples | rows | group_by(.[0]) | map({
		name: .[0][0], version: $version[.[0][0]],
		is_peer: (.[0][0] | startswith("copytax") | not),
		wall_s: map(.[1] | tonumber), sender_cpu_s: map(.[2] | tonumber) }
		| .gb_per_s = { median: (.wall_s | map($bytes / . / 1e9) | median), low: ($bytes / (.wall_s | max) / 1e9),
			high: ($bytes / (.wall_s | min) / 1e9) }
		| .sender_cpu_s_per_gb = (.sender_cpu_s | map(. / $bytes * 1e9) | median))
		| sort_by(-.gb_per_s.median)) as $all
	| { schema: "copytax.peers/1", measured: $measured, kernel: $kernel, payload_bytes: $bytes, rounds: $rounds,
		congestion_control: $congestion, sender_cpu: $sender, receiver_cpu: $receiver,
		not_installed: ($missing | split(" ") | map(select(. != ""))), rows: $all,
		best_peer: ([$all[] | select(.is_peer)][0].name), best_copytax: ([$all[] | select(.is_peer | not)][0].name) }' \
	>"$work/peers.json" || die 4 'the samples would not add up'
mv "$work/peers.json" "$out/peers.json"

printf '%-26s %8s %17s %14s\n' '' 'GB/s' 'lowest to highest' 'CPU s/GB sender'
jq -r '.rows[] | [.name + (if .version then " " + .version else "" end), .gb_per_s.median, .gb_per_s.low, .gb_per_s.high,
	.sender_cpu_s_per_gb] | @tsv' "$out/peers.json" |
	awk -F '\t' '{ printf "%-26s %8.2f %8.2f to %5.2f %14.4f\n", $1, $2, $3, $4, $5 }'
jq -r '"\nmedians of \(.rounds) rounds in turns, \(.payload_bytes) bytes from a warm cache, \(.congestion_control), sender on CPU \(.sender_cpu), receiver on CPU \(.receiver_cpu)
nginx: its worker, as curl timed it. iperf3, socat, nc: the CPU of a whole process, to the millisecond; socat and nc
are timed from outside, starts of processes included. copytax: its timed span, as in copytax send --json."' "$out/peers.json"
echo "peers: $out/peers.json"
