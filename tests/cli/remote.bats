#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A receiver on another host: between two network namespaces, and what strangers may not do to it.
load helpers

extra_setup() {
	server='' held=''
	spaces=()
	TOOL=$("$copytax" --version | awk 'NR == 1 { print $2 }')
	export TOOL
	(umask 077 && echo 'a secret of the two hosts' >../secret && echo 'a secret of somebody else' >../other)
}

# Whatever happened: the server ends, and the namespaces with what they hold.
teardown() {
	local space
	[ -z "$held" ] || kill -KILL "$held" 2>/dev/null || true
	[ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true
	for space in "${spaces[@]}"; do
		ip netns del "$space" 2>/dev/null || true
	done
	wait 2>/dev/null || true
	wait_until 5 eval '[ -z "$(strays)" ]'
}

# serve [COMMAND...] -- OPTION...: starts a server, by way of the command if one is given: server, port
serve() {
	local prefix=()
	while [ "$1" != -- ]; do
		prefix+=("$1")
		shift
	done
	shift
	# a server before this one had a port, too
	rm -f ../served ../server-err
	"${prefix[@]}" "$copytax" serve "$@" >../served 2>../server-err 3>&- &
	server=$!
	wait_until 20 eval 'grep -q "^listening on" ../served || ! kill -0 "$server" 2>/dev/null'
	port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' ../served)
	[ -n "$port" ] || {
		cat ../server-err
		return 1
	}
}

stranger() {
	python3 "$BATS_TEST_DIRNAME/stranger.py" 127.0.0.1 "$port" "$@"
}

# stop SIGNAL CODE: ends the server
stop() {
	local status=0
	# a client that is done has hung up, which the server need not know yet
	[ "$2" -ne 0 ] || wait_until 10 eval '[ -z "$(pgrep -P "$server")" ]'
	kill -"$1" "$server"
	wait "$server" || status=$?
	server=''
	[ "$status" -eq "$2" ] || {
		echo "ended with $status"
		cat ../server-err
		return 1
	}
}

remote() {
	local command=$1
	shift
	run --separate-stderr "$copytax" "$command" --link remote --peer "127.0.0.1:$port" "$@"
	echo "status $status, stderr: $stderr"
}

# Two namespaces with a cable between them: 'near' at 198.51.100.1 and 'far' at 198.51.100.2
two_hosts() {
	need_root
	near=copytax-$$-near far=copytax-$$-far
	ip netns add "$near" 2>/dev/null || skip "can't make a network namespace here"
	spaces+=("$near")
	ip netns add "$far"
	spaces+=("$far")
	ip -n "$near" link add cable type veth peer name cable netns "$far" || skip "no veth here"
	ip -n "$near" addr add 198.51.100.1/24 dev cable
	ip -n "$far" addr add 198.51.100.2/24 dev cable
	ip -n "$near" link set cable up
	ip -n "$far" link set cable up
}

@test "between two hosts: run verifies, times and counts; send sends" {
	two_hosts
	serve ip netns exec "$far" -- --bind 198.51.100.2:0 --secret-file ../secret
	for method in $METHODS; do
		run -0 --separate-stderr ip netns exec "$near" "$copytax" send --link remote --peer "198.51.100.2:$port" \
			--secret-file ../secret -m "$method" --size 1M --sink verify
		[[ $output == "$method: 1048576 bytes in "*"is the file's own" ]]
	done
	run -0 --separate-stderr ip netns exec "$near" "$copytax" run --link remote --peer "198.51.100.2:$port" \
		--secret-file ../secret --methods read_write,sendfile --sink drain,truncate,splice --connections 1,8 --size 1M \
		--rounds 2 --warmup 1 --catch-up 0 --quiet --out o
	jq -e --arg peer "198.51.100.2:$port" '
		.settings.peer.address == $peer and .settings.peer.authenticated and (.settings.peer.kernel | length > 0)
		and .settings.receiver_cpu == -1
		and ([.cases[] | .link == "remote" and .status == "ok" and .verified.ok
			and (.samples.wall_s | length == 3) and ([.samples.receiver_cpu_s[] | . > 0] | all)] | all)
		and ([.warnings[].code] | index("remote_receiver") != null)
		and ([.cases[].copies.socket_to_user | .bytes == null and (.reason | length > 0)] | all)' o/result.json
	# the sender's side is counted as ever, where anything is
	jq -e '[.cases[] | select(.counts.syscalls.value)
		| .copies.socket_to_user.reason == "the receiver is on another host"
			and .counts.receiver_syscalls.value == null
			and (.method != "read_write" or .copies.factor.value == 2)
			and (.method != "sendfile" or .copies.factor.value == 0)] | all' o/result.json
	wait_until 5 eval '[ "$(grep -c "session over" ../server-err)" -eq 6 ]'
	stop INT 0
	nothing_left_but o o/result.json
}

@test "the other host sees nobody without the secret" {
	two_hosts
	serve ip netns exec "$far" -- --bind 198.51.100.2:0 --secret-file ../secret
	run --separate-stderr ip netns exec "$near" "$copytax" send --link remote --peer "198.51.100.2:$port" -m sendfile --size 1M
	says 2 "asks for a secret: give --secret-file"
	run --separate-stderr ip netns exec "$near" "$copytax" send --link remote --peer "198.51.100.2:$port" \
		--secret-file ../other -m sendfile --size 1M
	says 2 "198.51.100.2:$port refused: wrong secret"
	stop TERM 0
	nothing_left_but
}

# Is a transfer on its way? What sendfile moved counts as read.
moving() {
	[ "$(awk '$1 == "rchar:" { print $2 }' "/proc/$pid/io")" -gt 100000000 ]
}

@test "the other host goes away in the middle" {
	truncate -s 16G big
	serve -- --bind 127.0.0.1:0
	start send -m sendfile --file big --link remote --peer "127.0.0.1:$port"
	wait_until 20 moving
	kill -KILL "$server"
	finish
	server=''
	says 4 "^copytax: sendfile: (127.0.0.1:$port hung up|.*(refused|receiver))"
	nothing_left_but big
}

@test "the other host freezes: given up after --time-limit, or by a signal" {
	local all
	truncate -s 4G big
	serve -- --bind 127.0.0.1:0
	for way in limit interrupt; do
		start send -m read_write --chunk 4K --file big --link remote --peer "127.0.0.1:$port" --time-limit 2
		wait_until 10 eval 'pgrep -P "$(pgrep -P "$server")" >/dev/null'
		all="$(pgrep -P "$server") $(pgrep -P "$(pgrep -P "$server")")"
		# shellcheck disable=SC2086
		kill -STOP $all
		if [ $way = limit ]; then
			finish
			says 4 "^copytax: read_write: not done after 2 s \(--time-limit\)"
		else
			kill -INT "$pid"
			finish
			says 130 "^copytax: interrupted"
		fi
		# shellcheck disable=SC2086
		kill -CONT $all
		wait_until 10 eval '[ -z "$(pgrep -P "$server")" ]'
	done
	stop INT 0
	nothing_left_but big
}

@test "strangers: garbage, claims, floods, half-open connections, wrong secrets; a run in progress goes on" {
	serve -- --bind 127.0.0.1:0 --secret-file ../secret --greeting 2 --clients 2
	start run --link remote --peer "127.0.0.1:$port" --secret-file ../secret --methods sendfile,read_write \
		--size 4M --rounds 100000 --warmup 0 --watched 0 --events none --quiet --out o
	wait_until 20 grep -q "session started" ../server-err
	run -0 stranger garbage 200
	run -0 stranger claims
	run -0 stranger no-proof
	run -0 stranger versions
	run -0 stranger flood 1000
	run -0 stranger wrong-secret 1000
	run -0 stranger out-of-bounds ../secret
	run -0 stranger transfer ../secret
	run -0 stranger silent
	[ "$output" = "said too little for too long" ]
	# those that hold their connections open, while the next honest client comes
	stranger half-open 300 < <(exec sleep 60) >../half 2>&1 3>&- &
	held=$!
	wait_until 20 grep -q "300 half-open" ../half
	remote send --secret-file ../secret -m splice --size 1M --sink verify
	[ "$status" -eq 0 ]
	[[ $output == *"is the file's own" ]]
	kill -KILL "$held"
	held=''
	# it was there all the time, in the session that it began with
	kill -INT "$pid"
	finish
	says 130 "^copytax: interrupted"
	jq -e '[.cases[] | .status == "ok" and .verified.ok and (.samples.wall_s | length > 0)] | all' o/result.json
	wait_until 10 eval '[ "$(grep -c "session over: [1-9][0-9]* transfers" ../server-err)" -gt 1 ]'
	# one line a second about them, not one each
	[ "$(grep -c refused ../server-err)" -lt 200 ]
	stop INT 0
	nothing_left_but o o/result.json
}

@test "one client at a time, unless told otherwise" {
	serve -- --bind 127.0.0.1:0 --secret-file ../secret
	mkfifo ../hold
	stranger hold ../secret <../hold >../held 2>&1 3>&- &
	held=$!
	exec 4>../hold
	wait_until 10 grep -q held ../held
	remote send --secret-file ../secret -m sendfile --size 64K
	says 3 "refused: busy with another client; .*--clients"
	# the secret comes first
	remote send --secret-file ../other -m sendfile --size 64K
	says 2 "refused: wrong secret"
	exec 4>&-
	wait "$held"
	held=''
	wait_until 10 grep -q "session over" ../server-err
	remote send --secret-file ../secret -m sendfile --size 64K
	[ "$status" -eq 0 ]
	stop INT 0
}

@test "idle sessions and stalled transfers end; a run comes back after it" {
	serve -- --bind 127.0.0.1:0 --secret-file ../secret --idle 1
	run -0 stranger hold ../secret idle
	[[ $output == *"nothing said for 1 s (--idle of the server)" ]]
	run -0 stranger hold ../secret stall
	[[ $output == *"nothing came for 1 s (--idle of the server), after 1000 of 1000000 bytes" ]]
	stop INT 0
	# one whose time is over before the run is: it opens another one, and never fails
	serve -- --bind 127.0.0.1:0 --idle 1
	start run --link remote --peer "127.0.0.1:$port" --methods sendfile --size 64K --rounds 3 --watched 0 \
		--events none --quiet --out o
	wait_until 10 grep -q "session started" ../server-err
	kill -STOP "$pid"
	wait_until 10 grep -q "session over" ../server-err
	kill -CONT "$pid"
	finish
	[ "$status" -eq 0 ] || says 4 "sendfile failed: .*(hung up|nothing came)"
	stop INT 0
}

@test "serve: SIGINT and SIGTERM end it and its sessions" {
	for signal in INT TERM HUP; do
		# under nohup it would be left ignored
		serve env --default-signal=HUP -- --bind 127.0.0.1:0 --secret-file ../secret
		# the one before this said it, too
		rm -f ../held
		stranger hold ../secret < <(exec sleep 60) >../held 2>&1 3>&- &
		held=$!
		wait_until 10 grep -q held ../held
		stop $signal 130
		grep -q "interrupted, with a session in progress" ../server-err
		[ -z "$(strays)" ]
		kill -KILL "$held"
		held=''
	done
	nothing_left_but
}

@test "serve opens no file to write to but /dev/null, and its own place in the queue of the OOM killer" {
	[ -z "${COPYTAX_COVERAGE:-}" ] || skip "the figures of coverage are files, too"
	# sanitizers look for leaks by tracing, too
	serve env ASAN_OPTIONS=detect_leaks=0 strace -f -o ../trace -e trace=open,openat,openat2,creat,memfd_create,mknod,rename,mkdir -- --bind 127.0.0.1:0
	for sink in drain splice verify; do
		remote send -m sendfile --size 1M --sink $sink
		[ "$status" -eq 0 ]
	done
	kill -INT "$(pgrep -P "$server")"
	wait "$server"
	server=''
	grep -q 'openat.*/dev/null.*O_WRONLY' ../trace
	run -1 grep -E 'O_(WRONLY|RDWR|CREAT)|creat\(|memfd|mknod|rename|mkdir' <(grep -vE '"/dev/null"|"/proc/self/oom_score_adj"' ../trace)
}

@test "serve and --link remote: what they refuse" {
	run --separate-stderr "$copytax" serve --bind 0.0.0.0:0
	says 2 "other hosts can reach 0.0.0.0:0: that needs --secret-file"
	run --separate-stderr "$copytax" serve --bind '[::]:0'
	says 2 "needs --secret-file"
	run --separate-stderr "$copytax" serve --bind nowhere:80
	says 2 "'nowhere' is no numeric address"
	run --separate-stderr "$copytax" serve --bind 192.0.2.99:0 --secret-file ../secret
	says 3 "can't listen on 192.0.2.99:0"
	chmod 644 ../other
	run --separate-stderr "$copytax" serve --secret-file ../other
	says 2 "others may read or change the secret file"
	run --separate-stderr "$copytax" serve --secret-file nothing
	says 2 "can't open the secret file nothing"
	run --separate-stderr "$copytax" serve --clients 65
	says 2 "--clients is at most 64"
	run --separate-stderr "$copytax" send -m sendfile --link remote
	says 2 "--link remote needs --peer"
	run --separate-stderr "$copytax" send -m sendfile --peer 127.0.0.1:1
	says 2 "--peer and --secret-file are for --link remote"
	run --separate-stderr "$copytax" run --methods sendfile --link remote --peer 127.0.0.1:1 --quiet --out o
	says 3 "can't connect to 127.0.0.1:1: Connection refused; is 'copytax serve' listening there"
	run --separate-stderr "$copytax" send -m sendfile --link remote --peer no-such-host.invalid:1
	says 3 "can't find the host 'no-such-host.invalid'"
	# something else listens there: it answers in its own words
	python3 -c 'import socket
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
c, _ = s.accept()
c.sendall(b"220 mail.example ESMTP\r\n")
c.recv(1000)' >../served 3>&- &
	held=$!
	wait_until 10 test -s ../served
	port=$(<../served)
	remote send -m sendfile
	says 3 "127.0.0.1:$port does not speak copytax's protocol"
	wait "$held"
	held=''
	nothing_left_but o
}

@test "both ends know the secret, or there is no session" {
	serve -- --bind '127.0.0.1:0'
	remote send --secret-file ../secret -m sendfile --size 64K
	says 2 "asks for no secret though one was given"
	remote send -m sendfile --size 64K --sndbuf 1G
	says 2 "takes socket buffers up to 64M"
	stop INT 0
	serve -- --bind '[::1]:0' --secret-file ../secret --data-port 0 --quiet
	run -0 --separate-stderr "$copytax" send --link remote --peer "[::1]:$port" --secret-file ../secret -m splice --size 1M --sink verify
	[ ! -s ../server-err ]
	stop INT 0
}
