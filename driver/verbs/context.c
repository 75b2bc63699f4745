// SPDX-License-Identifier: GPL-2.0
/*
 * Contexts and protection domains: who uses the device, and what may be used together.
 *
 * A context is a claim on the NPU: its pod stays, or is removed by force. A protection
 * domain is an address that the engine compares.
 */
#include "verbs.h"

int ub_verbs_alloc_ucontext(struct ib_ucontext *context, struct ib_udata *udata)
{
	struct ub_verbs_alloc_ucontext_resp resp = {
		.max_inline = UB_MAX_INLINE,
		.max_sge = UB_MAX_SGE,
	};
	struct ub_npu *npu = to_ub_vdev(context->device)->npu;
	int ret;

	ret = ub_udata_check(udata) ?: ub_npu_claim(npu);
	if (ret)
		return ret;
	ret = ub_udata_respond(udata, &resp, sizeof(resp));
	if (ret)
		ub_npu_release(npu);
	return ret;
}

void ub_verbs_dealloc_ucontext(struct ib_ucontext *context)
{
	ub_npu_release(to_ub_vdev(context->device)->npu);
}

/*
 * There is nothing to do: the context's objects are destroyed, which marks their rings
 * as dead. That the operation is there says that we can be unloaded hot.
 */
void ub_verbs_disassociate_ucontext(struct ib_ucontext *context)
{
}

int ub_verbs_alloc_pd(struct ib_pd *pd, struct ib_udata *udata)
{
	return ub_udata_check(udata) ?: ub_vdev_take(pd->device, UB_VDEV_PD, UB_VERBS_MAX_PD);
}

int ub_verbs_dealloc_pd(struct ib_pd *pd, struct ib_udata *udata)
{
	ub_vdev_give(pd->device, UB_VDEV_PD);
	return 0;
}
