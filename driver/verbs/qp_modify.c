// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes of QPs. Transitions are IBTA's (ib_modify_qp_is_ok), values must lie in
 * their ranges (-EINVAL), a path must lead to an NPU of the pod (-EHOSTUNREACH).
 *
 * What was set can be queried; the state, which changes by itself, and PSNs are as the
 * engine has them.
 */
#include "verbs.h"

static_assert((int)UB_JETTY_RESET == IB_QPS_RESET);
static_assert((int)UB_JETTY_RTS == IB_QPS_RTS);
static_assert((int)UB_JETTY_ERR == IB_QPS_ERR);

/* Rights that a QP may give; the last is said of windows, which ask for nothing here. */
#define UB_QP_ACCESS (IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_WRITE | IB_ACCESS_REMOTE_READ | \
		      IB_ACCESS_REMOTE_ATOMIC | IB_ACCESS_MW_BIND)

/*
 * What a program may grant to no effect, as on other devices: the two rights to flush
 * (IB_ACCESS_FLUSH_*, named since 6.2), an operation that we have not, and hints.
 */
#define UB_QP_ACCESS_VAIN (GENMASK(9, 8) | IB_ACCESS_OPTIONAL)

static bool ub_qp_ranges_ok(const struct ib_qp_attr *attr, int mask)
{
	if (mask & IB_QP_PORT && attr->port_num != UB_VERBS_PORT)
		return false;
	if (mask & IB_QP_PKEY_INDEX && attr->pkey_index)
		return false;
	if (mask & IB_QP_ACCESS_FLAGS &&
	    attr->qp_access_flags & ~(UB_QP_ACCESS | UB_QP_ACCESS_VAIN))
		return false;
	if (mask & IB_QP_PATH_MTU &&
	    (attr->path_mtu < IB_MTU_256 || attr->path_mtu > IB_MTU_4096))
		return false;
	if (mask & IB_QP_MAX_QP_RD_ATOMIC && attr->max_rd_atomic > UB_VERBS_MAX_RD_ATOM)
		return false;
	if (mask & IB_QP_MAX_DEST_RD_ATOMIC && attr->max_dest_rd_atomic > UB_VERBS_MAX_RD_ATOM)
		return false;
	if (mask & IB_QP_DEST_QPN && attr->dest_qp_num >> 24)
		return false;
	if (mask & IB_QP_TIMEOUT && attr->timeout > 31)
		return false;
	if (mask & IB_QP_RETRY_CNT && attr->retry_cnt > 7)
		return false;
	if (mask & IB_QP_RNR_RETRY && attr->rnr_retry > 7)
		return false;
	return !(mask & IB_QP_MIN_RNR_TIMER) || attr->min_rnr_timer <= 31;
}

static int ub_qp_check(struct ub_vqp *qp, enum ib_qp_state now, const struct ib_qp_attr *attr,
		       int mask)
{
	enum ib_qp_state next = mask & IB_QP_STATE ? attr->qp_state : now;

	if (mask & ~IB_QP_ATTR_STANDARD_BITS)
		return -EOPNOTSUPP;
	if (mask & IB_QP_CUR_STATE && attr->cur_qp_state != now)
		return -EINVAL;
	if (!ib_modify_qp_is_ok(now, next, qp->ib.qp_type, mask))
		return -EINVAL;
	return ub_qp_ranges_ok(attr, mask) ? 0 : -EINVAL;
}

/* Changes of @to, which holds what is; returns UB_ATTR_*, or -errno. */
static int ub_qp_translate(struct ub_vqp *qp, const struct ib_qp_attr *attr, int mask,
			   struct ub_jetty_attr *to)
{
	static const struct { u32 ib, ub; } bit[] = {
		{ IB_QP_STATE, UB_ATTR_STATE },
		{ IB_QP_ACCESS_FLAGS, UB_ATTR_ACCESS },
		{ IB_QP_AV, UB_ATTR_PEER },
		{ IB_QP_DEST_QPN, UB_ATTR_PEER },
		{ IB_QP_PATH_MTU, UB_ATTR_MTU },
		{ IB_QP_SQ_PSN, UB_ATTR_TX_PSN },
		{ IB_QP_RQ_PSN, UB_ATTR_RX_PSN },
		{ IB_QP_QKEY, UB_ATTR_QKEY },
		{ IB_QP_TIMEOUT, UB_ATTR_TIMEOUT },
		{ IB_QP_RETRY_CNT, UB_ATTR_RETRY },
		{ IB_QP_RNR_RETRY, UB_ATTR_RNR_RETRY },
		{ IB_QP_MIN_RNR_TIMER, UB_ATTR_RNR_TIMER },
	};
	u32 i, changed = 0;
	int ret;

	for (i = 0; i < ARRAY_SIZE(bit); i++)
		if (mask & bit[i].ib)
			changed |= bit[i].ub;
	if (mask & IB_QP_STATE)
		to->state = (enum ub_jetty_state)attr->qp_state;
	if (mask & IB_QP_ACCESS_FLAGS) {
		ret = ub_region_access(attr->qp_access_flags &
				       (UB_QP_ACCESS & ~IB_ACCESS_MW_BIND), &to->access);
		if (ret)
			return ret;
	}
	if (mask & IB_QP_AV) {
		ret = ub_gid_npu(to_ub_vdev(qp->ib.device), &attr->ah_attr.grh.dgid,
				 &to->peer_npu);
		if (ret)
			return ret;
	}
	if (mask & IB_QP_DEST_QPN)
		to->peer_jetty = attr->dest_qp_num;
	if (mask & IB_QP_PATH_MTU)
		to->mtu = ib_mtu_enum_to_int(attr->path_mtu);
	if (mask & IB_QP_SQ_PSN)
		to->tx_psn = attr->sq_psn & 0xffffff;
	if (mask & IB_QP_RQ_PSN)
		to->rx_psn = attr->rq_psn & 0xffffff;
	if (mask & IB_QP_QKEY)
		to->qkey = attr->qkey;
	if (mask & IB_QP_TIMEOUT)
		to->timeout = attr->timeout;
	if (mask & IB_QP_RETRY_CNT)
		to->retry = attr->retry_cnt;
	if (mask & IB_QP_RNR_RETRY)
		to->rnr_retry = attr->rnr_retry;
	if (mask & IB_QP_MIN_RNR_TIMER)
		to->rnr_timer = attr->min_rnr_timer;
	if (mask & IB_QP_EN_SQD_ASYNC_NOTIFY && attr->en_sqd_async_notify)
		changed |= UB_ATTR_NOTIFY_DRAINED;
	return changed;
}

/* What the engine does not know, or not as it was said. */
static void ub_qp_remember(struct ub_vqp *qp, const struct ib_qp_attr *attr, int mask)
{
	struct ib_qp_attr *to = &qp->attr;

	if (mask & IB_QP_STATE && attr->qp_state == IB_QPS_RESET) {
		*to = (struct ib_qp_attr){};
		return;
	}
	if (mask & IB_QP_ACCESS_FLAGS)
		to->qp_access_flags = attr->qp_access_flags;
	if (mask & IB_QP_PKEY_INDEX)
		to->pkey_index = attr->pkey_index;
	if (mask & IB_QP_PORT)
		to->port_num = attr->port_num;
	if (mask & IB_QP_QKEY)
		to->qkey = attr->qkey;
	if (mask & IB_QP_AV) {
		to->ah_attr = attr->ah_attr;
		/* A reference that is the core's. */
		to->ah_attr.grh.sgid_attr = NULL;
	}
	if (mask & IB_QP_DEST_QPN)
		to->dest_qp_num = attr->dest_qp_num;
	if (mask & IB_QP_PATH_MTU)
		to->path_mtu = attr->path_mtu;
	if (mask & IB_QP_TIMEOUT)
		to->timeout = attr->timeout;
	if (mask & IB_QP_RETRY_CNT)
		to->retry_cnt = attr->retry_cnt;
	if (mask & IB_QP_RNR_RETRY)
		to->rnr_retry = attr->rnr_retry;
	if (mask & IB_QP_MIN_RNR_TIMER)
		to->min_rnr_timer = attr->min_rnr_timer;
	if (mask & IB_QP_MAX_QP_RD_ATOMIC)
		to->max_rd_atomic = attr->max_rd_atomic;
	if (mask & IB_QP_MAX_DEST_RD_ATOMIC)
		to->max_dest_rd_atomic = attr->max_dest_rd_atomic;
	if (mask & IB_QP_PATH_MIG_STATE)
		to->path_mig_state = attr->path_mig_state;
}

int ub_verbs_modify_qp(struct ib_qp *ib, struct ib_qp_attr *attr, int mask,
		       struct ib_udata *udata)
{
	struct ub_vqp *qp = to_ub_vqp(ib);
	struct ub_jetty_attr to;
	int ret;

	mutex_lock(&qp->modify);
	ub_jetty_query(&qp->jetty, &to);
	ret = ub_udata_check(udata) ?:
	      ub_qp_check(qp, (enum ib_qp_state)to.state, attr, mask);
	if (ret)
		goto out;
	ret = ub_qp_translate(qp, attr, mask, &to);
	if (ret >= 0)
		ret = ub_jetty_modify(&qp->jetty, &to, ret);
	if (!ret)
		ub_qp_remember(qp, attr, mask);
out:
	mutex_unlock(&qp->modify);
	return ret;
}

int ub_verbs_query_qp(struct ib_qp *ib, struct ib_qp_attr *attr, int mask,
		      struct ib_qp_init_attr *init)
{
	struct ub_vqp *qp = to_ub_vqp(ib);
	struct ub_jetty_attr now;

	mutex_lock(&qp->modify);
	ub_jetty_query(&qp->jetty, &now);
	*attr = qp->attr;
	mutex_unlock(&qp->modify);
	attr->qp_state = (enum ib_qp_state)now.state;
	attr->cur_qp_state = attr->qp_state;
	attr->sq_psn = now.tx_psn;
	attr->rq_psn = now.rx_psn;
	attr->cap = qp->cap;

	*init = (struct ib_qp_init_attr){
		.event_handler = ib->event_handler,
		.qp_context = ib->qp_context,
		.send_cq = ib->send_cq,
		.recv_cq = ib->recv_cq,
		.srq = ib->srq,
		.cap = qp->cap,
		.sq_sig_type = qp->jetty.signal_all ? IB_SIGNAL_ALL_WR : IB_SIGNAL_REQ_WR,
		.qp_type = ib->qp_type,
		.port_num = attr->port_num,
	};
	return 0;
}
