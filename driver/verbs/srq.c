// SPDX-License-Identifier: GPL-2.0
/*
 * SRQs: receives that several QPs take from. They have the size that they were made
 * with.
 */
#include <linux/slab.h>

#include "verbs.h"

static void ub_vsrq_limit(struct ub_jfr *jfr)
{
	struct ib_srq *ib = &container_of(jfr, struct ub_vsrq, jfr)->ib;
	struct ib_event event = {
		.device = ib->device,
		.element.srq = ib,
		.event = IB_EVENT_SRQ_LIMIT_REACHED,
	};

	if (ib->event_handler)
		ib->event_handler(&event, ib->srq_context);
}

static const struct ub_jfr_ops ub_vsrq_jfr_ops = {
	.limit = ub_vsrq_limit,
};

static int ub_vsrq_create(struct ub_vsrq *srq, struct ib_srq_attr *attr, struct ib_udata *udata)
{
	struct ub_vdev *dev = to_ub_vdev(srq->ib.device);
	struct ub_verbs_create_srq_resp resp = {};
	int ret;

	spin_lock_init(&srq->lock);
	srq->map = ub_vmap_reserve(udata, attr->max_wr, ub_jfr_stride(attr->max_sge));
	if (IS_ERR(srq->map))
		return PTR_ERR(srq->map);
	ret = ub_jfr_init(&srq->jfr, &ub_vsrq_jfr_ops, attr->max_wr, attr->max_sge);
	if (ret)
		goto err_map;
	attr->max_wr = ub_ring_entries(&srq->jfr.ring);
	ub_vmap_show(srq->map, &srq->jfr.ring, &resp.ring);
	resp.number = atomic_inc_return(&dev->numbers);
	ret = ub_udata_respond(udata, &resp, sizeof(resp));
	if (!ret)
		return 0;
	ub_vmap_remove(srq->map);
	ub_jfr_exit(&srq->jfr);
	return ret;

err_map:
	ub_vmap_remove(srq->map);
	return ret;
}

int ub_verbs_create_srq(struct ib_srq *ib, struct ib_srq_init_attr *init,
			struct ib_udata *udata)
{
	struct ib_srq_attr *attr = &init->attr;
	int ret = ub_udata_check(udata);

	if (ret)
		return ret;
	if (init->srq_type != IB_SRQT_BASIC)
		return -EOPNOTSUPP;
	if (!attr->max_wr || attr->max_wr > UB_VERBS_MAX_WR || attr->max_sge > UB_MAX_SGE)
		return -EINVAL;
	ret = ub_vdev_take(ib->device, UB_VDEV_SRQ, UB_VERBS_MAX_SRQ);
	if (ret)
		return ret;
	ret = ub_vsrq_create(to_ub_vsrq(ib), attr, udata);
	if (ret)
		ub_vdev_give(ib->device, UB_VDEV_SRQ);
	return ret;
}

int ub_verbs_modify_srq(struct ib_srq *ib, struct ib_srq_attr *attr,
			enum ib_srq_attr_mask mask, struct ib_udata *udata)
{
	struct ub_jfr *jfr = &to_ub_vsrq(ib)->jfr;
	int ret = ub_udata_check(udata);

	if (ret)
		return ret;
	if (mask & ~IB_SRQ_LIMIT)
		return mask & IB_SRQ_MAX_WR ? -EOPNOTSUPP : -EINVAL;
	if (mask & IB_SRQ_LIMIT) {
		if (attr->srq_limit > ub_ring_entries(&jfr->ring))
			return -EINVAL;
		ub_jfr_set_limit(jfr, attr->srq_limit);
	}
	return 0;
}

int ub_verbs_query_srq(struct ib_srq *ib, struct ib_srq_attr *attr)
{
	struct ub_jfr *jfr = &to_ub_vsrq(ib)->jfr;

	*attr = (struct ib_srq_attr){
		.max_wr = ub_ring_entries(&jfr->ring),
		.max_sge = jfr->max_sge,
		.srq_limit = ub_jfr_limit(jfr),
	};
	return 0;
}

int ub_verbs_destroy_srq(struct ib_srq *ib, struct ib_udata *udata)
{
	struct ub_vsrq *srq = to_ub_vsrq(ib);

	ub_vmap_remove(srq->map);
	ub_jfr_exit(&srq->jfr);
	ub_vdev_give(ib->device, UB_VDEV_SRQ);
	return 0;
}

int ub_verbs_post_srq_recv(struct ib_srq *ib, const struct ib_recv_wr *wr,
			   const struct ib_recv_wr **bad)
{
	struct ub_vsrq *srq = to_ub_vsrq(ib);

	if (!srq->map)
		return ub_jfr_post_wrs(&srq->jfr, &srq->lock, wr, bad);
	if (wr) {
		*bad = wr;
		return -EOPNOTSUPP;
	}
	ub_jfr_doorbell(&srq->jfr);
	return 0;
}
