#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Asks the compiler what this kernel's headers offer, and prints a -D for each
# feature that is there. Called by Kbuild with the compiler and all its flags.
#
# Probing by compiling instead of by version: vendors backport. A probe is one
# statement that only compiles where the feature is; headers of driver/compat are
# the only users of the results.

set -eu

# The command as Kbuild would run it, relative to the kernel's build directory.
try() {
	name=$1 includes=$2 statement=$3
	shift 3
	if {
		for i in $includes; do echo "#include <$i>"; done
		echo "void ub_probe(void);"
		echo "void ub_probe(void) { $statement; }"
	} | "$@" -Wno-unused -Werror -fsyntax-only -x c - 2>/dev/null; then
		printf ' -DUB_HAVE_%s' "$name"
	fi
}

try VM_FLAGS_SET "linux/mm.h" \
	"struct vm_area_struct *v = (void *)0; vm_flags_set(v, VM_IO)" "$@"
try CONST_DEVNODE "linux/device/class.h" \
	"char *(*f)(const struct device *, umode_t *) = (void *)0; struct class c = { .devnode = f }" "$@"
try LINUX_UNALIGNED "linux/types.h linux/unaligned.h" "" "$@"
try ALLNS_FLAGS "net/genetlink.h" \
	"genlmsg_multicast_allns((void *)0, (void *)0, 0, 0, GFP_KERNEL)" "$@"
try GENL_INFO_DUMP "net/genetlink.h" \
	"struct nlattr **a = genl_info_dump((void *)0)->attrs" "$@"
try OLD_UNSHARE "linux/mm.h" \
	"gup_must_unshare(0, (struct page *)0)" "$@"
try HRTIMER_SETUP "linux/hrtimer.h" \
	"hrtimer_setup((void *)0, (void *)0, CLOCK_MONOTONIC, HRTIMER_MODE_ABS)" "$@"
try CREATE_CQ_ATTRS "rdma/ib_verbs.h" \
	"int (*f)(struct ib_cq *, const struct ib_cq_init_attr *, struct uverbs_attr_bundle *) = (void *)0; struct ib_device_ops o = { .create_cq = f }" "$@"
try REG_MR_DMAH "rdma/ib_verbs.h" \
	"struct ib_mr *(*f)(struct ib_pd *, u64, u64, u64, int, struct ib_dmah *, struct ib_udata *) = (void *)0; struct ib_device_ops o = { .reg_user_mr = f }" "$@"
try RESIZE_USER_CQ "rdma/ib_verbs.h" \
	"int (*f)(struct ib_cq *, unsigned int, struct ib_udata *) = (void *)0; struct ib_device_ops o = { .resize_user_cq = f }" "$@"
try REPORT_PORT_EVENT "rdma/ib_verbs.h" \
	"void (*f)(struct ib_device *, struct net_device *, unsigned long) = (void *)0; struct ib_device_ops o = { .report_port_event = f }" "$@"
