// SPDX-License-Identifier: GPL-2.0
/*
 * CQs. A process polls and arms its CQ in the ring, without us; what reaches us is the
 * call that runs a backlog, and news of completions. Kernel users poll: wc.c.
 */
#include <linux/slab.h>

#include "verbs.h"

static struct ub_vcq *ub_vcq_from_jfc(struct ub_jfc *jfc)
{
	return container_of(jfc, struct ub_vcq, jfc);
}

static void ub_vcq_notify(struct ub_jfc *jfc)
{
	struct ib_cq *ib = &ub_vcq_from_jfc(jfc)->ib;

	if (ib->comp_handler)
		ib->comp_handler(ib, ib->cq_context);
}

static void ub_vcq_overflow(struct ub_jfc *jfc)
{
	struct ib_cq *ib = &ub_vcq_from_jfc(jfc)->ib;
	struct ib_event event = {
		.device = ib->device,
		.element.cq = ib,
		.event = IB_EVENT_CQ_ERR,
	};

	if (ib->event_handler)
		ib->event_handler(&event, ib->cq_context);
}

static const struct ub_jfc_ops ub_vcq_jfc_ops = {
	.notify = ub_vcq_notify,
	.overflow = ub_vcq_overflow,
};

static int ub_vcq_create(struct ub_vcq *cq, const struct ib_cq_init_attr *attr,
			 struct ib_udata *udata)
{
	struct ub_vdev *dev = to_ub_vdev(cq->ib.device);
	struct ub_verbs_create_cq_resp resp = {};
	int ret;

	mutex_init(&cq->resize);
	cq->map = ub_vmap_reserve(udata, attr->cqe, sizeof(struct ub_cqe));
	if (IS_ERR(cq->map))
		return PTR_ERR(cq->map);
	ret = ub_jfc_init(&cq->jfc, dev->engine, &ub_vcq_jfc_ops, attr->cqe);
	if (ret)
		goto err_map;
	cq->jfc.timestamps = attr->flags & IB_UVERBS_CQ_FLAGS_TIMESTAMP_COMPLETION;
	cq->ib.cqe = ub_ring_entries(&cq->jfc.ring);
	ub_vmap_show(cq->map, &cq->jfc.ring, &resp.ring);
	resp.number = atomic_inc_return(&dev->numbers);
	ret = ub_udata_respond(udata, &resp, sizeof(resp));
	if (!ret)
		return 0;
	ub_vmap_remove(cq->map);
	ub_jfc_exit(&cq->jfc);
	return ret;

err_map:
	ub_vmap_remove(cq->map);
	return ret;
}

int ub_verbs_create_cq(struct ib_cq *ib, const struct ib_cq_init_attr *attr,
		       struct ib_udata *udata)
{
	int ret = ub_udata_check(udata);

	if (ret)
		return ret;
	if (attr->flags & ~IB_UVERBS_CQ_FLAGS_TIMESTAMP_COMPLETION)
		return -EOPNOTSUPP;
	if (!attr->cqe || attr->cqe > UB_VERBS_MAX_CQE)
		return -EINVAL;
	ret = ub_vdev_take(ib->device, UB_VDEV_CQ, UB_VERBS_MAX_CQ);
	if (ret)
		return ret;
	ret = ub_vcq_create(to_ub_vcq(ib), attr, udata);
	if (ret)
		ub_vdev_give(ib->device, UB_VDEV_CQ);
	return ret;
}

int ub_verbs_destroy_cq(struct ib_cq *ib, struct ib_udata *udata)
{
	struct ub_vcq *cq = to_ub_vcq(ib);

	ub_vmap_remove(cq->map);
	ub_jfc_exit(&cq->jfc);
	ub_vdev_give(ib->device, UB_VDEV_CQ);
	return 0;
}

/* The process learns of the new ring by the answer; what it did not take moves along. */
static int ub_vcq_resize(struct ub_vcq *cq, u32 entries, struct ib_udata *udata)
{
	struct ub_verbs_create_cq_resp resp = {};
	struct ub_vmap *map, *old_map = cq->map;
	struct ub_ring old;
	int ret;

	map = ub_vmap_reserve(udata, entries, sizeof(struct ub_cqe));
	if (IS_ERR(map))
		return PTR_ERR(map);
	ret = ub_jfc_resize(&cq->jfc, entries, &old);
	if (ret) {
		ub_vmap_remove(map);
		return ret;
	}
	cq->map = map;
	cq->ib.cqe = ub_ring_entries(&cq->jfc.ring);
	ub_vmap_show(map, &cq->jfc.ring, &resp.ring);
	ub_vmap_remove(old_map);
	ub_ring_destroy(&old);
	return ub_udata_respond(udata, &resp, sizeof(resp));
}

int ub_verbs_resize_cq(struct ib_cq *ib, unsigned int entries, struct ib_udata *udata)
{
	struct ub_vcq *cq = to_ub_vcq(ib);
	int ret = ub_udata_check(udata);

	if (ret)
		return ret;
	if (!cq->map || !udata)
		return -EOPNOTSUPP;
	if (!entries || entries > UB_VERBS_MAX_CQE)
		return -EINVAL;
	/* Without the answer the process would lose its completions. */
	if (udata->outlen < sizeof(struct ub_verbs_ring))
		return -EINVAL;
	mutex_lock(&cq->resize);
	ret = ub_vcq_resize(cq, entries, udata);
	mutex_unlock(&cq->resize);
	return ret;
}

int ub_verbs_req_notify_cq(struct ib_cq *ib, enum ib_cq_notify_flags flags)
{
	bool solicited = (flags & IB_CQ_SOLICITED_MASK) == IB_CQ_SOLICITED;
	bool there;

	there = ub_jfc_arm(&to_ub_vcq(ib)->jfc, solicited ? UB_ARM_SOLICITED : UB_ARM_ANY);
	return there && (flags & IB_CQ_REPORT_MISSED_EVENTS);
}
