#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# make quick: from a clone to eight processes that reduce over shared memory, with no
# root, no kernel module and no library but libc. Shows what it does and fails when
# anything does not come out as it should.
#
#	tests/quick.sh BUILD_DIRECTORY
set -eu

build=$1
log=$(mktemp)
job=
trap 'test -z "$job" || kill "$job" 2>/dev/null || :; rm -f "$log"' EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
die() { printf 'quick: %s\n' "$*" >&2; exit 1; }

say "1. Build (libc, gcc and meson are all it takes)"
if ! test -e "$build/build.ninja"; then
	command -v meson >/dev/null || die "meson is missing: apt-get install meson"
	meson setup "$build" -Dtests=disabled -Dwerror=false >"$log" || { cat "$log"; exit 1; }
fi
ninja -C "$build" >"$log" || { cat "$log"; exit 1; }
for lib in $(ldd "$build/tools/perf/all_reduce_perf" | awk '{ print $1 }'); do
	case $lib in
	libub.so.*|libc.so.*|linux-vdso.so.*|*/ld-linux*|libm.so.*|libpthread.so.*) ;;
	*) die "all_reduce_perf needs $lib" ;;
	esac
done

say "2. Allreduce over eight processes, every element checked"
"$build/tools/perf/all_reduce_perf" -g 8 -b 8 -e 4M -f 8 -n 10 -w 2

say "3. The same, and rank 3 is killed in the middle"
"$build/tools/perf/all_reduce_perf" -g 8 -b 1M -e 1M -n 1000000 >"$log" 2>&1 &
job=$!
i=0
until grep -q '#wrong' "$log"; do
	i=$((i + 1))
	test $i -lt 100 || die "the ranks did not start"
	sleep 0.1
done
pid=$(awk '$2 == "Rank" && $3 == 3 { print $7 }' "$log")
echo "kill -9 $pid"
kill -9 "$pid"
! wait "$job" || die "a run with a killed rank ended well"
job=
grep '^rank' "$log" | sort | cut -c 1-200
test "$(grep -c "rank 3 (pid $pid) died" "$log")" -eq 7 ||
	die "not all seven survivors named rank 3"

say "4. The schedule that ran: two-shot allreduce of 4 ranks"
"$build/tools/ubsched" print allreduce twoshot 4

say "All of it worked."
