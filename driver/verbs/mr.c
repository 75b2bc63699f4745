// SPDX-License-Identifier: GPL-2.0
/*
 * MRs. A process registers its own memory, or a segment of /dev/ub/ubN that it has
 * mapped, with rights at most the import's; the engine tells one from the other.
 */
#include <linux/slab.h>

#include "verbs.h"

static_assert(UB_REGION_LOCAL_WRITE == IB_ACCESS_LOCAL_WRITE);
static_assert(UB_REGION_WRITE == IB_ACCESS_REMOTE_WRITE);
static_assert(UB_REGION_READ == IB_ACCESS_REMOTE_READ);
static_assert(UB_REGION_ATOMIC == IB_ACCESS_REMOTE_ATOMIC);
static_assert(UB_REGION_BIND == IB_ACCESS_MW_BIND);

#define UB_REGION_ALL (UB_REGION_LOCAL_WRITE | UB_REGION_WRITE | UB_REGION_READ | \
		       UB_REGION_ATOMIC | UB_REGION_BIND)

/* Asked for, and given without doing anything for it. */
#define UB_ACCESS_IGNORED (IB_ACCESS_RELAXED_ORDERING | IB_ACCESS_OPTIONAL)

/* UB_REGION_* of IB_ACCESS_*; -EOPNOTSUPP: more than we can. */
int ub_region_access(int flags, u32 *access)
{
	if (flags & ~(UB_REGION_ALL | UB_ACCESS_IGNORED))
		return -EOPNOTSUPP;
	*access = flags & UB_REGION_ALL;
	return 0;
}

static void ub_vmr_set_tseg(struct ub_vmr *mr, struct ub_tseg *tseg)
{
	mr->tseg = tseg;
	mr->ib.lkey = tseg->key;
	mr->ib.rkey = tseg->key;
}

static struct ub_vmr *ub_vmr_alloc(struct ib_pd *pd)
{
	struct ub_vmr *mr;

	if (ub_vdev_take(pd->device, UB_VDEV_MR, UB_VERBS_MAX_MR))
		return NULL;
	mr = kzalloc(sizeof(*mr), GFP_KERNEL_ACCOUNT);
	if (!mr)
		ub_vdev_give(pd->device, UB_VDEV_MR);
	return mr;
}

static void ub_vmr_free(struct ub_vmr *mr, struct ib_device *ib)
{
	kfree(mr);
	ub_vdev_give(ib, UB_VDEV_MR);
}

/* Takes over @tseg, which may be an ERR_PTR. */
static struct ib_mr *ub_vmr_finish(struct ub_vmr *mr, struct ib_pd *pd, struct ub_tseg *tseg)
{
	if (IS_ERR(tseg)) {
		ub_vmr_free(mr, pd->device);
		return ERR_CAST(tseg);
	}
	ub_vmr_set_tseg(mr, tseg);
	return &mr->ib;
}

/* All of the kernel's memory, for kernel users. */
struct ib_mr *ub_verbs_get_dma_mr(struct ib_pd *pd, int flags)
{
	struct ub_vmr *mr;
	u32 access;
	int ret;

	ret = ub_region_access(flags, &access);
	if (ret)
		return ERR_PTR(ret);
	mr = ub_vmr_alloc(pd);
	if (!mr)
		return ERR_PTR(-ENOMEM);
	return ub_vmr_finish(mr, pd, ub_tseg_register_kernel(to_ub_vdev(pd->device)->engine,
							     pd, access));
}

struct ib_mr *ub_verbs_reg_user_mr(struct ib_pd *pd, u64 start, u64 length, u64 iova,
				   int flags, struct ib_udata *udata)
{
	struct ub_vmr *mr;
	u32 access;
	int ret;

	ret = ub_udata_check(udata) ?: ub_region_access(flags, &access);
	if (ret)
		return ERR_PTR(ret);
	mr = ub_vmr_alloc(pd);
	if (!mr)
		return ERR_PTR(-ENOMEM);
	return ub_vmr_finish(mr, pd, ub_tseg_register(to_ub_vdev(pd->device)->engine, pd, start,
						      length, iova, access));
}

/*
 * Other rights and another domain are changes; another range is another registration,
 * with other keys. It is made first: if it fails, or windows are open on the old one,
 * that stays.
 */
struct ib_mr *ub_verbs_rereg_user_mr(struct ib_mr *ib, int what, u64 start, u64 length,
				     u64 iova, int flags, struct ib_pd *pd,
				     struct ib_udata *udata)
{
	struct ub_vmr *mr = to_ub_vmr(ib);
	struct ub_tseg *old = mr->tseg, *tseg;
	u32 access = old->access;
	int ret = ub_udata_check(udata);

	if (!ret && what & IB_MR_REREG_ACCESS)
		ret = ub_region_access(flags, &access);
	if (ret)
		return ERR_PTR(ret);
	if (!(what & IB_MR_REREG_TRANS)) {
		ret = ub_tseg_change(old, pd, access);
		return ret ? ERR_PTR(ret) : NULL;
	}
	tseg = ub_tseg_register(old->engine, pd, start, length, iova, access);
	if (IS_ERR(tseg))
		return ERR_CAST(tseg);
	ret = ub_tseg_unregister(old);
	if (ret) {
		ub_tseg_unregister(tseg);
		return ERR_PTR(ret);
	}
	ub_vmr_set_tseg(mr, tseg);
	return NULL;
}

int ub_verbs_dereg_mr(struct ib_mr *ib, struct ib_udata *udata)
{
	struct ub_vmr *mr = to_ub_vmr(ib);
	int ret = ub_tseg_unregister(mr->tseg);

	if (!ret)
		ub_vmr_free(mr, ib->device);
	return ret;
}
