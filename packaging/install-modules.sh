#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Builds the kernel modules for one kernel and installs them for modprobe.
#
# Guarantees: they go to lib/modules/RELEASE/updates of INSTALL_MOD_PATH (default:
# /), where modprobe prefers them; nothing else there changes but depmod's files.
#
# usage: packaging/install-modules.sh KDIR BUILD
set -eu

kdir=$1
build=$2
root=${INSTALL_MOD_PATH-}
# depmod
PATH=$PATH:/usr/sbin:/sbin

modules=$("$(dirname "$0")/build-modules.sh" "$kdir" "$build")
release=$(echo "$modules" | sed -n 's,.*/kmod-\([^/]*\)/.*,\1,p' | head -n 1)
to=$root/lib/modules/$release/updates
mkdir -p "$to"
for module in $modules; do
	install -m 644 "$module" "$to"
done
depmod -b "${root:-/}" "$release"
echo "install-driver: for Linux $release, in $to; modprobe ub_soft loads them"
