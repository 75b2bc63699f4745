#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The tools as a user meets them: columns that scripts parse, exit statuses, sentences.
#
#	tools.sh BUILD_DIRECTORY
set -eu

perf=$1/tools/perf/all_reduce_perf
bcast=$1/tools/perf/broadcast_perf
sched=$1/tools/ubsched
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() { echo "FAIL: $*" >&2; exit 1; }

# expect STATUS WORDS COMMAND...: the exit status, and words on stderr or stdout
expect() {
	want=$1 words=$2
	shift 2
	status=0
	timeout 20 "$@" >"$dir/out" 2>&1 || status=$?
	test "$status" -eq "$want" || { cat "$dir/out"; fail "$*: $status, not $want"; }
	grep -q -- "$words" "$dir/out" || { cat "$dir/out"; fail "$*: no '$words'"; }
}

# nccl-tests' three lines of heading, to the character.
cat >"$dir/heading" <<'END'
#                                                              out-of-place                       in-place          
#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)       
END

expect 0 'Out of bounds values : 0 OK' "$perf" -g 3 -b 8 -e 64K -f 8 -n 2 -w 1 --json "$dir/json"
grep -A2 'out-of-place' "$dir/out" | cmp - "$dir/heading" || fail "the heading differs"
test "$(grep -vc '^#' "$dir/out")" -eq 5 || fail "not five rows"
grep -v '^#' "$dir/out" | while read -r size count type op root time algbw busbw wrong rest; do
	test "$type $op $root $wrong" = "float sum -1 0" || fail "row: $type $op $root $wrong"
	test "$size" -eq $((count * 4)) || fail "row: $size bytes, $count elements"
	test "$(echo "$time $algbw $busbw $rest" | wc -w)" -eq 7 || fail "row: columns"
done
grep -q '^# memcpy by all ranks' "$dir/out" || fail "no memcpy limit"
test "$(wc -l <"$dir/json")" -eq 10 || fail "not ten lines of JSON"
if command -v python3 >/dev/null; then
	python3 -c 'import json, sys; [json.loads(l) for l in open(sys.argv[1])]' "$dir/json"
fi

expect 0 'Out of bounds values : 0 OK' "$perf" -g 2 -b 1K -e 1K -n 2 -d all -o all --private --touch
expect 0 'Out of bounds values : 0 OK' "$bcast" -g 3 -r 2 -b 8 -e 1M -f 16 -n 2
expect 0 'Out of bounds values : 0 OK' "$perf" -b 4K -e 4K -n 2
expect 0 '--minbytes' "$perf" --help
expect 2 'no option -X' "$perf" -X
expect 2 'no option --foo' "$perf" --foo
expect 2 'needs a value' "$perf" -b
expect 2 'should be a size' "$perf" -b 3Q
expect 2 'not built yet' "$perf" -d half
expect 2 'not built yet' "$perf" -o prod
expect 2 'below the smallest' "$perf" -b 2M -e 1M
expect 2 "what is 'seven'" "$perf" seven
expect 1 'UB_DEVICE=3000' env UB_DEVICE=3000 "$perf" -g 1 -b 8 -e 8

expect 0 'twoshot: 4 ranks' "$sched" print allreduce twoshot 4
expect 0 'digraph' "$sched" dot broadcast flat 3 root 2
expect 0 'ring' "$sched" cost allreduce - 8 bytes 1M
expect 0 'dissemination' "$sched" list
expect 2 'no such algorithm' "$sched" print allreduce nonsense 4
expect 2 'no collective' "$sched" print allsum ring 4
expect 2 'not understood' "$sched" print broadcast flat 3 root 3
expect 2 'too few words' "$sched" print

# Ranks that a launcher has started, as torchrun names them.
i=0
while [ $i -lt 3 ]; do
	RANK=$i WORLD_SIZE=3 MASTER_ADDR=localhost MASTER_PORT=$$ \
		timeout 20 "$1/examples/example-allreduce" >"$dir/rank$i" 2>&1 &
	i=$((i + 1))
done
wait
grep -q '3 ranks, 1048576 elements: all sums are 6' "$dir/rank0" || fail "$(cat "$dir"/rank*)"

echo "all of it as it should be"
