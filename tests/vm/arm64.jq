# SPDX-License-Identifier: MIT
# Of a result from QEMU's neoverse-n1: a line for everything that is not as it must be; none when all is well.
# $which: "methods" (every method with the default events) or "crowded" (12 hardware counters at once).

# the counter of an event in a mode
def counter($name; $scope): .events[] | select(.name == $name and .scope == $scope);
def must(cond; what): if cond then empty else what end;

def of_methods:
	must((.cases | length) >= 5; "there are only \(.cases | length) methods"),
	(.cases[] | select(.status == "ok") | .method as $m |
		("cycles", "instructions") as $e | ("user", "kernel") as $s | counter($e; $s) |
		must((.value | type) == "number" and .value > 0; "\($m): \($e) in \($s) mode is \(.value): \(.reason)")),
	# one group: all four ran for the same time
	(.cases[] | select(.status == "ok") |
		must([.events[] | select(.name == "cycles" or .name == "instructions") | .running_s] | unique | length == 1;
			"\(.method): cycles and instructions were not one group")),
	(.cases[] | select(.status == "ok") |
		must(.figures.cycles_per_byte.value > 0; "\(.method): no cycles per byte"),
		# by this machine's construction
		must((.figures.ipc_kernel.value - 0.5 | fabs) < 0.02; "\(.method): IPC \(.figures.ipc_kernel.value)"),
		must(counter("cache-misses"; "kernel") | .value == null and (.reason | test("no such event"));
			"\(.method): cache-misses is not null for want of the event"),
		must(counter("arm_n1::L1D_CACHE_REFILL"; "kernel") | .value == null and (.reason | test("counted nothing"));
			"\(.method): L1D_CACHE_REFILL is not null for having counted nothing"),
		must(.profile.event == "cycles" and .profile.samples > 10;
			"\(.method): stacks were not sampled by cycles: \(.profile.samples) by \(.profile.event), \(.profile.reason)"));

def of_crowded:
	.cases[] | .method as $m |
	[.events[] | select(.source != "software event of the kernel")] as $hardware |
	must($hardware | length == 12; "\($m): \($hardware | length) counters, not 12"),
	($hardware[] | must(.multiplexed != null and .multiplexed < 0.999 and .value != null;
		"\($m): \(.name) in \(.scope) mode is not flagged as multiplexed: \(.reason)")),
	($hardware[] | select(.multiplexed) | must((.multiplexed - .running_s / .enabled_s | fabs) < 1e-6;
		"\($m): \(.name): the fraction \(.multiplexed) is not \(.running_s) of \(.enabled_s) s")),
	# this PMU has a cycle counter and six others: no more can have run at a time, and there is always a group running
	([$hardware[].multiplexed] | add | must(. < 7.1 and . > 3; "\($m): \(.) counters ran at a time")),
	# the same event by three names counts the same, each scaled by its own fraction of a transfer that is not even
	([["cycles", "CPU-CYCLES", "r11"], ["instructions", "PERF_COUNT_HW_INSTRUCTIONS", "r8"]][] as $names |
		[$hardware[] | select(.scope == "kernel" and (.name | IN($names[]))) | .value] |
		must(length == 3 and max < 2 * min; "\($m): one event by three names counted \(.)"));

if $which == "methods" then of_methods else of_crowded end
