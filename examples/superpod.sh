#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The demo: a software SuperPod from modprobe to an allreduce, a pulled link and a
# killed rank. `make demo` runs it in a guest; it runs as well, as root, on a host
# where ub is installed.
#
# It checks what it shows: the exit status is not 0 when anything was not so.
set -eu

work=$(mktemp -d)
perf=
trap 'kill $perf 2>/dev/null || :; rm -rf "$work"' EXIT

chapter()
{
	printf '\n======== %s\n' "$*"
}

run()
{
	printf '\n$ %s\n' "$*"
	"$@"
}

die()
{
	echo "demo: $*" >&2
	exit 1
}

# The processes that map segments of NPUs, as the kernel sees them. A segment's
# mappings are mappings of ub_seg, whatever the program says.
ranks_on_segments()
{
	grep -ls ub_seg /proc/[0-9]*/maps | wc -l
}

# Bytes by load and store, both directions, on the link between two NPUs.
link_bytes()
{
	ubstat link "$1" | awk -v a="$1/" -v b="$2/" '
		index($1, a) == 1 && index($2, b) == 1 ||
		index($1, b) == 1 && index($2, a) == 1 { print $(NF - 3) + $(NF - 2) }'
}

# Waits until a line of the perf tool's output says that sizes are running.
wait_running()
{
	for _ in $(seq 100); do
		grep -q '(us)' "$work/perf" && return
		sleep 0.1
	done
	die "the allreduce did not start"
}

chapter "1. A SuperPod: eight NPUs, each linked to each"
run modprobe ub_soft
run ubstat
run ubstat topo

chapter "2. Eight processes, rank r on NPU r: allreduce by load and store"
run all_reduce_perf -g 8 -b 64 -e 1M -f 16 -n 3 -w 1

chapter "3. Which links carried it"
run ubstat link ub0
[ "$(link_bytes ub0 ub1)" -gt 0 ] || die "link ub0-ub1 shows no traffic"

chapter "4. A link is pulled while an allreduce runs: it goes on over a detour"
all_reduce_perf -g 8 -b 256K -e 256K -n 200 -w 1 >"$work/perf" 2>&1 &
perf=$!
wait_running
ranks=$(ranks_on_segments)
echo "$ranks processes have segments of /dev/ub mapped"
[ "$ranks" -ge 8 ] || die "the data segments are not /dev/ub's"
run ubadm link set ub0/0 down
run ubadm route get ub0 ub1
wait $perf || { cat "$work/perf"; die "the allreduce failed"; }
perf=
cat "$work/perf"
run ubstat link ub0

chapter "5. A rank is killed: the others say who"
all_reduce_perf -g 8 -b 256K -e 256K -n 100000 -w 1 >"$work/perf" 2>&1 &
perf=$!
wait_running
victim=$(awk '$1 == "#" && $2 == "Rank" && $3 == 3 { print $7 }' "$work/perf")
run kill -9 "$victim"
if wait $perf; then die "the death of rank 3 went unnoticed"; fi
perf=
sed -n '/[Rr]ank 3/{/on  *[^ ]* device/!p}' "$work/perf" | head -n 8
grep -q 'rank 3' "$work/perf" || { cat "$work/perf"; die "nobody named rank 3"; }

chapter "6. The link comes back"
run ubadm link set ub0/0 up
run ubstat
run modprobe -r ub_soft
echo
echo "demo: all of it happened"
