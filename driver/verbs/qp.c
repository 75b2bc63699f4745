// SPDX-License-Identifier: GPL-2.0
/*
 * QPs: making, destroying, and what they tell. Attributes: qp_modify.c; posting: post.c.
 *
 * The answer's limits are what the rings really hold, at least what was asked for.
 */
#include "verbs.h"

static const enum ib_event_type ub_vqp_event_type[] = {
	[UB_JETTY_EVENT_ESTABLISHED] = IB_EVENT_COMM_EST,
	[UB_JETTY_EVENT_DRAINED] = IB_EVENT_SQ_DRAINED,
	[UB_JETTY_EVENT_LAST_RECEIVE] = IB_EVENT_QP_LAST_WQE_REACHED,
	[UB_JETTY_EVENT_FATAL] = IB_EVENT_QP_FATAL,
	[UB_JETTY_EVENT_REQUEST] = IB_EVENT_QP_REQ_ERR,
	[UB_JETTY_EVENT_ACCESS] = IB_EVENT_QP_ACCESS_ERR,
};

static void ub_vqp_event(struct ub_jetty *jetty, enum ub_jetty_event type)
{
	struct ib_qp *ib = &container_of(jetty, struct ub_vqp, jetty)->ib;
	struct ib_event event = {
		.device = ib->device,
		.element.qp = ib,
		.event = ub_vqp_event_type[type],
	};

	if (ib->event_handler)
		ib->event_handler(&event, ib->qp_context);
}

static const struct ub_jetty_ops ub_vqp_jetty_ops = {
	.event = ub_vqp_event,
};

static int ub_vqp_type(enum ib_qp_type type)
{
	switch (type) {
	case IB_QPT_RC:
		return UB_JETTY_RC;
	case IB_QPT_UC:
		return UB_JETTY_UC;
	case IB_QPT_UD:
	case IB_QPT_GSI:
		return UB_JETTY_UD;
	default:
		return -EOPNOTSUPP;
	}
}

static int ub_vqp_check(const struct ib_qp_init_attr *init)
{
	const struct ib_qp_cap *cap = &init->cap;

	if (ub_vqp_type(init->qp_type) < 0 || init->create_flags || init->rwq_ind_tbl)
		return -EOPNOTSUPP;
	if (!init->send_cq || !init->recv_cq)
		return -EINVAL;
	if (cap->max_send_wr > UB_VERBS_MAX_WR || cap->max_send_sge > UB_MAX_SGE ||
	    cap->max_inline_data > UB_MAX_INLINE)
		return -EINVAL;
	if (!init->srq &&
	    (cap->max_recv_wr > UB_VERBS_MAX_WR || cap->max_recv_sge > UB_MAX_SGE))
		return -EINVAL;
	return 0;
}

static void ub_vqp_describe(struct ub_vqp *qp, const struct ib_qp_init_attr *init,
			    struct ub_jetty_desc *desc)
{
	*desc = (struct ub_jetty_desc){
		.engine = to_ub_vdev(qp->ib.device)->engine,
		.ops = &ub_vqp_jetty_ops,
		.type = ub_vqp_type(init->qp_type),
		.number = init->qp_type == IB_QPT_GSI ? 1 : 0,
		.pd = qp->ib.pd,
		.send_jfc = &to_ub_vcq(init->send_cq)->jfc,
		.recv_jfc = &to_ub_vcq(init->recv_cq)->jfc,
		.send_entries = max(init->cap.max_send_wr, 1U),
		.send_sge = max(init->cap.max_send_sge, 1U),
		.signal_all = init->sq_sig_type == IB_SIGNAL_ALL_WR,
		.kernel = !qp->ib.uobject,
	};
	/* An entry is a multiple of cache lines: what is left holds inline data. */
	desc->inline_length = ub_jetty_sq_stride(desc->send_sge, init->cap.max_inline_data) -
			      sizeof(struct ub_sqe);
	desc->inline_length = min_t(u32, desc->inline_length, UB_MAX_INLINE);
	if (init->srq) {
		desc->jfr = &to_ub_vsrq(init->srq)->jfr;
	} else {
		desc->recv_entries = init->cap.max_recv_wr;
		desc->recv_sge = init->cap.max_recv_sge;
	}
}

static void ub_vqp_unmap(struct ub_vqp *qp)
{
	ub_vmap_remove(qp->rq_map);
	ub_vmap_remove(qp->sq_map);
}

static int ub_vqp_map(struct ub_vqp *qp, const struct ub_jetty_desc *desc,
		      struct ib_udata *udata)
{
	u32 stride = ub_jetty_sq_stride(desc->send_sge, desc->inline_length);

	qp->sq_map = ub_vmap_reserve(udata, desc->send_entries, stride);
	if (IS_ERR(qp->sq_map))
		return PTR_ERR(qp->sq_map);
	if (!desc->recv_entries)
		return 0;
	qp->rq_map = ub_vmap_reserve(udata, desc->recv_entries, ub_jfr_stride(desc->recv_sge));
	if (!IS_ERR(qp->rq_map))
		return 0;
	ub_vmap_remove(qp->sq_map);
	return PTR_ERR(qp->rq_map);
}

static int ub_vqp_respond(struct ub_vqp *qp, struct ib_udata *udata)
{
	struct ub_jetty *jetty = &qp->jetty;
	struct ub_verbs_create_qp_resp resp = {};

	ub_vmap_show(qp->sq_map, &jetty->sq, &resp.sq);
	ub_vmap_show(qp->rq_map, &jetty->own_jfr.ring, &resp.rq);
	return ub_udata_respond(udata, &resp, sizeof(resp));
}

/* What the rings hold, which the user may rely on. */
static void ub_vqp_fill_cap(struct ub_vqp *qp, const struct ub_jetty_desc *desc,
			    struct ib_qp_cap *cap)
{
	struct ub_jetty *jetty = &qp->jetty;

	cap->max_send_wr = ub_ring_entries(&jetty->sq);
	cap->max_send_sge = desc->send_sge;
	cap->max_inline_data = desc->inline_length;
	cap->max_recv_wr = desc->recv_entries ? ub_ring_entries(&jetty->own_jfr.ring) : 0;
	cap->max_recv_sge = desc->recv_sge;
	qp->cap = *cap;
}

static int ub_vqp_create(struct ub_vqp *qp, struct ib_qp_init_attr *init,
			 struct ib_udata *udata)
{
	struct ub_jetty_desc desc;
	int ret;

	mutex_init(&qp->modify);
	spin_lock_init(&qp->sq_lock);
	spin_lock_init(&qp->rq_lock);
	ub_vqp_describe(qp, init, &desc);
	ret = ub_vqp_map(qp, &desc, udata);
	if (ret)
		return ret;
	ret = ub_jetty_init(&qp->jetty, &desc);
	if (ret)
		goto err_unmap;
	qp->ib.qp_num = qp->jetty.number;
	ub_vqp_fill_cap(qp, &desc, &init->cap);
	ret = ub_vqp_respond(qp, udata);
	if (!ret && desc.kernel)
		ret = xa_insert_irq(&to_ub_vdev(qp->ib.device)->kernel_qps, qp->ib.qp_num, qp,
				    GFP_KERNEL);
	if (ret)
		goto err_destroy;
	return 0;

err_destroy:
	ub_vqp_unmap(qp);
	ub_jetty_destroy(&qp->jetty);
	return ret;
err_unmap:
	ub_vqp_unmap(qp);
	return ret;
}

int ub_verbs_create_qp(struct ib_qp *ib, struct ib_qp_init_attr *init, struct ib_udata *udata)
{
	int ret = ub_udata_check(udata) ?: ub_vqp_check(init);

	if (ret)
		return ret;
	ret = ub_vdev_take(ib->device, UB_VDEV_QP, UB_VERBS_MAX_QP);
	if (ret)
		return ret;
	ret = ub_vqp_create(to_ub_vqp(ib), init, udata);
	if (ret)
		ub_vdev_give(ib->device, UB_VDEV_QP);
	return ret;
}

int ub_verbs_destroy_qp(struct ib_qp *ib, struct ib_udata *udata)
{
	struct ub_vqp *qp = to_ub_vqp(ib);

	if (qp->jetty.kernel)
		xa_erase_irq(&to_ub_vdev(ib->device)->kernel_qps, ib->qp_num);
	ub_vqp_unmap(qp);
	ub_jetty_destroy(&qp->jetty);
	ub_vdev_give(ib->device, UB_VDEV_QP);
	return 0;
}
