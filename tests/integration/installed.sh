#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# A program of a user, built as README says, against the library as it is installed.
#
#	installed.sh SOURCE_DIRECTORY BUILD_DIRECTORY
set -eu

command -v pkg-config >/dev/null || { echo "SKIP: no pkg-config"; exit 77; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

DESTDIR=$root meson install -C "$2" --no-rebuild >/dev/null
pc=$(find "$root" -name libub.pc)
PKG_CONFIG_PATH=$(dirname "$pc") PKG_CONFIG_SYSROOT_DIR=$root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
libs=$(dirname "$(find "$root" -name 'libub.so')")

# Every public header stands alone, in C and in C++.
for header in "$(dirname "$(find "$root" -name ub.h)")"/*.h; do
	echo "#include <ub/$(basename "$header")>" >"$root/t.c"
	# shellcheck disable=SC2046 # words
	cc -Wall -Wextra -Wpedantic -Werror -std=c99 $(pkg-config --cflags libub) \
		-fsyntax-only "$root/t.c"
	if command -v c++ >/dev/null; then
		# shellcheck disable=SC2046
		c++ -Wall -Wextra -Werror $(pkg-config --cflags libub) -fsyntax-only \
			-x c++ "$root/t.c"
	fi
done

# shellcheck disable=SC2046,SC2086 # lists of flags
cc "$1/examples/allreduce.c" -o "$root/allreduce" $(pkg-config --cflags --libs libub) ${CFLAGS-}
LD_LIBRARY_PATH=$libs timeout 20 "$root/allreduce"
test "$(wc -l <"$1/examples/allreduce.c")" -le 60

# What is not in the interface cannot be linked.
if nm -D --defined-only "$libs/libub.so" | awk '{ print $3 }' | sed 's/@.*//' |
   grep -vE '^(UB_1\.0|ub_(alloc|free|allreduce|broadcast|barrier|comm_[a-z]+|device_[a-z]+))$'; then
	echo "the library exports more than its interface" >&2
	exit 1
fi
