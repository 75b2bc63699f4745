/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that ub builds for (6.1 and newer), and
 * nothing else. UB_HAVE_* come from probe.sh; no file elsewhere may test them.
 */
#ifndef _UB_COMPAT_H
#define _UB_COMPAT_H

#include <linux/device.h>
#include <linux/mm.h>

/* Since 6.12 it is not asm/ any more. */
#ifdef UB_HAVE_LINUX_UNALIGNED
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* Since 6.3 vm_flags are only written through accessors. */
#ifndef UB_HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* Since 6.2 class->devnode gets a const device. */
#ifdef UB_HAVE_CONST_DEVNODE
#define UB_DEVNODE_CONST const
#else
#define UB_DEVNODE_CONST
#endif

/*
 * Since the RCU fix of 2024, also in stable kernels, it takes no allocation
 * flags and walks the list of namespaces safely by itself; before, its caller
 * had to hold RCU.
 */
#ifdef UB_HAVE_ALLNS_FLAGS
#define ub_genl_multicast(family, skb, group) do {				\
	rcu_read_lock();							\
	genlmsg_multicast_allns(family, skb, 0, group, GFP_ATOMIC);		\
	rcu_read_unlock();							\
} while (0)
#else
#define ub_genl_multicast(family, skb, group) \
	genlmsg_multicast_allns(family, skb, 0, group)
#endif

/*
 * Pinning for long. Before 6.2 a pin for reading might be of a page that the process
 * later replaces by writing; breaking the sharing first was the caller's business.
 */
#ifdef UB_HAVE_OLD_UNSHARE
#define UB_PIN_FLAGS(write) \
	(FOLL_LONGTERM | FOLL_WRITE | ((write) ? 0 : FOLL_FORCE))
#else
#define UB_PIN_FLAGS(write) (FOLL_LONGTERM | ((write) ? FOLL_WRITE : 0))
#endif

/* Since 6.13, and alone since 6.15. */
#ifdef UB_HAVE_HRTIMER_SETUP
#define ub_hrtimer_setup hrtimer_setup
#else
#define ub_hrtimer_setup(_timer, _function, _clock, _mode) do {			\
	hrtimer_init(_timer, _clock, _mode);					\
	(_timer)->function = (_function);					\
} while (0)
#endif

/* Since 6.7 dumps have a genl_info like other requests. */
#ifdef UB_HAVE_GENL_INFO_DUMP
#define ub_genl_dump_attrs(cb) (genl_info_dump(cb)->attrs)
#else
#define ub_genl_dump_attrs(cb) (genl_dumpit_info(cb)->attrs)
#endif

#endif /* _UB_COMPAT_H */
