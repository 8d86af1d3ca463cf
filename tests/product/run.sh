#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Every method × chunk × sink × link × number of connections: all bytes arrive, and their hash is the file's. What can't
# be is skipped with a reason that is held against the case. What `make product` runs.
set -euo pipefail

usage() {
	cat <<'END'
Usage: tests/product/run.sh COPYTAX OUT [LINK...]

Runs the product over each link (default: tcp unix veth remote) and keeps OUT/LINK/result.json. The link
remote is between two network namespaces as two hosts. veth and the namespaces need root.
Environment: CHUNKS, SINKS, CONNECTIONS, METHODS (comma-separated), SIZE.

Exit: 0 all verified or skipped for a right reason, 1 some are not, 2 wrong use
END
}

(($# >= 2)) || { usage >&2 && exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
copytax=$(realpath "$1")
out=$2
shift 2
links=("$@")
((${#links[@]})) || links=(tcp unix veth remote)
chunks=${CHUNKS:-4K,32K,1M,whole}
sinks=${SINKS:-drain,truncate,splice,zerocopy,verify}
connections=${CONNECTIONS:-1,8}
methods=${METHODS:-all}
# no chunk and no number of connections divides it; the largest chunk moves it in more than two calls
size=${SIZE:-2500003}

mkdir -p "$out"
work=$(mktemp -d "$out/product.XXXXXX")
server='' spaces=()

tidy() {
	local space
	[[ -z $server ]] || kill "$server" 2>/dev/null || true
	[[ -z $server ]] || wait "$server" 2>/dev/null || true
	server=
	for space in "${spaces[@]}"; do
		ip netns del "$space" 2>/dev/null || true
	done
	spaces=()
	rm -rf "$work"
}
trap tidy EXIT
trap 'exit 130' INT TERM HUP

words() {
	tr ',' ' ' <<<"$1" | wc -w
}

# two_hosts: near and far, a cable between them, and the server in far; peer, prefix
two_hosts() {
	local near=copytax-$$-near far=copytax-$$-far try
	ip netns add "$near" && spaces+=("$near") && ip netns add "$far" && spaces+=("$far") || return 1
	ip -n "$near" link add cable type veth peer name cable netns "$far" || return 1
	ip -n "$near" addr add 198.51.100.1/24 dev cable
	ip -n "$far" addr add 198.51.100.2/24 dev cable
	ip -n "$near" link set cable up
	ip -n "$far" link set cable up
	(umask 077 && head -c 32 /dev/urandom >"$work/secret")
	ip netns exec "$far" "$copytax" serve --bind 198.51.100.2:0 --secret-file "$work/secret" >"$work/served" 2>"$work/serve-err" &
	server=$!
	for ((try = 0; try < 200; try++)); do
		peer=$(sed -n 's/^listening on \(.*\)$/\1/p' "$work/served")
		[[ -z $peer ]] || break
		kill -0 "$server" 2>/dev/null || break
		sleep 0.05
	done
	[[ -n $peer ]] || { cat "$work/serve-err" >&2 && return 1; }
	prefix=(ip netns exec "$near")
}

"$copytax" list --dir "$out" methods >"$work/list"
if [[ $methods = all ]]; then
	count=$(grep -cE '^  [a-z]' "$work/list")
else
	count=$(words "$methods")
fi
wanted=$((count * $(words "$chunks") * $(words "$sinks") * $(words "$connections")))
echo "$count methods × chunks $chunks × sinks $sinks × connections $connections: $wanted cases over each link"

verified=0 skipped=0 wrong=0
for link in "${links[@]}"; do
	prefix=() more=()
	if [[ $link = remote || $link = veth ]] && [[ $(id -u) -ne 0 ]]; then
		echo "$link: not run: network namespaces need root"
		continue
	fi
	if [[ $link = remote ]]; then
		if ! two_hosts; then
			echo "remote: wrong: no two hosts can be made of network namespaces here"
			wrong=$((wrong + 1))
			continue
		fi
		more=(--peer "$peer" --secret-file "$work/secret")
	fi
	status=0
	"${prefix[@]}" "$copytax" run --catch-up 0 --methods "$methods" --size "$size" --chunk "$chunks" --sink "$sinks" --link "$link" "${more[@]}" \
		--connections "$connections" --rounds 1 --warmup 0 --watched 0 --events none --quiet --out "$out/$link" \
		>"$work/$link.text" 2>"$work/$link.err" || status=$?
	if ! jq -r --rawfile list "$work/list" -f "$here/judge.jq" "$out/$link/result.json" >"$work/$link"; then
		cat "$work/$link.err"
		echo "$link: wrong: no result to judge, exit status $status"
		wrong=$((wrong + 1))
		continue
	fi
	ok=$(grep -c '^verified' "$work/$link" || true)
	not=$(grep -c '^skipped' "$work/$link" || true)
	bad=$(grep -c '^wrong' "$work/$link" || true)
	if ((ok + not + bad != wanted || (status != 0 && bad == 0))); then
		echo "wrong: $((ok + not + bad)) cases instead of $wanted, exit status $status" >>"$work/$link"
		tail -n 5 "$work/$link.err"
		bad=$((bad + 1))
	fi
	echo "$link: $ok verified, $not skipped, $bad wrong"
	grep '^skipped' "$work/$link" | sort | uniq -c | sort -rn | sed 's/^/  /' || true
	grep '^wrong' "$work/$link" | sed 's/^/  /' || true
	verified=$((verified + ok)) skipped=$((skipped + not)) wrong=$((wrong + bad))
done
echo "$verified verified by hash, $skipped skipped with a reason, $wrong wrong"
((wrong == 0))
