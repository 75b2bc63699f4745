#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# A program of a user under the launchers that people have: ranks find each other by
# what the launcher puts into their environment, and jobs at the same time do not mix.
#
#	launchers.sh mpirun|torchrun BUILD_DIRECTORY
set -eu

example=$2/examples/example-allreduce
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# says FILE RANKS: the example's one line, with the sum over so many ranks
says()
{
	line="$2 ranks, 1048576 elements: all sums are $(($2 * ($2 + 1) / 2))"
	[ "$(cat "$1")" = "$line" ] && return
	echo "FAIL: not the one line '$line', but:"
	cat "$1"
	exit 1
}

# Limits are for liveness. The output is the ranks', nobody else's.
mpi()
{
	OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
		timeout 60 mpirun --oversubscribe -n "$1" "$example"
}

# What torchrun sets; each rank in a session of its own, as no child of one parent.
torch()
{
	rank=0
	while [ "$rank" -lt "$1" ]; do
		RANK=$rank LOCAL_RANK=$rank WORLD_SIZE=$1 LOCAL_WORLD_SIZE=$1 \
			GROUP_RANK=0 ROLE_RANK=$rank TORCHELASTIC_RUN_ID=none \
			MASTER_ADDR=127.0.0.1 MASTER_PORT=$2 \
			setsid timeout 60 "$example" &
		rank=$((rank + 1))
	done
	wait
}

case $1 in
mpirun)
	if ! command -v mpirun >/dev/null; then
		echo "SKIP: no mpirun: the package openmpi-bin is missing"
		exit 77
	fi
	mpi 4 >"$dir/four" 2>&1
	says "$dir/four" 4
	mpi 2 >"$dir/two" 2>&1 &
	mpi 3 >"$dir/three" 2>&1
	wait
	says "$dir/two" 2
	says "$dir/three" 3
	;;
torchrun)
	port=$((1024 + $$ % 60000))
	torch 4 $port >"$dir/four" 2>&1
	says "$dir/four" 4
	torch 2 $((port + 1)) >"$dir/two" 2>&1 &
	torch 3 $((port + 2)) >"$dir/three" 2>&1
	wait
	says "$dir/two" 2
	says "$dir/three" 3
	;;
esac
echo "all of it as it should be"
