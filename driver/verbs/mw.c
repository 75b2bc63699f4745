// SPDX-License-Identifier: GPL-2.0
/*
 * MWs: keys without memory, until a request of a send queue opens them.
 */
#include "verbs.h"

int ub_verbs_alloc_mw(struct ib_mw *ib, struct ib_udata *udata)
{
	struct ub_vmw *mw = to_ub_vmw(ib);
	int ret;

	ret = ub_udata_check(udata) ?: ub_vdev_take(ib->device, UB_VDEV_MW, UB_VERBS_MAX_MR);
	if (ret)
		return ret;
	mw->tseg = ub_tseg_create_window(to_ub_vdev(ib->device)->engine, ib->pd,
					 ib->type == IB_MW_TYPE_2);
	if (IS_ERR(mw->tseg)) {
		ub_vdev_give(ib->device, UB_VDEV_MW);
		return PTR_ERR(mw->tseg);
	}
	ib->rkey = mw->tseg->key;
	return 0;
}

int ub_verbs_dealloc_mw(struct ib_mw *ib)
{
	int ret = ub_tseg_unregister(to_ub_vmw(ib)->tseg);

	if (!ret)
		ub_vdev_give(ib->device, UB_VDEV_MW);
	return ret;
}
