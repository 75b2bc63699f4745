/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs in the core of InfiniBand between the kernels that ub builds for,
 * and nothing else. UB_HAVE_* come from probe.sh.
 *
 * An operation whose arguments have changed is defined by a macro around a function
 * that does not know of it.
 */
#ifndef _UB_COMPAT_RDMA_H
#define _UB_COMPAT_RDMA_H

#include <rdma/ib_verbs.h>
#include <rdma/uverbs_ioctl.h>

/* Since 6.11 create_cq gets all attributes of the call, not only the driver's. */
#ifdef UB_HAVE_CREATE_CQ_ATTRS
#define UB_CREATE_CQ_OP(name, fn)						\
static int name(struct ib_cq *cq, const struct ib_cq_init_attr *attr,		\
		struct uverbs_attr_bundle *attrs)				\
{										\
	return fn(cq, attr, attrs ? &attrs->driver_udata : NULL);		\
}
#else
#define UB_CREATE_CQ_OP(name, fn)						\
static int name(struct ib_cq *cq, const struct ib_cq_init_attr *attr,		\
		struct ib_udata *udata)						\
{										\
	return fn(cq, attr, udata);						\
}
#endif

/* Since 6.17 there are DMA handles, for devices that can do more than ours. */
#ifdef UB_HAVE_REG_MR_DMAH
#define UB_REG_USER_MR_OP(name, fn)						\
static struct ib_mr *name(struct ib_pd *pd, u64 start, u64 length, u64 iova,	\
			  int flags, struct ib_dmah *dmah,			\
			  struct ib_udata *udata)				\
{										\
	return dmah ? ERR_PTR(-EOPNOTSUPP) :					\
		      fn(pd, start, length, iova, flags, udata);		\
}
#else
#define UB_REG_USER_MR_OP(name, fn)						\
static struct ib_mr *name(struct ib_pd *pd, u64 start, u64 length, u64 iova,	\
			  int flags, struct ib_udata *udata)			\
{										\
	return fn(pd, start, length, iova, flags, udata);			\
}
#endif

/* Since 7.2 only those of user space are resized. */
#ifdef UB_HAVE_RESIZE_USER_CQ
#define UB_RESIZE_CQ(fn) .resize_user_cq = fn
#define UB_RESIZE_CQ_OP(name, fn)						\
static int name(struct ib_cq *cq, unsigned int entries, struct ib_udata *udata)	\
{										\
	return fn(cq, entries, udata);						\
}
#else
#define UB_RESIZE_CQ(fn) .resize_cq = fn
#define UB_RESIZE_CQ_OP(name, fn)						\
static int name(struct ib_cq *cq, int entries, struct ib_udata *udata)		\
{										\
	return entries < 0 ? -EINVAL : fn(cq, entries, udata);			\
}
#endif

/*
 * Newer kernels make port events of the network interface's, unless the driver
 * says that it makes its own, as it must on older ones.
 */
#ifdef UB_HAVE_REPORT_PORT_EVENT
static inline void ub_no_port_event(struct ib_device *ib, struct net_device *netdev,
				    unsigned long event)
{
}

#define UB_OWN_PORT_EVENTS .report_port_event = ub_no_port_event,
#else
#define UB_OWN_PORT_EVENTS
#endif

#endif /* _UB_COMPAT_RDMA_H */
