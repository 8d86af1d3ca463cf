# SPDX-License-Identifier: MIT
# One line for every case of a result: "verified", "skipped: REASON", or "wrong: CASE: WHY". A skip must have a reason that
# is true of this very case; what `copytax list methods` says that this machine can't do is one.
# --rawfile list: the output of `copytax list methods`.

def by_reference: .method | test("zerocopy|send_zc");

def who: "\(.method) \(.chunk // "whole") \(.sink) \(.link) \(.connections)";

# reason's opening words as `list` has them below the method's name
def machine_cant:
  . as $c | ($list | split("\n")) as $lines
  | ($lines | map(test("^  \($c.method) ")) | index(true)) as $at
  | $at != null and ($lines[$at + 1] | test("^ +not here: "))
    and ($c.reason | contains($lines[$at + 1] | sub("^ +not here: "; "") | .[:40]));

def right_reason:
  (.link == "unix" and .sink == "truncate" and (.reason | contains("MSG_TRUNC")))
  or (.link == "unix" and .sink == "zerocopy" and (.reason | contains("TCP_ZEROCOPY_RECEIVE is TCP's")))
  or (.link == "unix" and by_reference and (.reason | contains("only TCP sockets")))
  # this one is found out by a transfer whose bytes were hashed before
  or (.link != "unix" and .sink == "zerocopy" and (.reason | contains("mapped no page")) and .verified.ok == true)
  or machine_cant;

def arrived:
  .verified.ok == true and .verified.connections == .connections and .verified.bytes == .payload
  and ((.samples.wall_s | length) == 1 or .sink == "verify");

.cases[]
| if .status == "ok" and arrived then "verified"
  elif .status == "skipped" and right_reason then "skipped: \(.reason)"
  else "wrong: \(who): \(.status), \(.reason // "verified: \(.verified | tojson)")" end
