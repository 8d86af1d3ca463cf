# SPDX-License-Identifier: MIT
# What must hold of the counts in a result.json, to the byte. Prints one line for everything that does not;
# nothing means that all of it holds. A count may be null, with its reason: those lines begin with "null".
# --arg fs: the file system of the payload.

def at($path): getpath($path | split("."));

# The expected number, or a complaint.
def expect($who; $what; $entry; $wanted):
  if ($entry | type) != "object" then "missing: \($who) \($what)"
  elif ($entry.value // $entry.bytes) == null and ($entry | has("reason")) then
    "null: \($who) \($what): \($entry.reason)"
  elif ($entry.value // $entry.bytes) != $wanted then
    "wrong: \($who) \($what) is \($entry.value // $entry.bytes), not \($wanted) (\($entry.source))"
  else empty end;

def calls($who; $case; $name; $wanted):
  if $case.counts.syscalls.value == null then "null: \($who) syscalls: \($case.counts.syscalls.reason)"
  elif ($case.counts.syscalls.by[$name] // 0) != $wanted then
    "wrong: \($who) \($name) calls are \($case.counts.syscalls.by[$name] // 0), not \($wanted)"
  else empty end;

def second($who; $case):
  $case.copies | to_entries[] | select(.value.second? != null and .value.second.bytes != .value.bytes)
  | "wrong: \($who) \(.key): \(.value.source) says \(.value.bytes), \(.value.second.source) says \(.value.second.bytes)";

.cases[] | select(.status == "ok") | . as $c
| "\(.method) \(.cache) \(.sink) \(.chunk)" as $who
| .payload as $p
# calls by all connections, each of which sends its share
| ((.payload / .connections + .chunk - 1) / .chunk | floor | . * $c.connections) as $r
| {
    read_write:   { calls: { read: $r, write: $r }, f2u: $p, u2s: $p, ref: 0 },
    mmap_write:   { calls: { read: 0, write: $r }, f2u: 0, u2s: $p, ref: 0 },
    sendfile:     { calls: { sendfile: $r, write: 0 }, f2u: 0, u2s: 0, ref: $p },
    splice:       { calls: { splice: (2 * $r), write: 0 }, f2u: 0, u2s: 0, ref: $p },
    direct_write: { calls: { read: $r, write: $r }, f2u: 0, u2s: $p, ref: 0 },
    preadv2_dontcache: { calls: { preadv2: $r, read: 0, write: $r }, f2u: $p, u2s: $p, ref: 0 },
    mmap_populate:   { calls: { read: 0, write: $r }, f2u: 0, u2s: $p, ref: 0 },
    mmap_sequential: { calls: { read: 0, write: $r }, f2u: 0, u2s: $p, ref: 0 },
    mmap_hugepage:   { calls: { read: 0, write: $r }, f2u: 0, u2s: $p, ref: 0 },
    vmsplice:      { calls: { vmsplice: $r, splice: $r, write: 0 }, f2u: 0, u2s: 0, ref: $p },
    # loopback copies all that was sent by reference; sends may have been refused at first, so $r is the least
    zerocopy:      { calls: { write: 0 }, least: { sendto: $r }, f2u: 0, u2s: 0, ref: $p, later: $p },
    read_zerocopy: { calls: { read: $r, write: 0 }, least: { sendto: $r }, f2u: $p, u2s: 0, ref: $p, later: $p },
    uring_read_send: { calls: { read: 0, write: 0, sendto: 0 }, uring: true, f2u: $p, u2s: $p, ref: 0 },
    uring_splice:    { calls: { read: 0, write: 0, splice: 0 }, uring: true, f2u: 0, u2s: 0, ref: $p },
    uring_send_zc:   { calls: { read: 0, write: 0, sendto: 0 }, f2u: $p, u2s: 0, ref: $p, later: $p },
    uring_read_send_sqpoll: { calls: { read: 0, write: 0, sendto: 0 }, uring: true, f2u: $p, u2s: $p, ref: 0 },
    uring_splice_sqpoll:    { calls: { read: 0, write: 0, splice: 0 }, uring: true, f2u: 0, u2s: 0, ref: $p },
    uring_send_zc_sqpoll:   { calls: { read: 0, write: 0, sendto: 0 }, f2u: $p, u2s: 0, ref: $p, later: $p }
  }[.method] as $want
| select($want != null)
| (if .verified.ok != true then "wrong: \($who) is not verified" else empty end),
  ($want.calls | to_entries[] | calls($who; $c; .key; .value)),
  ($want.least // {} | to_entries[]
   | select($c.counts.syscalls.value != null and ($c.counts.syscalls.by[.key] // 0) < .value)
   | "wrong: \($who) \(.key) calls are fewer than \(.value)"),
  # two calls for every chunk become one for many
  (if $want.uring and $r >= 64 and $c.counts.syscalls.value != null and $c.counts.syscalls.by.io_uring_enter > $r / 4
   then "wrong: \($who) takes \($c.counts.syscalls.by.io_uring_enter) calls of io_uring_enter for \($r) chunks"
   else empty end),
  # tmpfs keeps its pages in memory: direct I/O there, where it is accepted, copies from them
  (if .method == "direct_write" and $fs == "tmpfs" then empty
   else expect($who; "file_to_user"; .copies.file_to_user; $want.f2u) end),
  expect($who; "user_to_socket"; .copies.user_to_socket; $want.u2s),
  expect($who; "by_reference"; .copies.by_reference; $want.ref),
  expect($who; "file_to_kernel"; .copies.file_to_kernel; 0),
  # what a kernel function is seen to copy includes what TCP sends again; what the kernel reports back does not
  (if $want.later and .copies.deferred.bytes != null and (.copies.deferred.source | test("completions") | not)
   then if .copies.deferred.bytes < $p then "wrong: \($who) deferred is \(.copies.deferred.bytes), less than \($p)"
        else empty end
   else expect($who; "deferred"; .copies.deferred; $want.later // 0) end),
  expect($who; "socket_to_user"; .copies.socket_to_user; (if .sink == "drain" then $p else 0 end)),
  (if .method == "direct_write" and $fs != "tmpfs" then
     expect($who; "disk_to_user"; .copies.disk_to_user; $p),
     expect($who; "page_cache_pages_added"; .counts.page_cache_pages_added; 0)
   else empty end),
  (if (.method == "direct_write" and $fs == "tmpfs") or (.copies.deferred.bytes // 0) > $p then empty
   else expect($who; "factor"; .copies.factor; (($want.f2u + $want.u2s + ($want.later // 0)) / $p)) end),
  second($who; $c)
