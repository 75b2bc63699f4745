#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Builds the kernel modules for one kernel.
#
# Guarantees: nothing is written into the source tree; each kernel has its own
# directory, BUILD/kmod-RELEASE, so that several can be built side by side, and
# a second build compiles only what changed. The last lines printed are the
# modules' files.
#
# usage: packaging/build-modules.sh [--root ROOT] KDIR BUILD [ARGUMENT OF MAKE...]
#   KDIR    the kernel's headers, e.g. /lib/modules/$(uname -r)/build
#   --root  KDIR lies in this tree, which has the compiler for it too (see
#           tests/vm/suite-kernel)
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
root=
[ "${1-}" != --root ] || { root=$2; shift 2; }
if [ $# -lt 2 ]; then
	sed -n 's/^# \{0,1\}//; /^usage:/,/^set /{/^set /d; p}' "$0" >&2
	exit 1
fi
kdir=$1
mkdir -p "$2"
build=$(cd "$2" && pwd)
shift 2

die()
{
	echo "build-modules: $*" >&2
	exit 1
}

# What is gone from the source must go from the copy, or it would be built.
forget_removed()
{
	find driver uapi -type f \( -name '*.[chS]' -o -name Kbuild -o -name Makefile \) |
	while read -r file; do
		[ -e "$top/$file" ] || case $file in
		*.mod.c) ;;
		*) rm "$file" ;;
		esac
	done
}

[ -e "$top/driver" ] || die "driver/ is not in this tree."
if [ ! -e "$kdir/Makefile" ]; then
	die "there are no kernel headers at '$kdir'. For the running kernel:" \
	    "apt install linux-headers-$(uname -r); for another, give KDIR=."
fi
release=$(sed -n 's/^#define UTS_RELEASE "\(.*\)"/\1/p' \
	"$kdir/include/generated/utsrelease.h" 2>/dev/null) || true
[ -n "$release" ] || die "$kdir is not a configured kernel: it has no" \
	"include/generated/utsrelease.h. Run make modules_prepare there."
copy=$build/kmod-$release
mkdir -p "$copy"
# Timestamps are kept, so make sees what changed.
cp -dR -u --preserve=timestamps "$top/driver" "$top/uapi" "$copy"
cd "$copy"
forget_removed
if [ -e "$top/Kbuild" ]; then
	cp -u --preserve=timestamps "$top/Kbuild" .
else
	echo 'obj-y += driver/' >Kbuild
fi
# Debian's headers name their compiler; of other kernels, use what built them.
if [ ! -e "$kdir/.kernelvariables" ]; then
	cc=$(sed -n 's/^CONFIG_CC_VERSION_TEXT="\([^ ]*\) .*/\1/p' "$kdir/.config")
	! command -v "$cc" >/dev/null || set -- CC="$cc" "$@"
fi
if [ -n "$root" ]; then
	"$top/tests/vm/in-root" "$root" "$copy" \
		make -s -C "${kdir#"$root"}" M="$copy" modules "$@" >&2
else
	make -s -C "$kdir" M="$copy" modules "$@" >&2
fi
find "$copy" -name '*.ko' | sort
